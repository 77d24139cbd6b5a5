// v3 behind the registry. Its answer is the mean over the run, which is what a measured run has.
#include "model/published/evaluate.h"

namespace lsmtuned::model::published {
namespace {

// A series, or one value for all time.
OverTime over_time(const std::vector<TimedValue>& series, double otherwise) {
  return series.empty() ? constant(otherwise) : stepwise(series);
}

V3Level to_level(const V3LevelInputs& given) {
  V3Level level;
  level.name = given.name;
  level.capacity_factor = given.capacity_factor;
  level.concurrency = given.concurrency;
  level.write_factor = given.write_factor;
  level.read_factor = given.read_factor;
  level.write_share = constant(given.write_share);
  level.read_share = constant(given.read_share);
  return level;
}

}  // namespace

void evaluate_v3(Evaluation& at) {
  V3Problem problem;
  problem.write_mib_per_s = at.need(&PublishedInputs::write_mib_per_s);
  problem.read_mib_per_s = at.need(&PublishedInputs::read_mib_per_s);
  if (!at.inputs.v3) {
    at.missing.push_back("v3 is missing: steps, step_s, offered_mib_per_s and levels");
    return;
  }
  const V3Inputs& given = *at.inputs.v3;
  const double read_share = given.read_share.empty() ? at.need(&PublishedInputs::read_share) : 0;
  if (given.mode == V3Mode::log_driven && given.write_amplification.empty()) {
    at.missing.push_back("v3.write_amplification is missing: WA*(t), needed when log-driven");
  }
  if (!at.missing.empty()) return;
  problem.steps = given.steps;
  problem.step_s = given.step_s;
  problem.offered_mib_per_s = stepwise(given.offered_mib_per_s);
  problem.read_share = over_time(given.read_share, read_share);
  problem.concurrency_level = constant(given.concurrency_level);
  problem.write_amplification = over_time(given.write_amplification, 1);
  problem.read_amplification = over_time(given.read_amplification, 0);
  problem.stall_sensitivity_per_file = given.stall_sensitivity_per_file;
  problem.stall_threshold_files = given.stall_threshold_files;
  problem.l0_file_mib = given.l0_file_mib;
  problem.l0_files = given.l0_files;
  problem.mode = given.mode;
  problem.sample_every_steps = given.sample_every_steps;
  for (const V3LevelInputs& level : given.levels) problem.levels.push_back(to_level(level));

  const V3Result result = simulate_v3(problem);
  at.add("s_mean", result.mean_mib_per_s, "MiB/s");
  at.add("s_final", result.final_mib_per_s, "MiB/s");
  at.add("p_final", result.final_stall_probability);
  at.add("n_l0_final", result.final_l0_files, "files");
  at.add("b_eff", result.final_mixed_bandwidth_mib_per_s, "MiB/s");
  at.prediction.levels.resize(result.backlog.size());
  for (std::size_t l = 0; l < result.backlog.size(); ++l) {
    at.prediction.levels[l].backlog = result.backlog[l];
  }
  at.prediction.series = result.series;
  at.finish_mib(result.mean_mib_per_s);
}

}  // namespace lsmtuned::model::published
