#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "model/simulator/simulate.h"
#include "tests/unit/simulator/support.h"

namespace lsmtuned::model {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(CheckProblem, ASoundOneHasNoFaults) {
  EXPECT_THAT(testing::settled_problem().check(), IsEmpty());
}

TEST(CheckProblem, NamesEveryFault) {
  Problem problem = testing::settled_problem();
  problem.device.write_bytes_per_s = 0;
  problem.workload.distinct_keys = -1;
  problem.horizon_s = std::numeric_limits<double>::quiet_NaN();
  problem.tree.levels[1].ranges = {{0.5, 0.2, 10, 10}};
  EXPECT_THAT(problem.check(),
              ::testing::IsSupersetOf({HasSubstr("device.write_bytes_per_s"),
                                       HasSubstr("workload.distinct_keys"), HasSubstr("horizon_s"),
                                       HasSubstr("tree.levels[1].ranges")}));
}

TEST(CheckProblem, WhatIsNotModelledIsRefused) {
  Problem problem = testing::settled_problem();
  problem.facts.style = CompactionStyle::universal;
  EXPECT_THAT(problem.check(), ElementsAre(HasSubstr("universal and FIFO")));
  problem.facts.style = CompactionStyle::level;
  problem.facts.disable_auto_compactions = true;
  EXPECT_THAT(problem.check(), ElementsAre(HasSubstr("disable_auto_compactions")));
}

TEST(CheckProblem, WritersThatWouldHangAreRefused) {
  Problem problem = testing::settled_problem();
  problem.facts.min_write_buffer_number_to_merge = 2;
  EXPECT_THAT(problem.check(), ElementsAre(HasSubstr("would hang")));
}

TEST(CheckProblem, SimulateReportsThemAsAnError) {
  Problem problem = testing::settled_problem();
  problem.device.write_bytes_per_s = -1;
  SimulationOptions options;
  options.members = 0;
  const auto result = simulate(problem, options);
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().what,
              AllOf(HasSubstr("device.write_bytes_per_s"), HasSubstr("options.members")));
}

}  // namespace
}  // namespace lsmtuned::model
