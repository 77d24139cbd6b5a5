#include "model/simulator/levels.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

#include "model/tree.h"
#include "tests/unit/simulator/support.h"

namespace lsmtuned::model::simulator {
namespace {

using testing::small_problem;

struct Fixture {
  explicit Fixture(const Problem& problem)
      : parameters(make_parameters(problem)), levels(parameters) {}
  Parameters parameters;
  Levels levels;
  std::array<ScoredLevel, kMaxLevels> scores{};
};

// Targets 16, 160, 1600 MiB; trigger 4. L0: 8 files of 4 MiB: max(8/4, 32/16) = 2. L1: 48/16 = 3.
// L2: 152/160 < 1. L3: 1760/1600 = 1.1.
TEST(Levels, ScoresInDescendingOrder) {
  Fixture f(small_problem());
  f.levels.add(0, 32 * kMiB);
  f.levels.set_l0_files(8, 8);
  f.levels.add(1, 48 * kMiB);
  f.levels.add(2, 152 * kMiB);
  f.levels.add(3, 1760 * kMiB);
  ASSERT_EQ(f.levels.scores(f.scores), 3U);
  EXPECT_EQ(f.scores[0].level, 1U);
  EXPECT_DOUBLE_EQ(f.scores[0].score, 3);
  EXPECT_EQ(f.scores[1].level, 0U);
  EXPECT_DOUBLE_EQ(f.scores[1].score, 2);
  EXPECT_EQ(f.scores[2].level, 3U);
  EXPECT_DOUBLE_EQ(f.scores[2].score, 1.1);
}

// Equal scores: L0 first, as RocksDB's stable sort leaves it.
TEST(Levels, TiesGoToTheUpperLevel) {
  Fixture f(small_problem());
  f.levels.add(0, 4 * kMiB);
  f.levels.set_l0_files(8, 8);
  f.levels.add(1, 32 * kMiB);
  ASSERT_EQ(f.levels.scores(f.scores), 2U);
  EXPECT_EQ(f.scores[0].level, 0U);
  EXPECT_DOUBLE_EQ(f.scores[0].score, f.scores[1].score);
}

// Files inside a running job count for the estimate, not for scores: L1 has 40 - 30 free, below 16.
TEST(Levels, BusyFilesHaveNoScore) {
  Fixture f(small_problem());
  f.levels.add(1, 40 * kMiB);
  f.levels.settle();
  const double pending = f.levels.pending_bytes();
  f.levels.mark_busy(1, 30 * kMiB);
  EXPECT_EQ(f.levels.scores(f.scores), 0U);
  f.levels.settle();
  EXPECT_EQ(f.levels.pending_bytes(), pending);
  f.levels.unmark_busy(1, 30 * kMiB);
  EXPECT_EQ(f.levels.scores(f.scores), 1U);
}

// L0 triggered: 20 MiB, and L1 whole: 24. L1 with L0's bytes is 44, 28 over its 16; L2 holds 220:
// 28 x (220/44 + 1) = 168. Carried: 220 + 28 = 248, 88 over 160, L3 holds 496: 88 x (496/248 + 1) =
// 264. Together 20 + 24 + 168 + 264 = 476.
TEST(Levels, PendingEstimateByHand) {
  Fixture f(small_problem());
  f.levels.add(0, 20 * kMiB);
  f.levels.set_l0_files(5, 5);
  f.levels.add(1, 24 * kMiB);
  f.levels.add(2, 220 * kMiB);
  f.levels.add(3, 496 * kMiB);
  f.levels.settle();
  EXPECT_NEAR(f.levels.pending_bytes() / kMiB, 476, 1e-9);
}

TEST(Levels, PendingIsZeroBelowTheTrigger) {
  Fixture f(small_problem());
  f.levels.add(0, 12 * kMiB);
  f.levels.set_l0_files(3, 3);
  f.levels.add(1, 16 * kMiB);
  f.levels.settle();
  EXPECT_EQ(f.levels.pending_bytes(), 0);
}

double any_bytes() {
  return *rc::gen::inRange(0, 4000) * kMiB / 2;
}

// The incremental estimate is model/tree.h's, static and dynamic.
RC_GTEST_PROP(LevelsProperty, PendingAgreesWithTheTree, (bool dynamic)) {
  Problem problem = small_problem();
  problem.facts.dynamic_level_bytes = dynamic;
  std::vector<double> bytes(7, 0.0);
  for (double& level : bytes) level = any_bytes();
  problem.tree.levels.resize(7);
  for (std::size_t l = 0; l < 7; ++l) problem.tree.levels[l].bytes = bytes[l];
  const double files = *rc::gen::inRange(0, 40);

  Fixture f(problem);
  f.levels.set_l0_files(files, files);
  for (std::size_t l = 0; l < 7; ++l) f.levels.add(l, bytes[l]);
  f.levels.settle();
  const LevelTargets targets = level_targets(bytes, problem.settings, problem.facts);
  RC_ASSERT(f.levels.base_level_stands());
  RC_ASSERT(f.parameters.base_level == targets.base_level);
  for (std::size_t l = targets.base_level; l < 7; ++l) {
    const double target = targets.bytes[l];  // infinite in an empty dynamic tree
    RC_ASSERT(f.levels.target(l) == target ||
              std::abs(f.levels.target(l) - target) <= 1e-9 * target);
  }
  const double expected = pending_bytes(bytes, files, problem.settings, problem.facts);
  RC_ASSERT(std::abs(f.levels.pending_bytes() - expected) <= 1e-9 * (expected + 1));
}

// An empty tree under dynamic levels compacts into the last level; 17 MiB there are more than the
// 16 MiB base, so L5 would become the base level.
TEST(Levels, ADynamicBaseLevelThatWouldMoveIsNoticed) {
  Problem problem = small_problem();
  problem.facts.dynamic_level_bytes = true;
  Fixture f(problem);
  EXPECT_EQ(f.parameters.base_level, 6U);
  f.levels.add(6, 15 * kMiB);
  f.levels.settle();
  EXPECT_TRUE(f.levels.base_level_stands());
  f.levels.add(6, 2 * kMiB);
  f.levels.settle();
  EXPECT_FALSE(f.levels.base_level_stands());
}

}  // namespace
}  // namespace lsmtuned::model::simulator
