// CPU constants of compaction by recursive least squares with forgetting.
//
// model-proposal.md section 8: c = kappa_B * bytes written + kappa_R * records written, one
// equation a level and interval; its variance grows with the bytes, so that an interval weighs as
// its bytes. The constants are tracked in units of their priors. One record size cannot tell the
// two apart: along the direction that it leaves open they keep their ratio. CPU seconds. Pure.
#pragma once

#include "model/estimate/deltas.h"
#include "model/ledger/ledger.h"

namespace lsmtuned::model {

// Levels without CPU time or bytes teach nothing.
void learn_cpu(Calibration& next, const Deltas& deltas, double seconds);

}  // namespace lsmtuned::model
