#include "model/analysis/ledger_case.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "model/tree.h"

namespace lsmtuned::model {
namespace {

const char* const kFamily = "default";
constexpr double kDefaultForeground = 150.0 * 1024 * 1024;  // problem.h
constexpr double kFileBytesOverUser = 12;
constexpr double kMemtableBytesOverUser = 40;
constexpr double kReadsLeft = 0.05;  // foreground reads never take all of the device

Settings split(const KnobValues& values) {
  Settings settings;
  settings.families[kFamily] = {};
  for (const KnobInfo& knob : all_knobs())
    if (const auto value = values.get(knob.knob)) settings.set(kFamily, knob.knob, *value);
  return settings;
}

FamilySnapshot family_of(const Problem& problem) {
  FamilySnapshot family;
  family.name = kFamily;
  family.facts = problem.facts;
  const auto levels = static_cast<std::size_t>(std::clamp(problem.facts.num_levels, 2.0, 64.0));
  family.levels.resize(std::max(levels, problem.tree.levels.size()));
  for (std::size_t i = 0; i < problem.tree.levels.size(); ++i) {
    family.levels[i].size_bytes = problem.tree.levels[i].bytes;
    family.levels[i].files = problem.tree.levels[i].files;
    family.sst_bytes += problem.tree.levels[i].bytes;
  }
  family.active_memtable_bytes = problem.tree.active_memtable_bytes;
  family.immutable_memtables = problem.tree.immutable_memtables;
  return family;
}

// By level below the base one, as the ledger counts; the last entry holds for deeper levels.
std::vector<double> compression_from_base(const Problem& problem, std::size_t base) {
  const auto& by_level = problem.constants.level_compression;
  if (by_level.size() <= base) return {};
  return {by_level.begin() + static_cast<std::ptrdiff_t>(base), by_level.end()};
}

}  // namespace

LedgerCase ledger_case(const Problem& problem) {
  LedgerCase out;
  const Workload& load = problem.workload;
  const TreeConstants& known = problem.constants;
  const DeviceSpec& device = problem.device;
  const double record = load.key_bytes + load.value_bytes;
  const double file_record =
      known.file_bytes_per_record > 0 ? known.file_bytes_per_record : record + kFileBytesOverUser;
  const double memtable_record = known.memtable_bytes_per_record > 0
                                     ? known.memtable_bytes_per_record
                                     : record + kMemtableBytesOverUser;

  out.input.settings = split(problem.settings);
  out.input.family = family_of(problem);
  out.input.cpu_cores = known.cores;
  out.input.saturated = true;
  out.input.horizon_s = problem.horizon_s;

  Calibration& c = out.calibration;
  c.flush_bytes_per_user_byte = file_record / record;
  c.memtable_fill = std::clamp(record / memtable_record, 0.01, 1.0);
  c.overlap = known.overlap;
  const auto targets =
      level_targets(level_bytes_of(out.input.family), problem.settings, problem.facts);
  c.level_compression = compression_from_base(problem, targets.base_level);
  c.record_bytes = record;
  c.distinct_keys = load.distinct_keys;
  c.cpu_seconds_per_byte = known.cpu_seconds_per_byte;
  c.cpu_seconds_per_record = known.cpu_seconds_per_record;
  c.background_cores = known.cores;
  c.write_bandwidth = device.write_bytes_per_s;
  if (device.read_bytes_per_s > 0)
    c.read_bandwidth = std::max(device.read_bytes_per_s - load.read_bytes_per_s,
                                kReadsLeft * device.read_bytes_per_s);
  c.mix_exponent = std::clamp(device.mix_exponent, 1.0, 16.0);
  c.foreground_bytes_per_second =
      known.foreground_bytes_per_s > 0 ? known.foreground_bytes_per_s : kDefaultForeground;
  c.relative_error = Calibration{}.relative_error;
  c.wal_bytes_per_user_byte = known.wal_bytes_per_user_byte;
  if (device.wal_write_bytes_per_s > 0 && known.wal_bytes_per_user_byte > 0) {
    out.wal_bytes_per_user_byte = known.wal_bytes_per_user_byte;
    out.wal_device_bytes_per_s = device.wal_write_bytes_per_s / known.wal_bytes_per_user_byte;
    c.wal_bytes_per_user_byte = 0;
  }
  return out;
}

Result<Prediction> ledger_prediction(const Problem& problem) {
  const LedgerCase given = ledger_case(problem);
  auto prediction = predict(given.input, given.calibration);
  if (!prediction) return prediction;
  prediction->write_amplification += given.wal_bytes_per_user_byte;
  const double wal = given.wal_device_bytes_per_s;
  if (wal > 0 && wal < prediction->put_bytes_per_s) {
    const double down = wal / prediction->put_bytes_per_s;
    prediction->low_bytes_per_s *= down;
    prediction->high_bytes_per_s *= down;
    prediction->put_bytes_per_s = wal;
    prediction->runner_up = prediction->bound;
    prediction->bound = Bound::wal_device;
  }
  return prediction;
}

Result<std::vector<BoundValue>> ledger_bounds(const Problem& problem) {
  const LedgerCase given = ledger_case(problem);
  auto bounds = ranked_bounds(given.input, given.calibration);
  if (!bounds || !(given.wal_device_bytes_per_s > 0)) return bounds;
  const BoundValue wal{Bound::wal_device, given.wal_device_bytes_per_s};
  const auto after = std::upper_bound(bounds->begin(), bounds->end(), wal,
                                      [](const BoundValue& a, const BoundValue& b) {
                                        return a.put_bytes_per_s < b.put_bytes_per_s;
                                      });
  bounds->insert(after, wal);
  return bounds;
}

}  // namespace lsmtuned::model
