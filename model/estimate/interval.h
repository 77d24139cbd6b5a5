// Intervals of predictions: what the parameters do not know, propagated through any predictor, and
// what the model itself does not know, learned from what followed.
//
// Parameters: z of filter.h with its covariance and ln o_l with their variances, by 2n equally
// weighted sigma points at sqrt(n) standard deviations (spherical cubature: I. Arasaratnam and
// S. Haykin 2009), so a minimum of bounds needs no derivative. Structure: normal errors of ln S
// with relative_error, and of ln(gain) with gain_error. Where intervals hold what followed too
// seldom or too often they are widened or narrowed by a step a prediction that balances at 80 %
// whatever the shape of the errors (adaptive conformal inference: I. Gibbs and E. Candes 2021),
// within bounds. Units: bytes per second, deviations of ln S. Pure and deterministic.
#pragma once

#include <functional>

#include "model/ledger/ledger.h"
#include "model/result.h"

namespace lsmtuned::model {

inline constexpr double kMemoryCompactions = 20;  // L0 jobs that the past counts for at most
inline constexpr double kPriorCompactions = 4;    // L0 jobs that a prior counts for

// S in bytes/s under a calibration, for whatever settings and model the caller holds.
using Predictor = std::function<Result<double>(const Calibration&)>;

struct PredictiveInterval {
  double put_bytes_per_s = 0;  // at the mean parameters
  double low_bytes_per_s = 0;  // 80 % interval
  double high_bytes_per_s = 0;
  double parameter_deviation = 0;
  double structural_deviation = 0;
};
// Errors: those of the predictor, or a rate that is not positive and finite.
Result<PredictiveInterval> propagate(const Calibration& calibration, const Predictor& predictor);

struct GainEstimate {
  double log_gain = 0;  // mean of ln S(candidate) - ln S(present)
  double deviation = 0;
  double probability = 0;  // of S(candidate) > (1 + minimum_gain) S(present)
};
// Both predictors see the same sigma points: what both share cancels.
Result<GainEstimate> estimate_gain(const Calibration& calibration, const Predictor& present,
                                   const Predictor& candidate, double minimum_gain);

// The ledger's prediction, its interval by propagate().
Result<Prediction> predict_with_interval(const ModelInput& input, const Calibration& calibration);

// A prediction met its measurement, over `l0_compactions` cycles at a saturated database. Teaches
// the structural error and the coverage record. Values that are not positive teach nothing.
void record_outcome(Calibration& calibration, const PredictiveInterval& expected,
                    double measured_bytes_per_s, double l0_compactions);

// A trial ended: predicted and measured ln(S after / S before), the latter with its standard error.
void record_gain(Calibration& calibration, double predicted_log_gain, double measured_log_gain,
                 double measured_error);

// Share of past intervals that held what followed; `otherwise` where there were none.
double coverage(const Calibration& calibration, double otherwise);

}  // namespace lsmtuned::model
