// The ratios that two snapshots show, whatever bound is active: direct ratios with forgetting.
//
// model-proposal.md section 6: chi, omega, eta, o_l, nu_l, q_l, c_l, record size and distinct keys.
// Internal to the estimator. A gain of 1 takes the new value, 0 keeps the old one. Pure.
#pragma once

#include "model/estimate/deltas.h"
#include "model/ledger/ledger.h"
#include "model/settings.h"

namespace lsmtuned::model {

inline double moved_towards(double from, double to, double gain) {
  return from + gain * (to - from);
}

// Compression of each level relative to L0, from the ratios RocksDB reports.
void learn_compression(Calibration& next, const Deltas& deltas);

// `gain_with_prior` is for what has a prior worth keeping for a while. Needs user bytes > 0.
void learn_ratios(Calibration& next, const Deltas& deltas, const Settings& settings, double gain,
                  double gain_with_prior);

}  // namespace lsmtuned::model
