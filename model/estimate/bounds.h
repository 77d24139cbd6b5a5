// The range of every calibrated parameter, and of what is known about its error.
//
// Whatever snapshots say, a calibration stays inside: finite, of a size that a real database and a
// real device can have. Ranges are far wider than any target is expected to be. Pure.
#pragma once

#include "model/ledger/ledger.h"

namespace lsmtuned::model {

inline constexpr double kFastestBytesPerS = 1e11;  // no device or memory of one database is faster
inline constexpr double kLeastUtilisation = 0.3;   // of a limit that is known
inline constexpr double kMostUtilisation = 1.05;
inline constexpr double kUnknownLimitRange = 50;  // without one: around the first bandwidth seen
inline constexpr double kMostResidual = 1;        // of |rho|
inline constexpr double kLeastRelativeError = 0.05;
inline constexpr double kMostRelativeError = 0.5;
inline constexpr double kLeastGainError = 0.03;
inline constexpr double kMostGainError = 0.5;
inline constexpr double kMostCoverageLogScale = 0.7;  // intervals at most doubled or halved by it
inline constexpr double kPriorOverlapVariance = 0.15 * 0.15;

// Values that are not finite become their priors, the others are clamped. Idempotent.
Calibration bounded(Calibration calibration);

}  // namespace lsmtuned::model
