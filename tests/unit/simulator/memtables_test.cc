#include "model/simulator/memtables.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/unit/simulator/support.h"

namespace lsmtuned::model::simulator {
namespace {

using testing::small_problem;

// 4 MiB and blocks of 512 KiB: eight blocks fit (a ninth would need 4.5 MiB, above 4 MiB + 0.6 x
// 512 KiB = 4.3 MiB), the last one counts as full with a quarter unused:
//   (8 - 0.25) x 524,288 = 4,063,232 bytes / 1,074 bytes a record = 3,783.3 records.
// RocksDB 7.8.3 flushed 3,784 entries at 1,074.5 bytes each.
TEST(MemtableCapacity, WholeArenaBlocks) {
  EXPECT_NEAR(memtable_capacity_records(4 * kMiB, 512 * kKiB, 1074), 3783.3, 0.1);
}

// Online growth keeps the old blocks: 10.3 MiB / 512 KiB = 20.6 blocks, and 0.6 more may be over:
// 21 of them, (21 - 0.25) x 524,288 = 10,878,976.
TEST(MemtableCapacity, BlocksStayAsTheyWereAtOpen) {
  EXPECT_NEAR(memtable_capacity_records(10.3 * kMiB, 512 * kKiB, 1), 10878976, 1);
}

TEST(MemtableCapacity, HoldsAtLeastOneRecord) {
  EXPECT_EQ(memtable_capacity_records(1 * kMiB, 128 * kKiB, 1e9), 1);
}

// K (1 - exp(-n/K)): a million draws from a million keys leave 632,121 of them.
TEST(DistinctRecords, UniformDraws) {
  EXPECT_NEAR(distinct_records(1e6, 1e6), 632120.6, 0.1);
  EXPECT_NEAR(distinct_records(1000, 1e6), 999.5, 0.01);
  EXPECT_EQ(distinct_records(1e6, 0), 1e6);  // every key is new
}

TEST(Memtables, AFlushTakesAllThatWait) {
  const Problem problem = small_problem();
  const Parameters parameters = make_parameters(problem);
  Memtables memtables(parameters, problem.tree);
  const auto fill_one = [&] {
    memtables.fill(memtables.room_records());
    memtables.switch_active();
  };
  EXPECT_FALSE(memtables.flush_due());
  fill_one();
  double records = 0;
  double left = 0;
  const std::size_t first = memtables.start_flush(records, left);
  EXPECT_DOUBLE_EQ(records, parameters.memtable_records);
  fill_one();
  fill_one();
  EXPECT_EQ(memtables.immutable(), 3);  // the one being flushed counts until it is installed
  const std::size_t second = memtables.start_flush(records, left);
  EXPECT_DOUBLE_EQ(records, 2 * parameters.memtable_records);
  EXPECT_DOUBLE_EQ(left, distinct_records(records, 1e6));
  EXPECT_EQ(memtables.buffers_of(second), 2);
  EXPECT_FALSE(memtables.flush_due());

  // The second ends first: its file waits for the first one's.
  std::vector<double> installed;
  const auto install = [&](double flushed) { installed.push_back(flushed); };
  memtables.finish_flush(second, install);
  EXPECT_TRUE(installed.empty());
  EXPECT_EQ(memtables.immutable(), 3);
  memtables.finish_flush(first, install);
  ASSERT_EQ(installed.size(), 2U);
  EXPECT_LT(installed[0], installed[1]);
  EXPECT_EQ(memtables.immutable(), 0);
}

TEST(Memtables, WaitUntilEnoughToMerge) {
  Problem problem = small_problem();
  problem.facts.min_write_buffer_number_to_merge = 2;
  problem.settings.set(Knob::max_write_buffer_number, 4);
  const Parameters parameters = make_parameters(problem);
  Memtables memtables(parameters, problem.tree);
  memtables.switch_active();
  EXPECT_FALSE(memtables.flush_due());
  memtables.switch_active();
  EXPECT_TRUE(memtables.flush_due());
}

TEST(Memtables, StartAsMeasured) {
  Problem problem = small_problem();
  problem.constants.memtable_bytes_per_record = 1000;
  problem.tree.active_memtable_bytes = 500e3;
  problem.tree.immutable_memtables = 1;
  const Parameters parameters = make_parameters(problem);
  const Memtables memtables(parameters, problem.tree);
  EXPECT_DOUBLE_EQ(memtables.active_records(), 500);
  EXPECT_TRUE(memtables.flush_due());
}

}  // namespace
}  // namespace lsmtuned::model::simulator
