#include "model/estimate/filter.h"

#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <limits>

#include "model/estimate/bounds.h"

namespace lsmtuned::model {
namespace {

constexpr double kNoise = 0.03 * 0.03;

Calibration known_limits() {
  Calibration calibration;
  calibration.write_bandwidth = 1e8;
  calibration.read_bandwidth = 2e8;
  calibration.uncertainty.reference_write_bandwidth = 2e8;  // u = 0.5
  calibration.foreground_bytes_per_second = 4e7;
  calibration.log_residual = 0.1;
  return calibration;
}

Observation of_utilisation(const Belief& belief, double log_share) {
  return direct(belief, Parameter::utilisation, log_share, kNoise,
                range_of(Parameter::utilisation, true));
}

TEST(Filter, HoldsWhatTheCalibrationHolds) {
  Calibration calibration = known_limits();
  const Belief belief = belief_of(calibration);
  EXPECT_NEAR(belief.mean(0), std::log(0.5), 1e-12);
  EXPECT_NEAR(belief.mean(1), std::log(4e7), 1e-12);
  EXPECT_EQ(belief.mean(2), 1);
  EXPECT_EQ(belief.mean(3), 0.1);
  store(belief, calibration);
  EXPECT_NEAR(calibration.write_bandwidth, 1e8, 1e-4);
  EXPECT_NEAR(calibration.read_bandwidth, 2e8, 1e-4);
  EXPECT_TRUE(belief_of(calibration).covariance.isApprox(belief.covariance));
}

// Variance 0.25^2 = 0.0625 against 0.0009: gain 0.0625 / 0.0634 = 0.9858.
TEST(Filter, WeighsByVariance) {
  Belief belief = belief_of(known_limits());
  const double before = belief.mean(0);
  EXPECT_EQ(update(belief, of_utilisation(belief, before + 0.1)), Update::accepted);
  EXPECT_NEAR(belief.mean(0), before + 0.09858, 1e-5);
  EXPECT_NEAR(belief.covariance(0, 0), 0.0625 * 0.0009 / 0.0634, 1e-8);
}

TEST(Filter, MovesItsTargetOnly) {
  Belief belief = belief_of(known_limits());
  Observation rate;
  rate.target = Parameter::residual;
  rate.innovation = 0.1;
  rate.jacobian = {1, 0, 0, 1};  // device-bound: ln S = ln u + rho + what is known
  rate.variance = kNoise;
  rate.range = range_of(Parameter::residual, true);
  const ParameterVector before = belief.mean;
  EXPECT_EQ(update(belief, rate), Update::accepted);
  EXPECT_EQ(belief.mean.head(3), before.head(3));
  // 0.0225 / (0.0625 + 0.0225 + 0.0009): what u may explain counts against rho.
  EXPECT_NEAR(belief.mean(3) - before(3), 0.1 * 0.0225 / 0.0859, 1e-9);
  EXPECT_EQ(belief.covariance(0, 0), 0.25 * 0.25);
  EXPECT_LT(belief.covariance(0, 3), 0);  // more of the one would mean less of the other
}

TEST(Filter, RefusesOutliersUntilThreeAgree) {
  Belief belief = belief_of(known_limits());
  for (int i = 0; i < 50; ++i) update(belief, of_utilisation(belief, std::log(0.9)));
  const double before = belief.mean(0);
  EXPECT_NEAR(before, std::log(0.9), 1e-3);
  const double half = std::log(0.45);
  EXPECT_EQ(update(belief, of_utilisation(belief, half)), Update::outlier);
  EXPECT_EQ(update(belief, of_utilisation(belief, half)), Update::outlier);
  EXPECT_EQ(belief.mean(0), before);
  EXPECT_EQ(update(belief, of_utilisation(belief, half)), Update::accepted);
  EXPECT_NEAR(belief.mean(0), half, 0.01);
}

TEST(Filter, OutliersOfDifferentSignsAreNoChange) {
  Belief belief = belief_of(known_limits());
  for (int i = 0; i < 50; ++i) update(belief, of_utilisation(belief, std::log(0.6)));
  const double before = belief.mean(0);
  for (int i = 0; i < 20; ++i) {
    const double side = i % 2 == 0 ? 0.8 : -0.8;
    EXPECT_EQ(update(belief, of_utilisation(belief, before + side)), Update::outlier);
  }
  EXPECT_EQ(belief.mean(0), before);
  // An accepted one in between starts the count again.
  EXPECT_EQ(update(belief, of_utilisation(belief, before - 0.8)), Update::outlier);
  EXPECT_EQ(update(belief, of_utilisation(belief, before)), Update::accepted);
  EXPECT_EQ(update(belief, of_utilisation(belief, before - 0.8)), Update::outlier);
  EXPECT_EQ(update(belief, of_utilisation(belief, before - 0.8)), Update::outlier);
}

TEST(Filter, StaysWithinItsRanges) {
  Belief belief = belief_of(known_limits());
  for (int i = 0; i < 20; ++i) update(belief, of_utilisation(belief, std::log(0.01)));
  EXPECT_NEAR(belief.mean(0), std::log(kLeastUtilisation), 1e-12);
  for (int i = 0; i < 1000; ++i) drift(belief, 1e9);
  // Deviations are capped at one, and floored however often the same is observed.
  EXPECT_LE(belief.covariance.diagonal().maxCoeff(), 1 + 1e-12);
  for (int i = 0; i < 100000; ++i) update(belief, of_utilisation(belief, belief.mean(0)));
  EXPECT_GE(belief.covariance(0, 0), 0.005 * 0.005 - 1e-15);
  EXPECT_GT(belief.covariance.determinant(), 0);
}

TEST(Filter, IgnoresWhatCannotBe) {
  Belief belief = belief_of(known_limits());
  const Belief before = belief;
  Observation observation = of_utilisation(belief, std::nan(""));
  EXPECT_EQ(update(belief, observation), Update::unusable);
  observation = of_utilisation(belief, -1);
  observation.variance = 0;
  EXPECT_EQ(update(belief, observation), Update::unusable);
  observation.variance = std::numeric_limits<double>::infinity();
  EXPECT_EQ(update(belief, observation), Update::unusable);
  observation = of_utilisation(belief, -1);
  observation.jacobian(3) = std::nan("");
  EXPECT_EQ(update(belief, observation), Update::unusable);
  drift(belief, -5);
  drift(belief, std::nan(""));
  EXPECT_EQ(belief.mean, before.mean);
  EXPECT_EQ(belief.covariance, before.covariance);
}

TEST(Filter, WhatWasNeverSeenTakesNoPart) {
  Belief belief = belief_of(Calibration{});
  EXPECT_EQ(update(belief, of_utilisation(belief, -0.1)), Update::unusable);
  Calibration calibration;
  store(belief, calibration);
  EXPECT_EQ(calibration.write_bandwidth, 0);
  EXPECT_EQ(calibration.foreground_bytes_per_second, 0);
}

TEST(Filter, ASpoiltCovarianceIsReplacedByPriors) {
  Calibration calibration = known_limits();
  for (const double value : {std::nan(""), -1.0, 0.0, 1e300}) {
    calibration.uncertainty.covariance.assign(16, value);
    const Belief belief = belief_of(calibration);
    EXPECT_EQ(belief.covariance(0, 0), 0.25 * 0.25) << value;
    EXPECT_EQ(belief.covariance(0, 1), 0) << value;
  }
  calibration.uncertainty.covariance.assign(3, 1.0);
  EXPECT_EQ(belief_of(calibration).covariance(3, 3), 0.15 * 0.15);
}

}  // namespace
}  // namespace lsmtuned::model
