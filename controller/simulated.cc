#include "controller/simulated.h"

#include <algorithm>
#include <cmath>

#include "model/estimate/interval.h"
#include "model/simulator/from_snapshot.h"

namespace lsmtuned::controller {
namespace {

constexpr double kMostTrialHorizonS = 1000;  // a longer trial says nothing new
constexpr double kSettlingShare = 0.2;       // of a trial's horizon, simulated before it counts
constexpr double kSettledFromS = 1200;       // not before the longest trial's end
constexpr double kSettledHorizonS = 600;
constexpr std::uint64_t kSeed = 1;

double tree_bytes_of(const model::TreeShape& tree) {
  double bytes = 0;
  for (const auto& level : tree.levels) bytes += level.bytes;
  return bytes;
}

// Half the width of the 80 % interval of ln S.
double half_width(double low, double high) {
  return low > 0 && high > low ? std::log(high / low) / 2 : 0;
}

model::Prediction prediction_of(const model::Simulation& found, const SimulatedModel::Run& run,
                                const model::Prediction& ledger) {
  model::Prediction prediction = ledger;
  prediction.put_bytes_per_s = found.put_bytes_per_s;
  const double half = std::hypot(half_width(found.low_bytes_per_s, found.high_bytes_per_s),
                                 half_width(ledger.low_bytes_per_s, ledger.high_bytes_per_s));
  prediction.low_bytes_per_s = found.put_bytes_per_s * std::exp(-half);
  prediction.high_bytes_per_s = found.put_bytes_per_s * std::exp(half);
  prediction.horizon_s = run.horizon_s;
  prediction.write_amplification = found.write_amplification;
  prediction.read_amplification = found.read_amplification;
  if (found.l0_compactions > 0) prediction.l0_files = found.flushes / found.l0_compactions;
  prediction.pending_bytes = found.pending_bytes_cycle_end;
  prediction.space_bytes = tree_bytes_of(found.tree);
  prediction.model = run.layer == model::SimulationLayer::files ? "tree-files-1" : "tree-totals-1";
  return prediction;
}

}  // namespace

SimulatedModel::SimulatedModel(const model::Snapshot& snapshot, const std::string& family,
                               const model::Calibration& calibration, double cpu_cores,
                               double offered_bytes_per_s)
    : family_(family) {
  auto problem = model::problem_from(snapshot, family, calibration, 1, cpu_cores);
  if (!problem) {
    refusal_ = problem.error().text();
    return;
  }
  problem_ = std::move(*problem);
  problem_.workload.offered_bytes_per_s = offered_bytes_per_s;
  const auto faults = problem_.check();
  if (!faults.empty()) refusal_ = faults.front();
}

model::Problem SimulatedModel::problem_with(const model::Settings& settings) const {
  model::Problem problem = problem_;
  for (const auto& knob : model::all_knobs())
    if (const auto value = settings.get(family_, knob.knob))
      problem.settings.set(knob.knob, *value);
  return problem;
}

Result<model::Prediction> SimulatedModel::predict(const model::Settings& settings, const Run& run,
                                                  const model::Prediction& ledger,
                                                  double* work) const {
  if (!refusal_.empty()) return Error{refusal_, "the byte ledger serves alone"};
  model::Problem problem = problem_with(settings);
  problem.horizon_s = run.horizon_s;
  model::SimulationOptions options;
  options.layer = run.layer;
  options.members = run.members;
  options.warmup_s = run.warmup_s;
  options.seed = kSeed;
  const auto found = model::simulate(problem, options);
  if (!found) return found.error();
  if (work != nullptr) *work += found->work;
  return prediction_of(*found, run, ledger);
}

Result<SimulatedModel::Both> SimulatedModel::predict_both(const model::Settings& settings,
                                                          const Horizons& horizons,
                                                          const Both& ledger, double* work) const {
  if (!refusal_.empty()) return Error{refusal_, "the byte ledger serves alone"};
  model::SimulationOptions options;
  options.layer = model::SimulationLayer::totals;
  options.seed = kSeed;
  const double settled_from_s =
      std::max(horizons.settled_from_s, horizons.settle_s + horizons.trial_s);
  const auto found = model::simulate_windows(
      problem_with(settings), options,
      {{horizons.settle_s, horizons.trial_s}, {settled_from_s, horizons.settled_s}});
  if (!found) return found.error();
  if (work != nullptr) *work += found->back().work;
  return Both{prediction_of(found->front(), trial_run(horizons, options.layer, 1), ledger.trial),
              prediction_of(found->back(), settled_run(horizons), ledger.settled)};
}

Horizons horizons_of(const config::Policy& policy) {
  const double trial = std::min(policy.trial_max_s, kMostTrialHorizonS);
  return {kSettlingShare * trial, trial, kSettledFromS, kSettledHorizonS};
}

SimulatedModel::Run trial_run(const Horizons& horizons, model::SimulationLayer layer,
                              std::uint32_t members) {
  return {layer, members, horizons.settle_s, horizons.trial_s};
}

SimulatedModel::Run settled_run(const Horizons& horizons) {
  return {model::SimulationLayer::totals, 1, horizons.settled_from_s, horizons.settled_s};
}

Result<model::Prediction> predict_present(const model::Snapshot& snapshot,
                                          const std::string& family,
                                          const model::Calibration& calibration, double cpu_cores,
                                          const SimulatedModel::Run& run,
                                          double offered_bytes_per_s) {
  const auto* found = model::find_family(snapshot, family);
  if (found == nullptr) return Error{"no column family " + family, "name one that exists"};
  const model::ModelInput input{snapshot.settings, *found, cpu_cores, true, run.horizon_s, true};
  auto ledger = model::predict_with_interval(input, calibration);
  if (!ledger) return ledger;
  const SimulatedModel simulated(snapshot, family, calibration, cpu_cores, offered_bytes_per_s);
  auto prediction = simulated.predict(snapshot.settings, run, *ledger);
  return prediction ? prediction : ledger;
}

}  // namespace lsmtuned::controller
