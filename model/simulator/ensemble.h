// Several simulations with jittered constants, averaged: takes the phase of the compaction cycle
// out of a prediction, and its spread is a first interval.
//
// Jittered by exp(N(0, jitter)) each: write limit (with the read limit), file bytes per record,
// distinct keys, memtable bytes per record, flush weight. Equal seeds give equal jitter, so two
// settings are compared under the same draws. Pure; thread rules: functions may run in parallel.
#pragma once

#include <functional>

#include "model/result.h"
#include "model/simulator/simulate.h"

namespace lsmtuned::model::simulator {

using SimulateOne = std::function<Result<Simulation>(const Problem&, const SimulationOptions&)>;

// Scalars and series are means over members; low and high are the 10th and 90th percentile of the
// put rate; tree and events are the first member's, which has no jitter. The first error ends it.
Result<Simulation> simulate_ensemble(const Problem& problem, const SimulationOptions& options,
                                     const SimulateOne& simulate_one);

}  // namespace lsmtuned::model::simulator
