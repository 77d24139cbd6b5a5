#include "model/simulator/write_controller.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

#include "model/stall.h"
#include "tests/unit/simulator/support.h"

namespace lsmtuned::model::simulator {
namespace {

constexpr double kMax = 16777216;  // 16 MiB/s

StallLimits defaults() {
  return make_parameters(testing::small_problem()).stall;
}

StallInputs l0(double files, double pending = 0, double immutable = 0) {
  return {immutable, files, pending};
}

TEST(WriteController, EnteringTheDelayKeepsTheRate) {
  WriteController controller(defaults(), 0, l0(19, 100));
  controller.recalculate(l0(20, 100));
  EXPECT_TRUE(controller.delayed());
  EXPECT_EQ(controller.delayed_rate(), kMax);
}

// The sequence that RocksDB 7.8.3 logged in a run with 16 MiB/s and the default triggers: each
// memtable switch (debt unchanged) and each flush (debt grown) costs 0.8, rounded down.
//   16777216 x 0.8 = 13421772.8   x 0.8 = 10737417.6   x 0.8 = 8589933.6   x 0.8 = 6871946.4
TEST(WriteController, AMemtableFilledUnderDelayCostsTwice) {
  WriteController controller(defaults(), 0, l0(19, 100));
  controller.recalculate(l0(20, 104));
  controller.recalculate(l0(20, 104));  // switch
  EXPECT_EQ(controller.delayed_rate(), 13421772);
  controller.recalculate(l0(21, 108));  // its flush
  EXPECT_EQ(controller.delayed_rate(), 10737417);
  controller.recalculate(l0(21, 108));
  EXPECT_EQ(controller.delayed_rate(), 8589933);
  controller.recalculate(l0(22, 112));
  EXPECT_EQ(controller.delayed_rate(), 6871946);
}

// Near the stop (36 - 2 = 34 files) the factor is 0.6; paid debt gives 1.25; leaving gives 1.4:
//   10,000,000 x 0.6 = 6,000,000   x 1.25 = 7,500,000   x 1.4 = 10,500,000
TEST(WriteController, NearStopRecoveryAndExit) {
  WriteController controller(defaults(), 10e6, l0(33, 100));
  controller.recalculate(l0(34, 100));
  EXPECT_EQ(controller.delayed_rate(), 6e6);
  controller.recalculate(l0(21, 60));
  EXPECT_EQ(controller.delayed_rate(), 7.5e6);
  controller.recalculate(l0(3, 10));
  EXPECT_FALSE(controller.delayed());
  EXPECT_EQ(controller.delayed_rate(), 10.5e6);
  controller.recalculate(l0(20, 40));  // the next episode starts where this one ended
  EXPECT_EQ(controller.delayed_rate(), 10.5e6);
}

TEST(WriteController, NeverAboveTheMaximumNorBelow16KiB) {
  WriteController controller(defaults(), kMax, l0(20, 100));
  controller.recalculate(l0(20, 90));
  EXPECT_EQ(controller.delayed_rate(), kMax);
  for (int i = 0; i < 100; ++i) controller.recalculate(l0(34, 100));
  EXPECT_EQ(controller.delayed_rate(), 16 * 1024);
}

// A stop replaces the delay token: neither way through it changes the rate.
TEST(WriteController, AStopBetweenLeavesTheRateAlone) {
  WriteController controller(defaults(), 8e6, l0(25, 100));
  controller.recalculate(l0(25, 100, 2));
  EXPECT_TRUE(controller.stopped());
  EXPECT_EQ(controller.verdict().cause, StallCause::memtables);
  controller.recalculate(l0(26, 104, 1));
  EXPECT_TRUE(controller.delayed());
  EXPECT_EQ(controller.delayed_rate(), 8e6);
  controller.recalculate(l0(26, 104, 2));
  controller.recalculate(l0(3, 10, 1));
  EXPECT_EQ(controller.verdict().condition, StallCondition::normal);
  EXPECT_EQ(controller.delayed_rate(), 8e6);
}

// Soft 100, hard 200: beyond three quarters of the way (175) the stop is near.
TEST(WriteController, PendingBytesNearTheHardLimit) {
  StallLimits limits = defaults();
  limits.soft_pending_bytes = 100;
  limits.hard_pending_bytes = 200;
  WriteController controller(limits, 10e6, l0(0, 120));
  controller.recalculate(l0(0, 175));
  EXPECT_EQ(controller.delayed_rate(), 8e6);  // not beyond: 0.8 for debt that grew
  controller.recalculate(l0(0, 176));
  EXPECT_EQ(controller.delayed_rate(), 4.8e6);
  controller.recalculate(l0(0, 200));
  EXPECT_TRUE(controller.stopped());
}

// min(2 x 4, 4 + (20 - 4) / 4) = 8 files, or a quarter of the soft limit.
TEST(WriteController, PressureLetsCompactionsRunInParallel) {
  StallLimits limits = defaults();
  limits.speedup_pending_bytes = 1000;
  WriteController controller(limits, 0, l0(7, 999));
  EXPECT_FALSE(controller.speed_up());
  controller.recalculate(l0(8, 0));
  EXPECT_TRUE(controller.speed_up());
  controller.recalculate(l0(0, 1000));
  EXPECT_TRUE(controller.speed_up());
  controller.recalculate(l0(0, 0));
  EXPECT_FALSE(controller.speed_up());
}

// The cheap predicate says what model/stall.h says, whatever the state and the settings.
RC_GTEST_PROP(WriteControllerProperty, AgreesWithTheStallPredicate, ()) {
  Problem problem = testing::small_problem();
  const auto any = [](int low, int high) {
    return static_cast<double>(*rc::gen::inRange(low, high));
  };
  problem.settings.set(Knob::max_write_buffer_number, any(3, 8));
  problem.settings.set(Knob::level0_file_num_compaction_trigger, any(1, 20));
  problem.settings.set(Knob::level0_slowdown_writes_trigger, any(1, 40));
  problem.settings.set(Knob::level0_stop_writes_trigger, any(2, 60));
  problem.settings.set(Knob::soft_pending_compaction_bytes_limit, any(0, 100));
  problem.settings.set(Knob::hard_pending_compaction_bytes_limit, any(0, 200));
  problem.facts.min_write_buffer_number_to_merge = any(1, 3);
  const StallInputs inputs{any(0, 9), any(0, 70), any(0, 250)};

  WriteController controller(make_parameters(problem).stall, 0, {});
  controller.recalculate(inputs);
  const StallVerdict expected = stall_verdict(inputs, problem.settings, problem.facts);
  RC_ASSERT(controller.verdict() == expected);
  if (expected.condition == StallCondition::normal) {
    const StallInputs without_memtables{0, inputs.l0_files, inputs.pending_compaction_bytes};
    RC_ASSERT(controller.speed_up() == compaction_pressure(without_memtables, problem.settings));
  }
}

}  // namespace
}  // namespace lsmtuned::model::simulator
