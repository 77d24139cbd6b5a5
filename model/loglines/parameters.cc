#include "model/loglines/parameters.h"

#include <algorithm>

#include "model/framing.h"
#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr double kHeldBackShare = 0.5;  // of an interval: the device, not the writer, set its rate
constexpr double kUnstalledShare = 0.01;
constexpr double kInternalKeyBytes = 8;
constexpr double kFewestHeldBackSeconds = 5;
constexpr double kSequentialMovedShare = 0.9;

KnobValues settings_of(const LogAnalysis& analysis, const LogFamily& family) {
  KnobValues settings = family.settings;
  for (const KnobInfo& knob : all_knobs())
    if (const auto value = analysis.database_settings.get(knob.knob))
      settings.set(knob.knob, *value);
  return settings;
}

// File bytes per raw byte, relative to L0. A level where nothing was written has its upper
// neighbour's.
std::vector<double> compression_of(const LogFamily& family) {
  std::vector<double> relative;
  const auto ratio = [](const LogLevel& level) {
    return level.raw_bytes > 0 ? level.table_bytes / level.raw_bytes : 0;
  };
  const double at_l0 = family.levels.empty() ? 0 : ratio(family.levels[0]);
  if (!(at_l0 > 0)) return relative;
  for (const LogLevel& level : family.levels) {
    const double here = ratio(level);
    relative.push_back(here > 0 ? here / at_l0 : relative.empty() ? 1 : relative.back());
  }
  return relative;
}

// Both constants scaled alike: one sum cannot tell them apart.
void learn_cpu(const LogFamily& family, TreeConstants& constants) {
  double measured = 0;
  double expected = 0;
  for (const LogLevel& level : family.levels) {
    measured += level.job_cpu_seconds;
    expected += constants.cpu_seconds_per_byte * level.compacted_bytes +
                constants.cpu_seconds_per_record * level.records_out;
  }
  if (!(measured > 0) || !(expected > 0)) return;
  const double scale = std::clamp(measured / expected, 0.1, 10.0);
  constants.cpu_seconds_per_byte *= scale;
  constants.cpu_seconds_per_record *= scale;
}

// Bytes a second that reached the device while writers were held back, and the put rate while they
// were not.
void learn_rates(const LogAnalysis& analysis, ModelParameters& made) {
  double held_back_s = 0;
  double written = 0;
  double fastest = 0;
  const double wal = made.problem.constants.wal_bytes_per_user_byte;
  for (const ActivityInterval& at : analysis.series) {
    const double stalled = (at.delayed_s + at.stopped_s) / analysis.interval_s;
    if (stalled >= kHeldBackShare) {
      held_back_s += analysis.interval_s;
      written += at.flush_bytes + at.compaction_write_bytes + wal * at.user_bytes;
    } else if (stalled <= kUnstalledShare) {
      fastest = std::max(fastest, at.user_bytes / analysis.interval_s);
    }
  }
  made.problem.constants.foreground_bytes_per_s = fastest;
  if (held_back_s >= kFewestHeldBackSeconds) {
    made.problem.device.write_bytes_per_s = written / held_back_s;
    made.notes.push_back(
        "device.write_bytes_per_s is what was written while writers were held back: the device's "
        "limit only if nothing else (CPU, one compaction slot, reads) was in the way");
  } else {
    made.notes.push_back(
        "device.write_bytes_per_s is left out: writers were never held back long enough to show "
        "the device's limit; measure it (lsmtunectl calibrate) and add it");
  }
  if (!(fastest > 0))
    made.notes.push_back("calibration.foreground_bytes_per_s: no time without stalls; prior");
  made.notes.push_back("device.read_bytes_per_s: a LOG does not show it; 0, reads never limit");
}

void learn_workload(const LogFamily& family, ModelParameters& made) {
  const MemtableTotals& totals = family.memtables;
  Workload& workload = made.problem.workload;
  if (totals.file_records > 0) {
    workload.key_bytes =
        std::max(1.0, totals.raw_key_bytes / totals.file_records - kInternalKeyBytes);
    workload.value_bytes = totals.raw_value_bytes / totals.file_records;
  }
  workload.distinct_keys = family.distinct_keys;
  if (family.distinct_keys_jobs > 0)
    made.notes.push_back("workload.distinct_keys assumes uniformly drawn keys");
  const LogLevel& l0 = family.levels.front();
  if (l0.moved_out_bytes > kSequentialMovedShare * l0.flushed_bytes)
    workload.order = KeyOrder::sequential;
  if (totals.deletes > 0)
    made.notes.push_back(
        "there were deletes, which the models do not know; distinct_keys comes "
        "from flushes and jobs without them");
}

}  // namespace

Result<ModelParameters> parameters_from(const LogAnalysis& analysis, const std::string& name) {
  const LogFamily* const family = name.empty() ? analysis.main_family() : analysis.family(name);
  if (family == nullptr)
    return Error{name.empty() ? "the LOG names no column family"
                              : "no column family '" + name + "' in the LOG",
                 "see the families that analyze-log prints"};
  const MemtableTotals& totals = family->memtables;
  if (!(totals.records > 0) || !(totals.file_records > 0) || family->levels.empty())
    return Error{"column family '" + family->name + "' was never flushed in this LOG",
                 "give a LOG that covers at least one flush, better some minutes of load"};
  ModelParameters made;
  made.family = family->name;
  Problem& problem = made.problem;
  problem.settings = settings_of(analysis, *family);
  problem.facts = family->facts;
  for (const LogLevel& level : family->levels) {
    LevelShape shape;
    shape.files = level.live_files;
    shape.bytes = level.live_files > 0 ? level.live_bytes : 0;
    problem.tree.levels.push_back(shape);
  }
  problem.tree.immutable_memtables = family->immutable_memtables;
  learn_workload(*family, made);

  TreeConstants& constants = problem.constants;
  constants.file_bytes_per_record = totals.file_bytes / totals.file_records;
  constants.memtable_bytes_per_record = totals.memory_bytes / totals.records;
  constants.level_compression = compression_of(*family);
  constants.arena_block_bytes = family->facts.arena_block_bytes;
  for (std::size_t i = 0; i < family->overlap.size(); ++i) {
    if (constants.overlap.size() <= i) constants.overlap.push_back(constants.overlap.back());
    if (family->overlap[i] > 0) constants.overlap[i] = family->overlap[i];
  }
  if (analysis.have_counters && analysis.counters.batch_bytes > 0) {
    const LogCounters& counters = analysis.counters;
    constants.wal_bytes_per_user_byte =
        counters.wal_bytes /
        user_bytes_from_batch_bytes(counters.batch_bytes, counters.keys, headers_in(counters));
  } else {
    made.notes.push_back(
        "calibration.wal_bytes_per_user_byte: no second statistics dump in the "
        "LOG; 0, as with the WAL off");
  }
  learn_cpu(*family, constants);
  learn_rates(analysis, made);
  if (analysis.families.size() > 1)
    made.notes.push_back(
        "several column families: rates and WAL are of all of them, the rest of '" + family->name +
        "'");
  made.notes.push_back("flush_weight, think_s, burst_bytes and cores keep their priors");
  return made;
}

}  // namespace lsmtuned::model
