// How sure a calibration is: what the estimator remembers beside the parameters themselves.
//
// Part of Calibration, so that it is stored and reloaded with it. Empty vectors mean priors: a
// calibration stored by an older version loads and starts with them. model/estimate/ reads and
// writes it (filter.h, cpu.h, interval.h); the ledger does not look at it. Thread rules: plain
// value.
#pragma once

#include <vector>

namespace lsmtuned::model {

struct Uncertainty {
  // B_w, bytes/s: the limit of the device, or, where none is known, the first bandwidth seen at
  // saturation. write_bandwidth is u times this. 0: no device bound is known yet.
  double reference_write_bandwidth = 0;
  std::vector<double> covariance;        // of z (filter.h), row by row
  std::vector<double> outlier_streaks;   // of z: consecutive outliers, negative for low ones
  std::vector<double> overlap_variance;  // of ln o_l, from the base level
  std::vector<double> cpu_covariance;    // of kappa in units of their priors: BB, BR, RR
  double error_variance = 0;       // of ln S measured - ln S predicted beyond what the parameters
                                   // explain; 0: relative_error squared
  double coverage_log_scale = 0;   // ln of what coverage made of it: above 0, intervals were narrow
  double predictions = 0;          // with an interval and a later measurement
  double predictions_covered = 0;  // of them, inside their 80 % interval
  double gain_error = 0.09;        // standard deviation of ln(predicted gain / measured gain)
  double trials = 0;               // that gain_error was learned from
  bool operator==(const Uncertainty&) const = default;
};

}  // namespace lsmtuned::model
