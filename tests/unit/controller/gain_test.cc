// What tuning gained: the level at the start, kept trials in force, intervals, and no gain.
#include "controller/gain.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/units.h"

namespace lsmtuned::controller {
namespace {

using model::kMiB;
using model::Knob;

WindowMeasure level(double put, double standard_error, double stall_share = 0.5) {
  WindowMeasure measure;
  measure.seconds = 100;
  measure.put_bytes_per_s = put;
  measure.standard_error = standard_error;
  measure.stall_share = stall_share;
  return measure;
}

Decision trial(std::uint64_t id, DecisionStatus status, model::ChangeSet changes, double before,
               double after) {
  Decision decision;
  decision.id = id;
  decision.incarnation = 7;
  decision.kind = DecisionKind::proposal;
  decision.status = status;
  decision.changes = std::move(changes);
  decision.measured_before = level(before, 0.03 * before);
  decision.measured_after = level(after, 0.04 * after);
  return decision;
}

const model::ChangeSet kBuffer = {{"default", Knob::write_buffer_size, 4 * kMiB, 16 * kMiB}};
const model::ChangeSet kBase = {{"default", Knob::max_bytes_for_level_base, 64 * kMiB, 256 * kMiB}};

model::Settings under(const std::vector<model::ChangeSet>& changes) {
  model::Settings settings;
  settings.set("default", Knob::write_buffer_size, 4 * kMiB);
  settings.set("default", Knob::max_bytes_for_level_base, 64 * kMiB);
  for (const auto& change : changes) settings = model::with_changes(settings, change);
  return settings;
}

// 4 -> 8 and 9 -> 12 MiB/s kept, one reverted between; now 10 MiB/s with an error of 5 %.
TEST(Gain, AgainstTheStartAndAlongKeptTrials) {
  const std::vector<Decision> decisions = {
      trial(1, DecisionStatus::kept, kBuffer, 4 * kMiB, 8 * kMiB),
      trial(2, DecisionStatus::reverted, kBase, 8 * kMiB, 6 * kMiB),
      trial(3, DecisionStatus::kept, kBase, 9 * kMiB, 12 * kMiB)};
  const TuningGain gain =
      tuning_gain(decisions, 7, level(10 * kMiB, 0.5 * kMiB), under({kBuffer, kBase}));
  ASSERT_TRUE(gain.start);
  EXPECT_EQ(gain.start->decision_id, 1U);
  EXPECT_TRUE(gain.changed);
  EXPECT_EQ(gain.trials, 3);
  EXPECT_EQ(gain.kept_in_force, 2);
  ASSERT_TRUE(gain.since_start);
  EXPECT_NEAR(gain.since_start->share(), 1.5, 1e-12);  // 10 / 4
  const double error = std::hypot(0.03, 0.05);
  EXPECT_NEAR(gain.since_start->low_share(), 2.5 * std::exp(-1.2816 * error) - 1, 1e-9);
  EXPECT_NEAR(gain.since_start->high_share(), 2.5 * std::exp(1.2816 * error) - 1, 1e-9);
  EXPECT_NEAR(gain.kept.share(), 2.0 * 12 / 9 - 1, 1e-12);
  EXPECT_NEAR(gain.kept.standard_error, std::sqrt(2 * (0.03 * 0.03 + 0.04 * 0.04)), 1e-12);
}

TEST(Gain, NothingChangedIsNoGainAndDriftHasAnInterval) {
  Decision noop;
  noop.id = 1;
  noop.incarnation = 7;
  noop.measured_before = level(4 * kMiB, 0);
  const TuningGain gain = tuning_gain({noop}, 7, level(4 * kMiB, 0), under({}));
  EXPECT_FALSE(gain.changed);
  EXPECT_EQ(gain.kept_in_force, 0);
  EXPECT_EQ(gain.kept.share(), 0);
  EXPECT_EQ(gain.kept.low_share(), 0);
  ASSERT_TRUE(gain.since_start);
  EXPECT_EQ(gain.since_start->share(), 0);
  EXPECT_LT(gain.since_start->low_share(), -0.01);  // 1 % of either window at least
  EXPECT_GT(gain.since_start->high_share(), 0.01);
}

TEST(Gain, WhatWasTakenBackDoesNotCount) {
  const Decision kept = trial(1, DecisionStatus::kept, kBuffer, 4 * kMiB, 8 * kMiB);
  Decision regret;
  regret.id = 2;
  regret.incarnation = 7;
  regret.kind = DecisionKind::revert;
  regret.status = DecisionStatus::reverted;
  regret.reason = "regret";
  regret.changes = model::reversed(kBuffer);
  const Decision again = trial(3, DecisionStatus::kept, kBuffer, 5 * kMiB, 6 * kMiB);
  const WindowMeasure now = level(6 * kMiB, 0);
  EXPECT_EQ(tuning_gain({kept, regret}, 7, now, under({})).kept_in_force, 0);
  const TuningGain gain = tuning_gain({kept, regret, again}, 7, now, under({kBuffer}));
  EXPECT_EQ(gain.kept_in_force, 1);
  EXPECT_NEAR(gain.kept.share(), 0.2, 1e-12);
  // Gone home without a decision: the lease ran out.
  EXPECT_EQ(tuning_gain({kept}, 7, now, under({})).kept_in_force, 0);
  // A trial that runs holds other values for a while.
  const Decision open =
      trial(4, DecisionStatus::applied,
            {{"default", Knob::write_buffer_size, 16 * kMiB, 32 * kMiB}}, 6 * kMiB, 0);
  EXPECT_EQ(tuning_gain({kept, open}, 7, now, under({kBuffer, open.changes})).kept_in_force, 1);
}

TEST(Gain, AnotherRunOfTheDatabaseIsAnotherStart) {
  Decision before = trial(1, DecisionStatus::kept, kBuffer, 4 * kMiB, 8 * kMiB);
  before.incarnation = 6;
  const TuningGain gain = tuning_gain({before}, 7, level(8 * kMiB, 0), under({}));
  EXPECT_FALSE(gain.start);
  EXPECT_FALSE(gain.since_start);
  EXPECT_EQ(gain.trials, 0);
}

}  // namespace
}  // namespace lsmtuned::controller
