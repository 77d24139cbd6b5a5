// Measured elasticities of knobs, and predictions by value, from recorded trials.
#include "controller/trial_effects.h"

#include <gmock/gmock.h>

#include <cmath>

namespace lsmtuned::controller {
namespace {

using model::Knob;
using ::testing::ElementsAre;

WindowMeasure level(double put, double error, double stall_share) {
  WindowMeasure measure;
  measure.seconds = 100;
  measure.put_bytes_per_s = put;
  measure.standard_error = error * put;
  measure.stall_share = stall_share;
  measure.l0_compactions = 5;
  return measure;
}

Decision trial(std::uint64_t id, model::ChangeSet changes, double before, double after,
               double error = 0.02, double stalled_after = 0.4) {
  Decision decision;
  decision.id = id;
  decision.kind = DecisionKind::proposal;
  decision.status = after > before ? DecisionStatus::kept : DecisionStatus::reverted;
  decision.changes = std::move(changes);
  decision.measured_before = level(before, error, 0.5);
  decision.measured_after = level(after, error, stalled_after);
  decision.predicted_before.put_bytes_per_s = 1.1 * before;
  decision.predicted_after.put_bytes_per_s = 0.9 * after;
  return decision;
}

model::KnobChange buffer(double from, double to) {
  return {"default", Knob::write_buffer_size, from, to};
}
model::KnobChange base(double from, double to) {
  return {"default", Knob::max_bytes_for_level_base, from, to};
}

// S as x^0.5, both ways: 0.5 exactly, with the error of two trials of ln 4 each.
TEST(TrialEffects, OneKnobHasItsElasticityAndError) {
  const auto effects =
      measured_effects({trial(1, {buffer(4, 16)}, 10, 20), trial(2, {buffer(64, 16)}, 40, 20)});
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_THAT(effects[0].knobs, ElementsAre("write_buffer_size"));
  EXPECT_EQ(effects[0].trials, 2);
  EXPECT_NEAR(effects[0].elasticity, 0.5, 1e-12);
  EXPECT_NEAR(effects[0].standard_error, std::hypot(0.02, 0.02) / std::log(4) / std::sqrt(2),
              1e-12);
  EXPECT_EQ(effects[0].smallest, 4);
  EXPECT_EQ(effects[0].largest, 64);
}

// Elasticities of 0.5 and -0.5 with small errors of their own: the scatter is the error.
TEST(TrialEffects, TrialsThatDisagreeWidenTheError) {
  const auto effects =
      measured_effects({trial(1, {buffer(4, 16)}, 10, 20), trial(2, {buffer(4, 16)}, 20, 10)});
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_NEAR(effects[0].elasticity, 0, 1e-12);
  EXPECT_NEAR(effects[0].standard_error, 0.5, 1e-9);  // +-0.5 of two: 0.5 sqrt(2) / sqrt(2)
}

TEST(TrialEffects, AGroupIsOneDirectionOfItsOwn) {
  const auto effects = measured_effects({trial(1, {buffer(4, 16), base(64, 128)}, 10, 20),
                                         trial(2, {base(128, 512), buffer(16, 256)}, 20, 80),
                                         trial(3, {buffer(4, 8), base(64, 512)}, 10, 11)});
  ASSERT_EQ(effects.size(), 2U);
  EXPECT_THAT(effects[0].knobs, ElementsAre("max_bytes_for_level_base", "write_buffer_size"));
  EXPECT_THAT(effects[0].proportions, ElementsAre(0.5, 1.0));
  EXPECT_EQ(effects[0].trials, 2);
  EXPECT_NEAR(effects[0].elasticity, 0.5, 1e-12);
  EXPECT_THAT(effects[1].proportions, ElementsAre(1.0, ::testing::DoubleNear(0.3, 1e-9)));
}

TEST(TrialEffects, ARateThatWasTheLoadSaysNothingOrAtLeastThat) {
  Decision light = trial(1, {buffer(4, 16)}, 10, 10);
  light.measured_before.stall_share = 0.01;
  EXPECT_TRUE(measured_effects({light}).empty());
  const auto effects = measured_effects({trial(2, {buffer(4, 16)}, 10, 20, 0.02, 0)});
  ASSERT_EQ(effects.size(), 1U);
  EXPECT_EQ(effects[0].at_least, 1);
}

TEST(TrialEffects, UnfinishedAndUnmeasuredTrialsDoNotCount) {
  Decision open = trial(1, {buffer(4, 16)}, 10, 20);
  open.status = DecisionStatus::applied;
  Decision cut = trial(2, {buffer(4, 16)}, 10, 20);
  cut.measured_after.l0_compactions = 0;
  EXPECT_TRUE(measured_effects({open, cut}).empty());
  EXPECT_TRUE(scored_values({open, cut}).empty());
}

TEST(TrialEffects, EachValueOfAKnobHasMeasuredPredictedAndError) {
  const auto rows =
      scored_values({trial(2, {buffer(16, 64)}, 20, 40), trial(1, {buffer(4, 16)}, 10, 20)});
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0].value, 4);
  EXPECT_EQ(rows[1].value, 16);
  EXPECT_EQ(rows[1].decision_id, 1U);
  EXPECT_EQ(rows[2].decision_id, 2U);
  EXPECT_EQ(rows[3].value, 64);
  EXPECT_NEAR(rows[0].error, 0.1, 1e-12);
  EXPECT_NEAR(rows[3].error, -0.1, 1e-12);
  EXPECT_NEAR(rows[3].predicted, 36, 1e-12);
}

}  // namespace
}  // namespace lsmtuned::controller
