// The counters of a `snapshot` answer of the control socket, back as a model::Snapshot: identity,
// time, database counters, levels. The rest of the snapshot stays empty.
#pragma once

#include <boost/json.hpp>

#include "model/result.h"
#include "model/snapshot.h"

namespace lsmtuned::daemon {

// Errors: the daemon's own refusal, or an answer without a snapshot.
Result<model::Snapshot> snapshot_counters(const boost::json::object& answer);

}  // namespace lsmtuned::daemon
