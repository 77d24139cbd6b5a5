// The device as the published models see it: mixed bandwidth, degradation, available bandwidth.
//
// Sources: seed 004 equation 9 (harmonic mean), seeds 001 and 002 (degradation and its use by
// phase), seed 001 (four ways to know the available bandwidth). Units: MiB/s; "MB/s" in the seeds
// is MiB/s. The harmonic mean is the time-sharing bound; a device that reads and writes at once
// exceeds it. Pure; thread rules: plain values.
#pragma once

#include <optional>
#include <span>

#include "model/published/phase.h"
#include "model/result.h"

namespace lsmtuned::model::published {

// 1 / (read_share / read + (1 - read_share) / write), eq. 9. read_share within 0..1; bandwidths
// above 0.
double harmonic_bandwidth(double read_share, double read_mib_per_s, double write_mib_per_s);

// (fresh - now) / fresh * 100; negative when the device became faster. None unless fresh > 0.
std::optional<double> degradation_percent(double fresh_mib_per_s, double now_mib_per_s);

// Seed 002's prose: the fresh device in the initial phase, half way in the middle one, degraded in
// the final one. Its algorithm always takes the degraded device; this is an option.
double bandwidth_in_phase(double fresh_mib_per_s, double degraded_mib_per_s, Phase phase);

// How the bandwidth that is available to writes became known.
enum class BandwidthMethod { direct, historical, benchmark, progressive };
const char* to_text(BandwidthMethod method);

struct BandwidthSample {
  double time_s = 0;
  double written_mib_per_s = 0;  // device writes over the interval that ends here
  double busy_share = 0;         // of the interval, 0..1
};

struct AvailableBandwidth {
  double mib_per_s = 0;
  BandwidthMethod method{};
  double age_s = 0;  // since the newest sample used
};

// direct: the newest saturated sample. historical: the 95th percentile of all saturated ones.
// progressive: their exponentially weighted mean, 0.2 for each new one. An interval is saturated
// when the device was busy for at least `busy_from` of it: a device that is not asked does not show
// what it can do. Errors: no saturated sample; `benchmark`, which is a measurement of its own.
Result<AvailableBandwidth> available_bandwidth(BandwidthMethod method,
                                               std::span<const BandwidthSample> samples,
                                               double now_s, double busy_from = 0.9);

}  // namespace lsmtuned::model::published
