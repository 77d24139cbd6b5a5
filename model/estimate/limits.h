// What an interval says about the limits of the put rate: the observations that the filter gets.
//
//   device      carried bytes, ln([w^p + (r B_w/B_r)^p]^(1/p) S / B_w)      while held back by it
//   foreground  ln S                                                         while unstalled
//   speed-up    ln(v of L0 jobs / v of deeper ones) = e ln s                 device not the limit
//   residual    ln S - ln S of the ledger at the present settings            while held back
//
// Inactive bounds count only where they are violated: more carried than believed possible, more
// offered than the foreground was seen to do. Rates over n L0 cycles carry an error of about 0.3/n,
// since a span cuts a cycle at either end. Internal to the estimator. Pure.
#pragma once

#include "model/estimate/deltas.h"
#include "model/estimate/measure.h"
#include "model/estimate/regime.h"
#include "model/ledger/ledger.h"

namespace lsmtuned::model {

// What the device carried of `written` and `read` (bytes/s), as the write bandwidth that section
// 4's bound would need for it.
double carried_bytes_per_s(const Calibration& calibration, double written, double read);

// What learn_limits() and its users share about one interval.
struct Evidence {
  const Snapshot& earlier;
  const Snapshot& later;
  const Interval& interval;
  const Deltas& deltas;
  const Regime& regime;
  double gain = 0;  // of direct means
};

// The ledger's problem that the interval was an answer to: its settings, from the tree at its
// start.
ModelInput input_of(const Evidence& evidence, const Calibration& calibration);

struct Observed {
  int accepted = 0;
  int outliers = 0;
};
Observed learn_limits(Calibration& next, const Evidence& evidence);

// Bandwidth of a device whose limit is known, before anything was carried.
void begin_with_limit(Calibration& next, double write_limit, double read_limit);

}  // namespace lsmtuned::model
