#include "model/simulator/totals_tree.h"

#include <gtest/gtest.h>

#include "tests/unit/simulator/support.h"

namespace lsmtuned::model::simulator {
namespace {

using testing::small_problem;

struct Fixture {
  explicit Fixture(const Problem& problem)
      : parameters(make_parameters(problem)), tree(parameters, problem.tree, 1) {}
  Parameters parameters;
  TotalsTree tree;
  Job job;
};

// As in the files layer: 1 - 0.996^23 x 0.984 of a million keys.
TEST(TotalsTree, L0TakesTheWholeBatchAndAllOfL1) {
  Problem problem = small_problem();
  problem.tree.levels[0].bytes = 92e6;
  problem.tree.levels[0].files = 23;
  problem.tree.levels[1].bytes = 16e6;
  problem.tree.levels[1].files = 8;
  Fixture f(problem);
  ASSERT_TRUE(f.tree.pick_base(f.job));
  EXPECT_DOUBLE_EQ(f.job.read_bytes, 108e6);
  EXPECT_NEAR(f.job.written_bytes, 102.654e6, 0.001e6);
  f.tree.install(f.job);
  EXPECT_EQ(f.tree.levels().l0_files(), 0);
  EXPECT_NEAR(f.tree.shape().levels[1].bytes, 102.654e6, 0.001e6);
}

// One of eight L1 files (2 MB, an eighth of L1) meets o_2 = 0.55 of an eighth of L2's 160 MB: 11 MB
// of it. Over that 0.55/8 of a million keys: 2,000 + 11,000 - 2,000 x 11,000 / 68,750 = 12,680.
TEST(TotalsTree, ADeeperJobTakesOneFileAndItsOverlap) {
  Problem problem = small_problem();
  problem.tree.levels[1].bytes = 16e6;
  problem.tree.levels[1].files = 8;
  problem.tree.levels[2].bytes = 160e6;
  problem.tree.levels[2].files = 80;
  Fixture f(problem);
  ASSERT_TRUE(f.tree.pick_deeper(1, f.job));
  EXPECT_NEAR(f.job.read_bytes, 13e6, 1);
  EXPECT_NEAR(f.job.written_bytes, 12.68e6, 1);
  EXPECT_FALSE(f.tree.pick_base(f.job));  // L1 is busy
}

TEST(TotalsTree, MovesIntoAnEmptyLevel) {
  Problem problem = small_problem();
  problem.tree.levels[1].bytes = 16e6;
  problem.tree.levels[1].files = 8;
  Fixture f(problem);
  ASSERT_TRUE(f.tree.pick_deeper(1, f.job));
  EXPECT_EQ(f.job.kind, JobKind::trivial_move);
  f.tree.install(f.job);
  EXPECT_NEAR(f.tree.shape().levels[2].bytes, 2e6, 1);
}

}  // namespace
}  // namespace lsmtuned::model::simulator
