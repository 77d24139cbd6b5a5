#include "controller/state.h"

#include <algorithm>

#include "controller/step.h"

namespace lsmtuned::controller {

bool PersistentState::operator==(const PersistentState&) const = default;

config::Policy effective_policy(const State& state) {
  config::Policy policy = state.policy;
  if (state.persistent.mode_override) policy.mode = *state.persistent.mode_override;
  if (state.turn && state.turn->memory_budget_bytes > 0) {
    const double share = state.turn->memory_budget_bytes;
    policy.memory_budget_bytes =
        policy.memory_budget_bytes > 0 ? std::min(policy.memory_budget_bytes, share) : share;
  }
  return policy;
}

std::vector<FailedCandidate> failed_here(const State& state, double now_s) {
  std::vector<FailedCandidate> failed;
  for (const FailedCandidate& candidate : state.failed)
    if (candidate.until_s > now_s && !model::different(candidate.workload, state.workload.workload))
      failed.push_back(candidate);
  return failed;
}

State initial_state(std::string target, config::Policy policy, PersistentState persistent,
                    double cpu_cores, double now_s) {
  State state;
  state.target = std::move(target);
  state.policy = std::move(policy);
  state.persistent = std::move(persistent);
  state.foreign = state.persistent.foreign;
  state.cpu_cores = cpu_cores;
  state.attached_since_s = now_s;
  state.phase_since_s = now_s;
  if (state.persistent.storm_latched) {
    state.phase = Phase::safe;
  } else if (state.persistent.frozen_by_operator) {
    state.phase = Phase::frozen;
  }
  return state;
}

void assume_settings(State& state, const model::Settings& settings) {
  state.expected = settings;
  state.recent.clear();
  state.calibration_from.reset();
  state.compared.reset();
  state.current_measure = {};
  state.candidate.reset();
}

}  // namespace lsmtuned::controller
