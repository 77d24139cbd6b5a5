#include "controller/strategy/strategy.h"

#include <algorithm>

#include "controller/arbitration.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {
constexpr double kLookAgainS = 10;  // between looks that ended in a no-op, at most
constexpr double kCyclesBeforeProposal = 3;
constexpr double kHeadroom = 1.25;  // of the load that a search looks at, over what is offered
}  // namespace

Suggestion Strategy::weigh(const View&, const SearchResult&) const {
  return Nothing{"search", "a search came back that this strategy had not asked for", {}};
}

void Strategy::observe(State&, const config::Policy&) const {}

void Strategy::learn(State&, const config::Policy&, const Decision&, bool, double) const {}

double Strategy::pause_s(const config::Policy& policy) const {
  return std::clamp(5 * policy.poll_interval_s, 0.5, kLookAgainS);
}

const Strategy& strategy_named(config::Strategy name) {
  switch (name) {
    case config::Strategy::model:
      return model_strategy();
    case config::Strategy::rules:
      return rules_strategy();
    case config::Strategy::probe:
      return probe_strategy();
  }
  return model_strategy();
}

bool unverified(const config::Policy& policy) {
  return policy.strategy == config::Strategy::rules && !policy.verify;
}

Nothing nothing_to_gain(const View& view) {
  const auto& policy = view.policy;
  const auto& measure = view.state.current_measure;
  if (!view.saturated && policy.objective != config::Objective::efficiency) {
    if (!(measure.seconds > 0)) return {"headroom", "", {}};
    return {"headroom",
            "writes hardly stall (" + model::format_percent(measure.stall_share) +
                " of the time): there is nothing to gain",
            {}};
  }
  const double cycles_needed = std::min<double>(kCyclesBeforeProposal, policy.trial_min_cycles);
  if (measure.l0_compactions < cycles_needed)
    return {"measuring",
            "fewer than " + std::to_string(static_cast<int>(cycles_needed)) +
                " whole L0 compaction cycles were seen under these settings",
            {}};
  return {};
}

SearchRequest search_request(const View& view) {
  SearchRequest request;
  request.seed = view.seed;
  request.snapshot = view.snapshot();
  request.calibration = view.state.persistent.calibration;
  request.policy = view.policy;
  request.cpu_cores = view.state.cpu_cores;
  request.probability_needed = view.policy.minimum_probability;
  const WindowMeasure& measure = view.state.current_measure;
  request.stall_share = measure.stall_share;
  const double demand = demand_bytes_per_s(measure.put_bytes_per_s, measure.stall_share);
  // Efficiency keeps S_max, whatever is offered now.
  if (view.policy.objective != config::Objective::efficiency && std::isfinite(demand))
    request.offered_bytes_per_s = kHeadroom * demand;
  const FamilyChoice choice = choose_family(view.state, view.now_s);
  request.family = choice.family;
  request.database_knobs = choice.database_knobs;
  request.failed = failed_here(view.state, view.now_s);
  request.foreign = view.state.foreign;
  return request;
}

const char* to_text(ProbeDirection direction) {
  switch (direction) {
    case ProbeDirection::stable:
      return "stable";
    case ProbeDirection::up:
      return "up";
    case ProbeDirection::down:
      return "down";
  }
  return "unknown";
}

}  // namespace lsmtuned::controller
