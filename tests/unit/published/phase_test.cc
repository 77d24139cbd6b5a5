#include "model/published/phase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/published/segment.h"

namespace lsmtuned::model::published {
namespace {

using ::testing::HasSubstr;

TEST(Phase, NamesReadBack) {
  for (const Phase phase : {Phase::initial, Phase::middle, Phase::final}) {
    EXPECT_EQ(*parse_phase(to_text(phase)), phase);
  }
  EXPECT_THAT(parse_phase("steady").error().text(), HasSubstr("initial, middle, final"));
  EXPECT_FALSE(parse_phase(""));
  EXPECT_FALSE(parse_phase("Initial"));
}

TEST(Phase, ThresholdsAreConfigurable) {
  PhaseThresholds thresholds;
  thresholds.middle_from_minutes = 1;
  thresholds.final_from_minutes = 2;
  EXPECT_EQ(phase_by_time(1.5, thresholds), Phase::middle);
  thresholds.rate_window = 2;
  thresholds.initial_above_variation = 0.05;
  const std::vector<double> rates = {100, 120};
  EXPECT_EQ(phase_by_consensus(1.5, rates, {}, thresholds).stability, Phase::initial);
}

TEST(Phase, AStoppedDatabaseIsCalm) {
  const std::vector<double> rates(10, 0.0);
  EXPECT_EQ(phase_by_consensus(10, rates, {}).stability, Phase::final);
}

TEST(Phase, TransitionsBackwardsAndSkippingAreUnexpected) {
  const std::vector<TimedPhase> history = {{0, Phase::initial}, {1, Phase::initial},
                                           {2, Phase::middle},  {3, Phase::initial},
                                           {4, Phase::final},   {5, Phase::final}};
  const auto found = phase_transitions(history);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_TRUE(found[0].expected);
  EXPECT_EQ(found[0].time_s, 2);
  EXPECT_FALSE(found[1].expected);
  EXPECT_FALSE(found[2].expected);
  EXPECT_EQ(found[2].to, Phase::final);
  EXPECT_TRUE(phase_transitions({}).empty());
}

std::vector<RunSample> recorded(std::size_t noisy, std::size_t drifting, std::size_t calm) {
  std::vector<RunSample> run;
  const auto add = [&](double rate, double wa) {
    run.push_back({10.0 * static_cast<double>(run.size()), rate, wa});
  };
  for (std::size_t i = 0; i < noisy; ++i) add(i % 2 == 0 ? 200 : 60, 1.2);
  for (std::size_t i = 0; i < drifting; ++i) {
    add(130 - 0.5 * static_cast<double>(i), 1.2 + 0.05 * static_cast<double>(i));
  }
  for (std::size_t i = 0; i < calm; ++i) add(90 + static_cast<double>(i % 3), 3.5);
  return run;
}

TEST(Segments, ThreePhasesAreFound) {
  const auto segments = segment_run(recorded(40, 60, 53));
  ASSERT_TRUE(segments);
  ASSERT_EQ(segments->size(), 3u);
  EXPECT_EQ((*segments)[0].phase, Phase::initial);
  EXPECT_EQ((*segments)[0].samples, 40u);
  EXPECT_EQ((*segments)[1].phase, Phase::middle);
  EXPECT_EQ((*segments)[1].from_s, 400);
  EXPECT_EQ((*segments)[1].samples, 60u);
  EXPECT_EQ((*segments)[2].phase, Phase::final);
  EXPECT_EQ((*segments)[2].samples, 53u);
  EXPECT_EQ((*segments)[2].to_s, 1520);
  EXPECT_NEAR((*segments)[2].mean_rate, 91, 0.1);
  for (const Segment& segment : *segments) EXPECT_EQ(segment.agreement, 1);
}

// Samples every 10 s: initial to 390 s, middle to 990 s, final to 1520 s.
TEST(Segments, ConfirmLabelsGivenOnTheWay) {
  const auto segments = segment_run(recorded(40, 60, 53));
  ASSERT_TRUE(segments);
  const std::vector<TimedPhase> labels = {{0, Phase::initial},   {390, Phase::initial},
                                          {400, Phase::initial}, {990, Phase::middle},
                                          {1520, Phase::final},  {1530, Phase::final}};
  EXPECT_DOUBLE_EQ(confirmed_share(labels, *segments), 4.0 / 6);
  EXPECT_EQ(confirmed_share({}, *segments), 0);
}

TEST(Segments, AFreshCalmRunIsOneSegment) {
  const auto segments = segment_run(recorded(0, 0, 30));
  ASSERT_TRUE(segments);
  ASSERT_EQ(segments->size(), 1u);
  EXPECT_EQ(segments->front().phase, Phase::final);
}

TEST(Segments, ALateBurstDoesNotBringTheInitialPhaseBack) {
  std::vector<RunSample> run = recorded(20, 40, 60);
  for (std::size_t i = 80; i < 90; ++i) run[i].put_rate = i % 2 == 0 ? 10 : 300;
  const auto segments = segment_run(run);
  ASSERT_TRUE(segments);
  ASSERT_EQ(segments->size(), 3u);
  EXPECT_EQ((*segments)[2].samples, 60u);
  EXPECT_NEAR((*segments)[2].agreement, 5.0 / 6, 1e-12);
}

TEST(Segments, WithoutAmplificationTheRateDecides) {
  std::vector<RunSample> run = recorded(20, 0, 20);
  for (RunSample& sample : run) sample.write_amplification.reset();
  const auto segments = segment_run(run);
  ASSERT_TRUE(segments);
  EXPECT_EQ(segments->front().phase, Phase::initial);
  EXPECT_EQ(segments->back().phase, Phase::final);
}

TEST(Segments, UnusableRunsAreRefused) {
  EXPECT_THAT(segment_run(recorded(0, 0, 9)).error().text(), HasSubstr("9 samples are fewer"));
  std::vector<RunSample> run = recorded(0, 0, 20);
  run[5].time_s = run[4].time_s;
  EXPECT_THAT(segment_run(run).error().text(), HasSubstr("sample 5: time does not increase"));
  run = recorded(0, 0, 20);
  run[3].put_rate = -1;
  EXPECT_THAT(segment_run(run).error().text(), HasSubstr("sample 3: put rate"));
  run = recorded(0, 0, 20);
  run[2].write_amplification = std::nan("");
  EXPECT_THAT(segment_run(run).error().text(), HasSubstr("sample 2: write amplification"));
}

}  // namespace
}  // namespace lsmtuned::model::published
