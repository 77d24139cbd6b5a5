// Counts flushes and compactions, and knows how long the oldest running one has been at it.
//
// RocksDB calls it from its background threads. It takes a lock of its own for a moment, and never
// calls back into the database: options calls from a listener deadlock. Thread rules: any thread.
#pragma once

#include <rocksdb/listener.h>
#include <rocksdb/statistics.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace lsmtuned::agent {

struct JobCounts {
  std::uint64_t flushes = 0;  // completed since open
  std::uint64_t compactions = 0;
  std::uint64_t l0_compactions = 0;   // those from level 0 to a deeper one
  std::uint64_t stall_changes = 0;    // write-stall condition changes of any family
  std::uint64_t range_deletions = 0;  // range tombstones in tables flushed since open
  std::uint64_t manual_running = 0;   // compactions that somebody called for
  double oldest_running_s = 0;        // 0: none
};

class JobListener final : public rocksdb::EventListener {
 public:
  // `injected`: the statistics added beside this listener, by which they are known as ours later;
  // null at the level none and where RocksDB's own counters do (`counts_wanted`).
  JobListener(const std::shared_ptr<rocksdb::Statistics>& injected, bool counts_wanted)
      : injected_statistics_(injected), counts_wanted_(counts_wanted) {}
  bool counts_wanted() const { return counts_wanted_; }
  bool injected(const std::shared_ptr<rocksdb::Statistics>& statistics) const {
    return statistics != nullptr && injected_statistics_.lock() == statistics;
  }

  // Jobs that failed send no completion. What RocksDB no longer runs is forgotten here.
  JobCounts counts(bool flush_running, bool compaction_running);
  // Highest column family id seen in any job.
  std::uint32_t highest_family_id() const {
    return highest_family_id_.load(std::memory_order_relaxed);
  }

  const char* Name() const override { return "lsmtuned_agent"; }
  void OnFlushBegin(rocksdb::DB* db, const rocksdb::FlushJobInfo& job) override;
  void OnFlushCompleted(rocksdb::DB* db, const rocksdb::FlushJobInfo& job) override;
  void OnCompactionBegin(rocksdb::DB* db, const rocksdb::CompactionJobInfo& job) override;
  void OnCompactionCompleted(rocksdb::DB* db, const rocksdb::CompactionJobInfo& job) override;
  void OnStallConditionsChanged(const rocksdb::WriteStallInfo& info) override;

 private:
  using Clock = std::chrono::steady_clock;
  using Key = std::pair<std::uint32_t, int>;  // family id, job id
  struct Job {
    Clock::time_point since;
    bool manual = false;
  };
  using Running = std::map<Key, Job>;

  void began(Running& running, Key key, bool manual);
  void ended(Running& running, Key key);

  const std::weak_ptr<rocksdb::Statistics> injected_statistics_;
  const bool counts_wanted_;
  std::atomic<std::uint64_t> flushes_{0};
  std::atomic<std::uint64_t> compactions_{0};
  std::atomic<std::uint64_t> l0_compactions_{0};
  std::atomic<std::uint64_t> stall_changes_{0};
  std::atomic<std::uint64_t> range_deletions_{0};
  std::atomic<std::uint32_t> highest_family_id_{0};
  std::mutex mutex_;
  Running running_flushes_;
  Running running_compactions_;
};

}  // namespace lsmtuned::agent
