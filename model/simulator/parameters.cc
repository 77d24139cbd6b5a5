#include "model/simulator/parameters.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/simulator/compression.h"
#include "model/stall.h"
#include "model/tree.h"

namespace lsmtuned::model::simulator {
namespace {

constexpr double kNoLimit = std::numeric_limits<double>::infinity();
constexpr double kDefaultForeground = 150.0 * 1024 * 1024;
constexpr double kMemtableBytesOverUser = 40;  // skip list node, trailer and lengths
constexpr double kBatchHeaderAndTag = 13;      // model/framing.h

double value_of(const KnobValues& settings, Knob knob) {
  return settings.get_or(knob, info(knob).rocksdb_default);
}

double varint_bytes(double value) {
  double bytes = 1;
  for (; value >= 128; value /= 128) ++bytes;
  return bytes;
}

double or_infinite(double limit) {
  return limit > 0 ? limit : kNoLimit;
}

StallLimits stall_limits(const KnobValues& settings, const FamilyFacts& facts) {
  StallLimits limits;
  limits.max_write_buffers = value_of(settings, Knob::max_write_buffer_number);
  limits.min_buffers_to_merge = facts.min_write_buffer_number_to_merge;
  limits.l0_slowdown = value_of(settings, Knob::level0_slowdown_writes_trigger);
  limits.l0_stop = value_of(settings, Knob::level0_stop_writes_trigger);
  limits.soft_pending_bytes = value_of(settings, Knob::soft_pending_compaction_bytes_limit);
  limits.hard_pending_bytes = value_of(settings, Knob::hard_pending_compaction_bytes_limit);
  limits.speedup_pending_bytes = std::floor(limits.soft_pending_bytes / 4);
  const double trigger = value_of(settings, Knob::level0_file_num_compaction_trigger);
  limits.l0_speedup =
      std::min(2 * trigger, trigger + std::trunc((limits.l0_slowdown - trigger) / 4));
  const double limiter = settings.get_or(Knob::rate_limiter_bytes_per_second, 0);
  limits.max_delayed_rate = settings.get_or(Knob::delayed_write_rate, 0);
  if (limits.max_delayed_rate <= 0) {
    limits.max_delayed_rate =
        limiter > 0 ? limiter : info(Knob::delayed_write_rate).rocksdb_default;
  }
  return limits;
}

void set_levels(const Problem& problem, Parameters& p) {
  const KnobValues& settings = problem.settings;
  p.levels = static_cast<std::size_t>(problem.facts.num_levels);
  p.dynamic_level_bytes = problem.facts.dynamic_level_bytes;
  p.level_base_bytes = value_of(settings, Knob::max_bytes_for_level_base);
  p.level_multiplier = value_of(settings, Knob::max_bytes_for_level_multiplier);
  std::vector<double> bytes(p.levels, 0.0);
  for (std::size_t l = 0; l < problem.tree.levels.size(); ++l) {
    const LevelShape& level = problem.tree.levels[l];
    bytes[l] = level.bytes;
    if (level.ranges.empty()) continue;
    bytes[l] = 0;
    for (const FileRange& file : level.ranges) bytes[l] += file.bytes;
  }
  const LevelTargets targets = level_targets(bytes, settings, problem.facts);
  p.base_level = targets.base_level;
  for (std::size_t l = 0; l < p.levels; ++l) p.targets[l] = targets.bytes[l];
}

void set_records(const Problem& problem, Parameters& p) {
  const Workload& workload = problem.workload;
  const TreeConstants& constants = problem.constants;
  const double user = workload.key_bytes + workload.value_bytes;
  p.user_bytes_per_record = user;
  p.batch_bytes_per_record = user + kBatchHeaderAndTag + varint_bytes(workload.key_bytes) +
                             varint_bytes(workload.value_bytes);
  const double e = constants.file_bytes_per_record > 0 ? constants.file_bytes_per_record
                                                       : user + kFileBytesOverUser;
  for (std::size_t l = 0; l < p.levels; ++l) {
    const auto& ratios = constants.level_compression;
    p.tree_bytes_per_record[l] = e * (l < ratios.size() ? ratios[l] : 1.0);
    const auto& shares = constants.overlap;
    const std::size_t o = std::min(l > 0 ? l - 1 : 0, shares.empty() ? 0 : shares.size() - 1);
    p.overlap_share[l] = shares.empty() ? 1.0 : shares[o];
  }
  set_compression(problem, p);
  p.distinct_keys = workload.distinct_keys;
  p.inverse_distinct_keys = workload.distinct_keys > 0 ? 1 / workload.distinct_keys : 0;
  p.order = workload.order;

  p.memtable_bytes_per_record = constants.memtable_bytes_per_record > 0
                                    ? constants.memtable_bytes_per_record
                                    : user + kMemtableBytesOverUser;
  double arena = constants.arena_block_bytes;
  if (arena <= 0) arena = problem.facts.arena_block_bytes;
  if (arena <= 0) arena = std::min(1024.0 * 1024, p.write_buffer_bytes / 8);
  p.memtable_records =
      memtable_capacity_records(p.write_buffer_bytes, arena, p.memtable_bytes_per_record);
}

void set_machine(const Problem& problem, Parameters& p) {
  const DeviceSpec& device = problem.device;
  const TreeConstants& constants = problem.constants;
  p.device_write = device.write_bytes_per_s;
  p.device_read = kNoLimit;
  if (device.read_bytes_per_s > 0) {
    // Reads that would fill the device still leave compaction its turn in the queue.
    const double left = device.read_bytes_per_s - problem.workload.read_bytes_per_s;
    p.device_read = std::max(left, 0.05 * device.read_bytes_per_s);
  }
  p.mix_exponent = device.mix_exponent;
  p.wal_device_write = device.wal_write_bytes_per_s;
  p.limiter = or_infinite(problem.settings.get_or(Knob::rate_limiter_bytes_per_second, 0));
  p.cores = constants.cores;
  p.cpu_seconds_per_record = constants.cpu_seconds_per_record;
  p.flush_weight = constants.flush_weight;
  p.think_s = constants.think_s;
  p.burst_bytes = constants.burst_bytes + constants.burst_s * p.device_write;
  p.read_burst_bytes = std::isfinite(p.device_read) ? constants.burst_s * p.device_read : 0;
  p.readahead_bytes = constants.readahead_bytes;
  p.wal_bytes_per_user_byte = constants.wal_bytes_per_user_byte;
  p.writer_bytes_per_s =
      constants.foreground_bytes_per_s > 0 ? constants.foreground_bytes_per_s : kDefaultForeground;
  if (problem.workload.offered_bytes_per_s > 0) {
    p.writer_bytes_per_s = std::min(p.writer_bytes_per_s, problem.workload.offered_bytes_per_s);
  }
  if (p.wal_device_write > 0 && p.wal_bytes_per_user_byte > 0) {
    p.writer_bytes_per_s =
        std::min(p.writer_bytes_per_s, p.wal_device_write / p.wal_bytes_per_user_byte);
  }
}

}  // namespace

Parameters make_parameters(const Problem& problem) {
  const KnobValues& settings = problem.settings;
  Parameters p;
  p.stall = stall_limits(settings, problem.facts);
  p.write_buffer_bytes = value_of(settings, Knob::write_buffer_size);
  p.l0_trigger = value_of(settings, Knob::level0_file_num_compaction_trigger);
  p.target_file_bytes = value_of(settings, Knob::target_file_size_base);
  p.max_compaction_bytes = settings.get_or(Knob::max_compaction_bytes, 25 * p.target_file_bytes);
  const double jobs = value_of(settings, Knob::max_background_jobs);
  p.flush_slots = static_cast<std::size_t>(flush_slots(jobs));
  p.compaction_slots = static_cast<std::size_t>(compaction_slots(jobs, true));
  p.max_subcompactions = value_of(settings, Knob::max_subcompactions);
  set_levels(problem, p);
  set_records(problem, p);
  set_machine(problem, p);
  return p;
}

double memtable_capacity_records(double write_buffer_bytes, double arena_block_bytes,
                                 double memtable_bytes_per_record) {
  const double block = std::max(arena_block_bytes, 1.0);
  const double blocks = std::max(1.0, std::floor(write_buffer_bytes / block + 0.6));
  return std::max(1.0, (blocks - 0.25) * block / memtable_bytes_per_record);
}

double distinct_records(double records, double distinct_keys) {
  if (distinct_keys <= 0) return records;
  return -distinct_keys * std::expm1(-records / distinct_keys);
}

}  // namespace lsmtuned::model::simulator
