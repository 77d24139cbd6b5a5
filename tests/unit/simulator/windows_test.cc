#include <gtest/gtest.h>

#include <tuple>

#include "model/simulator/simulate.h"
#include "tests/unit/simulator/support.h"

namespace lsmtuned::model::testing {
namespace {

SimulationOptions by(SimulationLayer layer) {
  SimulationOptions options;
  options.layer = layer;
  return options;
}

// The same run whether it is looked at once or twice. A mark where a window ends splits a step in
// two, so sums may differ in their last digits.
TEST(Windows, EachIsTheMeanThatARunOfItsOwnGives) {
  for (const auto layer : {SimulationLayer::totals, SimulationLayer::files}) {
    Problem problem = settled_problem();
    const auto windows = simulate_windows(problem, by(layer), {{20, 60}, {100, 40}});
    ASSERT_TRUE(windows) << windows.error().text();
    ASSERT_EQ(windows->size(), 2U);
    SimulationOptions options = by(layer);
    for (const auto& [index, begin, length] :
         {std::tuple(0, 20.0, 60.0), std::tuple(1, 100.0, 40.0)}) {
      options.warmup_s = begin;
      problem.horizon_s = length;
      const auto alone = simulate(problem, options);
      ASSERT_TRUE(alone);
      const Simulation& window = windows->at(static_cast<std::size_t>(index));
      EXPECT_NEAR(window.put_bytes_per_s / alone->put_bytes_per_s, 1, 1e-6);
      EXPECT_NEAR(window.write_amplification / alone->write_amplification, 1, 1e-6);
      EXPECT_EQ(window.l0_compactions, alone->l0_compactions);
      EXPECT_EQ(window.flushes, alone->flushes);
      EXPECT_NEAR(window.pending_bytes_cycle_end, alone->pending_bytes_cycle_end,
                  1e-6 * alone->pending_bytes_cycle_end + 1);
    }
  }
}

TEST(Windows, OverlappingOnesAndEnsemblesAreRefused) {
  const Problem problem = settled_problem();
  SimulationOptions options = by(SimulationLayer::totals);
  EXPECT_FALSE(simulate_windows(problem, options, {}));
  EXPECT_FALSE(simulate_windows(problem, options, {{0, 10}, {5, 10}}));
  EXPECT_FALSE(simulate_windows(problem, options, {{0, 0}}));
  options.members = 2;
  EXPECT_FALSE(simulate_windows(problem, options, {{0, 10}}));
}

TEST(Windows, WorkGrowsWithTheTimeSimulated) {
  Problem problem = settled_problem();
  for (const auto layer : {SimulationLayer::totals, SimulationLayer::files}) {
    problem.horizon_s = 60;
    const auto shorter = simulate(problem, by(layer));
    problem.horizon_s = 240;
    const auto longer = simulate(problem, by(layer));
    ASSERT_TRUE(shorter && longer);
    EXPECT_GT(shorter->work, 0);
    EXPECT_GT(longer->work, 2 * shorter->work);
  }
}

}  // namespace
}  // namespace lsmtuned::model::testing
