// Problem::check(): what a prediction problem must satisfy, every fault with its field's name.
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "model/simulator/parameters.h"
#include "model/simulator/problem.h"

namespace lsmtuned::model {
namespace {

constexpr double kHuge = 1e18;
constexpr double kLongestHorizon_s = 30.0 * 86400;
constexpr std::size_t kMostRanges = 2'000'000;
constexpr double kMostFiles = 2'000'000;

class Checker {
 public:
  void within(const std::string& field, double value, double low, double high,
              const char* allowed) {
    if (std::isfinite(value) && value >= low && value <= high) return;
    faults.push_back(field + ": " + std::to_string(value) + " is not allowed; " + allowed);
  }
  void not_negative(const std::string& field, double value) {
    within(field, value, 0, kHuge, "a number of at least 0");
  }
  void above_zero(const std::string& field, double value) {
    within(field, value, 1e-12, kHuge, "a number above 0");
  }
  void refuse(bool bad, std::string text) {
    if (bad) faults.push_back(std::move(text));
  }

  std::vector<std::string> faults;
};

// A zero that switches the limit off, or stands for the default.
bool zero_allowed(Knob knob) {
  return knob == Knob::soft_pending_compaction_bytes_limit ||
         knob == Knob::hard_pending_compaction_bytes_limit || knob == Knob::delayed_write_rate ||
         knob == Knob::rate_limiter_bytes_per_second;
}

void check_settings(const Problem& problem, Checker& checker) {
  for (const KnobInfo& about : all_knobs()) {
    const auto value = problem.settings.get(about.knob);
    if (!value) continue;
    if (*value == 0 && zero_allowed(about.knob)) continue;
    const std::string allowed =
        "at least " + to_option_text(about.knob, about.minimum) + " and at most 2^53";
    checker.within(std::string("settings.") + about.option, *value, about.minimum,
                   9007199254740992.0, allowed.c_str());
  }
  const double buffers = problem.settings.get_or(
      Knob::max_write_buffer_number, info(Knob::max_write_buffer_number).rocksdb_default);
  checker.refuse(buffers <= problem.facts.min_write_buffer_number_to_merge,
                 "settings.max_write_buffer_number: not above min_write_buffer_number_to_merge; "
                 "RocksDB's writers would hang");
  checker.within("settings.max_background_jobs",
                 problem.settings.get_or(Knob::max_background_jobs, 2), 1, 1024, "1 to 1024");
}

void check_facts(const FamilyFacts& facts, Checker& checker) {
  checker.refuse(facts.style != CompactionStyle::level,
                 "facts.compaction_style: only level compaction is simulated; universal and FIFO "
                 "have a ledger estimate at most");
  checker.refuse(facts.disable_auto_compactions,
                 "facts.disable_auto_compactions: true is not allowed; without compactions there "
                 "is no sustained rate");
  checker.within("facts.num_levels", facts.num_levels, 2, simulator::kMaxLevels, "2 to 64");
  checker.refuse(std::floor(facts.num_levels) != facts.num_levels,
                 "facts.num_levels: not a whole number");
  checker.within("facts.min_write_buffer_number_to_merge", facts.min_write_buffer_number_to_merge,
                 1, 64, "1 to 64");
  checker.within("facts.arena_block_bytes", facts.arena_block_bytes, 0, kHuge,
                 "a number of at least 0");
}

void check_ranges(const LevelShape& level, std::size_t number, Checker& checker) {
  const std::string field = "tree.levels[" + std::to_string(number) + "].ranges";
  checker.refuse(level.ranges.size() > kMostRanges, field + ": more than two million files");
  bool sound = true;
  for (const FileRange& file : level.ranges) {
    sound = sound && file.low >= 0 && file.high <= 1 && file.low <= file.high &&
            std::isfinite(file.records) && file.records >= 0 && file.records <= kHuge &&
            std::isfinite(file.bytes) && file.bytes > 0 && file.bytes <= kHuge;
  }
  checker.refuse(!sound, field +
                             ": every file needs 0 <= low <= high <= 1, bytes above 0 and "
                             "records of at least 0");
}

void check_tree(const Problem& problem, Checker& checker) {
  const TreeShape& tree = problem.tree;
  checker.refuse(static_cast<double>(tree.levels.size()) > problem.facts.num_levels,
                 "tree.levels: more levels than facts.num_levels");
  double files = 0;
  const double target = problem.settings.get_or(Knob::target_file_size_base,
                                                info(Knob::target_file_size_base).rocksdb_default);
  for (std::size_t l = 0; l < tree.levels.size(); ++l) {
    const LevelShape& level = tree.levels[l];
    const std::string field = "tree.levels[" + std::to_string(l) + "]";
    checker.not_negative(field + ".bytes", level.bytes);
    checker.not_negative(field + ".files", level.files);
    checker.refuse(level.ranges.empty() && level.files >= 1 && level.bytes <= 0,
                   field + ": files without bytes");
    check_ranges(level, l, checker);
    files += level.files > 0 ? level.files : level.bytes / std::max(target, 1.0);
  }
  checker.refuse(!(files <= kMostFiles), "tree.levels: more than two million files");
  checker.not_negative("tree.active_memtable_bytes", tree.active_memtable_bytes);
  checker.within("tree.immutable_memtables", tree.immutable_memtables, 0, 1000, "0 to 1000");
  checker.not_negative("tree.delayed_write_rate", tree.delayed_write_rate);
}

void check_workload(const Workload& workload, Checker& checker) {
  checker.within("workload.key_bytes", workload.key_bytes, 1, 64.0 * 1024 * 1024,
                 "1 byte to 64 MiB");
  checker.within("workload.value_bytes", workload.value_bytes, 0, 4e9, "0 to 4 GB");
  checker.refuse(workload.distinct_keys != 0 && !(workload.distinct_keys >= 1),
                 "workload.distinct_keys: neither 0 (every key is new) nor at least 1");
  checker.not_negative("workload.distinct_keys", workload.distinct_keys);
  checker.not_negative("workload.offered_bytes_per_s", workload.offered_bytes_per_s);
  checker.not_negative("workload.read_bytes_per_s", workload.read_bytes_per_s);
}

void check_device(const DeviceSpec& device, Checker& checker) {
  checker.within("device.write_bytes_per_s", device.write_bytes_per_s, 1, 1e15, "1 byte/s to 1e15");
  checker.refuse(device.read_bytes_per_s != 0 && !(device.read_bytes_per_s >= 1),
                 "device.read_bytes_per_s: neither 0 (never limits) nor at least 1");
  checker.within("device.read_bytes_per_s", device.read_bytes_per_s, 0, 1e15, "0 to 1e15");
  checker.within("device.mix_exponent", device.mix_exponent, 1, 1e6, "a number of at least 1");
  checker.not_negative("device.wal_write_bytes_per_s", device.wal_write_bytes_per_s);
}

void check_record_bytes(const char* field, double value, Checker& checker) {
  if (value == 0) return;  // the default
  checker.within(field, value, 0.01, 1e10, "0 for the default, or 0.01 to 1e10");
}

void check_constants(const TreeConstants& constants, Checker& checker) {
  check_record_bytes("constants.file_bytes_per_record", constants.file_bytes_per_record, checker);
  checker.refuse(constants.level_compression.size() > simulator::kMaxLevels,
                 "constants.level_compression: more than 64 levels");
  for (const double ratio : constants.level_compression) {
    checker.within("constants.level_compression", ratio, 1e-4, 100, "ratios of 0.0001 to 100");
  }
  checker.within("constants.measured_first_compressed_level",
                 constants.measured_first_compressed_level, 0, 64, "0 for not known, or 1 to 64");
  checker.within("constants.compression_cpu_seconds_per_byte",
                 constants.compression_cpu_seconds_per_byte, 0, 1, "0 to 1");
  for (const double share : constants.overlap) {
    checker.within("constants.overlap", share, 0, 100, "factors of 0 to 100");
  }
  check_record_bytes("constants.memtable_bytes_per_record", constants.memtable_bytes_per_record,
                     checker);
  checker.within("constants.wal_bytes_per_user_byte", constants.wal_bytes_per_user_byte, 0, 100,
                 "0 to 100");
  checker.within("constants.flush_weight", constants.flush_weight, 0.001, 0.999,
                 "a share of 0.001 to 0.999");
  checker.within("constants.think_s", constants.think_s, 0, 3600, "0 to 3600 s");
  checker.not_negative("constants.burst_bytes", constants.burst_bytes);
  checker.within("constants.burst_s", constants.burst_s, 0, 3600, "0 to 3600 s");
  checker.not_negative("constants.readahead_bytes", constants.readahead_bytes);
  checker.not_negative("constants.foreground_bytes_per_s", constants.foreground_bytes_per_s);
  checker.within("constants.cores", constants.cores, 0.01, 10000, "0.01 to 10000");
  checker.within("constants.cpu_seconds_per_byte", constants.cpu_seconds_per_byte, 0, 1, "0 to 1");
  checker.within("constants.cpu_seconds_per_record", constants.cpu_seconds_per_record, 0, 1000,
                 "0 to 1000");
  checker.not_negative("constants.arena_block_bytes", constants.arena_block_bytes);
}

}  // namespace

std::vector<std::string> Problem::check() const {
  Checker checker;
  check_settings(*this, checker);
  check_facts(facts, checker);
  check_tree(*this, checker);
  check_workload(workload, checker);
  check_device(device, checker);
  check_constants(constants, checker);
  checker.within("horizon_s", horizon_s, 1e-3, kLongestHorizon_s, "0.001 s to 30 days");
  return checker.faults;
}

}  // namespace lsmtuned::model
