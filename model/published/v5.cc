#include "model/published/v5.h"

#include "model/published/v4.h"

namespace lsmtuned::model::published {
namespace {

double base_ops(const V5Inputs& inputs) {
  return ops_per_second(inputs.write_mib_per_s, inputs.record_bytes);
}

double v4_base(const V5Inputs& inputs) {
  return v4_ops(inputs.write_mib_per_s, inputs.record_bytes, published_utilisation(inputs.phase));
}

}  // namespace

double v5_device_constraint(double write_mib_per_s, double device_degradation,
                            double record_bytes) {
  return ops_per_second(write_mib_per_s * (1 - device_degradation), record_bytes) * 0.05;
}

V5Weights v5_weights(Phase phase) {
  switch (phase) {
    case Phase::initial:
      return {0.4, 0, 0.6};
    case Phase::middle:
      return {0.5, 0.3, 0.2};
    case Phase::final:
      break;
  }
  return {0.6, 0.4, 0};
}

double v5_combine(Phase phase, const V5Constraints& constraints) {
  const V5Weights weights = v5_weights(phase);
  return constraints.device * weights.device + constraints.amplification * weights.amplification +
         constraints.volatility * weights.volatility;
}

double v5_reconstructed_scale(Phase phase) {
  switch (phase) {
    case Phase::initial:
      return 0.04;
    case Phase::middle:
      return 0.27;
    case Phase::final:
      break;
  }
  return 0.26;
}

double v5_reconstructed_ops(const V5Inputs& in, double scale) {
  switch (in.phase) {
    case Phase::initial:
      return base_ops(in) * (1 - 0.3 * in.put_rate_variation) * (1 + 0.1 * in.trend_slope) * scale;
    case Phase::middle:
      return base_ops(in) /
             ((1 + 0.4 * (in.write_amplification - 1)) *
              (1 + 0.2 * (in.compaction_intensity - 1))) *
             scale;
    case Phase::final:
      break;
  }
  return base_ops(in) / (0.3 * (in.write_amplification + in.read_amplification)) *
         (1 + 0.2 * (1 - in.put_rate_variation)) / (1 + 0.05 * (in.level_depth - 1)) * scale;
}

double v5_independence_ops(const V5Inputs& in) {
  const double wa = in.write_amplification;
  if (in.phase == Phase::initial) return v4_base(in);
  if (in.phase == Phase::middle) return v4_base(in) * (wa > 1 ? 1 / wa : 1);
  const double wa_penalty = wa > 1 ? 1 / (wa * 0.6) : 1;
  const double ra_penalty = in.read_amplification > 0 ? 1 / (1 + in.read_amplification) : 1;
  const double bonus = in.put_rate_variation < 0.5 ? 1 + (0.5 - in.put_rate_variation) : 1;
  return v4_base(in) * wa_penalty * ra_penalty * bonus;
}

double v5_independence_reconstructed_ops(const V5Inputs& in) {
  const double over = in.write_amplification - 1;
  if (in.phase == Phase::initial) return v4_base(in);
  if (in.phase == Phase::middle) return v4_base(in) / (1 + 0.4 * over);
  return v4_base(in) / (1 + 0.3 * over) / (1 + 0.2 * (in.read_amplification - 0.1)) *
         (1 + 0.3 * (1 - in.put_rate_variation));
}

}  // namespace lsmtuned::model::published
