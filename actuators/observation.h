// From the body of an observation (docs/protocol.md) to a Snapshot. Validates every field; never
// throws for any input. Errors name the member that was wrong.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "model/result.h"
#include "model/snapshot.h"

namespace lsmtuned::actuators {

Result<model::Snapshot> parse_observation(const boost::json::object& body);

// *values* <-> Settings. Knobs beyond 2^53 or not parseable are left out (never tuned).
Result<model::Settings> parse_values(const boost::json::value& values);
boost::json::object values_from_changes(const model::ChangeSet& changes, bool new_values);

}  // namespace lsmtuned::actuators
