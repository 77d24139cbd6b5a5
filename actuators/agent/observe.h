// The body of an observation (docs/protocol.md): everything there is to know of a database, in one
// round trip.
//
// Each read holds RocksDB's own lock for a moment at most; the database's gate is left between
// reads when it wants to close. When a body would not fit `budget` bytes, families later in the
// order of their ids lose first their cfstats, then are left out, and `families_left_out` counts
// them. Error: the database closed meanwhile. Thread rules: any thread.
#pragma once

#include <boost/json.hpp>
#include <cstddef>

#include "actuators/agent/database.h"
#include "model/result.h"

namespace lsmtuned::agent {

Result<boost::json::object> observe(Database& database, std::size_t budget);

}  // namespace lsmtuned::agent
