#include "model/estimate/filter.h"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <vector>

#include "model/estimate/bounds.h"

namespace lsmtuned::model {
namespace {

constexpr double kGate = 4;               // standard deviations
constexpr double kOutliersOfAChange = 3;  // in a row, of one sign
constexpr double kLongestDrift = 3600;
constexpr double kLeastDeviation = 0.005;
constexpr double kMostDeviation = 1;

int index(Parameter parameter) {
  return static_cast<int>(parameter);
}

// Standard deviation that an hour of random walk adds. Ten per cent: a device or a client changes
// slowly, and what changes at once is found by the streak of outliers.
ParameterVector drift_per_hour() {
  return ParameterVector(0.1, 0.1, 0.05, 0.1);
}

// Scales one component, correlations unchanged.
void set_variance(ParameterMatrix& covariance, int i, double variance) {
  const double present = covariance(i, i);
  if (!(present > 0)) {
    covariance.row(i).setZero();
    covariance.col(i).setZero();
  } else {
    const double scale = std::sqrt(variance / present);
    covariance.row(i) *= scale;
    covariance.col(i) *= scale;
  }
  covariance(i, i) = variance;
}

// A new start of one component, independent of the others.
void reset(ParameterMatrix& covariance, int i, double variance) {
  covariance.row(i).setZero();
  covariance.col(i).setZero();
  covariance(i, i) = variance;
}

bool sound(const ParameterMatrix& covariance) {
  if (!covariance.allFinite()) return false;
  return Eigen::LLT<ParameterMatrix>(covariance).info() == Eigen::Success;
}

ParameterMatrix prior_covariance() {
  return prior_deviation().array().square().matrix().asDiagonal();
}

void bound(ParameterMatrix& covariance) {
  covariance = (covariance + covariance.transpose().eval()) / 2;
  for (int i = 0; i < covariance.rows(); ++i) {
    const double bounded = std::clamp(covariance(i, i), kLeastDeviation * kLeastDeviation,
                                      kMostDeviation * kMostDeviation);
    if (bounded != covariance(i, i)) set_variance(covariance, i, bounded);
  }
  if (!sound(covariance)) covariance = prior_covariance();
}

}  // namespace

ParameterVector prior_deviation() {
  return ParameterVector(0.25, 0.25, 0.25, 0.15);
}

ParameterRange range_of(Parameter parameter, bool device_limit_known) {
  switch (parameter) {
    case Parameter::utilisation:
      if (device_limit_known) return {std::log(kLeastUtilisation), std::log(kMostUtilisation)};
      return {-std::log(kUnknownLimitRange), std::log(kUnknownLimitRange)};
    case Parameter::foreground:
      return {0, std::log(kFastestBytesPerS)};
    case Parameter::l0_speed_up:
      return {0, 1};
    case Parameter::residual:
      return {-kMostResidual, kMostResidual};
  }
  return {0, 0};
}

Belief belief_of(const Calibration& calibration) {
  Belief belief;
  const Uncertainty& about = calibration.uncertainty;
  const bool device = calibration.write_bandwidth > 0 && about.reference_write_bandwidth > 0;
  const bool foreground = calibration.foreground_bytes_per_second > 0;
  belief.known = {device, foreground, true, true};
  belief.mean = {
      device ? std::log(calibration.write_bandwidth / about.reference_write_bandwidth) : 0,
      foreground ? std::log(calibration.foreground_bytes_per_second) : 0,
      calibration.l0_speed_up_exponent, calibration.log_residual};
  belief.covariance = prior_covariance();
  if (about.covariance.size() == kParameters * kParameters) {
    const ParameterMatrix stored =
        Eigen::Map<const Eigen::Matrix<double, 4, 4, Eigen::RowMajor>>(about.covariance.data());
    if (sound(stored)) belief.covariance = stored;
  }
  if (about.outlier_streaks.size() == kParameters) {
    const ParameterVector stored = Eigen::Map<const ParameterVector>(about.outlier_streaks.data());
    if (stored.allFinite()) belief.streaks = stored;
  }
  return belief;
}

Calibration with_parameters(Calibration calibration, const ParameterVector& mean) {
  const double reference = calibration.uncertainty.reference_write_bandwidth;
  if (calibration.write_bandwidth > 0 && reference > 0) {
    const double write = reference * std::exp(mean(index(Parameter::utilisation)));
    calibration.read_bandwidth *= write / calibration.write_bandwidth;
    calibration.write_bandwidth = write;
  }
  if (calibration.foreground_bytes_per_second > 0) {
    calibration.foreground_bytes_per_second = std::exp(mean(index(Parameter::foreground)));
  }
  calibration.l0_speed_up_exponent = std::clamp(mean(index(Parameter::l0_speed_up)), 0.0, 1.0);
  calibration.log_residual = mean(index(Parameter::residual));
  return calibration;
}

void store(const Belief& belief, Calibration& calibration) {
  calibration = with_parameters(std::move(calibration), belief.mean);
  std::vector<double>& covariance = calibration.uncertainty.covariance;
  covariance.resize(kParameters * kParameters);
  Eigen::Map<Eigen::Matrix<double, 4, 4, Eigen::RowMajor>>(covariance.data()) = belief.covariance;
  std::vector<double>& streaks = calibration.uncertainty.outlier_streaks;
  streaks.resize(kParameters);
  Eigen::Map<ParameterVector>(streaks.data()) = belief.streaks;
}

void drift(Belief& belief, double seconds) {
  if (!(seconds > 0)) return;
  const double hours = std::min(seconds, kLongestDrift) / 3600;
  belief.covariance.diagonal() += (drift_per_hour().array().square() * hours).matrix();
  bound(belief.covariance);
}

void begin(Belief& belief, Parameter target, double value, double variance) {
  const int i = index(target);
  belief.mean(i) = value;
  belief.streaks(i) = 0;
  belief.known[static_cast<std::size_t>(i)] = true;
  reset(belief.covariance, i, variance);
  bound(belief.covariance);
}

Observation direct(const Belief& belief, Parameter target, double observed, double variance,
                   ParameterRange range) {
  Observation observation;
  observation.target = target;
  observation.innovation = observed - belief.mean(index(target));
  observation.jacobian(index(target)) = 1;
  observation.variance = variance;
  observation.range = range;
  return observation;
}

Update update(Belief& belief, const Observation& observation) {
  const int i = index(observation.target);
  const ParameterVector& h = observation.jacobian;
  const double noise = observation.variance;
  if (!belief.known[static_cast<std::size_t>(i)] || !std::isfinite(observation.innovation) ||
      !h.allFinite() || h(i) == 0 || !std::isfinite(noise) || !(noise > 0)) {
    return Update::unusable;
  }
  ParameterMatrix& p = belief.covariance;
  double& streak = belief.streaks(i);
  const double expected_variance = h.dot(p * h) + noise;
  if (std::abs(observation.innovation) > kGate * std::sqrt(expected_variance)) {
    const double sign = observation.innovation > 0 ? 1 : -1;
    streak = streak * sign > 0 ? streak + sign : sign;
    if (std::abs(streak) < kOutliersOfAChange) return Update::outlier;
    const double jump = observation.innovation / h(i);
    const double prior = prior_deviation()(i);
    reset(p, i, std::min(std::max(prior * prior, jump * jump), kMostDeviation * kMostDeviation));
  }
  streak = 0;
  ParameterVector gain = ParameterVector::Zero();
  gain(i) = p.row(i).dot(h) / (h.dot(p * h) + noise);
  belief.mean(i) = std::clamp(belief.mean(i) + gain(i) * observation.innovation,
                              observation.range.low, observation.range.high);
  // Joseph's form: right for any gain, and stays positive definite.
  const ParameterMatrix rest = ParameterMatrix::Identity() - gain * h.transpose();
  p = (rest * p * rest.transpose() + gain * noise * gain.transpose()).eval();
  bound(p);
  return Update::accepted;
}

}  // namespace lsmtuned::model
