#include "controller/step.h"

#include <set>
#include <utility>

#include "controller/reducer.h"

namespace lsmtuned::controller {
namespace {

// The daemon drops what stands behind a record that cannot be written. So first come the reverts
// whose intent is on disk already and what needs no disk, then intents with their calls, then the
// other records. Order within each group stays.
int rank(const Effect& effect, const std::set<std::uint64_t>& intents_of_this_step) {
  if (const auto* apply = std::get_if<ApplyChanges>(&effect))
    return intents_of_this_step.count(apply->decision_id) != 0 ? 2 : 0;
  if (const auto* restore = std::get_if<RestoreBaseline>(&effect))
    return intents_of_this_step.count(restore->decision_id) != 0 ? 2 : 0;
  if (const auto* record = std::get_if<RecordDecision>(&effect))
    return record->decision.status == DecisionStatus::intended ? 2 : 3;
  return 1;
}

std::vector<Effect> ordered(const std::vector<Effect>& effects) {
  std::set<std::uint64_t> intents;
  for (const auto& effect : effects)
    if (const auto* record = std::get_if<RecordDecision>(&effect);
        record != nullptr && record->decision.status == DecisionStatus::intended)
      intents.insert(record->decision.id);
  std::vector<Effect> result;
  result.reserve(effects.size());
  for (int wanted = 0; wanted <= 3; ++wanted)
    for (const auto& effect : effects)
      if (rank(effect, intents) == wanted) result.push_back(effect);
  return result;
}

}  // namespace

StepResult step(State state, const Event& event) {
  StepResult result;
  result.state = std::move(state);
  Reducer reducer{result.state, event, result.effects, result.refusal,
                  effective_policy(result.state)};
  std::visit([&](const auto& payload) { reducer.on(payload); }, event.payload);
  reducer.advance();
  result.effects = ordered(result.effects);
  return result;
}

}  // namespace lsmtuned::controller
