#include "model/analysis/level_load.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "model/tree.h"

namespace lsmtuned::model {
namespace {

constexpr double kWarmupS = 600;
constexpr double kLeastHorizonS = 600;
constexpr double kStep = 2;
constexpr double kQuarter = 1.25;

// What shapes levels and batches; the search moves all of them where the policy lists them.
constexpr std::array<Knob, 6> kActsOnLevels = {
    Knob::max_bytes_for_level_base, Knob::max_bytes_for_level_multiplier,
    Knob::target_file_size_base,    Knob::first_compressed_level,
    Knob::write_buffer_size,        Knob::level0_file_num_compaction_trigger};

std::size_t output_level(const JobEvent& job, std::size_t base_level) {
  switch (job.kind) {
    case JobKind::l0_to_base:
      return base_level;
    case JobKind::deeper:
    case JobKind::trivial_move:
      return job.input_level + 1;
    case JobKind::flush:
    case JobKind::intra_l0:
      break;
  }
  return 0;
}

std::size_t base_level(const Problem& problem) {
  std::vector<double> bytes;
  for (const LevelShape& level : problem.tree.levels) bytes.push_back(level.bytes);
  return level_targets(bytes, problem.settings, problem.facts).base_level;
}

struct Run {
  double put_bytes_per_s = 0;
  std::vector<LevelLoad> levels;

  double write_amplification(std::size_t level) const {
    const auto found = std::find_if(levels.begin(), levels.end(),
                                    [&](const LevelLoad& one) { return one.level == level; });
    return found == levels.end() ? 0 : found->write_amplification;
  }
};

// One member: the jobs of several would be of several trees.
Result<Run> run_of(const Problem& problem, const ModelChoice& choice) {
  SimulationOptions options;
  options.layer =
      choice.model == OwnModel::totals ? SimulationLayer::totals : SimulationLayer::files;
  options.warmup_s = kWarmupS;
  options.seed = choice.seed;
  options.record_events = true;
  const auto found = simulate(problem, options);
  if (!found) return found.error();
  std::map<std::size_t, LevelLoad> by_level;
  for (const JobEvent& job : found->jobs) {
    LevelLoad& load = by_level[output_level(job, base_level(problem))];
    if (job.kind == JobKind::trivial_move) continue;
    ++load.jobs;
    load.written_bytes += job.written_bytes;
    load.read_bytes += job.read_bytes;
  }
  Run run;
  run.put_bytes_per_s = found->put_bytes_per_s;
  for (auto& [level, load] : by_level) {
    load.level = level;
    run.levels.push_back(load);
  }
  set_shares(run.levels, problem.device, found->put_bytes_per_s * problem.horizon_s);
  return run;
}

double stepped(Knob knob, double value, bool up) {
  if (knob == Knob::first_compressed_level) return value + (up ? 1 : -1);
  const double factor = knob == Knob::max_bytes_for_level_multiplier ? kQuarter : kStep;
  const double next = up ? value * factor : value / factor;
  return info(knob).unit == KnobUnit::ratio ? next : std::round(next);
}

// Absent: outside the bounds, without effect, or refused.
std::optional<Problem> moved(const Problem& problem, Knob knob, double to) {
  const KnobInfo& about = info(knob);
  if (to < about.minimum || to > about.maximum) return std::nullopt;
  if (knob == Knob::first_compressed_level &&
      !(problem.constants.measured_first_compressed_level > 0))
    return std::nullopt;
  Problem next = problem;
  next.settings.set(knob, to);
  // L0 triggers stay in order.
  double least = to;
  if (knob == Knob::level0_file_num_compaction_trigger)
    for (const Knob above :
         {Knob::level0_slowdown_writes_trigger, Knob::level0_stop_writes_trigger}) {
      least = std::max(least, next.settings.get_or(above, info(above).rocksdb_default));
      next.settings.set(above, least);
    }
  if (!next.check().empty()) return std::nullopt;
  return next;
}

std::optional<LevelAction> action(const Problem& problem, const ModelChoice& choice,
                                  const Run& present, std::size_t level, Knob knob) {
  const double from = problem.settings.get_or(knob, info(knob).rocksdb_default);
  std::optional<LevelAction> best;
  for (const bool up : {true, false}) {
    const double to = stepped(knob, from, up);
    const auto next = moved(problem, knob, to);
    if (!next) continue;
    const auto found = run_of(*next, choice);
    if (!found || !(found->put_bytes_per_s > 0)) continue;
    const PredictedGain gain =
        predicted_gain(present.put_bytes_per_s, found->put_bytes_per_s, choice.model);
    if (best && best->gain_share >= gain.share) continue;
    best = LevelAction{knob,
                       from,
                       to,
                       gain.share,
                       gain.low_share,
                       gain.high_share,
                       found->write_amplification(level)};
  }
  return best;
}

}  // namespace

void set_shares(std::vector<LevelLoad>& levels, const DeviceSpec& device, double user_bytes) {
  const double p = std::clamp(device.mix_exponent, 1.0, 16.0);
  const auto time_of = [&](const LevelLoad& load) {
    const double writes =
        device.write_bytes_per_s > 0 ? load.written_bytes / device.write_bytes_per_s : 0;
    const double reads =
        device.read_bytes_per_s > 0 ? load.read_bytes / device.read_bytes_per_s : 0;
    return std::pow(std::pow(writes, p) + std::pow(reads, p), 1 / p);
  };
  double all = 0;
  for (const LevelLoad& load : levels) all += time_of(load);
  for (LevelLoad& load : levels) {
    load.device_share = all > 0 ? time_of(load) / all : 0;
    load.write_amplification = user_bytes > 0 ? load.written_bytes / user_bytes : 0;
  }
}

std::optional<std::size_t> busiest_level(const std::vector<LevelLoad>& levels) {
  std::optional<std::size_t> busiest;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    if (levels[i].level == 0 || !(levels[i].device_share > 0)) continue;
    if (!busiest || levels[i].device_share > levels[*busiest].device_share) busiest = i;
  }
  return busiest;
}

Result<LevelBottleneck> level_bottleneck(const Problem& problem, const ModelChoice& choice) {
  if (choice.model == OwnModel::ledger)
    return Error{"the ledger has no course of levels", "--model files, or totals"};
  Problem saturating = problem;
  saturating.workload.offered_bytes_per_s = 0;
  saturating.horizon_s = std::max(problem.horizon_s, kLeastHorizonS);
  const auto present = run_of(saturating, choice);
  if (!present) return present.error();
  const auto busiest = busiest_level(present->levels);
  if (!busiest || !(present->put_bytes_per_s > 0))
    return Error{"no compaction below L0 within the time looked at",
                 "more data or a longer --horizon"};
  LevelBottleneck out;
  out.put_bytes_per_s = present->put_bytes_per_s;
  out.horizon_s = saturating.horizon_s;
  out.levels = present->levels;
  out.bottleneck = *busiest;
  for (const Knob knob : kActsOnLevels)
    if (const auto found =
            action(saturating, choice, *present, present->levels[*busiest].level, knob))
      out.actions.push_back(*found);
  std::stable_sort(
      out.actions.begin(), out.actions.end(),
      [](const LevelAction& a, const LevelAction& b) { return a.gain_share > b.gain_share; });
  return out;
}

}  // namespace lsmtuned::model
