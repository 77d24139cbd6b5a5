#include "model/watch/workload_phase.h"

#include <gtest/gtest.h>

#include <vector>

namespace lsmtuned::model {
namespace {

using published::Phase;
using published::PhaseThresholds;
using published::PhaseTransition;

// Samples of 10 s at a put rate that swings by `swing` about 10 MB/s.
struct Course {
  PhaseWatch watched;
  PhaseThresholds thresholds;
  double time_s = 0;
  std::vector<PhaseTransition> seen;

  void run(int samples, double swing, double write_amplification = 5) {
    for (int i = 0; i < samples; ++i) {
      time_s += 10;
      const double rate = 1e7 * (1 + (i % 2 == 0 ? swing : -swing));
      const auto found = watch(watched, {time_s, time_s, rate, write_amplification}, thresholds);
      if (found) seen.push_back(*found);
    }
  }
};

TEST(PhaseWatch, NamesNoneBeforeItsWindowsAreFull) {
  Course course;
  course.run(9, 0.5);
  EXPECT_FALSE(course.watched.phase);
  course.run(1, 0.5);
  EXPECT_EQ(course.watched.phase, Phase::initial);
  EXPECT_TRUE(course.seen.empty());
}

TEST(PhaseWatch, OneStepForwardIsExpected) {
  Course course;
  course.run(12, 0.5);  // the clock and the rate say initial
  course.thresholds.middle_from_minutes = 0;
  course.run(40, 0.2);  // both say middle
  ASSERT_EQ(course.seen.size(), 1U);
  EXPECT_EQ(course.seen[0].from, Phase::initial);
  EXPECT_EQ(course.seen[0].to, Phase::middle);
  EXPECT_TRUE(course.seen[0].expected);
  EXPECT_EQ(course.watched.since_s, course.seen[0].time_s);
}

TEST(PhaseWatch, BackwardsIsUnexpected) {
  Course course;
  course.thresholds.middle_from_minutes = 0;
  course.thresholds.final_from_minutes = 0;
  course.run(12, 0);
  EXPECT_EQ(course.watched.phase, Phase::final);
  course.thresholds.final_from_minutes = 90;  // the votes part: middle, initial, final
  course.thresholds.middle_from_minutes = 90;
  course.run(40, 0.5);
  ASSERT_EQ(course.seen.size(), 1U);
  EXPECT_EQ(course.seen[0].from, Phase::final);
  EXPECT_EQ(course.seen[0].to, Phase::initial);
  EXPECT_FALSE(course.seen[0].expected);
}

TEST(PhaseWatch, AnOddMomentIsNoTransition) {
  Course course;
  course.thresholds.middle_from_minutes = 0;
  course.thresholds.final_from_minutes = 0;  // the clock: final
  course.thresholds.rate_window = 4;
  course.thresholds.amplification_window = 2;
  course.thresholds.final_from_write_amplification = 100;
  double amplification = 1;
  const auto rising = [&](int samples, double swing) {
    for (int i = 0; i < samples; ++i)
      course.run(1, i % 2 == 0 ? swing : -swing, amplification += 1);
  };
  rising(10, 0.2);
  EXPECT_EQ(course.watched.phase, Phase::middle);
  course.run(3, 0.2, amplification);  // stands still: its vote is final, and final wins
  rising(10, 0.2);
  EXPECT_TRUE(course.seen.empty());
  course.run(4, 0.2, amplification);
  ASSERT_EQ(course.seen.size(), 1U);
  EXPECT_EQ(course.seen[0].to, Phase::final);
}

TEST(PhaseWatch, SamplesWithoutPutsSayNothing) {
  Course course;
  course.run(12, 0.5);
  for (int i = 0; i < 50; ++i)
    EXPECT_FALSE(watch(course.watched, {course.time_s += 10, 1e6, 0, 0}, course.thresholds));
  EXPECT_EQ(course.watched.phase, Phase::initial);
}

}  // namespace
}  // namespace lsmtuned::model
