#include "daemon/unfinished.h"

#include <algorithm>

namespace lsmtuned::daemon {
namespace {

using controller::Decision;
using controller::DecisionStatus;

bool in_force(const Decision& decision, const controller::PersistentState& state) {
  return decision.kind != controller::DecisionKind::revert && !decision.changes.empty() &&
         std::ranges::all_of(decision.changes, [&](const model::KnobChange& change) {
           const auto* kept = model::find_knob(state.kept, change);
           return kept != nullptr && kept->new_value == change.new_value;
         });
}

}  // namespace

Result<void> end_unfinished(History& history, const std::string& target,
                            const controller::PersistentState& state, double wall_time_s) {
  auto unfinished = history.unfinished(target);
  if (!unfinished) return unfinished.error();
  for (Decision& decision : *unfinished) {
    if (state.open_trial && state.open_trial->id == decision.id) continue;
    decision.status =
        in_force(decision, state) ? DecisionStatus::kept : DecisionStatus::inconclusive;
    decision.ended_wall_time_s = wall_time_s;
    if (!decision.evidence.empty()) decision.evidence += "; ";
    decision.evidence += "the daemon ended before the outcome was recorded";
    if (auto recorded = history.record(decision); !recorded) return recorded;
  }
  return {};
}

}  // namespace lsmtuned::daemon
