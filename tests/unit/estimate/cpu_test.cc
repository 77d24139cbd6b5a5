#include "model/estimate/cpu.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr double kPerByte = 3.6 / kGiB;  // twice the prior
constexpr double kPerRecord = 0.5e-6;

// One level that wrote so many bytes as records of this size.
Deltas written(double bytes, double record_bytes, double factor = 1) {
  Deltas deltas;
  deltas.levels.resize(3);
  LevelStats& level = deltas.levels[1];
  level.write_bytes = bytes;
  level.keys_in = bytes / record_bytes;
  level.compaction_count = 5;
  level.compaction_cpu_seconds = factor * (kPerByte * bytes + kPerRecord * level.keys_in);
  return deltas;
}

// Records of 100 and of 10,000 bytes: 5 s/GiB of records against 0.05, so both can be told apart.
TEST(Cpu, TwoRecordSizesTellBothConstants) {
  Calibration calibration;
  for (int i = 0; i < 100; ++i) learn_cpu(calibration, written(4 * kGiB, i % 2 ? 100 : 10000), 60);
  EXPECT_NEAR(calibration.cpu_seconds_per_byte, kPerByte, 0.02 * kPerByte);
  EXPECT_NEAR(calibration.cpu_seconds_per_record, kPerRecord, 0.02 * kPerRecord);
}

TEST(Cpu, AnIntervalWeighsAsItsBytes) {
  Calibration little;
  Calibration much;
  learn_cpu(little, written(0.01 * kGiB, 1000), 60);
  learn_cpu(much, written(10 * kGiB, 1000), 60);
  const double prior = Calibration{}.cpu_seconds_per_byte;
  EXPECT_LT(little.cpu_seconds_per_byte - prior, 0.05 * prior);
  EXPECT_GT(much.cpu_seconds_per_byte - prior, 0.5 * prior);
}

TEST(Cpu, OneOddIntervalMovesLittle) {
  Calibration calibration;
  for (int i = 0; i < 50; ++i) learn_cpu(calibration, written(2 * kGiB, 1000), 60);
  const double before = calibration.cpu_seconds_per_byte;
  learn_cpu(calibration, written(2 * kGiB, 1000, 20), 60);
  EXPECT_LT(calibration.cpu_seconds_per_byte, 1.6 * before);
  for (int i = 0; i < 10; ++i) learn_cpu(calibration, written(2 * kGiB, 1000, 20), 60);
  EXPECT_NEAR(calibration.cpu_seconds_per_byte + calibration.cpu_seconds_per_record / 1000,
              20 * (kPerByte + kPerRecord / 1000), 0.1 * 20 * kPerByte);
}

TEST(Cpu, NothingWrittenTeachesNothing) {
  Calibration calibration;
  const Calibration before = calibration;
  learn_cpu(calibration, Deltas{}, 60);
  learn_cpu(calibration, written(0, 1000), 60);
  EXPECT_EQ(calibration, before);
}

// Two jobs could belong to the time before the interval; a dozen mostly do not.
TEST(Cpu, CoresAreCountedOverManyJobs) {
  Calibration calibration;
  Deltas deltas = written(10 * kGiB, 1000);
  const double cores = deltas.levels[1].compaction_cpu_seconds / 10;
  learn_cpu(calibration, deltas, 10);
  EXPECT_EQ(calibration.background_cores, 1);
  deltas.levels[1].compaction_count = 12;
  learn_cpu(calibration, deltas, 10);
  EXPECT_NEAR(calibration.background_cores, cores, 1e-9);
}

}  // namespace
}  // namespace lsmtuned::model
