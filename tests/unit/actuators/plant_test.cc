#include "actuators/testing/plant.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "model/histogram.h"
#include "model/units.h"

namespace lsmtuned::actuators::testing {
namespace {

using model::kMiB;
using model::Knob;

constexpr double kWarmUpS = 120;
constexpr double kWindowS = 600;

model::KnobChange change(Knob knob, double value) {
  const auto family = model::info(knob).scope == model::KnobScope::family ? kPlantFamily : "";
  return {family, knob, plant_default_settings().get(kPlantFamily, knob).value_or(0), value};
}

PlantOptions options_with(const model::ChangeSet& changes, PlantOptions options = {}) {
  options.settings = model::with_changes(plant_default_settings(), changes);
  return options;
}

// User bytes per second after warm-up.
double put_rate(const PlantOptions& options) {
  Plant plant(options);
  plant.advance(kWarmUpS);
  const double before = plant.snapshot().counters.user_bytes;
  plant.advance(kWindowS);
  return (plant.snapshot().counters.user_bytes - before) / kWindowS;
}
double put_rate(const model::ChangeSet& changes, PlantOptions options = {}) {
  return put_rate(options_with(changes, options));
}

TEST(Plant, SameSeedSameCourse) {
  Plant a({});
  Plant b({});
  PlantOptions other;
  other.seed = 2;
  Plant c(other);
  for (Plant* plant : {&a, &b, &c}) plant->advance(100);
  EXPECT_EQ(a.snapshot().counters.user_bytes, b.snapshot().counters.user_bytes);
  EXPECT_EQ(a.snapshot().put_latency, b.snapshot().put_latency);
  EXPECT_NE(a.snapshot().counters.user_bytes, c.snapshot().counters.user_bytes);
}

TEST(Plant, StepsOfTheCallerDoNotMatter) {
  Plant whole({});
  Plant pieces({});
  whole.advance(10);
  for (int i = 0; i < 1000; ++i) pieces.advance(0.01);
  EXPECT_NEAR(whole.snapshot().counters.user_bytes, pieces.snapshot().counters.user_bytes,
              0.01 * whole.snapshot().counters.user_bytes);
}

TEST(Plant, SaturatedByDefault) {
  const double rate = put_rate(PlantOptions{});
  EXPECT_GT(rate, 0.5 * kMiB);
  EXPECT_LT(rate, 24 * kMiB / 0.55) << "more than the device lets flushes alone write";
}

TEST(Plant, LightLoadIsNotStalled) {
  PlantOptions options;
  options.writer_ops_per_s = 500;
  Plant plant(options);
  plant.advance(kWindowS);
  const auto snapshot = plant.snapshot();
  EXPECT_NEAR(snapshot.counters.keys_written, 500 * kWindowS, 500);
  EXPECT_EQ(snapshot.counters.stall_seconds, 0);
}

TEST(Plant, AnswersToKnobsInRocksDBsDirection) {
  const double base = put_rate(model::ChangeSet{});
  // Larger memtables and a larger first level: fewer, larger merges into it.
  EXPECT_GT(put_rate({change(Knob::write_buffer_size, 32 * kMiB)}), 1.2 * base);
  EXPECT_LT(put_rate({change(Knob::write_buffer_size, 1 * kMiB)}), base);
  EXPECT_GT(put_rate({change(Knob::max_bytes_for_level_base, 128 * kMiB),
                      change(Knob::write_buffer_size, 16 * kMiB)}),
            base);
  // A stop trigger close to the compaction trigger leaves no room to batch.
  EXPECT_LT(put_rate({change(Knob::level0_slowdown_writes_trigger, 4),
                      change(Knob::level0_stop_writes_trigger, 5)}),
            base);
}

TEST(Plant, MoreJobsHelpWhereProcessorsAreTheLimit) {
  PlantOptions options;
  options.device_write_bytes_per_s = 500 * kMiB;
  options.device_read_bytes_per_s = 1000 * kMiB;
  options.thread_bytes_per_s = 10 * kMiB;
  const double base = put_rate({}, options);
  EXPECT_GT(put_rate({change(Knob::max_background_jobs, 8)}, options), base);
  EXPECT_GT(put_rate({change(Knob::max_subcompactions, 4)}, options), base);
}

TEST(Plant, LimiterLowersTheRate) {
  EXPECT_LT(put_rate({change(Knob::rate_limiter_bytes_per_second, 6 * kMiB)}),
            0.6 * put_rate(model::ChangeSet{}));
}

TEST(Plant, SnapshotsAreFitForTheModel) {
  Plant plant({});
  auto previous = plant.snapshot();
  for (int i = 1; i < 200; ++i) {
    plant.advance(1);
    auto now = plant.snapshot();
    now.time_s = i;
    ASSERT_EQ(model::refuse_reason(&previous, now), "") << "at " << i << " s";
    previous = now;
  }
  EXPECT_GT(previous.state.flushes_completed, 0u);
  EXPECT_GT(previous.state.l0_compactions_completed, 0u);
  EXPECT_GE(previous.state.compactions_completed, previous.state.l0_compactions_completed);
  EXPECT_EQ(previous.families[0].levels[0].compaction_count,
            static_cast<double>(previous.state.flushes_completed));
}

// What the device wrote is what flushes and compactions wrote, and no key is lost on the way.
TEST(Plant, BytesAreConserved) {
  Plant plant({});
  plant.advance(200);
  const auto now = plant.snapshot();
  EXPECT_NEAR(now.device->write_bytes,
              now.counters.flush_write_bytes + now.counters.compaction_write_bytes, 1);
  EXPECT_LE(now.device->write_bytes, 200 * 24 * kMiB * 1.0001);
  const double overhead = now.counters.batch_bytes - now.counters.user_bytes;
  EXPECT_NEAR(overhead / now.counters.keys_written, 16, 1e-6);
}

TEST(Plant, LatencyShowsTheLongestStop) {
  Plant plant(options_with({change(Knob::level0_slowdown_writes_trigger, 4),
                            change(Knob::level0_stop_writes_trigger, 6)}));
  plant.advance(kWindowS);
  const auto now = plant.snapshot();
  EXPECT_GT(model::maximum_s(now.put_latency), 0.05);
  EXPECT_LT(model::quantile_s(now.put_latency, 0.5), model::maximum_s(now.put_latency));
  EXPECT_GT(model::total_count(now.write_stall), 0u);
  EXPECT_GT(now.counters.stall_seconds, 1);
  EXPECT_LT(now.counters.stall_seconds, kWindowS);
}

// Advances until the plant is in this condition; false when it never is.
bool reach(Plant& plant, model::StallCondition condition) {
  for (int i = 0; i < 100000; ++i) {
    if (plant.verdict().condition == condition) return true;
    plant.advance(0.005);
  }
  return false;
}

TEST(Plant, OptionsCallWhileDelayedCostsAFifth) {
  Plant plant(options_with({change(Knob::level0_slowdown_writes_trigger, 6)}));
  ASSERT_TRUE(reach(plant, model::StallCondition::delayed));
  const double before = plant.snapshot().state.delayed_write_rate;
  plant.change({change(Knob::target_file_size_base, 2 * kMiB)});
  EXPECT_NEAR(plant.snapshot().state.delayed_write_rate, 0.8 * before, 1);
  plant.change({change(Knob::max_background_jobs, 3)});
  EXPECT_EQ(plant.snapshot().state.delayed_write_rate, 16 * kMiB)
      << "a database option resets the delayed rate";
}

TEST(Plant, RaisingTheTriggersEndsADelayAtOnce) {
  Plant plant(options_with({change(Knob::level0_slowdown_writes_trigger, 6)}));
  ASSERT_TRUE(reach(plant, model::StallCondition::delayed));
  plant.change({change(Knob::level0_slowdown_writes_trigger, 30)});
  EXPECT_EQ(plant.verdict().condition, model::StallCondition::normal);
}

TEST(Plant, StoppedTimeIsCreditedAtTheEndOfTheStop) {
  Plant plant(options_with({change(Knob::level0_slowdown_writes_trigger, 4),
                            change(Knob::level0_stop_writes_trigger, 5)}));
  ASSERT_TRUE(reach(plant, model::StallCondition::stopped));
  const double at_stop = plant.snapshot().counters.stall_seconds;
  plant.advance(0.01);
  if (plant.write_stopped()) {
    EXPECT_EQ(plant.snapshot().counters.stall_seconds, at_stop);
    EXPECT_TRUE(plant.snapshot().state.write_stopped);
  }
  ASSERT_TRUE(reach(plant, model::StallCondition::delayed));
  EXPECT_GT(plant.snapshot().counters.stall_seconds, at_stop);
}

}  // namespace
}  // namespace lsmtuned::actuators::testing
