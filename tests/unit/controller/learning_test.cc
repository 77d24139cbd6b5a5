// What lessons and trials leave in the controller's state.
#include <gtest/gtest.h>

#include <cmath>

#include "driver.h"

namespace lsmtuned::controller {
namespace {

using testing::Driver;

// The plant gains 30 % and the candidate promises as much (Driver::candidate()): the error of this
// gain is near zero, so the prior of 0.09 falls to 0.09 sqrt(3/4) = 0.078 (three prior trials).
TEST(Learning, AKeptTrialTeachesTheErrorOfGains) {
  Driver d;
  d.tuned_plant = d.plant;
  d.tuned_plant.rate = 1.3 * d.plant.rate;
  d.candidate(model::Knob::level0_slowdown_writes_trigger, 34);
  d.attach();
  ASSERT_TRUE(d.poll_until(Phase::cooldown, 80));
  const model::Calibration& learned = d.state.persistent.calibration;
  EXPECT_EQ(learned.uncertainty.trials, 1);
  EXPECT_LT(learned.uncertainty.gain_error, 0.09);
  EXPECT_GE(learned.uncertainty.gain_error, 0.0775);
}

TEST(Learning, EveryLessonIsCountedByItsOutcome) {
  Driver d;
  d.attach();
  d.poll(60);
  const model::LessonCounts& counts = d.state.lessons;
  EXPECT_GT(counts.by_outcome[static_cast<std::size_t>(model::LessonOutcome::learned)], 5u);
  EXPECT_EQ(counts.by_outcome[static_cast<std::size_t>(model::LessonOutcome::bad_data)], 0u);
}

// Its interval holds the rate, and is wider than the structural error alone would make it.
TEST(Learning, ThePresentPredictionHasAnIntervalOfItsOwn) {
  Driver d;
  d.attach();
  d.poll(60);
  ASSERT_TRUE(d.state.current_prediction);
  const model::Prediction& now = *d.state.current_prediction;
  EXPECT_LT(now.low_bytes_per_s, now.put_bytes_per_s);
  EXPECT_GT(now.high_bytes_per_s, now.put_bytes_per_s);
  const double half = std::log(now.high_bytes_per_s / now.low_bytes_per_s) / 2;
  EXPECT_GT(half, 1.28 * d.state.persistent.calibration.relative_error);
}

}  // namespace
}  // namespace lsmtuned::controller
