#include "model/simulator/compression.h"

#include <gtest/gtest.h>

#include "model/simulator/simulate.h"
#include "support.h"

namespace lsmtuned::model::simulator {
namespace {

// Records of 16 + 1,024 bytes, 1,052 with what a file adds; 500 where compressed, which takes 1 ns
// a raw byte; the other work of a job takes 2 ns a byte.
Problem compressed(double measured, double wanted) {
  Problem problem = testing::settled_problem();
  problem.constants.file_bytes_per_record = measured > 1 ? 1052 : 500;
  if (measured > 1)
    for (std::size_t l = 0; l < 4; ++l)
      problem.constants.level_compression.push_back(l + 1 >= measured ? 500.0 / 1052 : 1);
  problem.constants.measured_first_compressed_level = measured;
  problem.constants.compression_cpu_seconds_per_byte = 1e-9;
  problem.constants.cpu_seconds_per_byte = 5e-9;
  problem.settings.set(Knob::first_compressed_level, wanted);
  return problem;
}

TEST(Compression, AsMeasuredNothingChanges) {
  const Parameters p = make_parameters(compressed(1, 1));
  for (std::size_t l = 0; l < 4; ++l) {
    EXPECT_EQ(p.bytes_per_record[l], 500);
    EXPECT_EQ(p.cpu_seconds_per_byte[l], 5e-9);
  }
}

// 5 ns x 500 bytes = 2.5 us a record, 1.052 us of it for compressing: 1.448 us for 1,052 bytes.
TEST(Compression, LevelsAboveTheFirstAreTakenPlain) {
  const Parameters p = make_parameters(compressed(1, 3));
  for (std::size_t l = 0; l < 2; ++l) {
    EXPECT_EQ(p.bytes_per_record[l], 1052);
    EXPECT_EQ(p.tree_bytes_per_record[l], 500);  // files that lie there already
    EXPECT_NEAR(p.cpu_seconds_per_byte[l], 1.448e-6 / 1052, 1e-15);
  }
  EXPECT_EQ(p.bytes_per_record[2], 500);
  EXPECT_EQ(p.cpu_seconds_per_byte[2], 5e-9);
}

// 5 ns x 1,052 bytes and 1.052 us more for compressing: 6.312 us for 500 bytes.
TEST(Compression, LevelsBelowTheFirstTakeWhatThoseBelowThemTake) {
  const Parameters p = make_parameters(compressed(3, 1));
  for (std::size_t l = 0; l < 2; ++l) {
    EXPECT_NEAR(p.bytes_per_record[l], 500, 1e-9);
    EXPECT_NEAR(p.cpu_seconds_per_byte[l], 6.312e-6 / 500, 1e-15);
  }
}

TEST(Compression, NeverCheaperThanAFifth) {
  Problem problem = compressed(1, 2);
  problem.constants.compression_cpu_seconds_per_byte = 1e-6;
  EXPECT_NEAR(make_parameters(problem).cpu_seconds_per_byte[0], 0.2 * 5e-9 * 500 / 1052, 1e-15);
}

TEST(Compression, WithoutAMeasuredSettingTheKnobHasNoEffect) {
  Problem problem = compressed(1, 3);
  problem.constants.measured_first_compressed_level = 0;
  EXPECT_EQ(make_parameters(problem).bytes_per_record[0], 500);
}

TEST(Compression, CountsFromTheBaseLevelWhereThatIsDeeper) {
  Problem problem = compressed(1, 3);
  problem.facts.dynamic_level_bytes = true;
  const Parameters p = make_parameters(problem);
  ASSERT_GT(p.base_level, 1U);
  EXPECT_EQ(p.bytes_per_record[p.base_level], 1052);
  EXPECT_EQ(p.bytes_per_record[p.base_level + 1], 500);
}

TEST(Compression, PaysWhereCpuBindsAndCostsWhereTheDeviceDoes) {
  const auto gain = [](double device, double cpu) {
    const auto rate = [&](double first) {
      Problem problem = compressed(1, first);
      problem.device.write_bytes_per_s = device;
      problem.device.read_bytes_per_s = 2 * device;
      problem.constants.cores = 1;
      problem.constants.cpu_seconds_per_byte = cpu;
      problem.constants.compression_cpu_seconds_per_byte = cpu / 4;
      problem.horizon_s = 120;
      const auto found = simulate(problem, {});
      return found ? found->put_bytes_per_s : 0;
    };
    return rate(3) / rate(1);
  };
  EXPECT_GT(gain(2000 * kMiB, 100e-9), 1.05);
  EXPECT_LT(gain(24 * kMiB, 1e-9), 0.95);
}

TEST(Compression, KnowsWhatRocksDbsAlgorithmsCost) {
  EXPECT_GT(compression_cpu_seconds_per_byte("kZSTD"),
            compression_cpu_seconds_per_byte("kSnappyCompression"));
  EXPECT_GT(compression_cpu_seconds_per_byte("kSnappyCompression"), 0);
  EXPECT_EQ(compression_cpu_seconds_per_byte("kNoCompression"), 0);
}

}  // namespace
}  // namespace lsmtuned::model::simulator
