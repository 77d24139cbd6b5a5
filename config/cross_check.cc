#include "config/cross_check.h"

#include <initializer_list>

#include "config/quantity.h"

namespace lsmtuned::config {
namespace {

struct Context {
  const TablePlaces& places;
  bool is_target;
  Problems& problems;
};

// Reports at the first of these keys that the table sets; a target that sets none inherited the
// contradiction from [defaults], where it was reported.
void report(const Context& context, std::initializer_list<const char*> keys,
            const std::string& message, const std::string& remedy) {
  for (const char* key : keys) {
    const auto place = context.places.keys.find(key);
    if (place == context.places.keys.end()) continue;
    context.problems.add(place->second, context.places.name + "." + key, message, remedy);
    return;
  }
  if (!context.is_target) {
    context.problems.add(context.places.header, context.places.name + "." + *keys.begin(), message,
                         remedy);
  }
}

void check_lease(const Policy& policy, const Context& context) {
  if (policy.lease_s >= 3 * policy.poll_interval_s) return;
  report(context, {"lease", "poll_interval"},
         "the lease of " + duration_text(policy.lease_s) + " is shorter than three polls of " +
             duration_text(policy.poll_interval_s),
         "one late heartbeat would end it: set lease to at least " +
             duration_text(3 * policy.poll_interval_s) + ", or poll more often");
}

void check_trial(const Policy& policy, const Context& context) {
  if (policy.trial_min_s <= policy.trial_max_s) return;
  report(context, {"trial_min", "trial_max"},
         "trial_min of " + duration_text(policy.trial_min_s) + " is above trial_max of " +
             duration_text(policy.trial_max_s),
         "lower trial_min or raise trial_max");
}

void check_workload_phases(const Policy& policy, const Context& context) {
  const auto& phases = policy.workload_phases;
  if (phases.middle_from_minutes > phases.final_from_minutes)
    report(context, {"workload_phase_middle_from", "workload_phase_final_from"},
           "workload_phase_middle_from is above workload_phase_final_from",
           "middle comes before final: lower the one or raise the other");
  if (phases.middle_above_variation > phases.initial_above_variation)
    report(context, {"workload_phase_middle_variation", "workload_phase_initial_variation"},
           "workload_phase_middle_variation is above workload_phase_initial_variation",
           "the steadier phase has the lower one: lower it or raise the other");
}

void check_verify(const Policy& policy, const Context& context) {
  if (policy.verify || policy.strategy == Strategy::rules) return;
  report(context, {"verify", "strategy"},
         std::string("verify = false with the strategy ") + to_text(policy.strategy),
         "only the strategy rules may run without verification; remove verify");
}

}  // namespace

void check_daemon(const DaemonConfig& daemon, const TablePlaces& places, Problems& problems) {
  if (daemon.agent_socket != daemon.control_socket) return;
  report({places, true, problems}, {"control_socket", "agent_socket"},
         "agent_socket and control_socket are the same path",
         "agents and lsmtunectl speak differently: give each a path of its own");
}

void check_defaults(const Policy& defaults, const TablePlaces& places, bool has_targets,
                    Problems& problems) {
  const Context context{places, false, problems};
  check_lease(defaults, context);
  check_trial(defaults, context);
  check_workload_phases(defaults, context);
  check_verify(defaults, context);
  // With targets, each may state a budget of its own; check_target looks at what results.
  if (!has_targets && defaults.mode == Mode::tune && defaults.memory_budget_bytes == 0) {
    report(context, {"mode"}, "mode tune needs a memory budget",
           "set memory_budget, such as memory_budget = \"1 GiB\"");
  }
}

void check_target(const TargetConfig& target, const TablePlaces& places, Problems& problems) {
  const Policy& policy = target.policy;
  const Context context{places, true, problems};
  check_lease(policy, context);
  check_trial(policy, context);
  check_workload_phases(policy, context);
  check_verify(policy, context);
  const auto at = [&](const char* key) {
    const auto place = places.keys.find(key);
    return place == places.keys.end() ? places.header : place->second;
  };
  if (policy.mode != Mode::tune) return;
  if (policy.memory_budget_bytes == 0) {
    problems.add(at("mode"), places.name + ".memory_budget", "mode tune needs a memory budget",
                 "set memory_budget here or in [defaults], such as memory_budget = \"1 GiB\"");
  }
  if (policy.knobs.empty()) {
    problems.add(at("knobs"), places.name + ".knobs", "mode tune with no knob that may move",
                 "list the options that may be changed, or use mode = \"observe\"");
  }
  if (target.statistics == "none") {
    problems.add(at("statistics"), places.name + ".statistics",
                 "mode tune needs counters: the model learns from them",
                 "set statistics = \"counters\", or use mode = \"observe\"");
  }
}

}  // namespace lsmtuned::config
