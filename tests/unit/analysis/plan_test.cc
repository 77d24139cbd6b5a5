#include "model/analysis/plan.h"

#include <gmock/gmock.h>

#include <numeric>

#include "support.h"

namespace lsmtuned::model::testing {
namespace {

using ::testing::HasSubstr;

PlanGoal goal_with(OwnModel model, double rate) {
  PlanGoal goal;
  goal.choice = {model, 1, 1};
  goal.rate_bytes_per_s = rate;
  return goal;
}

// The border is one: the answer is carried and a little more is not.
TEST(Plan, HighestRateIsWhereStallsBegin) {
  const Problem problem = small_problem();
  const auto found = plan(problem, goal_with(OwnModel::totals, 0));
  ASSERT_TRUE(found);
  ASSERT_TRUE(found->highest_rate_bytes_per_s.value) << found->highest_rate_bytes_per_s.note;
  const double rate = *found->highest_rate_bytes_per_s.value;
  const auto stalls_at = [&](double offered) {
    Problem loaded = problem;
    loaded.workload.offered_bytes_per_s = offered;
    return simulate_with(loaded, {OwnModel::totals, 1, 1})->stalls.total();
  };
  EXPECT_LE(stalls_at(rate), 0.01);
  EXPECT_GT(stalls_at(rate * 1.03), 0.01);
  EXPECT_LT(found->highest_rate_bytes_per_s.low, rate);
  EXPECT_GT(found->highest_rate_bytes_per_s.high, rate);
}

TEST(Plan, ByTheLedgerTheDeviceForSMaxIsTheOneThatGaveIt) {
  const Problem problem = small_problem();
  const double rate = predict_s_max(problem, {OwnModel::ledger, 1, 1})->put_bytes_per_s;
  const auto found = plan(problem, goal_with(OwnModel::ledger, 0.999 * rate));
  ASSERT_TRUE(found);
  ASSERT_TRUE(found->least_write_bytes_per_s.value);
  EXPECT_NEAR(*found->least_write_bytes_per_s.value / problem.device.write_bytes_per_s, 1, 0.02);
  EXPECT_LT(found->least_write_bytes_per_s.low, *found->least_write_bytes_per_s.value);
  EXPECT_GT(found->least_write_bytes_per_s.high, *found->least_write_bytes_per_s.value);
}

// The ends are the answers for a model that is wrong by its 80 % interval: a plan for that rate
// finds them.
TEST(Plan, EveryAnswerHasTheIntervalOfTheModel) {
  for (const OwnModel model : {OwnModel::ledger, OwnModel::totals}) {
    SCOPED_TRACE(to_text(model));
    const Problem problem = small_problem();
    const auto saturated = predict_s_max(problem, {model, 1, 1});
    ASSERT_TRUE(saturated);
    const double width = saturated->high_bytes_per_s / saturated->put_bytes_per_s;
    ASSERT_GT(width, 1.03);
    const double rate = 6 * kMiB;
    const auto found = plan(problem, goal_with(model, rate));
    ASSERT_TRUE(found);
    const auto heavier = plan(problem, goal_with(model, rate * width));
    const auto lighter = plan(problem, goal_with(model, rate / width));
    ASSERT_TRUE(heavier && lighter);
    for (const auto answer : {&Plan::highest_rate_bytes_per_s, &Plan::least_write_bytes_per_s,
                              &Plan::most_data_bytes}) {
      const PlanAnswer& one = (*found).*answer;
      ASSERT_TRUE(one.value) << one.note;
      EXPECT_LT(one.low, *one.value);
      EXPECT_GT(one.high, *one.value);
    }
    EXPECT_NEAR(found->least_write_bytes_per_s.high / *heavier->least_write_bytes_per_s.value, 1,
                1e-9);
    EXPECT_NEAR(found->least_write_bytes_per_s.low / *lighter->least_write_bytes_per_s.value, 1,
                1e-9);
    EXPECT_NEAR(found->most_data_bytes.low / *heavier->most_data_bytes.value, 1, 1e-9);
    EXPECT_NEAR(found->most_data_bytes.high / *lighter->most_data_bytes.value, 1, 1e-9);
  }
}

TEST(Plan, MoreLoadNeedsMoreDeviceAndLeavesRoomForLessData) {
  const Problem problem = small_problem();
  const auto light = plan(problem, goal_with(OwnModel::ledger, 4 * kMiB));
  const auto heavy = plan(problem, goal_with(OwnModel::ledger, 10 * kMiB));
  ASSERT_TRUE(light && heavy);
  EXPECT_LT(*light->least_write_bytes_per_s.value, *heavy->least_write_bytes_per_s.value);
  ASSERT_TRUE(light->most_data_bytes.value && heavy->most_data_bytes.value);
  EXPECT_GE(*light->most_data_bytes.value, *heavy->most_data_bytes.value);
}

TEST(Plan, AForegroundLimitIsNamedAndNoDeviceHelpsBeyondIt) {
  Problem problem = small_problem();
  problem.constants.foreground_bytes_per_s = 1 * kMiB;
  const auto found = plan(problem, goal_with(OwnModel::totals, 4 * kMiB));
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->least_write_bytes_per_s.value);
  EXPECT_THAT(found->least_write_bytes_per_s.note, HasSubstr("something else binds"));
}

TEST(Plan, WithoutALoadDeviceAndSizeAreNotAsked) {
  const auto found = plan(small_problem(), goal_with(OwnModel::ledger, 0));
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->least_write_bytes_per_s.value);
  EXPECT_THAT(found->most_data_bytes.note, HasSubstr("--rate"));
}

TEST(Plan, ATreeOfAGivenSizeFillsItsLevelsFromAbove) {
  const Problem sized = with_data_bytes(small_problem(), 1000 * kMiB);
  // 64, 640 and the remaining 296 MiB; the data grew by 1000/464, and so do the keys.
  EXPECT_EQ(sized.tree.levels[0].files, 2);
  EXPECT_DOUBLE_EQ(sized.tree.levels[1].bytes, 64 * kMiB);
  EXPECT_DOUBLE_EQ(sized.tree.levels[2].bytes, 640 * kMiB);
  EXPECT_DOUBLE_EQ(sized.tree.levels[3].bytes, 296 * kMiB);
  EXPECT_EQ(sized.tree.levels[3].files, 37);
  EXPECT_NEAR(sized.workload.distinct_keys, 1e6 * 1000 / 464, 1);
  EXPECT_TRUE(sized.check().empty());
}

}  // namespace
}  // namespace lsmtuned::model::testing
