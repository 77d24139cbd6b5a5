#include "model/published/device.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace lsmtuned::model::published {

double harmonic_bandwidth(double read_share, double read_mib_per_s, double write_mib_per_s) {
  return 1 / (read_share / read_mib_per_s + (1 - read_share) / write_mib_per_s);
}

std::optional<double> degradation_percent(double fresh_mib_per_s, double now_mib_per_s) {
  if (!(fresh_mib_per_s > 0)) return std::nullopt;
  return (fresh_mib_per_s - now_mib_per_s) / fresh_mib_per_s * 100;
}

double bandwidth_in_phase(double fresh_mib_per_s, double degraded_mib_per_s, Phase phase) {
  switch (phase) {
    case Phase::initial:
      return fresh_mib_per_s;
    case Phase::middle:
      return (fresh_mib_per_s + degraded_mib_per_s) / 2;
    case Phase::final:
      break;
  }
  return degraded_mib_per_s;
}

const char* to_text(BandwidthMethod method) {
  switch (method) {
    case BandwidthMethod::direct:
      return "direct";
    case BandwidthMethod::historical:
      return "historical";
    case BandwidthMethod::benchmark:
      return "benchmark";
    case BandwidthMethod::progressive:
      return "progressive";
  }
  return "";
}

Result<AvailableBandwidth> available_bandwidth(BandwidthMethod method,
                                               std::span<const BandwidthSample> samples,
                                               double now_s, double busy_from) {
  if (method == BandwidthMethod::benchmark) {
    return Error{"available bandwidth: a benchmark cannot be derived from samples",
                 "run the device calibration and give its result"};
  }
  std::vector<double> seen;
  double newest_s = 0;
  for (const BandwidthSample& sample : samples) {
    if (sample.busy_share < busy_from || !std::isfinite(sample.written_mib_per_s)) continue;
    seen.push_back(sample.written_mib_per_s);
    newest_s = sample.time_s;
  }
  if (seen.empty()) {
    return Error{"available bandwidth: the device was never saturated in " +
                     std::to_string(samples.size()) + " samples",
                 "give a calibrated bandwidth, or observe under load"};
  }
  AvailableBandwidth result{seen.back(), method, std::max(0.0, now_s - newest_s)};
  if (method == BandwidthMethod::progressive) {
    result.mib_per_s = seen.front();
    for (const double value : seen) result.mib_per_s += 0.2 * (value - result.mib_per_s);
  } else if (method == BandwidthMethod::historical) {
    const auto rank = static_cast<std::size_t>(0.95 * static_cast<double>(seen.size() - 1) + 0.5);
    std::nth_element(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(rank), seen.end());
    result.mib_per_s = seen[rank];
  }
  return result;
}

}  // namespace lsmtuned::model::published
