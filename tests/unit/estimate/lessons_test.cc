// The estimator against plants whose limits are known, through calibrate() as the daemon uses it.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "model/estimate/calibrate.h"
#include "tests/unit/estimate/plant.h"

namespace lsmtuned::model {
namespace {

using testing::kDevicePerUserByte;
using testing::Plant;

struct Learner {
  Plant plant;
  Calibration calibration = prior_from(plant.now());
  LessonCounts counts;

  void teach(int lessons) {
    for (int i = 0; i < lessons; ++i) {
      const Snapshot before = plant.now();
      const Lesson lesson = learn(calibration, before, plant.advance());
      calibration = lesson.calibration;
      counts.add(lesson);
    }
  }
  // A burst into an empty tree shows the foreground, then the device holds writers back.
  void learn_all() {
    plant.bandwidth *= 10;
    teach(20);
    plant.bandwidth /= 10;
    teach(100);
  }
};

TEST(Lessons, FindTheLimitsOfThePlant) {
  Learner learner;
  learner.learn_all();
  EXPECT_NEAR(learner.calibration.foreground_bytes_per_second, 40 * kMiB, 0.01 * 40 * kMiB);
  EXPECT_NEAR(learner.calibration.write_bandwidth, kDevicePerUserByte * 10 * kMiB,
              0.01 * kDevicePerUserByte * 10 * kMiB);
  EXPECT_NEAR(learner.calibration.read_bandwidth, 2 * learner.calibration.write_bandwidth, 1);
  EXPECT_EQ(learner.counts.by_outcome[0], 120u);
}

// Two outliers are refused and the third is believed (filter.h), so five lessons leave a margin of
// two for the variance to settle. S_fg and e were not seen meanwhile and must not move.
TEST(Lessons, AHalvedDeviceIsFoundInFiveAndNothingElseMoves) {
  Learner learner;
  learner.learn_all();
  const Calibration before = learner.calibration;
  learner.plant.bandwidth /= 2;
  learner.teach(2);
  EXPECT_NEAR(learner.calibration.write_bandwidth, before.write_bandwidth,
              0.01 * before.write_bandwidth);
  EXPECT_GE(learner.counts.outliers, 2u);
  learner.teach(3);
  EXPECT_NEAR(learner.calibration.write_bandwidth, before.write_bandwidth / 2,
              0.05 * before.write_bandwidth / 2);
  EXPECT_NEAR(learner.calibration.foreground_bytes_per_second, before.foreground_bytes_per_second,
              0.01 * before.foreground_bytes_per_second);
  EXPECT_EQ(learner.calibration.l0_speed_up_exponent, before.l0_speed_up_exponent);
  EXPECT_NEAR(learner.calibration.log_residual, before.log_residual, 0.1);
}

TEST(Lessons, AHalvedDeviceWithAKnownLimitIsFoundToo) {
  Learner learner;
  const double limit = kDevicePerUserByte * 10 * kMiB;
  learner.plant.edit().device->write_limit_bytes_per_s = limit;
  learner.plant.edit().device->read_limit_bytes_per_s = limit * 2;
  learner.calibration = prior_from(learner.plant.now());
  EXPECT_EQ(learner.calibration.write_bandwidth, limit);
  learner.learn_all();
  // Limited apart (p = 8), w S = 90 MiB/s and r S / 2 = 40: (90^8 + 40^8)^(1/8) = 90.02 of 130.
  EXPECT_NEAR(learner.calibration.write_bandwidth / limit, 90.02 / 130, 0.01);
  learner.plant.bandwidth /= 2;
  learner.teach(5);
  EXPECT_NEAR(learner.calibration.write_bandwidth / limit, 45.01 / 130, 0.02);
}

// u stays when the limit itself is changed: 90.02/130 of the new one.
TEST(Lessons, ANewLimitKeepsTheUtilisation) {
  Learner learner;
  const double limit = kDevicePerUserByte * 10 * kMiB;
  learner.plant.edit().device->write_limit_bytes_per_s = limit;
  learner.learn_all();
  learner.plant.edit().device->write_limit_bytes_per_s = 2 * limit;
  learner.plant.bandwidth *= 2;
  learner.teach(1);
  EXPECT_NEAR(learner.calibration.write_bandwidth / (2 * limit), 90.02 / 130, 0.02);
  EXPECT_EQ(learner.counts.outliers, 0u);
}

// CPU holds S at 4 MiB/s while the device could carry 10: its bytes fall to 40 % and say nothing.
TEST(Lessons, ACpuBoundPlantDoesNotLowerTheDevice) {
  Learner learner;
  learner.learn_all();
  const Calibration before = learner.calibration;
  learner.plant.cpu_bound = 4 * kMiB;
  learner.teach(50);
  EXPECT_NEAR(learner.plant.put_bytes_per_s(), 4 * kMiB, 1);
  EXPECT_NEAR(learner.calibration.write_bandwidth, before.write_bandwidth,
              1e-6 * before.write_bandwidth);
  EXPECT_NEAR(learner.calibration.foreground_bytes_per_second, before.foreground_bytes_per_second,
              1e-6 * before.foreground_bytes_per_second);
}

// CPU seconds are 0.95 x 0.97 of the time, compaction writes 8 x 4 MiB/s: 29 s/GiB, fourteen times
// the prior of 1.8 + 0.27. One record size: only the sum of both constants can be known.
TEST(Lessons, ACpuBoundPlantTeachesItsCpuConstants) {
  Learner learner;
  learner.plant.cpu_bound = 4 * kMiB;
  learner.teach(20);
  const double written = 8 * 4 * kMiB;  // bytes/s by compaction; records of 1000 bytes
  const double booked = 0.95 * 0.97;    // CPU seconds/s
  const Calibration& c = learner.calibration;
  EXPECT_NEAR((c.cpu_seconds_per_byte + c.cpu_seconds_per_record / 1000) * written, booked,
              0.05 * booked);
}

// Twenty lessons at a twentieth of the rate. Each may lower S_fg by its gain x 0.5, and the gain is
// 0.05 at first (variance 0.0139 after a hundred stalled lessons, against 0.25), 0.024 in the end:
// 2.5 to 1.2 % each, at most 40 % together.
TEST(Lessons, ALighterLoadHardlyLowersTheForeground) {
  Learner learner;
  learner.learn_all();
  learner.plant.offered = 2 * kMiB;
  learner.teach(20);
  EXPECT_GT(learner.calibration.foreground_bytes_per_second, 0.6 * 40 * kMiB);
  learner.plant.offered = 0;
  learner.plant.bandwidth *= 10;
  learner.teach(5);
  EXPECT_NEAR(learner.calibration.foreground_bytes_per_second, 40 * kMiB, 0.05 * 40 * kMiB);
}

// Four subcompactions that double the L0 job: e = ln 2 / ln 4 = 0.5. The device idles meanwhile.
TEST(Lessons, TheSpeedUpOfSubcompactionsIsFound) {
  Learner learner;
  learner.plant.edit().settings.database.set(Knob::max_subcompactions, 4);
  learner.plant.speed_up = 2;
  learner.plant.bandwidth *= 10;
  learner.teach(100);
  EXPECT_NEAR(learner.calibration.l0_speed_up_exponent, 0.5, 0.02);
  EXPECT_NEAR(learner.calibration.job_bytes_per_second, 200 * kMiB, 0.03 * 200 * kMiB);
}

// ---- what must teach nothing --------------------------------------------------------------------

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Bad {
  const char* name;
  LessonOutcome outcome;
  std::function<void(Snapshot&)> spoil;  // the later snapshot
};

TEST(Lessons, WhatIsNoIntervalTeachesNothing) {
  const Bad cases[] = {
      {"restart", LessonOutcome::restart, [](Snapshot& s) { s.incarnation = 4; }},
      {"uptime reset", LessonOutcome::bad_data, [](Snapshot& s) { s.database_uptime_s = 1; }},
      {"counter reset", LessonOutcome::bad_data, [](Snapshot& s) { s.counters.user_bytes = 5; }},
      {"level reset", LessonOutcome::reset,
       [](Snapshot& s) { s.families[0].levels[1].write_bytes = 5; }},
      {"another family", LessonOutcome::reset, [](Snapshot& s) { s.families[0].name = "other"; }},
      {"gap", LessonOutcome::gap, [](Snapshot& s) { s.time_s += 3600; }},
      {"no time", LessonOutcome::bad_data, [](Snapshot& s) { s.time_s = 1000; }},
      {"NaN counter", LessonOutcome::bad_data, [](Snapshot& s) { s.counters.wal_bytes = kNaN; }},
      {"NaN level", LessonOutcome::bad_data,
       [](Snapshot& s) { s.families[0].levels[2].compaction_seconds = kNaN; }},
      {"infinite time", LessonOutcome::bad_data, [](Snapshot& s) { s.time_s = kInfinity; }},
      {"negative", LessonOutcome::bad_data,
       [](Snapshot& s) { s.families[0].levels[1].size_bytes = -1; }},
      // 1e15 bytes in 50 s are 2e13 bytes/s.
      {"huge user bytes", LessonOutcome::implausible,
       [](Snapshot& s) { s.counters.user_bytes += 1e15; }},
      {"huge flush", LessonOutcome::implausible,
       [](Snapshot& s) { s.counters.flush_write_bytes += 1e15; }},
      {"huge level read", LessonOutcome::implausible,
       [](Snapshot& s) { s.families[0].levels[2].read_bytes += 1e15; }},
      {"huge compaction writes", LessonOutcome::implausible,
       [](Snapshot& s) { s.counters.compaction_write_bytes += 1e300; }},
      {"huge CPU", LessonOutcome::implausible,
       [](Snapshot& s) { s.families[0].levels[1].compaction_cpu_seconds += 1e9; }},
      {"huge job time", LessonOutcome::implausible,
       [](Snapshot& s) { s.families[0].levels[1].compaction_seconds += 1e9; }},
      {"dropped more than came", LessonOutcome::implausible,
       [](Snapshot& s) { s.families[0].levels[1].keys_dropped += 1e7; }},
      {"other settings", LessonOutcome::settings_changed,
       [](Snapshot& s) { s.settings.database.set(Knob::max_background_jobs, 7); }},
  };
  Learner learner;
  learner.learn_all();
  const Calibration before = learner.calibration;
  const Snapshot earlier = learner.plant.now();
  const Snapshot later = learner.plant.advance();
  for (const Bad& bad : cases) {
    Snapshot spoilt = later;
    bad.spoil(spoilt);
    const Lesson lesson = learn(before, earlier, spoilt);
    EXPECT_EQ(lesson.outcome, bad.outcome) << bad.name << ": " << to_text(lesson.outcome);
    EXPECT_EQ(lesson.calibration, before) << bad.name;
    EXPECT_EQ(lesson.observations + lesson.outliers, 0) << bad.name;
  }
  const Lesson good = learn(before, earlier, later);
  EXPECT_EQ(good.outcome, LessonOutcome::learned);
  EXPECT_GT(good.observations, 0);
  EXPECT_NE(good.calibration, before);
}

TEST(Lessons, IdleAndShortIntervalsTeachNothing) {
  Learner learner;
  learner.learn_all();
  const Snapshot earlier = learner.plant.now();
  Snapshot idle = earlier;
  idle.time_s += 50;
  idle.state.l0_compactions_completed += 1;
  EXPECT_EQ(learn(learner.calibration, earlier, idle).outcome, LessonOutcome::idle);
  // 10 MiB of a batch of 25.
  const Lesson brief = learn(learner.calibration, earlier, learner.plant.advance(1));
  EXPECT_EQ(brief.outcome, LessonOutcome::too_short);
  EXPECT_EQ(brief.calibration, learner.calibration);
}

TEST(Lessons, AreCountedByOutcome) {
  LessonCounts counts;
  Lesson lesson;
  lesson.outcome = LessonOutcome::gap;
  lesson.outliers = 2;
  counts.add(lesson);
  counts.add(lesson);
  EXPECT_EQ(counts.by_outcome[static_cast<std::size_t>(LessonOutcome::gap)], 2u);
  EXPECT_EQ(counts.outliers, 4u);
}

}  // namespace
}  // namespace lsmtuned::model
