#include "model/published/v2.h"

#include <algorithm>
#include <limits>

#include "model/published/device.h"

namespace lsmtuned::model::published {

double v2_rate(double mixed_mib_per_s, double write_amplification, double compression_ratio,
               double overhead) {
  return mixed_mib_per_s / (write_amplification * compression_ratio * (1 + overhead));
}

double level_sum_write_amplification(std::span<const LevelMerge> levels) {
  double sum = 0;
  for (const LevelMerge& level : levels) sum += level.size / levels.front().size * level.frequency;
  return sum;
}

V21Result v21_rate(const V21Inputs& inputs) {
  V21Result result;
  result.mixed_bandwidth_mib_per_s =
      harmonic_bandwidth(inputs.read_share, inputs.read_mib_per_s, inputs.write_mib_per_s);
  const ByteDemand demand =
      byte_demand(inputs.compression_ratio, inputs.write_amplification, inputs.wal_factor);
  const V1Bounds bounds = v1_bounds(inputs.write_mib_per_s, inputs.read_mib_per_s,
                                    result.mixed_bandwidth_mib_per_s, demand, 1);
  result.write_mib_per_s = bounds.write_mib_per_s;
  result.read_mib_per_s = bounds.read_mib_per_s;
  result.mixed_mib_per_s = bounds.mixed_mib_per_s;
  result.feasible_mib_per_s = bounds.least_mib_per_s;
  for (const LevelWrites& level : inputs.levels) {
    // The level's share of the writes stands above and below the line and cancels; no WAL term.
    const double bound = level.written > 0
                             ? result.mixed_bandwidth_mib_per_s /
                                   (inputs.compression_ratio * inputs.write_amplification *
                                    (1 + level.write_amplification))
                             : std::numeric_limits<double>::infinity();
    result.level_mib_per_s.push_back(bound);
    result.feasible_mib_per_s = std::min(result.feasible_mib_per_s, bound);
  }
  result.rate_mib_per_s = (1 - inputs.stall_probability) * result.feasible_mib_per_s;
  return result;
}

}  // namespace lsmtuned::model::published
