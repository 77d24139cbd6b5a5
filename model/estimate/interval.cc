#include "model/estimate/interval.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "model/eighty_percent.h"
#include "model/estimate/bounds.h"
#include "model/estimate/filter.h"

namespace lsmtuned::model {
namespace {

constexpr double kMissesWanted = 0.2;
constexpr double kCoverageStep = 0.05;  // of ln(width) a prediction
constexpr double kMostSurprise = 3;     // standard deviations; the rest of an error is cut off
constexpr double kPriorTrials = 3;
constexpr double kMemoryTrials = 10;

// Calibrations at the sigma points, in pairs of opposite sides. Never empty.
std::vector<Calibration> sigma_points(const Calibration& calibration) {
  const Belief belief = belief_of(calibration);
  ParameterMatrix covariance = belief.covariance;
  for (int i = 0; i < covariance.rows(); ++i) {
    if (belief.known[static_cast<std::size_t>(i)]) continue;
    covariance.row(i).setZero();
    covariance.col(i).setZero();
    covariance(i, i) = 1;  // apart from the others, and left out below
  }
  const ParameterMatrix root = covariance.llt().matrixL();
  const auto known = std::count(belief.known.begin(), belief.known.end(), true);
  const double count = static_cast<double>(known) + static_cast<double>(calibration.overlap.size());
  const double reach = std::sqrt(count);

  std::vector<Calibration> points;
  points.reserve(static_cast<std::size_t>(2 * count));
  for (const double side : {reach, -reach}) {
    for (int i = 0; i < root.cols(); ++i) {
      if (!belief.known[static_cast<std::size_t>(i)]) continue;
      points.push_back(with_parameters(calibration, belief.mean + side * root.col(i)));
    }
    const std::vector<double>& variances = calibration.uncertainty.overlap_variance;
    for (std::size_t level = 0; level < calibration.overlap.size(); ++level) {
      const double variance = level < variances.size() ? variances[level] : kPriorOverlapVariance;
      points.push_back(calibration);
      points.back().overlap[level] *= std::exp(side * std::sqrt(variance));
    }
  }
  return points;
}

Result<double> log_rate(const Predictor& predictor, const Calibration& calibration) {
  const auto rate = predictor(calibration);
  if (!rate) return rate.error();
  if (!(*rate > 0) || !std::isfinite(*rate)) {
    return Error{"the model gives no positive rate for these settings", ""};
  }
  return std::log(*rate);
}

struct Moments {
  double mean = 0;
  double variance = 0;
};
Moments moments(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  Moments of;
  of.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  for (const double value : values) of.variance += (value - of.mean) * (value - of.mean) / count;
  return of;
}

double normal_cdf(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

}  // namespace

Result<PredictiveInterval> propagate(const Calibration& calibration, const Predictor& predictor) {
  const auto centre = log_rate(predictor, calibration);
  if (!centre) return centre.error();
  std::vector<double> values;
  for (const Calibration& point : sigma_points(calibration)) {
    const auto value = log_rate(predictor, point);
    if (!value) return value.error();
    values.push_back(*value);
  }
  const Moments spread = moments(values);
  PredictiveInterval interval;
  interval.put_bytes_per_s = std::exp(*centre);
  interval.parameter_deviation = std::sqrt(spread.variance);
  interval.structural_deviation = calibration.relative_error;
  const double half =
      kEightyPercent * std::hypot(interval.parameter_deviation, interval.structural_deviation);
  // A minimum of bounds is concave: its mean lies below its value at the mean.
  interval.low_bytes_per_s = std::exp(std::min(*centre, spread.mean) - half);
  interval.high_bytes_per_s = std::exp(std::max(*centre, spread.mean) + half);
  return interval;
}

Result<GainEstimate> estimate_gain(const Calibration& calibration, const Predictor& present,
                                   const Predictor& candidate, double minimum_gain) {
  std::vector<double> gains;
  for (const Calibration& point : sigma_points(calibration)) {
    const auto before = log_rate(present, point);
    if (!before) return before.error();
    const auto after = log_rate(candidate, point);
    if (!after) return after.error();
    gains.push_back(*after - *before);
  }
  const Moments spread = moments(gains);
  GainEstimate estimate;
  estimate.log_gain = spread.mean;
  estimate.deviation = std::hypot(std::sqrt(spread.variance), calibration.uncertainty.gain_error);
  estimate.probability =
      normal_cdf((estimate.log_gain - std::log1p(minimum_gain)) / estimate.deviation);
  return estimate;
}

Result<Prediction> predict_with_interval(const ModelInput& input, const Calibration& calibration) {
  auto prediction = predict(input, calibration);
  if (!prediction) return prediction;
  const auto interval = propagate(calibration, [&](const Calibration& point) -> Result<double> {
    const auto at_point = predict(input, point);
    if (!at_point) return at_point.error();
    return at_point->put_bytes_per_s;
  });
  if (!interval) return interval.error();
  prediction->low_bytes_per_s = interval->low_bytes_per_s;
  prediction->high_bytes_per_s = interval->high_bytes_per_s;
  return prediction;
}

void record_outcome(Calibration& calibration, const PredictiveInterval& expected,
                    double measured_bytes_per_s, double l0_compactions) {
  if (!(measured_bytes_per_s > 0) || !std::isfinite(measured_bytes_per_s) ||
      !(l0_compactions > 0) || !std::isfinite(l0_compactions) || !(expected.put_bytes_per_s > 0) ||
      !(expected.low_bytes_per_s > 0)) {
    return;
  }
  Uncertainty& about = calibration.uncertainty;
  const bool covered = measured_bytes_per_s >= expected.low_bytes_per_s &&
                       measured_bytes_per_s <= expected.high_bytes_per_s;
  about.predictions += 1;
  about.predictions_covered += covered ? 1 : 0;
  about.coverage_log_scale =
      std::clamp(about.coverage_log_scale + kCoverageStep * ((covered ? 0 : 1) - kMissesWanted),
                 -kMostCoverageLogScale, kMostCoverageLogScale);

  // Of the error, what the parameters' own uncertainty explains is not the model's.
  const double deviation = std::hypot(expected.parameter_deviation, expected.structural_deviation);
  const double error = std::min(std::abs(std::log(measured_bytes_per_s / expected.put_bytes_per_s)),
                                kMostSurprise * deviation);
  const double unexplained =
      error * error - expected.parameter_deviation * expected.parameter_deviation;
  const double past =
      std::min(calibration.evidence_l0_compactions + kPriorCompactions, kMemoryCompactions);
  const double gain = l0_compactions / (l0_compactions + past);
  if (!(about.error_variance > 0)) {
    about.error_variance = calibration.relative_error * calibration.relative_error;
  }
  about.error_variance = std::clamp(
      about.error_variance + gain * (unexplained - about.error_variance),
      kLeastRelativeError * kLeastRelativeError, kMostRelativeError * kMostRelativeError);
  calibration.relative_error =
      std::clamp(std::sqrt(about.error_variance) * std::exp(about.coverage_log_scale),
                 kLeastRelativeError, kMostRelativeError);
}

void record_gain(Calibration& calibration, double predicted_log_gain, double measured_log_gain,
                 double measured_error) {
  const double error = measured_log_gain - predicted_log_gain;
  if (!std::isfinite(error) || !std::isfinite(measured_error)) return;
  Uncertainty& about = calibration.uncertainty;
  const double cut = std::min(std::abs(error), kMostSurprise * kMostGainError);
  const double unexplained = std::max(0.0, cut * cut - measured_error * measured_error);
  const double gain = 1 / (1 + std::min(about.trials + kPriorTrials, kMemoryTrials));
  const double variance = about.gain_error * about.gain_error;
  about.gain_error = std::clamp(std::sqrt(variance + gain * (unexplained - variance)),
                                kLeastGainError, kMostGainError);
  about.trials += 1;
}

double coverage(const Calibration& calibration, double otherwise) {
  const Uncertainty& about = calibration.uncertainty;
  return about.predictions > 0 ? about.predictions_covered / about.predictions : otherwise;
}

}  // namespace lsmtuned::model
