#include "model/simulator/files_tree.h"

#include <gtest/gtest.h>

#include "tests/unit/simulator/support.h"

namespace lsmtuned::model::simulator {
namespace {

using testing::range;
using testing::small_problem;

struct Fixture {
  explicit Fixture(const Problem& problem)
      : parameters(make_parameters(problem)), tree(parameters, problem.tree, 1) {}
  Parameters parameters;
  FilesTree tree;
  Job job;
};

void add_l0(Problem& problem, int files) {
  for (int i = 0; i < files; ++i) problem.tree.levels[0].ranges.push_back(range(0, 1, 4e6));
}

// Every L0 file and every L1 file in range; the output is one merge of them all.
TEST(FilesTree, L0TakesTheWholeBatchAndAllOfL1) {
  Problem problem = small_problem();
  add_l0(problem, 23);
  for (int i = 0; i < 8; ++i) {
    problem.tree.levels[1].ranges.push_back(range(i / 8.0, (i + 1) / 8.0, 2e6));
  }
  Fixture f(problem);
  ASSERT_TRUE(f.tree.pick_base(f.job));
  EXPECT_EQ(f.job.kind, JobKind::l0_to_base);
  EXPECT_EQ(f.job.input_files, 31);
  EXPECT_DOUBLE_EQ(f.job.read_bytes, 23 * 4e6 + 16e6);
  // 4,000 of a million keys 23 times and 16,000 once: 1 - 0.996^23 x 0.984 = 0.102654.
  EXPECT_NEAR(f.job.written_bytes, 102.654e6, 0.001e6);
  Job other;
  EXPECT_FALSE(f.tree.pick_base(other));  // one at a time
  f.tree.install(f.job);
  const TreeShape shape = f.tree.shape();
  EXPECT_EQ(shape.levels[0].files, 0);
  EXPECT_NEAR(shape.levels[1].bytes, f.job.written_bytes, 1);
  EXPECT_DOUBLE_EQ(f.tree.levels().bytes(0), 0);
}

// Of three L1 files one overlaps 4 MB below per 2 MB, one 2 MB per 2 MB, one 2 MB per 1 MB: the
// second goes.
TEST(FilesTree, PicksTheLeastOverlapPerOwnByte) {
  Problem problem = small_problem();
  problem.tree.levels[1].ranges = {range(0.0, 0.3, 2e6), range(0.3, 0.6, 2e6),
                                   range(0.6, 0.9, 1e6)};
  problem.tree.levels[2].ranges = {range(0.0, 0.1, 2e6), range(0.1, 0.3, 2e6), range(0.3, 0.6, 2e6),
                                   range(0.6, 0.9, 2e6)};
  Fixture f(problem);
  ASSERT_TRUE(f.tree.pick_deeper(1, f.job));
  EXPECT_EQ(f.job.kind, JobKind::deeper);
  EXPECT_EQ(f.job.input_files, 2);
  EXPECT_DOUBLE_EQ(f.job.read_bytes, 4e6);
  // 2,000 and 2,000 records on 300,000 keys: 2,000 + 2,000 - 2,000 x 2,000 / 300,000 = 3,986.67.
  EXPECT_NEAR(f.job.written_bytes, 3986.67e3, 10);
  f.tree.install(f.job);
  EXPECT_EQ(f.tree.shape().levels[1].files, 2);
}

// Nothing below [0.5, 0.9]: four neighbours move without being written, a fifth stays.
TEST(FilesTree, MovesUpToFourFilesThatNothingOverlaps) {
  Problem problem = small_problem();
  for (int i = 0; i < 6; ++i) {
    problem.tree.levels[1].ranges.push_back(range(0.3 + i / 10.0, 0.4 + i / 10.0, 2e6));
  }
  problem.tree.levels[2].ranges = {range(0, 0.4, 2e6)};
  Fixture f(problem);
  ASSERT_TRUE(f.tree.pick_deeper(1, f.job));
  EXPECT_EQ(f.job.kind, JobKind::trivial_move);
  EXPECT_EQ(f.job.input_files, 4);
  EXPECT_EQ(f.job.written_bytes, 0);
  f.tree.install(f.job);
  const TreeShape shape = f.tree.shape();
  EXPECT_EQ(shape.levels[1].files, 2);
  EXPECT_EQ(shape.levels[2].files, 5);
  EXPECT_DOUBLE_EQ(shape.levels[1].bytes + shape.levels[2].bytes, 14e6);
}

// Another compression below: the file is rewritten, not moved.
TEST(FilesTree, AChangeOfCompressionForbidsTheMove) {
  Problem problem = small_problem();
  problem.constants.level_compression = {1, 1, 0.5};
  problem.tree.levels[1].ranges = {range(0.5, 0.6, 2e6)};
  Fixture f(problem);
  ASSERT_TRUE(f.tree.pick_deeper(1, f.job));
  EXPECT_EQ(f.job.kind, JobKind::deeper);
  EXPECT_NEAR(f.job.written_bytes, 1e6, 1);
}

// Moving 2 MB above 49 MB would make a compaction beyond max_compaction_bytes (50 MiB = 52.4 MB):
// 2 + 52 MB exceed it, so the file is rewritten.
TEST(FilesTree, NoMoveAboveTooManyGrandparents) {
  Problem problem = small_problem();
  problem.tree.levels[1].ranges = {range(0.4, 0.6, 2e6)};
  for (int i = 0; i < 26; ++i) {
    problem.tree.levels[3].ranges.push_back(range(0.4 + i / 130.0, 0.4 + (i + 1) / 130.0, 2e6));
  }
  Fixture f(problem);
  ASSERT_TRUE(f.tree.pick_deeper(1, f.job));
  EXPECT_EQ(f.job.kind, JobKind::deeper);
}

// The middle file's one overlap covers all three: taking the neighbours adds nothing below.
TEST(FilesTree, WidensTheInputsWhereThatAddsNothingBelow) {
  Problem problem = small_problem();
  problem.tree.levels[1].ranges = {range(0.1, 0.2, 1e6), range(0.2, 0.3, 2e6),
                                   range(0.3, 0.4, 1e6)};
  problem.tree.levels[2].ranges = {range(0, 0.5, 2e6)};
  Fixture f(problem);
  ASSERT_TRUE(f.tree.pick_deeper(1, f.job));
  EXPECT_EQ(f.job.input_files, 4);
}

// A running L1 -> L2 job holds an L1 file: L0 waits, and may compact within itself.
TEST(FilesTree, L0IsBlockedByABusyBaseFile) {
  Problem problem = small_problem();
  add_l0(problem, 6);
  problem.tree.levels[1].ranges = {range(0.2, 0.4, 2e6), range(0.6, 0.8, 2e6)};
  problem.tree.levels[2].ranges = {range(0.1, 0.5, 2e6)};
  Fixture f(problem);
  Job deeper;
  ASSERT_TRUE(f.tree.pick_deeper(1, deeper));
  EXPECT_FALSE(f.tree.pick_base(f.job));
  ASSERT_TRUE(f.tree.pick_intra_l0(f.job));
  EXPECT_EQ(f.job.input_files, 6);
  f.tree.install(deeper);
  EXPECT_FALSE(f.tree.pick_base(f.job));  // now the intra-L0 job is in the way
  Job intra = f.job;
  f.tree.install(intra);
  EXPECT_TRUE(f.tree.pick_base(f.job));
}

// Two jobs may leave one level as long as their outputs do not meet.
TEST(FilesTree, DisjointDeeperJobsRunTogether) {
  Problem problem = small_problem();
  problem.tree.levels[1].ranges = {range(0.1, 0.2, 2e6), range(0.15 + 0.05, 0.3, 2e6),
                                   range(0.6, 0.8, 2e6)};
  problem.tree.levels[2].ranges = {range(0.1, 0.3, 2e6), range(0.6, 0.8, 4e6)};
  Fixture f(problem);
  Job first;
  Job second;
  Job third;
  ASSERT_TRUE(f.tree.pick_deeper(1, first));
  EXPECT_EQ(first.input_files, 3);  // both files on the left, widened
  ASSERT_TRUE(f.tree.pick_deeper(1, second));
  EXPECT_EQ(second.input_files, 2);
  EXPECT_FALSE(f.tree.pick_deeper(1, third));
  f.tree.install(second);
  f.tree.install(first);
  EXPECT_EQ(f.tree.shape().levels[1].files, 0);
}

// Sequential keys: each flushed file lies beyond the last, so it moves down untouched.
TEST(FilesTree, SequentialKeysMoveTrivially) {
  Problem problem = small_problem();
  problem.workload.order = KeyOrder::sequential;
  problem.workload.distinct_keys = 0;
  problem.tree.levels[1].ranges = {range(0, 1, 2e6)};
  Fixture f(problem);
  for (int i = 0; i < 4; ++i) f.tree.add_flushed(1000);
  ASSERT_TRUE(f.tree.pick_base(f.job));
  EXPECT_EQ(f.job.kind, JobKind::trivial_move);
  EXPECT_EQ(f.job.input_files, 4);
  f.tree.install(f.job);
  EXPECT_EQ(f.tree.shape().levels[1].files, 5);
  EXPECT_NEAR(f.tree.shape().levels[1].ranges.back().high, 1, 1e-12);
}

TEST(FilesTree, LaysOutFilesWhereOnlyTotalsAreKnown) {
  Problem problem = small_problem();
  problem.tree.levels[2].bytes = 160e6;
  problem.tree.levels[2].files = 80;
  Fixture f(problem);
  const TreeShape shape = f.tree.shape();
  ASSERT_EQ(shape.levels[2].ranges.size(), 80U);
  EXPECT_NEAR(shape.levels[2].bytes, 160e6, 1);
  EXPECT_DOUBLE_EQ(shape.levels[2].ranges.front().low, 0);
  EXPECT_DOUBLE_EQ(shape.levels[2].ranges.back().high, 1);
}

}  // namespace
}  // namespace lsmtuned::model::simulator
