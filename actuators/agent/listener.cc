#include "actuators/agent/listener.h"

#include <algorithm>

namespace lsmtuned::agent {
namespace {

// A job this young may have begun after RocksDB was asked what runs.
constexpr std::chrono::seconds kTooYoungToForget{1};

}  // namespace

void JobListener::began(Running& running, Key key, bool manual) {
  std::uint32_t highest = highest_family_id_.load(std::memory_order_relaxed);
  while (highest < key.first &&
         !highest_family_id_.compare_exchange_weak(highest, key.first, std::memory_order_relaxed)) {
  }
  try {
    const std::scoped_lock lock(mutex_);
    running[key] = {Clock::now(), manual};
  } catch (...) {
    return;  // out of memory: the job's age stays unknown, the job itself goes on
  }
}

void JobListener::ended(Running& running, Key key) {
  const std::scoped_lock lock(mutex_);
  running.erase(key);
}

void JobListener::OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo& job) {
  began(running_flushes_, {job.cf_id, job.job_id}, false);
}

void JobListener::OnFlushCompleted(rocksdb::DB*, const rocksdb::FlushJobInfo& job) {
  ended(running_flushes_, {job.cf_id, job.job_id});
  flushes_.fetch_add(1, std::memory_order_relaxed);
  range_deletions_.fetch_add(job.table_properties.num_range_deletions, std::memory_order_relaxed);
}

void JobListener::OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo& job) {
  began(running_compactions_, {job.cf_id, job.job_id},
        job.compaction_reason == rocksdb::CompactionReason::kManualCompaction);
}

void JobListener::OnCompactionCompleted(rocksdb::DB*, const rocksdb::CompactionJobInfo& job) {
  ended(running_compactions_, {job.cf_id, job.job_id});
  compactions_.fetch_add(1, std::memory_order_relaxed);
  if (job.base_input_level == 0 && job.output_level > 0)
    l0_compactions_.fetch_add(1, std::memory_order_relaxed);
}

void JobListener::OnStallConditionsChanged(const rocksdb::WriteStallInfo&) {
  stall_changes_.fetch_add(1, std::memory_order_relaxed);
}

JobCounts JobListener::counts(bool flush_running, bool compaction_running) {
  JobCounts counts;
  counts.flushes = flushes_.load(std::memory_order_relaxed);
  counts.compactions = compactions_.load(std::memory_order_relaxed);
  counts.l0_compactions = l0_compactions_.load(std::memory_order_relaxed);
  counts.stall_changes = stall_changes_.load(std::memory_order_relaxed);
  counts.range_deletions = range_deletions_.load(std::memory_order_relaxed);
  const Clock::time_point now = Clock::now();
  Clock::time_point oldest = now;
  const std::scoped_lock lock(mutex_);
  const auto look = [&](Running& running, bool any) {
    if (!any)
      std::erase_if(running,
                    [&](const auto& job) { return now - job.second.since > kTooYoungToForget; });
    for (const auto& [key, job] : running) {
      oldest = std::min(oldest, job.since);
      if (job.manual) ++counts.manual_running;
    }
  };
  look(running_flushes_, flush_running);
  look(running_compactions_, compaction_running);
  counts.oldest_running_s = std::chrono::duration<double>(now - oldest).count();
  return counts;
}

}  // namespace lsmtuned::agent
