// Ends the decisions that a killed daemon left without an outcome.
//
// The controller's state is saved before the records of a step, so a daemon can die knowing how a
// decision ended without having written it; nobody would end that record any more. What the state
// still counts as open is left to the controller. Blocking; thread rules: as History.
#pragma once

#include <string>

#include "controller/state.h"
#include "daemon/history.h"
#include "model/result.h"

namespace lsmtuned::daemon {

// Kept, where all of its changes are in `state.kept`; else inconclusive. Errors: of the history.
Result<void> end_unfinished(History& history, const std::string& target,
                            const controller::PersistentState& state, double wall_time_s);

}  // namespace lsmtuned::daemon
