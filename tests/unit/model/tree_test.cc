#include "model/tree.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/units.h"

namespace lsmtuned::model {
namespace {

KnobValues with(double base_mib, double multiplier, double trigger = 4) {
  KnobValues settings;
  settings.set(Knob::max_bytes_for_level_base, base_mib * kMiB);
  settings.set(Knob::max_bytes_for_level_multiplier, multiplier);
  settings.set(Knob::level0_file_num_compaction_trigger, trigger);
  return settings;
}

TEST(LevelTargets, StaticGrowFromTheBase) {
  const LevelTargets targets = level_targets({}, with(256, 10), {});
  EXPECT_EQ(targets.base_level, 1u);
  ASSERT_EQ(targets.bytes.size(), 7u);
  EXPECT_EQ(targets.bytes[1], 256 * kMiB);
  EXPECT_EQ(targets.bytes[3], 25600 * kMiB);
}

TEST(LevelTargets, DynamicCountUpFromTheLastLevel) {
  FamilyFacts facts;
  facts.dynamic_level_bytes = true;
  // 276 GiB at L6 as in RocksDB's own documentation: targets 276, 27.6, 2.76, 0.276 (GiB).
  const LevelTargets targets = level_targets({0, 0, 0, 0, 0, 0, 276 * kGiB}, with(1024, 10), facts);
  EXPECT_EQ(targets.base_level, 3u);
  EXPECT_TRUE(std::isinf(targets.bytes[2]));
  EXPECT_NEAR(targets.bytes[5], 27.6 * kGiB, kMiB);
  EXPECT_NEAR(targets.bytes[6], 276 * kGiB, kMiB);
  // No target is below max_bytes_for_level_base.
  EXPECT_NEAR(targets.bytes[3], 1 * kGiB, kMiB);
}

TEST(LevelTargets, DynamicWithoutDataCompactsToTheLastLevel) {
  FamilyFacts facts;
  facts.dynamic_level_bytes = true;
  EXPECT_EQ(level_targets({5}, with(256, 10), facts).base_level, 6u);
}

TEST(PendingBytes, L0CountsOnceTriggered) {
  const std::vector<double> levels = {30 * kMiB, 100 * kMiB};
  EXPECT_EQ(pending_bytes(levels, 3, with(256, 10), {}), 0);
  EXPECT_EQ(pending_bytes(levels, 4, with(256, 10), {}), 130 * kMiB);
  // By bytes: one large file reaches the base level's size.
  EXPECT_EQ(pending_bytes({300 * kMiB, 0}, 1, with(256, 10), {}), 300 * kMiB);
}

// L0 40 MiB triggered: 40 + 100. L1 then holds 140 of 20: 120 over, * (400/140 + 1). L2 then holds
// 520 of 200: 320 over, * (1000/520 + 1). L3 holds 1320 of 2000.
TEST(PendingBytes, ExcessIsCarriedDown) {
  const double expected = 140 + 120 * (400.0 / 140 + 1) + 320 * (1000.0 / 520 + 1);
  EXPECT_NEAR(
      pending_bytes({40 * kMiB, 100 * kMiB, 400 * kMiB, 1000 * kMiB}, 4, with(20, 10), {}) / kMiB,
      expected, 1e-6);
}

TEST(PendingBytes, ExcessOverAnEmptyLevelIsFree) {
  EXPECT_EQ(pending_bytes({0, 100 * kMiB, 0}, 0, with(20, 10), {}), 0);
}

}  // namespace
}  // namespace lsmtuned::model
