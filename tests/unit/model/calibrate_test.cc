#include "model/estimate/calibrate.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/units.h"
#include "tests/unit/model/support.h"

namespace lsmtuned::model {
namespace {

using testing::kFamily;

// A saturated database as in the base run of ledger_saturated_test: counters `seconds` after a
// common origin, each growing at a constant rate.
constexpr double kUserRate = 8007 * 1040.0;
constexpr double kKeys = 1e6;
constexpr double kFlushRatio = 0.557;
constexpr double kFlushFile = 2.16 * kMiB;
constexpr double kBatch = 24 * kFlushFile;  // L0 bytes a job
constexpr double kBaseBytes = 95 * kMiB;    // L1 bytes a job meets
constexpr double kJobSeconds = 12.5;        // one L0 job in so many seconds

Snapshot saturated_at(double seconds) {
  Snapshot snapshot;
  snapshot.incarnation = 7;
  snapshot.time_s = 1000 + seconds;
  snapshot.database_uptime_s = 500 + seconds;
  snapshot.settings = testing::default_settings();
  snapshot.settings.set(kFamily, Knob::write_buffer_size, 4 * kMiB);
  snapshot.settings.set(kFamily, Knob::max_bytes_for_level_base, 16 * kMiB);
  snapshot.families.push_back(testing::family_with({12 * kFlushFile, 102 * kMiB, 455 * kMiB}, 12));
  const double jobs = seconds / kJobSeconds;
  FamilySnapshot& family = snapshot.families[0];

  // Records: n from L0, m from L1, merged as uniform keys are.
  const double record = 1040 * kFlushRatio;
  const double n = kBatch / record;
  const double m = kBaseBytes / record;
  const double kept = kKeys - (kKeys - m) * std::exp(-n / kKeys);
  LevelStats& base = family.levels[1];
  base.compaction_count = std::floor(jobs);
  base.read_from_upper_bytes = base.compaction_count * kBatch;
  base.read_from_this_bytes = base.compaction_count * kBaseBytes;
  base.read_bytes = base.read_from_upper_bytes + base.read_from_this_bytes;
  base.write_bytes = base.compaction_count * kept * record;
  base.keys_in = base.compaction_count * (n + m);
  base.keys_dropped = base.compaction_count * (n + m - kept);
  base.compaction_seconds = base.compaction_count * 7;
  base.compaction_cpu_seconds =
      2 * (1.8 / kGiB * base.write_bytes + 0.25e-6 * (base.keys_in - base.keys_dropped));
  LevelStats& next = family.levels[2];
  next.compaction_count = base.compaction_count * 20;
  next.read_from_upper_bytes = base.compaction_count * 42 * kMiB;
  next.read_from_this_bytes = base.compaction_count * 80 * kMiB;
  next.read_bytes = next.read_from_upper_bytes + next.read_from_this_bytes;
  next.write_bytes = base.compaction_count * 88 * kMiB;
  next.compaction_seconds = base.compaction_count * 5;

  snapshot.counters.user_bytes = kUserRate * seconds;
  snapshot.counters.keys_written = 8007 * seconds;
  snapshot.counters.flush_write_bytes = kFlushRatio * kUserRate * seconds;
  snapshot.counters.compaction_write_bytes = base.write_bytes + next.write_bytes;
  snapshot.counters.compaction_read_bytes = base.read_bytes + next.read_bytes;
  snapshot.counters.stall_seconds = 0.95 * seconds;
  snapshot.state.flushes_completed =
      static_cast<std::uint64_t>(snapshot.counters.flush_write_bytes / kFlushFile);
  snapshot.state.l0_compactions_completed = static_cast<std::uint64_t>(jobs);
  family.stalls.l0_slowdown = std::floor(seconds);
  DeviceSample device;
  device.name = "7:0";
  device.write_bytes = 23.6 * kMiB * seconds;
  device.read_bytes = 23 * kMiB * seconds;
  device.busy_seconds = 0.99 * seconds;
  device.write_limit_bytes_per_s = 24 * kMiB;
  device.read_limit_bytes_per_s = 48 * kMiB;
  snapshot.device = device;
  return snapshot;
}

Calibration after(double seconds) {
  const Snapshot first = saturated_at(0);
  return calibrate(prior_from(first), first, saturated_at(seconds));
}

TEST(Measure, RatesAndAmplification) {
  const Interval interval = measure(saturated_at(0), saturated_at(100));
  ASSERT_TRUE(interval.valid);
  EXPECT_DOUBLE_EQ(interval.seconds, 100);
  EXPECT_NEAR(interval.put_ops_per_s, 8007, 1e-6);
  EXPECT_NEAR(interval.put_bytes_per_s, kUserRate, 1e-3);
  EXPECT_NEAR(interval.stall_share, 0.95, 1e-9);
  EXPECT_EQ(interval.l0_compactions, 8);
  const Snapshot end = saturated_at(100);
  EXPECT_NEAR(interval.write_amplification,
              (end.counters.flush_write_bytes + end.counters.compaction_write_bytes) /
                  end.counters.user_bytes,
              1e-9);
  EXPECT_NEAR(interval.device_write_bytes_per_s, 23.6 * kMiB, 1);
  EXPECT_NEAR(interval.device_busy_share, 0.99, 1e-9);
}

TEST(Measure, WithoutADeviceRocksdbsBytesStandIn) {
  Snapshot later = saturated_at(100);
  later.device.reset();
  const Interval interval = measure(saturated_at(0), later);
  EXPECT_NEAR(interval.device_write_bytes_per_s,
              interval.write_amplification * interval.put_bytes_per_s, 1);
}

TEST(Measure, WithoutAListenerCfstatsCountTheJobs) {
  Snapshot later = saturated_at(100);
  later.state.l0_compactions_completed = 0;
  EXPECT_EQ(measure(saturated_at(0), later).l0_compactions, 8);
}

TEST(Measure, RefusesRestartsResetsAndStandstill) {
  const Snapshot earlier = saturated_at(50);
  EXPECT_TRUE(measure(earlier, saturated_at(100)).valid);
  EXPECT_FALSE(measure(earlier, earlier).valid);
  EXPECT_FALSE(measure(earlier, saturated_at(40)).valid);
  Snapshot later = saturated_at(100);
  later.incarnation = 8;
  EXPECT_FALSE(measure(earlier, later).valid);
  later = saturated_at(100);
  later.database_uptime_s = 1;
  EXPECT_FALSE(measure(earlier, later).valid);
  later = saturated_at(100);
  later.counters.flush_write_bytes = 0;
  EXPECT_FALSE(measure(earlier, later).valid);
}

TEST(Calibrate, LearnsTheRatios) {
  const Calibration learned = after(100);
  EXPECT_NEAR(learned.flush_bytes_per_user_byte, kFlushRatio, 1e-3);
  EXPECT_EQ(learned.wal_bytes_per_user_byte, 0);
  EXPECT_NEAR(learned.record_bytes, 1040, 1e-6);
  EXPECT_NEAR(learned.distinct_keys, kKeys, 0.02 * kKeys);
  // A job meets 95 MiB of a level that stands at 102 on average.
  EXPECT_NEAR(learned.overlap.at(0), 95.0 / 102, 0.03);
  EXPECT_EQ(learned.evidence_seconds, 100);
  EXPECT_EQ(learned.evidence_l0_compactions, 8);
}

TEST(Calibrate, LearnsUtilisationOfAKnownLimit) {
  const Calibration learned = after(100);
  const Snapshot end = saturated_at(100);
  const double written =
      (end.counters.flush_write_bytes + end.counters.compaction_write_bytes) / 100;
  EXPECT_NEAR(learned.write_bandwidth, written, 0.01 * written);
  EXPECT_NEAR(learned.read_bandwidth, 2 * written, 0.02 * written);
  EXPECT_LE(learned.write_bandwidth, 1.05 * 24 * kMiB);
}

TEST(Calibrate, UtilisationIsClamped) {
  Snapshot later = saturated_at(100);
  later.device->write_limit_bytes_per_s = 10 * kMiB;  // as if measured above the limit
  later.device->read_limit_bytes_per_s = 20 * kMiB;
  const Calibration learned = calibrate({}, saturated_at(0), later);
  EXPECT_NEAR(learned.write_bandwidth, 1.05 * 10 * kMiB, 1);
}

TEST(Calibrate, WithoutALimitTheBusyDeviceIsTheMeasure) {
  Snapshot earlier = saturated_at(0);
  Snapshot later = saturated_at(100);
  earlier.device->write_limit_bytes_per_s = earlier.device->read_limit_bytes_per_s = 0;
  later.device->write_limit_bytes_per_s = later.device->read_limit_bytes_per_s = 0;
  const Calibration learned = calibrate({}, earlier, later);
  const Interval interval = measure(earlier, later);
  // Exponent 1 and reads at twice the write speed: B = w + r/2.
  EXPECT_NEAR(learned.write_bandwidth,
              (interval.write_amplification + interval.read_amplification / 2) * kUserRate, 1);
  EXPECT_NEAR(learned.read_bandwidth, 2 * learned.write_bandwidth, 1);
}

TEST(Calibrate, AnIdleDeviceTeachesNoBandwidth) {
  Snapshot earlier = saturated_at(0);
  Snapshot later = saturated_at(100);
  for (Snapshot* snapshot : {&earlier, &later}) {
    snapshot->device->write_limit_bytes_per_s = snapshot->device->read_limit_bytes_per_s = 0;
    snapshot->counters.stall_seconds = 0;
    snapshot->families[0].stalls = {};
    snapshot->device->busy_seconds = 0;
  }
  const Calibration learned = calibrate({}, earlier, later);
  EXPECT_EQ(learned.write_bandwidth, 0);
  EXPECT_NEAR(learned.foreground_bytes_per_second, kUserRate, 1);
  EXPECT_GT(learned.job_bytes_per_second, 0);
  EXPECT_EQ(learned.log_residual, 0);
}

// Flushes behind compactions that never rest hold writers on memory: the device's doing. Where
// compaction rests, something else is slow.
TEST(Calibrate, AStallOnMemtablesTeachesBandwidthOnlyWhereJobsAreBusy) {
  Snapshot earlier = saturated_at(0);
  Snapshot later = saturated_at(100);
  earlier.device.reset();
  later.device.reset();
  later.families[0].stalls = {};
  later.families[0].stalls.memtable_stop = 50;
  EXPECT_GT(calibrate({}, earlier, later).write_bandwidth, 0);
  for (Snapshot* snapshot : {&earlier, &later})
    for (LevelStats& level : snapshot->families[0].levels) level.compaction_seconds /= 10;
  EXPECT_EQ(calibrate({}, earlier, later).write_bandwidth, 0);
}

TEST(Calibrate, StalledIntervalsTeachNoForegroundLimit) {
  EXPECT_EQ(after(100).foreground_bytes_per_second, 0);
}

TEST(Calibrate, TheLearnedModelExplainsTheInterval) {
  const Calibration learned = after(100);
  EXPECT_LT(std::abs(learned.log_residual), 0.1);
  EXPECT_GE(learned.relative_error, 0.05);
  EXPECT_LE(learned.relative_error, 0.15);
  ModelInput input;
  const Snapshot first = saturated_at(0);
  input.settings = first.settings;
  input.family = first.families[0];
  input.horizon_s = 100;
  EXPECT_NEAR(predict(input, learned)->put_bytes_per_s, kUserRate, 0.15 * kUserRate);
}

TEST(Calibrate, SurpriseWidensTheInterval) {
  Calibration calibration = after(100);
  const double narrow = calibration.relative_error;
  Snapshot later = saturated_at(200);
  // The same device carries twice the puts in the second hundred seconds.
  later.counters.user_bytes += 100 * kUserRate;
  later.counters.keys_written += 100 * 8007;
  calibration = calibrate(calibration, saturated_at(100), later);
  EXPECT_GT(calibration.relative_error, narrow);
  EXPECT_LE(calibration.relative_error, 0.5);
}

TEST(Calibrate, TeachesNothingAcrossRestartsGapsAndChanges) {
  const Calibration before = after(100);
  const Snapshot earlier = saturated_at(100);
  Snapshot later = saturated_at(200);
  later.incarnation = 8;
  EXPECT_EQ(calibrate(before, earlier, later), before);
  EXPECT_EQ(calibrate(before, earlier, saturated_at(100 + 7200)), before);  // asleep
  EXPECT_EQ(calibrate(before, earlier, saturated_at(105)), before);         // no L0 compaction
  later = saturated_at(200);
  later.settings.set(kFamily, Knob::write_buffer_size, 8 * kMiB);
  EXPECT_EQ(calibrate(before, earlier, later), before);
  later = saturated_at(200);
  later.families[0].levels[1].write_bytes = 0;
  EXPECT_EQ(calibrate(before, earlier, later), before);
}

TEST(Calibrate, ForgetsSlowly) {
  Calibration calibration;
  for (int i = 0; i < 10; ++i) {
    calibration = calibrate(calibration, saturated_at(100.0 * i), saturated_at(100.0 * (i + 1)));
  }
  Snapshot later = saturated_at(1100);
  // One odd interval with twice the flush bytes moves the ratio by less than half the way.
  later.counters.flush_write_bytes += kFlushRatio * kUserRate * 100;
  const Calibration odd = calibrate(calibration, saturated_at(1000), later);
  EXPECT_GT(odd.flush_bytes_per_user_byte, kFlushRatio);
  EXPECT_LT(odd.flush_bytes_per_user_byte, 1.5 * kFlushRatio);
}

TEST(Prior, TakesTheLimitAndWhatHappenedSinceOpen) {
  const Calibration prior = prior_from(saturated_at(100));
  EXPECT_EQ(prior.write_bandwidth, 24 * kMiB);
  EXPECT_EQ(prior.read_bandwidth, 48 * kMiB);
  EXPECT_NEAR(prior.flush_bytes_per_user_byte, kFlushRatio, 1e-3);
  EXPECT_NEAR(prior.distinct_keys, kKeys, 0.02 * kKeys);
  EXPECT_EQ(prior.evidence_seconds, 0);
}

TEST(Prior, OfAnEmptyDatabaseIsTheDefault) {
  Snapshot empty;
  empty.families.push_back(testing::family_with({}));
  EXPECT_EQ(prior_from(empty), Calibration{});
  EXPECT_EQ(prior_from(Snapshot{}), Calibration{});
}

}  // namespace
}  // namespace lsmtuned::model
