// JSON forms of what the controller is fed and of what it answers: the lines of an event log
// (daemon/event_log.h).
//
// Everything comes back bit for bit through parse_exact(): decimals are the shortest that read back
// as the same double, and members that hold their defaults are left out. Errors name the path to
// what is wrong. Pure functions; thread rules: plain values.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "config/policy.h"
#include "controller/events.h"
#include "controller/state.h"
#include "model/result.h"

namespace lsmtuned::daemon {

boost::json::object event_to_json(const controller::Event& event);
Result<controller::Event> event_from_json(const boost::json::value& value);

boost::json::object whole_state_to_json(const controller::State& state);
Result<controller::State> whole_state_from_json(const boost::json::value& value);

// For comparison only. Of a requested search its seed stands for it: what it searched follows from
// the state, and its result is an event of its own.
boost::json::array effects_to_json(const std::vector<controller::Effect>& effects);

boost::json::object search_result_to_json(const controller::SearchResult& result);

}  // namespace lsmtuned::daemon
