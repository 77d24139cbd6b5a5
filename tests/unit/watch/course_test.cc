// What is watched, over a plant whose limits are known and change (tests/unit/estimate/plant.h).
#include "model/watch/course.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/estimate/calibrate.h"
#include "model/units.h"
#include "tests/unit/estimate/plant.h"

namespace lsmtuned::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kDevicePerUserByte;
using testing::kFamily;

struct Watching {
  testing::Plant plant;
  Calibration calibration = prior_from(plant.now());
  Course course;
  WatchRule rule;
  std::optional<published::Phase> phase = published::Phase::final;
  bool own_change = false;
  double seconds = 0;
  std::vector<WatchChange> seen;

  void run(int samples) {
    for (int i = 0; i < samples; ++i) {
      const Snapshot before = plant.now();
      const Snapshot now = plant.advance();
      if (!own_change) calibration = calibrate(calibration, before, now);
      for (const WatchChange& change :
           watch(course, rule, {&before, &now, &calibration, phase, own_change}))
        seen.push_back(change);
    }
  }
  // An hour at full load, in which the standards are learned.
  Watching() { run(72); }
  std::vector<std::string> told() const {
    std::vector<std::string> lines;
    for (const WatchChange& change : seen)
      lines.push_back(std::string(change.raised ? "+" : "-") + to_text(change.what));
    return lines;
  }
};

TEST(Course, ASteadyLoadIsNothingToTell) {
  Watching watching;
  EXPECT_NEAR(*watching.course.put_rate.standard, 10 * kMiB, 0.01 * kMiB);
  EXPECT_NEAR(*watching.course.compaction_efficiency.standard, 1 / testing::kWritten, 1e-3);
  EXPECT_NEAR(*watching.course.write_bandwidth.standard, kDevicePerUserByte * 10 * kMiB, 5 * kMiB);
  watching.run(1000);
  EXPECT_THAT(watching.told(), IsEmpty());
}

TEST(Course, ASlowerDeviceIsFoundNamedAndOver) {
  Watching watching;
  watching.plant.bandwidth /= 2;
  watching.run(20);
  ASSERT_THAT(watching.told(), ::testing::UnorderedElementsAre("+put_rate", "+write_bandwidth"));
  const auto told = std::find_if(watching.seen.begin(), watching.seen.end(),
                                 [](const auto& one) { return one.what == Watched::put_rate; });
  EXPECT_THAT(told->text, HasSubstr("10 MiB/s at its best of the day"));
  EXPECT_THAT(told->text, HasSubstr("likeliest the device"));
  ASSERT_FALSE(watching.course.suspects.empty());
  EXPECT_EQ(watching.course.suspects[0].name, "device");
  EXPECT_GT(watching.course.suspects[0].share, 0.9);
  watching.seen.clear();
  watching.plant.bandwidth *= 2;
  watching.run(20);
  EXPECT_THAT(watching.told(), ::testing::UnorderedElementsAre("-put_rate", "-write_bandwidth"));
  EXPECT_THAT(watching.course.suspects, IsEmpty());
}

TEST(Course, SettingsChangedBySomeoneAreTheSuspect) {
  Watching watching;
  watching.plant.edit().settings.set(kFamily, Knob::max_bytes_for_level_base, 10 * kMiB);
  watching.plant.amplification = 2;
  watching.run(20);
  EXPECT_THAT(watching.told(),
              ::testing::UnorderedElementsAre("+put_rate", "+compaction_efficiency"));
  ASSERT_FALSE(watching.course.suspects.empty());
  EXPECT_EQ(watching.course.suspects[0].name, "settings");
  EXPECT_THAT(watching.course.suspects[0].evidence, HasSubstr("max_bytes_for_level_base"));
}

TEST(Course, SettingsChangedByATrialBeginAnew) {
  Watching watching;
  watching.own_change = true;
  watching.run(1);
  watching.plant.edit().settings.set(kFamily, Knob::max_bytes_for_level_base, 10 * kMiB);
  watching.plant.amplification = 2;
  watching.run(5);
  watching.own_change = false;
  watching.run(100);
  EXPECT_THAT(watching.told(), IsEmpty());
  EXPECT_LT(*watching.course.put_rate.standard, 6 * kMiB);
}

TEST(Course, ATrialThatWentBackIsNoBreak) {
  Watching watching;
  watching.own_change = true;
  watching.plant.amplification = 2;
  watching.run(20);
  watching.own_change = false;
  watching.plant.amplification = 1;
  watching.plant.bandwidth /= 2;
  watching.run(20);
  EXPECT_THAT(watching.told(), ::testing::Contains("+put_rate"));
}

TEST(Course, ACostlierTreeIsSaid) {
  Watching watching;
  watching.plant.amplification = 2;
  watching.run(20);
  ASSERT_FALSE(watching.course.suspects.empty());
  EXPECT_EQ(watching.course.suspects[0].name, "tree");
  EXPECT_THAT(watching.course.suspects[0].evidence, HasSubstr("from 9.0 to 17.0"));
}

TEST(Course, LessThatIsOfferedIsNoRegression) {
  Watching watching;
  watching.plant.offered = 6 * kMiB;
  watching.run(200);
  EXPECT_THAT(watching.told(), IsEmpty());
}

TEST(Course, DeviceUseIsHeldAgainstWhatItsPhaseTaught) {
  Watching watching;
  watching.rule.fall = 0.9;
  const double learned = *watching.course.use.expected;
  EXPECT_NEAR(learned, 1 / (testing::kWritten + testing::kRead), 1e-3);
  watching.plant.amplification = 3;  // 25 + 24 bytes a user byte
  watching.run(20);
  EXPECT_THAT(watching.told(), ElementsAre("+device_use"));
  EXPECT_THAT(watching.seen[0].text, HasSubstr("as learned in the phase final"));
  EXPECT_NEAR(*watching.course.use.expected, learned, 0.02 * learned);
  watching.phase = published::Phase::initial;  // of which nothing is known
  watching.run(2);
  EXPECT_FALSE(watching.course.use.expected);
}

TEST(Course, LevelsHaveTheirAmplification) {
  Watching watching;
  const auto levels = amplification(watching.course.levels);
  ASSERT_GE(levels.size(), 3U);
  EXPECT_NEAR(levels[0].write, 1, 0.01);
  EXPECT_NEAR(levels[1].write, 3, 0.01);
  EXPECT_NEAR(levels[2].write, 5, 0.01);
  EXPECT_NEAR(levels[2].read, 5, 0.01);
}

struct Debt : Watching {
  double soft() {
    return *plant.now().settings.get(kFamily, Knob::soft_pending_compaction_bytes_limit);
  }
  // Debt that swings by `swing` of the limit within each 200 s, over a floor that grows.
  void run_with(int samples, double floor, double growth, double swing) {
    for (int i = 0; i < samples; ++i) {
      floor += growth;
      plant.edit().families[0].pending_compaction_bytes =
          soft() * (floor + (i % 4 == 3 ? 0 : swing));
      run(1);
    }
  }
};

TEST(Course, DebtThatSwingsWithinACycleIsNoWarning) {
  Debt debt;
  debt.run_with(200, 0.02, 0, 0.8);
  EXPECT_THAT(debt.told(), IsEmpty());
}

TEST(Course, DebtOnItsWayToTheLimitIsToldBeforeItIsThere) {
  Debt debt;
  debt.plant.edit().families[0].levels[2].score = 2;
  // 1 % of the limit a sample of 50 s: from 30 % on it is there in under an hour, from 64 % in
  // half an hour.
  debt.run_with(60, 0.1, 0.01, 0.1);
  ASSERT_THAT(debt.told(), ElementsAre("+debt"));
  EXPECT_GT(debt.course.debt.share, 0.6);
  EXPECT_THAT(debt.seen[0].text, HasSubstr("reaches it in"));
  EXPECT_THAT(debt.seen[0].text, HasSubstr("L2 owes most"));
  EXPECT_THAT(debt.seen[0].text, HasSubstr("5.00 of 9.00 bytes"));
  debt.run_with(60, 0.2, 0, 0.1);
  EXPECT_THAT(debt.told(), ElementsAre("+debt", "-debt"));
}

}  // namespace
}  // namespace lsmtuned::model
