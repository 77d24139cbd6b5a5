#include "model/simulator/plant.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/unit/simulator/support.h"

namespace lsmtuned::model::simulator {
namespace {

using testing::small_problem;

Plant open(Problem problem = small_problem(), SimulationLayer layer = SimulationLayer::files) {
  Plant::Options options;
  options.problem = std::move(problem);
  options.layer = layer;
  auto plant = Plant::open(std::move(options));
  EXPECT_TRUE(plant.has_value());
  return std::move(*plant);
}

void run(Plant& plant, double seconds) {
  for (double t = 0; t < seconds; ++t) ASSERT_TRUE(plant.advance(1).has_value());
}

KnobChange change(const Plant& plant, Knob knob, double value) {
  const bool family = info(knob).scope == KnobScope::family;
  const std::string place = family ? "default" : "";
  return {place, knob, plant.settings().get(place, knob).value_or(0), value};
}

class PlantOfBothLayers : public ::testing::TestWithParam<SimulationLayer> {};
INSTANTIATE_TEST_SUITE_P(Plant, PlantOfBothLayers,
                         ::testing::Values(SimulationLayer::totals, SimulationLayer::files));

// The same engine: 200 seconds in steps of one take in what one simulation of 200 s takes in.
TEST_P(PlantOfBothLayers, StepsComeToWhatOneSimulationComesTo) {
  Problem problem = small_problem();
  problem.horizon_s = 200;
  SimulationOptions options;
  options.layer = GetParam();
  const auto whole = simulate(problem, options);
  ASSERT_TRUE(whole.has_value());
  Plant plant = open(problem, GetParam());
  run(plant, 200);
  EXPECT_NEAR(plant.user_bytes() / 200, whole->put_bytes_per_s, 1e-3 * whole->put_bytes_per_s);
  EXPECT_EQ(static_cast<double>(plant.snapshot().state.l0_compactions_completed),
            whole->l0_compactions);
}

// Several jobs at a time: a crumb of rounding once left a level busy for ever, and L0 with it.
TEST(Plant, SeveralSlotsByTotalsDoNotStandStill) {
  Problem problem = small_problem();
  problem.settings.set(Knob::max_background_jobs, 6);
  Plant plant = open(problem, SimulationLayer::totals);
  run(plant, 400);
  const double before = plant.user_bytes();
  run(plant, 200);
  EXPECT_GT(plant.user_bytes() - before, 200 * 1.0 * 1024 * 1024);
}

// A step that ends at a flush's end, to the last bit, once left the flush open for ever and writes
// stopped behind it. Where that is depends on rounding: many flushes are tried.
TEST_P(PlantOfBothLayers, AStepThatEndsWithAFlushLeavesNoneOpen) {
  for (int problem = 0; problem < 60; ++problem) {
    const auto flushes_after = [&](double first_s, double then_s) {
      Problem one = small_problem();
      one.device.write_bytes_per_s *= 1 + 0.01 * problem;
      Plant plant = open(std::move(one), GetParam());
      EXPECT_TRUE(plant.advance(first_s).has_value());
      EXPECT_TRUE(plant.advance(then_s).has_value());
      return plant.snapshot().state.flushes_completed;
    };
    double before = 0;
    double after = 10;
    ASSERT_GT(flushes_after(after, 0), 0U);
    for (double middle = 5; middle > before && middle < after;
         middle = before + (after - before) / 2)
      (flushes_after(middle, 0) > 0 ? after : before) = middle;
    ASSERT_GT(flushes_after(before, 10), 1U) << before;
    ASSERT_GT(flushes_after(after, 10), 1U) << after;
  }
}

TEST(Plant, CountersOfASnapshotAddUp) {
  Plant plant = open();
  run(plant, 120);
  const Snapshot snapshot = plant.snapshot();
  const DatabaseCounters& c = snapshot.counters;
  ASSERT_TRUE(snapshot.device.has_value());
  EXPECT_NEAR(snapshot.device->write_bytes, c.flush_write_bytes + c.compaction_write_bytes,
              1e-6 * snapshot.device->write_bytes);
  EXPECT_GT(c.flush_write_bytes, 0.5 * c.user_bytes);
  EXPECT_GT(c.stall_seconds, 1);
  EXPECT_LE(c.stall_seconds, 120);
  double by_level = 0;
  for (const auto& level : snapshot.families[0].levels) by_level += level.write_bytes;
  // Booked when a job ends; the bytes as they move.
  EXPECT_LE(by_level, c.flush_write_bytes + c.compaction_write_bytes + 1);
  EXPECT_GT(by_level, 0.7 * (c.flush_write_bytes + c.compaction_write_bytes));
}

// docs/rocksdb-surprises.md: each SetOptions while delayed costs a fifth, a changing SetDBOptions
// resets the rate.
TEST(Plant, CallsWhileDelayedHaveRocksDbsSideEffects) {
  Plant plant = open();
  double rate = 0;
  for (int second = 0; second < 600 && !(rate > 64 * 1024 && rate < 15e6); ++second) {
    run(plant, 1);
    rate = plant.snapshot().state.delayed_write_rate;
  }
  ASSERT_GT(rate, 0);
  plant.change({change(plant, Knob::write_buffer_size,
                       *plant.settings().get("default", Knob::write_buffer_size))});
  const double after = plant.snapshot().state.delayed_write_rate;
  EXPECT_TRUE(after <= 0.8 * rate) << after << " of " << rate;  // 0.6 near the stop
  plant.change({change(plant, Knob::max_background_jobs, 3)});
  EXPECT_EQ(plant.snapshot().state.delayed_write_rate, 16.0 * 1024 * 1024);
}

TEST(Plant, AHigherSlowdownTriggerClearsADelayUntilAnOldJobEnds) {
  Plant plant = open();
  while (plant.stall_condition() != StallCondition::delayed && plant.now_s() < 600) run(plant, 1);
  ASSERT_EQ(plant.stall_condition(), StallCondition::delayed);
  plant.change({change(plant, Knob::level0_slowdown_writes_trigger, 34)});
  EXPECT_EQ(plant.stall_condition(), StallCondition::normal);
}

TEST(Plant, LoadAndDeviceChangeOnTheWay) {
  Plant plant = open();
  plant.set_offered(0);
  run(plant, 60);
  EXPECT_EQ(plant.user_bytes(), 0);
  plant.set_offered(1024.0 * 1024);
  run(plant, 60);
  EXPECT_NEAR(plant.user_bytes(), 60 * 1024.0 * 1024, 1024.0 * 1024);
  plant.set_offered(std::numeric_limits<double>::infinity());
  run(plant, 300);
  const double fast = plant.user_bytes();
  run(plant, 300);
  const double at_full = plant.user_bytes() - fast;
  plant.set_device(6.0 * 1024 * 1024, 12.0 * 1024 * 1024);
  run(plant, 300);
  EXPECT_LT(plant.user_bytes() - fast - at_full, 0.5 * at_full);
}

TEST(Plant, DynamicLevelBytesAreRefused) {
  Plant::Options options;
  options.problem = small_problem();
  options.problem.facts.dynamic_level_bytes = true;
  EXPECT_FALSE(Plant::open(std::move(options)).has_value());
}

}  // namespace
}  // namespace lsmtuned::model::simulator
