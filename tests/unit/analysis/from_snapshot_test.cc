// Every member of the problem, from the snapshot or the calibration that it should come from.
#include "model/simulator/from_snapshot.h"

#include <gmock/gmock.h>

#include "model/simulator/parameters.h"
#include "model/units.h"

namespace lsmtuned::model {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FromSnapshot : public ::testing::Test {
 protected:
  FromSnapshot() {
    snapshot.target = "main";
    FamilySnapshot family;
    family.name = "default";
    family.facts.arena_block_bytes = 512 * kKiB;
    family.facts.compression = "kSnappyCompression";
    family.levels.resize(7);
    family.levels[0].files = 3;
    family.levels[0].size_bytes = 12 * kMiB;
    family.levels[1].files = 7;
    family.levels[1].size_bytes = 50 * kMiB;
    family.levels[2].size_bytes = 400 * kMiB;  // its file count is not there yet
    family.immutable_memtables = 1;
    family.active_memtable_bytes = 2 * kMiB;
    snapshot.families.push_back(family);
    snapshot.settings.set("default", Knob::write_buffer_size, 4 * kMiB);
    snapshot.settings.set("default", Knob::target_file_size_base, 8 * kMiB);
    snapshot.settings.set("", Knob::max_background_jobs, 4);
    snapshot.state.delayed_write_rate = 3 * kMiB;
    snapshot.device = DeviceSample{};
    snapshot.device->write_limit_bytes_per_s = 24 * kMiB;
    snapshot.device->read_limit_bytes_per_s = 48 * kMiB;

    calibration.flush_bytes_per_user_byte = 0.5;
    calibration.record_bytes = 1040;
    calibration.wal_bytes_per_user_byte = 1.02;
    calibration.memtable_fill = 0.8;
    calibration.level_compression = {0.9, 0.8};
    calibration.overlap = {0.7, 0.6};
    calibration.cpu_seconds_per_byte = 3e-9;
    calibration.cpu_seconds_per_record = 4e-7;
    calibration.background_cores = 1.5;
    calibration.write_bandwidth = 23 * kMiB;
    calibration.read_bandwidth = 40 * kMiB;
    calibration.foreground_bytes_per_second = 90 * kMiB;
  }

  Problem made() { return *problem_from(snapshot, "default", calibration, 120, 4); }

  Snapshot snapshot;
  Calibration calibration;
};

TEST_F(FromSnapshot, IsValidAndHoldsSettingsTreeAndState) {
  const Problem problem = made();
  EXPECT_THAT(problem.check(), IsEmpty());
  EXPECT_EQ(problem.settings.get(Knob::write_buffer_size), 4 * kMiB);
  EXPECT_EQ(problem.settings.get(Knob::max_background_jobs), 4);
  EXPECT_FALSE(problem.settings.has(Knob::rate_limiter_bytes_per_second));
  EXPECT_EQ(problem.facts.compression, "kSnappyCompression");
  ASSERT_EQ(problem.tree.levels.size(), 7U);
  EXPECT_EQ(problem.tree.levels[0], (LevelShape{12 * kMiB, 3, {}}));
  EXPECT_EQ(problem.tree.levels[2].files, 50);  // 400 MiB in files of 8 MiB
  EXPECT_EQ(problem.tree.immutable_memtables, 1);
  EXPECT_EQ(problem.tree.active_memtable_bytes, 2 * kMiB);
  EXPECT_EQ(problem.tree.delayed_write_rate, 3 * kMiB);
  EXPECT_EQ(problem.horizon_s, 120);
}

TEST_F(FromSnapshot, RecordsComeFromTheCalibration) {
  const Problem problem = made();
  EXPECT_EQ(problem.workload.key_bytes, 16);
  EXPECT_EQ(problem.workload.value_bytes, 1024);
  EXPECT_EQ(problem.workload.offered_bytes_per_s, 0);
  EXPECT_DOUBLE_EQ(problem.constants.file_bytes_per_record, 520);  // 0.5 * 1040
  EXPECT_EQ(problem.constants.wal_bytes_per_user_byte, 1.02);
  // L0 is the measure; the calibration counts from the base level.
  EXPECT_EQ(problem.constants.level_compression, (std::vector<double>{1, 0.9, 0.8}));
  EXPECT_EQ(problem.constants.overlap, (std::vector<double>{0.7, 0.6}));
  EXPECT_EQ(problem.constants.cpu_seconds_per_byte, 3e-9);
  EXPECT_EQ(problem.constants.cpu_seconds_per_record, 4e-7);
  EXPECT_EQ(problem.constants.foreground_bytes_per_s, 90 * kMiB);
  EXPECT_EQ(problem.constants.cores, 3);  // of four, one stays with the foreground
}

TEST_F(FromSnapshot, AMemtableTakesWhatWasMeasured) {
  const Problem problem = made();
  const double records = simulator::memtable_capacity_records(
      4 * kMiB, 512 * kKiB, problem.constants.memtable_bytes_per_record);
  EXPECT_NEAR(records * 1040, 0.8 * 4 * kMiB, 1040);
  calibration.memtable_fill = Calibration{}.memtable_fill;  // nothing learned
  EXPECT_EQ(made().constants.memtable_bytes_per_record, 0);
}

// 8 MiB hold 8,066 of 10,000 keys' records at fill 1: the flush keeps 10,000 (1 - exp(-0.8066)),
// 5,536 of them, which chi contains.
TEST_F(FromSnapshot, OverwritesWithinAMemtableAreNotCountedTwice) {
  calibration.distinct_keys = 1e4;
  calibration.memtable_fill = 1;
  snapshot.settings.set("default", Knob::write_buffer_size, 8 * kMiB);
  for (LevelStats& level : snapshot.families[0].levels) level.size_bytes = 0;
  EXPECT_NEAR(made().constants.file_bytes_per_record, 520 * 8066.0 / 5536.0, 0.2);
}

TEST_F(FromSnapshot, ThereAreAtLeastAsManyKeysAsALevelHasRecords) {
  calibration.distinct_keys = 1e5;
  const Problem problem = made();
  EXPECT_NEAR(problem.workload.distinct_keys,
              400 * kMiB / (problem.constants.file_bytes_per_record * 0.8), 1);
}

TEST_F(FromSnapshot, DeviceIsTheCalibratedShareOfTheLimit) {
  EXPECT_EQ(made().device.write_bytes_per_s, 23 * kMiB);
  EXPECT_EQ(made().device.read_bytes_per_s, 48 * kMiB);
  EXPECT_EQ(made().device.mix_exponent, 8);
  snapshot.device->write_limit_bytes_per_s = 10 * kMiB;  // lowered since
  EXPECT_EQ(made().device.write_bytes_per_s, 10.5 * kMiB);
  snapshot.device.reset();
  calibration.mix_exponent = 2;
  EXPECT_EQ(made().device.write_bytes_per_s, 23 * kMiB);
  EXPECT_EQ(made().device.read_bytes_per_s, 40 * kMiB);
  EXPECT_EQ(made().device.mix_exponent, 2);
}

// What a device without a limit was seen to carry holds its bursts already.
TEST_F(FromSnapshot, OnlyALimitGivesCreditAboveIt) {
  EXPECT_EQ(made().constants.burst_s, TreeConstants{}.burst_s);
  snapshot.device->write_limit_bytes_per_s = 0;
  EXPECT_EQ(made().constants.burst_s, 0);
}

TEST_F(FromSnapshot, SaysWhatItDoesNotKnow) {
  const auto no_family = problem_from(snapshot, "other", calibration, 120);
  ASSERT_FALSE(no_family);
  EXPECT_THAT(no_family.error().what, HasSubstr("other"));
  snapshot.device.reset();
  calibration.write_bandwidth = 0;
  const auto no_device = problem_from(snapshot, "default", calibration, 120);
  ASSERT_FALSE(no_device);
  EXPECT_THAT(no_device.error().text(), HasSubstr("not known yet"));
}

}  // namespace
}  // namespace lsmtuned::model
