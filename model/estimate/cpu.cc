#include "model/estimate/cpu.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <vector>

namespace lsmtuned::model {
namespace {

using Pair = Eigen::Vector2d;
using Square = Eigen::Matrix2d;

constexpr double kForgetting = 0.98;  // an interval
constexpr double kGiB = 1024.0 * 1024.0 * 1024.0;
constexpr double kDeviationPerGiB = 0.5;  // CPU seconds, of the first GiB written
constexpr double kResolution = 0.1;       // CPU seconds
constexpr double kMostInnovation = 3;     // standard deviations; the rest is cut off
constexpr double kLeastVariance = 1e-4;   // of kappa in units of its prior
constexpr double kMostVariance = 100;
// One odd interval is cut off; several in a row find constants far away within a few of them.
constexpr double kWideningOfAnOutlier = 4;
constexpr double kLeast = 0.02;  // of kappa in units of its prior
constexpr double kMost = 50;
constexpr double kJobsForCores = 10;

Pair prior_constants() {
  const Calibration prior;
  return {prior.cpu_seconds_per_byte, prior.cpu_seconds_per_record};
}

Square covariance_of(const Uncertainty& about) {
  Square covariance = Square::Identity();  // a standard deviation of one prior
  if (about.cpu_covariance.size() != 3) return covariance;
  const double bytes = about.cpu_covariance[0];
  const double both = about.cpu_covariance[1];
  const double records = about.cpu_covariance[2];
  if (!(bytes > 0) || !(records > 0) || !(both * both < bytes * records)) return covariance;
  covariance << bytes, both, both, records;
  return covariance;
}

// Each variance within its range, the correlation unchanged.
void bound_covariance(Square& covariance) {
  const Pair variance = covariance.diagonal();
  if (!covariance.allFinite() || !(variance.minCoeff() > 0)) {
    covariance = Square::Identity();
    return;
  }
  const Pair allowed = variance.array().max(kLeastVariance).min(kMostVariance).matrix();
  const Pair scale = (allowed.array() / variance.array()).sqrt().matrix();
  covariance = (scale.asDiagonal() * covariance * scale.asDiagonal()).eval();
}

}  // namespace

void learn_cpu(Calibration& next, const Deltas& deltas, double seconds) {
  const Pair unit = prior_constants();
  Pair constants(next.cpu_seconds_per_byte, next.cpu_seconds_per_record);
  constants = constants.cwiseQuotient(unit).eval();
  Square p = covariance_of(next.uncertainty);
  double total = 0;
  double jobs = 0;
  for (std::size_t level = 1; level < deltas.levels.size(); ++level) {
    const LevelStats& stats = deltas.levels[level];
    if (!(stats.compaction_cpu_seconds > 0) || !(stats.write_bytes > 0)) continue;
    const double records = std::max(0.0, stats.keys_in - stats.keys_dropped);
    const Pair phi = unit.cwiseProduct(Pair(stats.write_bytes, records));
    const double noise =
        kResolution * kResolution + kDeviationPerGiB * kDeviationPerGiB * stats.write_bytes / kGiB;
    if (total <= 0) p /= kForgetting;
    total += stats.compaction_cpu_seconds;
    jobs += stats.compaction_count;
    const double error = stats.compaction_cpu_seconds - phi.dot(constants);
    if (std::abs(error) > kMostInnovation * std::sqrt(phi.dot(p * phi) + noise)) {
      p *= kWideningOfAnOutlier;
      bound_covariance(p);
    }
    const double variance = phi.dot(p * phi) + noise;
    const double most = kMostInnovation * std::sqrt(variance);
    const double innovation = std::clamp(error, -most, most);
    const Pair gain = p * phi / variance;
    constants = (constants + gain * innovation).cwiseMax(kLeast).cwiseMin(kMost).eval();
    const Square rest = Square::Identity() - gain * phi.transpose();
    p = (rest * p * rest.transpose() + gain * noise * gain.transpose()).eval();
    bound_covariance(p);
  }
  if (!(total > 0) || !constants.allFinite()) return;
  next.cpu_seconds_per_byte = constants(0) * unit(0);
  next.cpu_seconds_per_record = constants(1) * unit(1);
  next.uncertainty.cpu_covariance = {p(0, 0), p(0, 1), p(1, 1)};
  // A job is booked when it ends: fewer of them could belong to the time before the interval.
  if (jobs >= kJobsForCores && seconds > 0) {
    next.background_cores = std::max(next.background_cores, total / seconds);
  }
}

}  // namespace lsmtuned::model
