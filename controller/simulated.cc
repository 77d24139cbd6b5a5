#include "controller/simulated.h"

#include <algorithm>
#include <cmath>

#include "model/estimate/interval.h"
#include "model/simulator/from_snapshot.h"

namespace lsmtuned::controller {
namespace {

constexpr double kBound80 = 1.2816;          // two-sided 80 % interval
constexpr double kMostTrialHorizonS = 1800;  // a longer trial says nothing new
constexpr double kSettlingShare = 0.2;       // of a trial's horizon, simulated before it counts
constexpr double kSettledWarmupS = 1200;
constexpr double kSettledHorizonS = 600;
constexpr std::uint64_t kSeed = 1;

double tree_bytes_of(const model::TreeShape& tree) {
  double bytes = 0;
  for (const auto& level : tree.levels) bytes += level.bytes;
  return bytes;
}

}  // namespace

SimulatedModel::SimulatedModel(const model::Snapshot& snapshot, const std::string& family,
                               const model::Calibration& calibration, double cpu_cores)
    : family_(family) {
  auto problem = model::problem_from(snapshot, family, calibration, 1, cpu_cores);
  if (!problem) {
    refusal_ = problem.error().text();
    return;
  }
  problem_ = std::move(*problem);
  problem_.workload.offered_bytes_per_s = 0;
  const auto faults = problem_.check();
  if (!faults.empty()) refusal_ = faults.front();
}

Result<model::Prediction> SimulatedModel::predict(const model::Settings& settings, const Run& run,
                                                  const model::Prediction& ledger) const {
  if (!refusal_.empty()) return Error{refusal_, "the byte ledger serves alone"};
  model::Problem problem = problem_;
  for (const auto& knob : model::all_knobs())
    if (const auto value = settings.get(family_, knob.knob))
      problem.settings.set(knob.knob, *value);
  problem.horizon_s = run.horizon_s;
  model::SimulationOptions options;
  options.layer = run.layer;
  options.members = run.members;
  options.warmup_s = run.warmup_s;
  options.seed = kSeed;
  const auto simulated = model::simulate(problem, options);
  if (!simulated) return simulated.error();
  const model::Simulation& found = *simulated;
  model::Prediction prediction = ledger;
  prediction.put_bytes_per_s = found.put_bytes_per_s;
  const double spread =
      found.low_bytes_per_s > 0 && found.high_bytes_per_s > found.low_bytes_per_s
          ? std::log(found.high_bytes_per_s / found.low_bytes_per_s) / (2 * kBound80)
          : 0;
  const double known_badly =
      ledger.low_bytes_per_s > 0 && ledger.high_bytes_per_s > ledger.low_bytes_per_s
          ? std::log(ledger.high_bytes_per_s / ledger.low_bytes_per_s) / (2 * kBound80)
          : 0;
  const double half = kBound80 * std::hypot(spread, known_badly);
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

SimulatedModel::Run trial_run(const config::Policy& policy, model::SimulationLayer layer,
                              std::uint32_t members) {
  const double horizon = std::min(policy.trial_max_s, kMostTrialHorizonS);
  return {layer, members, kSettlingShare * horizon, horizon};
}

SimulatedModel::Run settled_run() {
  return {model::SimulationLayer::totals, 1, kSettledWarmupS, kSettledHorizonS};
}

Result<model::Prediction> predict_present(const model::Snapshot& snapshot,
                                          const std::string& family,
                                          const model::Calibration& calibration, double cpu_cores,
                                          const SimulatedModel::Run& run) {
  const auto* found = model::find_family(snapshot, family);
  if (found == nullptr) return Error{"no column family " + family, "name one that exists"};
  const model::ModelInput input{snapshot.settings, *found, cpu_cores, true, run.horizon_s, true};
  auto ledger = model::predict_with_interval(input, calibration);
  if (!ledger) return ledger;
  const SimulatedModel simulated(snapshot, family, calibration, cpu_cores);
  auto prediction = simulated.predict(snapshot.settings, run, *ledger);
  return prediction ? prediction : ledger;
}

}  // namespace lsmtuned::controller
