// What lessons, trials and restarts leave in the controller's state.
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

// The same under a load that pauses half of the time: the lesson is about the time under load, as
// the verdict is. Over all of it the rate would have fallen by a third.
TEST(Learning, PausesOfTheLoadAreNoLesson) {
  Driver d;
  d.tuned_plant = d.plant;
  d.tuned_plant.rate = 1.3 * d.plant.rate;
  testing::Plant busy = d.tuned_plant;
  testing::Plant paused = d.tuned_plant;
  paused.rate = 0;
  paused.stall = 0;
  paused.cycle_s = 1e9;
  d.candidate(model::Knob::level0_slowdown_writes_trigger, 34);
  d.attach();
  ASSERT_TRUE(d.poll_until(Phase::verifying, 60));
  for (int i = 0; i < 120 && d.state.phase == Phase::verifying; ++i) {
    d.tuned_plant = i % 20 < 10 ? busy : paused;
    d.poll(1);
  }
  ASSERT_EQ(d.state.phase, Phase::cooldown);
  ASSERT_EQ(d.decision(DecisionKind::proposal).status, DecisionStatus::kept);
  const model::Calibration& learned = d.state.persistent.calibration;
  EXPECT_EQ(learned.uncertainty.trials, 1);
  EXPECT_LT(learned.uncertainty.gain_error, 0.09);
}

TEST(Learning, EveryLessonIsCountedByItsOutcome) {
  Driver d;
  d.attach();
  d.poll(60);
  const model::LessonCounts& counts = d.state.lessons;
  EXPECT_GT(counts.by_outcome[static_cast<std::size_t>(model::LessonOutcome::learned)], 5u);
  EXPECT_EQ(counts.by_outcome[static_cast<std::size_t>(model::LessonOutcome::bad_data)], 0u);
}

// The toy database takes less than half of what the model says of its short spans: ln 1.5 = 0.4 of
// that is taken for bias, and a model that is further off stays mistrusted.
TEST(Learning, ASteadyBiasIsTakenOutOfPredictionsUpToALimit) {
  Driver d;
  d.plant.stall = 0.6;  // what is offered leaves room for a prediction that is far too high
  d.attach();
  d.poll(400);
  const PersistentState& learned = d.state.persistent;
  ASSERT_TRUE(d.state.prediction_error_known);
  EXPECT_EQ(learned.prediction_bias, -0.4);
  EXPECT_GT(d.state.prediction_error, config::Policy{}.trust_gate_error);
}

const ModelAccuracy* accuracy_of(const State& state, const std::string& id) {
  for (const ModelAccuracy& one : state.model_accuracy)
    if (one.model == id) return &one;
  return nullptr;
}

// Every model that can answer is compared with the same spans; how often is bounded.
TEST(Learning, EveryModelHasARollingAccuracy) {
  Driver d;
  d.plant.stall = 0.3;
  d.attach();
  int before = 0;
  double first_s = 0;
  for (int i = 0; i < 400 && before == 0; ++i) {
    d.poll(1);
    if (const ModelAccuracy* found = accuracy_of(d.state, "files")) before = found->spans;
    first_s = d.state.models_compared_at_s;
  }
  ASSERT_EQ(before, 1);
  for (const char* id : {"files", "totals", "ledger", "v1", "v4", "v4.2"}) {
    ASSERT_NE(accuracy_of(d.state, id), nullptr) << id;
    const ModelAccuracy& known = *accuracy_of(d.state, id);
    EXPECT_GT(known.measured_bytes_per_s, 0) << id;
    EXPECT_NEAR(
        known.accuracy,
        std::max(0.0, 1 - std::abs(known.predicted_bytes_per_s / known.measured_bytes_per_s - 1)),
        1e-12)
        << id;
  }
  d.poll(400);
  const ModelAccuracy& later = *accuracy_of(d.state, "files");
  EXPECT_GT(later.spans, 1);
  EXPECT_LE(later.spans, 1 + (d.state.models_compared_at_s - first_s) / 120);
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

// Kept: slowdown 20 -> 34, stop 36 -> 48. A trial had moved stop back to 36, its baseline, when the
// daemon died: only slowdown shows as ours, and stop goes back to 48 all the same.
TEST(Restart, AKeptKnobThatATrialMovedToItsBaselineComesBack) {
  using model::Knob;
  PersistentState persistent;
  persistent.incarnation = 1;
  persistent.baseline = Driver::base_settings();
  persistent.kept = {{"default", Knob::level0_slowdown_writes_trigger, 20, 34},
                     {"default", Knob::level0_stop_writes_trigger, 36, 48}};
  Decision trial;
  trial.id = 3;
  trial.kind = DecisionKind::proposal;
  trial.status = DecisionStatus::applied;
  trial.changes = {{"default", Knob::level0_stop_writes_trigger, 48, 36}};
  persistent.open_trial = trial;
  persistent.next_decision_id = 4;
  Driver d(Driver::base_policy(), persistent);
  d.settings.set("default", Knob::level0_slowdown_writes_trigger, 34);
  d.attach();
  d.poll(2);
  EXPECT_EQ(d.settings.get("default", Knob::level0_slowdown_writes_trigger), 34);
  EXPECT_EQ(d.settings.get("default", Knob::level0_stop_writes_trigger), 48);
  EXPECT_EQ(d.state.persistent.kept.size(), 2u);
}

// Ten databases would wait a stagger each. Where memory is shared, another may hold theirs by now.
TEST(Restart, KeptSettingsWaitForATurnOnlyWhereMemoryIsShared) {
  using model::Knob;
  for (const double budget : {0.0, 1e9}) {
    config::Policy policy = Driver::base_policy();
    policy.reapply_after_restart = true;
    Driver d(policy);
    d.attach();
    d.poll(60);
    d.state.persistent.kept = {{"default", Knob::level0_slowdown_writes_trigger, 20, 34}};
    d.feed(TurnGiven{Turn{false, budget, "another comes first"}});
    d.lose();
    d.restart_database();
    d.attach();
    d.poll(60);
    EXPECT_EQ(d.settings.get("default", Knob::level0_slowdown_writes_trigger),
              budget > 0 ? 20 : 34);
  }
}

}  // namespace
}  // namespace lsmtuned::controller
