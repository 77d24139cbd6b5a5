#include "model/estimate/bounds.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace lsmtuned::model {
namespace {

constexpr double kMostCovariance = 1e3;
constexpr std::size_t kMostEntries = 64;  // levels; RocksDB allows fewer

struct Range {
  double Calibration::*member;
  double low;
  double high;
};
constexpr double kMostCount = 1e15;
constexpr Range kRanges[] = {
    {&Calibration::flush_bytes_per_user_byte, 0.01, 4},
    {&Calibration::wal_bytes_per_user_byte, 0, 4},
    {&Calibration::memtable_fill, 0.3, 1.1},
    {&Calibration::record_bytes, 1, 1e9},
    {&Calibration::distinct_keys, 0, kMostCount},
    {&Calibration::cpu_seconds_per_byte, 1e-12, 1e-6},
    {&Calibration::cpu_seconds_per_record, 1e-9, 1e-3},
    {&Calibration::background_cores, 0, 1024},
    {&Calibration::write_bandwidth, 0, kFastestBytesPerS},
    {&Calibration::read_bandwidth, 0, 10 * kFastestBytesPerS},
    {&Calibration::mix_exponent, 1, 16},
    {&Calibration::job_bytes_per_second, 0, kFastestBytesPerS},
    {&Calibration::l0_speed_up_exponent, 0, 1},
    {&Calibration::flush_bytes_per_second, 0, kFastestBytesPerS},
    {&Calibration::foreground_bytes_per_second, 0, kFastestBytesPerS},
    {&Calibration::log_residual, -kMostResidual, kMostResidual},
    {&Calibration::relative_error, kLeastRelativeError, kMostRelativeError},
    {&Calibration::evidence_seconds, 0, kMostCount},
    {&Calibration::evidence_l0_compactions, 0, kMostCount},
};

void keep_within(double& value, double low, double high, double otherwise) {
  value = std::isfinite(value) ? std::clamp(value, low, high) : otherwise;
}

void keep_within(std::vector<double>& values, double low, double high, double otherwise) {
  if (values.size() > kMostEntries) values.resize(kMostEntries);
  for (double& value : values) keep_within(value, low, high, otherwise);
}

// A covariance cannot be mended entry by entry: it is dropped, and priors take its place.
void drop_impossible(std::vector<double>& covariance) {
  const bool possible = std::all_of(covariance.begin(), covariance.end(), [](double value) {
    return std::isfinite(value) && std::abs(value) <= kMostCovariance;
  });
  if (!possible) covariance.clear();
}

}  // namespace

Calibration bounded(Calibration calibration) {
  const Calibration prior;
  for (const Range& range : kRanges) {
    keep_within(calibration.*range.member, range.low, range.high, prior.*range.member);
  }
  keep_within(calibration.overlap, 0.05, 1.5, 0.39);
  keep_within(calibration.moved_share, 0, 1, 0);
  keep_within(calibration.drop_share, 0, 1, 0);
  keep_within(calibration.level_compression, 0.05, 20, 1);
  Uncertainty& about = calibration.uncertainty;
  keep_within(about.reference_write_bandwidth, 0, kFastestBytesPerS, 0);
  drop_impossible(about.covariance);
  drop_impossible(about.cpu_covariance);
  keep_within(about.outlier_streaks, -1e3, 1e3, 0);
  keep_within(about.overlap_variance, 1e-4, 0.25, kPriorOverlapVariance);
  keep_within(about.error_variance, 0, kMostRelativeError * kMostRelativeError, 0);
  keep_within(about.coverage_log_scale, -kMostCoverageLogScale, kMostCoverageLogScale, 0);
  keep_within(about.predictions, 0, kMostCount, 0);
  keep_within(about.predictions_covered, 0, about.predictions, 0);
  keep_within(about.gain_error, kLeastGainError, kMostGainError, Uncertainty{}.gain_error);
  keep_within(about.trials, 0, kMostCount, 0);
  return calibration;
}

}  // namespace lsmtuned::model
