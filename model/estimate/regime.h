// Which bound held the put rate during an interval, as far as counters can tell.
//
// Only the active bound is informative (model-proposal.md section 7): a bound that does not bind
// gives an inequality. Internal to the estimator. Pure.
#pragma once

#include "model/estimate/deltas.h"
#include "model/estimate/measure.h"

namespace lsmtuned::model {

struct Regime {
  bool free = false;       // no stall at all: the foreground set the rate, or its client did
  bool held_back = false;  // writers waited for compaction, not for memory
  bool device = false;     // held back, and the jobs waited for the device
  bool cpu = false;        // held back, and the jobs computed
};

Regime regime_of(const Snapshot& earlier, const Snapshot& later, const Interval& interval,
                 const Deltas& deltas);

}  // namespace lsmtuned::model
