#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "model/ledger/ledger.h"
#include "model/units.h"
#include "tests/unit/model/support.h"

namespace lsmtuned::model {
namespace {

using testing::kFamily;

double log_between(double low, double high) {
  return low * std::pow(high / low, *rc::gen::inRange(0, 1001) / 1000.0);
}

ModelInput any_input() {
  ModelInput input;
  input.settings = testing::default_settings();
  for (const KnobInfo& about : all_knobs()) {
    if (about.scope == KnobScope::limiter) continue;
    double value = log_between(about.minimum, about.maximum);
    if (about.unit != KnobUnit::ratio) value = std::round(value);
    input.settings.set(kFamily, about.knob, value);
  }
  std::vector<double> levels;
  const int filled = *rc::gen::inRange(0, 7);
  for (int i = 0; i < filled; ++i) {
    levels.push_back(*rc::gen::inRange(0, 4) == 0 ? 0.0 : log_between(1, 1e13));
  }
  input.family = testing::family_with(levels, *rc::gen::inRange(0, 100));
  input.family.facts.dynamic_level_bytes = *rc::gen::arbitrary<bool>();
  input.family.live_data_bytes = *rc::gen::element(0.0, 1.0, 1e9, 1e12);
  input.cpu_cores = *rc::gen::inRange(1, 65);
  input.saturated = *rc::gen::arbitrary<bool>();
  input.horizon_s = *rc::gen::element(0.0, 1.0, 100.0, 3600.0, 1e6);
  return input;
}

Calibration any_calibration() {
  Calibration calibration;
  calibration.flush_bytes_per_user_byte = log_between(0.05, 2);
  calibration.wal_bytes_per_user_byte = *rc::gen::element(0.0, 1.02);
  calibration.memtable_fill = log_between(0.3, 1.1);
  calibration.record_bytes = log_between(8, 1e6);
  calibration.distinct_keys = *rc::gen::element(0.0, 1e3, 1e6, 1e10);
  if (*rc::gen::arbitrary<bool>()) calibration.drop_share = {0.2, 0.9};
  if (*rc::gen::arbitrary<bool>()) calibration.moved_share = {0.0, 1.0};
  if (*rc::gen::arbitrary<bool>()) calibration.level_compression = {1.0, 0.7, 0.5};
  if (*rc::gen::arbitrary<bool>()) calibration.overlap.clear();
  calibration.write_bandwidth = log_between(1e5, 1e10);
  calibration.read_bandwidth = *rc::gen::element(0.0, 1.0, 2.0) * calibration.write_bandwidth;
  calibration.mix_exponent = *rc::gen::element(1.0, 1.44, 8.0);
  calibration.job_bytes_per_second = *rc::gen::element(0.0, 1e7);
  calibration.flush_bytes_per_second = *rc::gen::element(0.0, 1e7);
  calibration.foreground_bytes_per_second = *rc::gen::element(0.0, 1e8);
  calibration.log_residual = *rc::gen::element(-1.0, 0.0, 0.3);
  return calibration;
}

RC_GTEST_PROP(LedgerProperty, PredictionsAreFiniteAndOrdered, ()) {
  const auto prediction = predict(any_input(), any_calibration());
  RC_ASSERT(prediction.has_value());
  for (const double value :
       {prediction->put_bytes_per_s, prediction->low_bytes_per_s, prediction->high_bytes_per_s,
        prediction->write_amplification, prediction->read_amplification, prediction->l0_files,
        prediction->pending_bytes, prediction->space_bytes}) {
    RC_ASSERT(std::isfinite(value));
    RC_ASSERT(value >= 0);
  }
  RC_ASSERT(prediction->put_bytes_per_s > 0);
  RC_ASSERT(prediction->low_bytes_per_s <= prediction->put_bytes_per_s);
  RC_ASSERT(prediction->put_bytes_per_s <= prediction->high_bytes_per_s);
  RC_ASSERT(prediction->l0_files >= 1);
  RC_ASSERT(prediction->bound != Bound::none);
  RC_ASSERT(prediction->bound != prediction->runner_up);
}

RC_GTEST_PROP(LedgerProperty, AFasterDeviceNeverLowersTheRate, ()) {
  const ModelInput input = any_input();
  Calibration calibration = any_calibration();
  const double slow = predict(input, calibration)->put_bytes_per_s;
  const double faster = 1 + *rc::gen::inRange(0, 300) / 100.0;
  calibration.write_bandwidth *= faster;
  calibration.read_bandwidth *= faster;
  // The solver stops within 1e-5 of the crossing.
  RC_ASSERT(predict(input, calibration)->put_bytes_per_s >= slow * (1 - 1e-4));
}

RC_GTEST_PROP(LedgerProperty, IsAPureFunction, ()) {
  const ModelInput input = any_input();
  const Calibration calibration = any_calibration();
  RC_ASSERT(predict(input, calibration).value() == predict(input, calibration).value());
}

}  // namespace
}  // namespace lsmtuned::model
