#include "model/watch/condition.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace lsmtuned::model {
namespace {

TEST(Condition, IsRaisedAfterAWhileAndClearedBelowALowerThreshold) {
  Condition condition;
  const ConditionRule rule{1, 0.5, 30};
  double now = 0;
  const auto for_s = [&](double seconds, double value) {
    ConditionChange last = ConditionChange::none;
    for (double end = now + seconds; now < end; now += 10)
      if (const auto change = watch(condition, rule, value, now); change != ConditionChange::none)
        last = change;
    return last;
  };
  EXPECT_EQ(for_s(1000, 1), ConditionChange::none);  // on the threshold is calm
  EXPECT_EQ(for_s(30, 2), ConditionChange::none);
  EXPECT_EQ(for_s(10, 0.9), ConditionChange::none);  // a break begins anew
  EXPECT_EQ(for_s(30, 2), ConditionChange::none);
  EXPECT_EQ(for_s(10, 2), ConditionChange::raised);
  EXPECT_EQ(condition.since_s, now - 40);
  EXPECT_EQ(for_s(1000, 0.7), ConditionChange::none);  // between the thresholds nothing changes
  EXPECT_TRUE(condition.raised);
  EXPECT_EQ(for_s(40, 0.4), ConditionChange::cleared);
  EXPECT_FALSE(condition.raised);
}

TEST(Condition, NoValueSaysNothing) {
  Condition condition;
  const ConditionRule rule{1, 0.5, 30};
  for (double now = 0; now < 1000; now += 10)
    EXPECT_EQ(watch(condition, rule, now < 20 || now > 40 ? std::optional<double>() : 2, now),
              ConditionChange::none);
  EXPECT_FALSE(condition.raised);
}

TEST(Baseline, IsTheBestWholeSpanOfTheDay) {
  Baseline baseline;
  EXPECT_FALSE(best(baseline, 0));
  for (int i = 1; i <= 60; ++i) learn(baseline, i % 2 == 0 ? 8 : 12, 10, 10 * i, 600);
  EXPECT_DOUBLE_EQ(*best(baseline, 600), 10);  // the mean, not the highest moment
  for (int i = 61; i <= 120; ++i) learn(baseline, 6, 10, 10 * i, 600);
  EXPECT_DOUBLE_EQ(*best(baseline, 1200), 10);
  EXPECT_DOUBLE_EQ(*best(baseline, 86400 + 300), 6);  // the first span is over a day old
  EXPECT_FALSE(best(baseline, 2 * 86400));
}

// A decline of 2 % an hour is nothing from one span to the next.
TEST(Trend, ASlowDeclineShowsAgainstTheBestOfTheDay) {
  Trend trend;
  const TrendRule rule{0.25, 300, 600};
  double value = 100;
  double raised_at = 0;
  for (double now = 0; now < 20 * 3600; now += 10, value *= 1 - 0.02 / 360)
    if (watch(trend, rule, value, 10, now) == ConditionChange::raised && raised_at == 0)
      raised_at = value;
  EXPECT_NEAR(raised_at, 75, 0.5);
}

TEST(Trend, AFallIsToldAndEndsWithTheRecovery) {
  Trend trend;
  const TrendRule rule{0.25, 300, 600};
  double now = 0;
  std::vector<std::pair<double, ConditionChange>> seen;
  const auto for_s = [&](double seconds, double value) {
    for (double end = now + seconds; now < end; now += 10)
      if (const auto change = watch(trend, rule, value, 10, now); change != ConditionChange::none)
        seen.emplace_back(now, change);
  };
  for_s(3600, 100);
  for_s(7200, 80);
  EXPECT_TRUE(seen.empty());
  for_s(3600, 60);
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0], std::pair(10800.0 + 300, ConditionChange::raised));
  for_s(3600, 95);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].second, ConditionChange::cleared);
  EXPECT_DOUBLE_EQ(*trend.standard, 100);  // what was low did not become the standard
}

TEST(Trend, WhatHasBeenSoForADayIsTheNewStandard) {
  Trend trend;
  const TrendRule rule{0.25, 300, 600};
  double now = 0;
  for (; now < 3600; now += 10) watch(trend, rule, 100, 10, now);
  double cleared_at = 0;
  for (; now < 40 * 3600; now += 10)
    if (watch(trend, rule, 50, 10, now) == ConditionChange::cleared) cleared_at = now;
  EXPECT_NEAR(cleared_at / 3600, 25, 0.5);
  EXPECT_DOUBLE_EQ(*trend.standard, 50);
}

}  // namespace
}  // namespace lsmtuned::model
