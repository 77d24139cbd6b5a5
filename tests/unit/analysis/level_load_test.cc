#include "model/analysis/level_load.h"

#include <gmock/gmock.h>

#include <numeric>

#include "support.h"

namespace lsmtuned::model::testing {
namespace {

// Writes 30 s and reads 40 s of the device: 70 s one after the other, 50 s at p = 2.
TEST(LevelLoad, SharesAreDeviceTime) {
  DeviceSpec device;
  device.write_bytes_per_s = 10;
  device.read_bytes_per_s = 5;
  device.mix_exponent = 1;
  std::vector<LevelLoad> levels = {{0, 1, 100, 0, 0, 0}, {1, 1, 300, 200, 0, 0}};
  set_shares(levels, device, 100);
  EXPECT_DOUBLE_EQ(levels[0].device_share, 10.0 / 80);
  EXPECT_DOUBLE_EQ(levels[1].device_share, 70.0 / 80);
  EXPECT_DOUBLE_EQ(levels[1].write_amplification, 3);
  device.mix_exponent = 2;
  set_shares(levels, device, 0);
  EXPECT_NEAR(levels[1].device_share, 50.0 / 60, 1e-12);
  EXPECT_EQ(levels[1].write_amplification, 0);
}

// Flushes into L0 cannot be saved: another level is named even where they take more.
TEST(LevelLoad, TheBusiestLevelIsACompactedOne) {
  std::vector<LevelLoad> levels(3);
  for (std::size_t i = 0; i < 3; ++i) levels[i].level = i;
  levels[0].device_share = 0.5;
  levels[1].device_share = 0.2;
  levels[2].device_share = 0.3;
  EXPECT_EQ(busiest_level(levels), 2U);
  levels.resize(1);
  EXPECT_FALSE(busiest_level(levels));
}

class Layers : public ::testing::TestWithParam<OwnModel> {};

TEST_P(Layers, TheLevelsAddUpToTheSimulation) {
  const Problem problem = small_problem();
  const auto found = level_bottleneck(problem, {GetParam(), 1, 1});
  ASSERT_TRUE(found) << found.error().text();
  double shares = 0;
  double written = 0;
  for (const LevelLoad& level : found->levels) {
    shares += level.device_share;
    written += level.write_amplification;
  }
  EXPECT_NEAR(shares, 1, 1e-9);
  Problem saturating = problem;
  saturating.horizon_s = 600;
  SimulationOptions options;
  options.warmup_s = 600;
  options.layer = GetParam() == OwnModel::totals ? SimulationLayer::totals : SimulationLayer::files;
  EXPECT_NEAR(written / simulate(saturating, options)->write_amplification, 1, 0.1);
}

// A base level of 1 GiB under L0 batches of 32 MiB: every one of them rewrites all of it.
TEST_P(Layers, AnOversizedBaseLevelIsNamedAndASmallerOneActsOnIt) {
  Problem problem = small_problem();
  problem.settings.set(Knob::max_bytes_for_level_base, 1024 * kMiB);
  problem.tree.levels = {{16 * kMiB, 2, {}}, {464 * kMiB, 58, {}}};
  const auto found = level_bottleneck(problem, {GetParam(), 1, 1});
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->levels[found->bottleneck].level, 1U);
  EXPECT_GT(found->levels[found->bottleneck].device_share, 0.7);
  const auto base = std::find_if(
      found->actions.begin(), found->actions.end(),
      [](const LevelAction& one) { return one.knob == Knob::max_bytes_for_level_base; });
  ASSERT_NE(base, found->actions.end());
  EXPECT_LT(base->to, base->from);
  EXPECT_GT(found->actions.front().gain_share, 0.05);
  EXPECT_LT(found->actions.front().low_share, found->actions.front().gain_share);
  EXPECT_GT(found->actions.front().high_share, found->actions.front().gain_share);
  // What acts best on the put rate writes less into the named level.
  EXPECT_LT(found->actions.front().level_write_amplification,
            found->levels[found->bottleneck].write_amplification);
}

// The named level moves down where the upper ones are cheap: L2 is a hundred times L1.
TEST_P(Layers, ADeeperLevelIsNamedWhereItIsTheBusiest) {
  Problem problem = small_problem();
  problem.settings.set(Knob::max_bytes_for_level_base, 16 * kMiB);
  problem.settings.set(Knob::max_bytes_for_level_multiplier, 100);
  problem.tree.levels = {{16 * kMiB, 2, {}}, {16 * kMiB, 2, {}}, {1500 * kMiB, 187, {}}};
  problem.workload.distinct_keys = 4e6;
  const auto found = level_bottleneck(problem, {GetParam(), 1, 1});
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->levels[found->bottleneck].level, 2U);
}

INSTANTIATE_TEST_SUITE_P(LevelBottleneck, Layers,
                         ::testing::Values(OwnModel::totals, OwnModel::files),
                         [](const auto& one) { return std::string(to_text(one.param)); });

TEST(LevelBottleneck, TheLedgerRefuses) {
  EXPECT_FALSE(level_bottleneck(small_problem(), {OwnModel::ledger, 1, 1}));
}

}  // namespace
}  // namespace lsmtuned::model::testing
