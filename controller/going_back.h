// What putting the whole baseline back would cost at this moment.
//
// A smaller base level leaves every level above its target: RocksDB moves the excess down, and on a
// slow device writers wait meanwhile. A revert is sent at once all the same; operators are told
// before (`status`), and in the record of a revert that they order.
//
// Pure; thread rules: plain values.
#pragma once

#include <string>

#include "controller/state.h"

namespace lsmtuned::controller {

struct CostOfGoingBack {
  double pending_bytes = 0;  // added to RocksDB's pending compaction estimate
  double seconds = 0;        // for the device to write them, at least; 0: bandwidth not known
};

// Nothing without a snapshot, and where less than 2 % of the tree is added.
CostOfGoingBack cost_of_going_back(const State& state);

// "adds 2.9 GiB of pending compaction, 13 min of the device"; empty where it costs nothing.
std::string describe(const CostOfGoingBack& cost);

}  // namespace lsmtuned::controller
