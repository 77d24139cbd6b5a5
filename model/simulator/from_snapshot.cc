#include "model/simulator/from_snapshot.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "model/simulator/compression.h"

namespace lsmtuned::model {
namespace {

constexpr double kKeyBytes = 16;
constexpr double kMostUtilisation = 1.05;  // as model/estimate clamps it
constexpr double kLeastUtilisation = 0.3;
constexpr double kLargestArenaBlock = 1024.0 * 1024.0;

// Family and database knobs in one set.
KnobValues merged(const Settings& settings, const std::string& family) {
  KnobValues all;
  for (const KnobInfo& knob : all_knobs())
    if (const auto value = settings.get(family, knob.knob)) all.set(knob.knob, *value);
  return all;
}

double write_buffer(const KnobValues& settings) {
  return settings.get_or(Knob::write_buffer_size, info(Knob::write_buffer_size).rocksdb_default);
}

TreeShape shape_of(const FamilySnapshot& family, const KnobValues& settings,
                   double delayed_write_rate) {
  TreeShape tree;
  const double target =
      std::max(1.0, settings.get_or(Knob::target_file_size_base,
                                    info(Knob::target_file_size_base).rocksdb_default));
  for (const LevelStats& level : family.levels) {
    LevelShape shape{level.size_bytes, level.files, {}};
    // cfstats and the file counts are read one after the other and may disagree about one file.
    if (shape.bytes > 0 && shape.files < 1) shape.files = std::ceil(shape.bytes / target);
    if (shape.bytes <= 0) shape.files = 0;
    tree.levels.push_back(shape);
  }
  tree.active_memtable_bytes = std::min(family.active_memtable_bytes, write_buffer(settings));
  tree.immutable_memtables = family.immutable_memtables;
  tree.delayed_write_rate = delayed_write_rate;
  return tree;
}

// User bytes that one memtable accepts before it is switched.
double memtable_user_bytes(const Calibration& calibration, const KnobValues& settings) {
  return std::max(1.0, calibration.memtable_fill * write_buffer(settings));
}

// e. A flush drops older versions of a key that were overwritten within it, which the measured
// ratio chi contains and the simulator works out by itself: it is taken back here.
double file_bytes_per_record(const Calibration& calibration, const KnobValues& settings,
                             const FamilyFacts& facts) {
  const double e = calibration.flush_bytes_per_user_byte * calibration.record_bytes;
  if (!(calibration.distinct_keys > 0)) return e;
  const double records = memtable_user_bytes(calibration, settings) *
                         std::max(1.0, facts.min_write_buffer_number_to_merge) /
                         calibration.record_bytes;
  const double ratio = records / calibration.distinct_keys;
  return ratio < 1e-9 ? e : e * ratio / -std::expm1(-ratio);
}

// m_e, so that a memtable of the present size takes what eta says. RocksDB switches when the last
// whole arena block has a quarter left (model/simulator/parameters.h). 0: nothing learned yet.
double memtable_bytes_per_record(const Calibration& calibration, const KnobValues& settings,
                                 double arena_block_bytes) {
  if (calibration.memtable_fill == Calibration{}.memtable_fill) return 0;
  const double buffer = write_buffer(settings);
  const double block =
      arena_block_bytes > 0 ? arena_block_bytes : std::min(kLargestArenaBlock, buffer / 8);
  const double usable = (std::max(1.0, std::floor(buffer / block + 0.6)) - 0.25) * block;
  return usable * calibration.record_bytes / memtable_user_bytes(calibration, settings);
}

DeviceSpec device_of(const Snapshot& snapshot, const Calibration& calibration) {
  DeviceSpec device;
  const double limit = snapshot.device ? snapshot.device->write_limit_bytes_per_s : 0;
  const double read_limit = snapshot.device ? snapshot.device->read_limit_bytes_per_s : 0;
  device.write_bytes_per_s = calibration.write_bandwidth;
  device.read_bytes_per_s = calibration.read_bandwidth;
  device.mix_exponent = std::clamp(calibration.mix_exponent, 1.0, 16.0);
  if (limit > 0) {
    // The limit may have moved since calibration: what was learned counts within its reach.
    const double learned = calibration.write_bandwidth > 0 ? calibration.write_bandwidth : limit;
    device.write_bytes_per_s =
        std::clamp(learned, kLeastUtilisation * limit, kMostUtilisation * limit);
    device.mix_exponent = DeviceSpec{}.mix_exponent;  // a cgroup limits reads and writes apart
  }
  if (read_limit > 0) device.read_bytes_per_s = read_limit;
  return device;
}

std::vector<double> compression_by_level(const Calibration& calibration, double base_level) {
  if (calibration.level_compression.empty()) return {};
  const auto base = static_cast<std::size_t>(std::clamp(base_level, 1.0, 63.0));
  std::vector<double> by_level(base, 1.0);  // L0 is the measure; levels above the base are empty
  by_level.insert(by_level.end(), calibration.level_compression.begin(),
                  calibration.level_compression.end());
  return by_level;
}

// A level holds a key once, so there are at least as many keys as any level has records.
double distinct_keys(const Calibration& calibration, const Problem& problem) {
  if (!(calibration.distinct_keys > 0)) return 0;
  double keys = calibration.distinct_keys;
  for (std::size_t level = 1; level < problem.tree.levels.size(); ++level) {
    const auto& ratios = problem.constants.level_compression;
    const double ratio = level < ratios.size() ? ratios[level] : 1.0;
    keys = std::max(
        keys, problem.tree.levels[level].bytes / (problem.constants.file_bytes_per_record * ratio));
  }
  return keys;
}

}  // namespace

Result<Problem> problem_from(const Snapshot& snapshot, const std::string& family_name,
                             const Calibration& calibration, double horizon_s, double cpu_cores) {
  const FamilySnapshot* family = find_family(snapshot, family_name);
  if (family == nullptr)
    return Error{"the snapshot has no column family " + family_name, "name one that it has"};
  Problem problem;
  problem.settings = merged(snapshot.settings, family_name);
  problem.facts = family->facts;
  problem.tree = shape_of(*family, problem.settings, snapshot.state.delayed_write_rate);
  problem.horizon_s = horizon_s;

  problem.device = device_of(snapshot, calibration);
  if (!(problem.device.write_bytes_per_s > 0))
    return Error{snapshot.target + ": what its device can write is not known yet",
                 "let it run under load until it is calibrated, or set an I/O limit"};

  const double record = std::max(1.0, calibration.record_bytes);
  problem.workload.key_bytes = std::min(kKeyBytes, record / 2);
  problem.workload.value_bytes = record - problem.workload.key_bytes;

  TreeConstants& known = problem.constants;
  known.file_bytes_per_record = file_bytes_per_record(calibration, problem.settings, family->facts);
  known.level_compression = compression_by_level(calibration, family->base_level);
  known.measured_first_compressed_level = problem.settings.get_or(Knob::first_compressed_level, 0);
  known.compression_cpu_seconds_per_byte =
      simulator::compression_cpu_seconds_per_byte(family->facts.compression);
  known.memtable_bytes_per_record =
      memtable_bytes_per_record(calibration, problem.settings, family->facts.arena_block_bytes);
  known.wal_bytes_per_user_byte = calibration.wal_bytes_per_user_byte;
  known.foreground_bytes_per_s = calibration.foreground_bytes_per_second;
  known.cores = std::max({calibration.background_cores, cpu_cores - 1, 1.0});
  known.cpu_seconds_per_byte = calibration.cpu_seconds_per_byte;
  known.cpu_seconds_per_record = calibration.cpu_seconds_per_record;
  known.arena_block_bytes = family->facts.arena_block_bytes;
  // Credit above the limit is a limiter's; what a bare device was seen to carry holds all of it.
  if (!snapshot.device || !(snapshot.device->write_limit_bytes_per_s > 0)) known.burst_s = 0;
  if (!calibration.overlap.empty()) known.overlap = calibration.overlap;
  problem.workload.distinct_keys = distinct_keys(calibration, problem);
  return problem;
}

}  // namespace lsmtuned::model
