// Published models V5 Original and V5 Independence-Optimized, as printed and as reconstructed.
//
// Source: seed 001; the reconstructions are the audit's. Of V5 Original's three constraints only
// the device one is printed: as printed, the other two must be given. Its reconstruction is another
// formula. Bandwidth MiB/s, rates in operations a second.
//
// Can rank: nothing by themselves. Amplification and variation are outcomes of settings, not
// settings, and enter as arbitrary penalties instead of bytes. Pure; ranges as in inputs.h.
#pragma once

#include "model/published/phase.h"

namespace lsmtuned::model::published {

struct V5Inputs {
  Phase phase = Phase::middle;
  double write_mib_per_s = 0;
  double record_bytes = 0;
  double write_amplification = 1;
  double read_amplification = 0;
  double put_rate_variation = 0;    // CV
  double trend_slope = 0;           // reconstruction, initial phase
  double compaction_intensity = 1;  // reconstruction, middle phase
  double level_depth = 1;           // reconstruction, final phase
};

// Degrades a bandwidth that is already the degraded one: the published double counting.
double v5_device_constraint(double write_mib_per_s, double device_degradation, double record_bytes);

struct V5Constraints {  // operations a second
  double device = 0;
  double amplification = 0;
  double volatility = 0;
};
struct V5Weights {
  double device = 0;
  double amplification = 0;
  double volatility = 0;
};
V5Weights v5_weights(Phase phase);
double v5_combine(Phase phase, const V5Constraints& constraints);

double v5_reconstructed_scale(Phase phase);  // 0.04, 0.27, 0.26
double v5_reconstructed_ops(const V5Inputs& inputs, double scale);

// As printed: amplification just above 1 raises the final-phase rate (penalty 1/(0.6 WA)).
double v5_independence_ops(const V5Inputs& inputs);
double v5_independence_reconstructed_ops(const V5Inputs& inputs);

}  // namespace lsmtuned::model::published
