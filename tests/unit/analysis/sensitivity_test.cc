#include "model/analysis/sensitivity.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "support.h"

namespace lsmtuned::model::testing {
namespace {

const Elasticity* find(const Sensitivity& found, const std::string& name) {
  const auto at = std::find_if(found.ranked.begin(), found.ranked.end(),
                               [&](const Elasticity& one) { return one.name == name; });
  return at == found.ranked.end() ? nullptr : &*at;
}

SensitivityOptions by_ledger() {
  SensitivityOptions options;
  options.choice = {OwnModel::ledger, 1, 1};
  return options;
}

TEST(Sensitivity, AWriteBoundDeviceHasAnElasticityOfAboutOne) {
  const auto found = sensitivity(small_problem(), by_ledger());
  ASSERT_TRUE(found);
  const Elasticity* device = find(*found, "device.write_bytes_per_s");
  ASSERT_NE(device, nullptr);
  EXPECT_NEAR(device->elasticity, 1.0, 0.35);
  EXPECT_FALSE(device->knob);
  EXPECT_GT(find(*found, "write_buffer_size")->elasticity, 0);
}

TEST(Sensitivity, IsRankedAndCoversEveryKnobThatIsThere) {
  const auto found = sensitivity(small_problem(), by_ledger());
  ASSERT_TRUE(found);
  for (std::size_t i = 1; i < found->ranked.size(); ++i)
    EXPECT_GE(std::abs(found->ranked[i - 1].elasticity), std::abs(found->ranked[i].elasticity));
  for (const KnobInfo& knob : all_knobs())
    EXPECT_EQ(find(*found, knob.option) != nullptr, knob.scope != KnobScope::limiter)
        << knob.option;
}

TEST(Sensitivity, WholeNumbersMoveByAtLeastOneAndInvalidStepsAreNotTaken) {
  Problem problem = small_problem();
  problem.facts.min_write_buffer_number_to_merge = 1;
  problem.settings.set(Knob::max_write_buffer_number, 2);
  const auto found = sensitivity(problem, by_ledger());
  ASSERT_TRUE(found);
  const Elasticity* buffers = find(*found, "max_write_buffer_number");
  EXPECT_EQ(buffers->up_value, 3);
  EXPECT_FALSE(buffers->down.has_value());  // RocksDB needs two
  EXPECT_TRUE(buffers->up.has_value());
}

// (S(ab) - S(a) - S(b) + S) / S, from four predictions made here.
TEST(Sensitivity, PairsFollowTheirDefinition) {
  const Problem problem = small_problem();
  const auto found = sensitivity(problem, by_ledger());
  ASSERT_TRUE(found);
  ASSERT_FALSE(found->pairs.empty());
  EXPECT_EQ(found->pairs.size(), 15U);  // of six knobs
  const Interaction& pair = found->pairs.front();
  const auto better = [&](const std::string& name) {
    const Elasticity* one = find(*found, name);
    const bool up = one->up && (!one->down || *one->up >= *one->down);
    return std::pair(*knob_from_option(name), up ? one->up_value : one->down_value);
  };
  const auto rate = [&](std::vector<std::pair<Knob, double>> moves) {
    Problem moved = problem;
    for (const auto& [knob, value] : moves) moved.settings.set(knob, value);
    return predict_s_max(moved, by_ledger().choice)->put_bytes_per_s;
  };
  const auto a = better(pair.first);
  const auto b = better(pair.second);
  const double s = rate({});
  EXPECT_NEAR(pair.interaction, (rate({a, b}) - rate({a}) - rate({b}) + s) / s, 1e-12);
  EXPECT_NEAR(pair.together, std::log(rate({a, b}) / s), 1e-12);
}

TEST(Sensitivity, IsTheSameTwice) {
  SensitivityOptions options;
  options.choice = {OwnModel::totals, 2, 7};
  options.pair_knobs = 2;
  const auto first = sensitivity(small_problem(), options);
  const auto again = sensitivity(small_problem(), options);
  ASSERT_TRUE(first && again);
  for (std::size_t i = 0; i < first->ranked.size(); ++i)
    EXPECT_EQ(first->ranked[i].elasticity, again->ranked[i].elasticity);
}

TEST(Sensitivity, RefusesAnInvalidProblem) {
  Problem problem = small_problem();
  problem.device.write_bytes_per_s = 0;
  SensitivityOptions options;
  options.choice = {OwnModel::files, 1, 1};
  EXPECT_FALSE(sensitivity(problem, options));
}

}  // namespace
}  // namespace lsmtuned::model::testing
