// The small extended Kalman filter on what limits the put rate (model-proposal.md section 8).
//
//   z = [ln u, ln S_fg, e, rho], a random walk
//
// u: share of the device bandwidth B_w that is really there; S_fg: put rate of an unstalled
// foreground, bytes/s; e: ln sigma(s) / ln s, how the L0 job speeds up with s subcompactions (as an
// exponent it holds for other s too); rho: ln S measured - ln S modelled. The means live in
// Calibration, the covariance in Calibration::uncertainty.
//
// An observation moves one component, the one that its interval is about; the errors of the others
// count in its variance but are not touched (a Schmidt-Kalman update: S. F. Schmidt 1966). So what
// the active bound shows never leaks into a bound that was not active, and an error of the model
// itself ends in rho and nowhere else.
//
// An innovation beyond four standard deviations is refused; three of one sign in a row are a change
// of the plant, and the component's variance is opened for it. Means and variances are bounded.
// Deterministic and pure; thread rules: plain values.
#pragma once

#include <Eigen/Core>
#include <array>
#include <cstddef>

#include "model/ledger/ledger.h"

namespace lsmtuned::model {

enum class Parameter : std::size_t { utilisation, foreground, l0_speed_up, residual };
inline constexpr std::size_t kParameters = 4;
using ParameterVector = Eigen::Matrix<double, 4, 1>;
using ParameterMatrix = Eigen::Matrix<double, 4, 4>;

struct ParameterRange {
  double low;
  double high;
};

struct Belief {
  ParameterVector mean = ParameterVector::Zero();
  ParameterMatrix covariance = ParameterMatrix::Zero();
  ParameterVector streaks = ParameterVector::Zero();  // of outliers, signed
  // Unknown ones (no device bound or foreground limit seen yet) take no part.
  std::array<bool, kParameters> known{};
};

// Standard deviations before anything was observed.
ParameterVector prior_deviation();
ParameterRange range_of(Parameter parameter, bool device_limit_known);

// The belief that a calibration holds. A covariance that is missing, not finite or not positive
// definite is replaced by priors.
Belief belief_of(const Calibration& calibration);
// `belief` back into the calibration: means into its members, covariance into its uncertainty.
void store(const Belief& belief, Calibration& calibration);
// The calibration with other means; what is unknown stays so. Bandwidths keep their ratio.
Calibration with_parameters(Calibration calibration, const ParameterVector& mean);

// Uncertainty that `seconds` add (capped at an hour, as intervals are).
void drift(Belief& belief, double seconds);

// First sight of a component: takes the value with the variance of the observation.
void begin(Belief& belief, Parameter target, double value, double variance);

struct Observation {
  Parameter target{};
  double innovation = 0;                               // observed - expected at the mean
  ParameterVector jacobian = ParameterVector::Zero();  // d expected / d z; target's must not be 0
  double variance = 0;                                 // of the observation alone
  ParameterRange range{};                              // of the target's mean
};
// `expected` says directly what the component is: the Jacobian is its unit vector.
Observation direct(const Belief& belief, Parameter target, double observed, double variance,
                   ParameterRange range);

enum class Update { accepted, outlier, unusable };  // unusable: not finite, unknown, no gain
Update update(Belief& belief, const Observation& observation);

}  // namespace lsmtuned::model
