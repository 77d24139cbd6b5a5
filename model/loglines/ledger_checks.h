// The end of an analysis: totals, the ledger's checks, amplification counted in several ways.
// Internal to model/loglines.
#pragma once

#include "model/loglines/log_state.h"

namespace lsmtuned::model {

// Takes what `state` has gathered.
LogAnalysis finish_analysis(LogState& state);

}  // namespace lsmtuned::model
