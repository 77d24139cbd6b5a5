#include "model/simulator/read_blocks.h"

#include <gtest/gtest.h>

#include "model/simulator/turns.h"
#include "tests/unit/simulator/support.h"

namespace lsmtuned::model::simulator {
namespace {

Job merge_job(double read, double written) {
  Job job;
  job.read_bytes = read;
  job.written_bytes = written;
  return job;
}

// Limits 24 and 48 MiB/s, slice 0.1 s, read-ahead 2 MiB. 2 MiB read takes 0.042 s and as much
// written 0.083 s, both shorter than the slice: hidden.
TEST(ReadBlocks, FilesReadOneAfterAnotherAreHiddenByTheSlice) {
  const Parameters p = make_parameters(testing::small_problem());
  Job job = merge_job(20 * kMiB, 20 * kMiB);
  set_read_blocks(p, 0, 0, job);
  EXPECT_EQ(job.read_blocks, 0);
}

// 28 L0 files of 4 MiB run dry together: two blocks of 56 MiB, of which the slice hides 4.8 MiB. At
// the second one the files stand apart by 1.3 ln 28 x sqrt(0.25 / 4,194) = 0.03345 of the keys,
// which are 0.167 s of writing 120 MiB at 24 MiB/s: 8.03 MiB more are hidden.
TEST(ReadBlocks, L0FilesAreReadTogether) {
  const Parameters p = make_parameters(testing::small_problem());
  Job job = merge_job((112 + 20) * kMiB, 120 * kMiB);
  set_read_blocks(p, 112 * kMiB, 28, job);
  EXPECT_EQ(job.read_blocks, 2);
  EXPECT_NEAR(job.block_bytes / kMiB, (2 * (56 - 4.8) - 8.03) / 2, 0.01);
}

// Without a slice reads and writes alternate: 20 MiB at 48 MiB/s are all seen.
TEST(ReadBlocks, WithoutASliceEveryReadIsSeen) {
  Problem problem = testing::small_problem();
  problem.constants.burst_s = 0;
  const Parameters p = make_parameters(problem);
  Job job = merge_job(20 * kMiB, 20 * kMiB);
  set_read_blocks(p, 0, 0, job);
  EXPECT_EQ(job.read_blocks, 1);
  EXPECT_NEAR(job.block_bytes / kMiB, 20, 1e-6);
}

TEST(ReadBlocks, BufferedReadsAndUnlimitedDevicesHaveNone) {
  Problem problem = testing::small_problem();
  problem.constants.readahead_bytes = 0;
  Job job = merge_job(200 * kMiB, 200 * kMiB);
  set_read_blocks(make_parameters(problem), 200 * kMiB, 10, job);
  EXPECT_EQ(job.read_blocks, 0);
  problem.constants.readahead_bytes = 2 * kMiB;
  problem.device.read_bytes_per_s = 0;
  set_read_blocks(make_parameters(problem), 200 * kMiB, 10, job);
  EXPECT_EQ(job.read_blocks, 0);
}

// 3.8 MiB in four requests and two at its end; 1.6 MiB in two and two.
TEST(Turns, RequestsOfAFile) {
  EXPECT_EQ(turns_of_file(3.8 * kMiB), 6);
  EXPECT_EQ(turns_of_file(1.6 * kMiB), 4);
}

}  // namespace
}  // namespace lsmtuned::model::simulator
