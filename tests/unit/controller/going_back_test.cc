// What going back to the baseline costs, with the arithmetic.
#include "controller/going_back.h"

#include <gtest/gtest.h>

#include "model/units.h"

#include "driver.h"

namespace lsmtuned::controller {
namespace {

using model::kMiB;
using model::Knob;
using testing::Driver;

class GoingBack : public ::testing::Test {
 protected:
  GoingBack() {
    d.attach();
    d.poll(1);
    auto& family = d.state.last->families.front();
    family.levels.assign(3, {});
    family.levels[1].size_bytes = 40 * kMiB;
    family.levels[2].size_bytes = 400 * kMiB;
    family.sst_bytes = 440 * kMiB;
    settings().set("default", Knob::max_bytes_for_level_multiplier, 10);
    settings().set("default", Knob::max_bytes_for_level_base, 40 * kMiB);
    d.state.persistent.baseline = settings();
    d.state.persistent.baseline.set("default", Knob::max_bytes_for_level_base, 20 * kMiB);
    d.state.persistent.calibration.write_bandwidth = 11 * kMiB;
  }
  model::Settings& settings() { return d.state.last->settings; }
  Driver d;
};

// L1 holds 20 MiB more than its target of before; each comes with 400 / 40 of L2: 20 x 11 = 220
// MiB. At 11 MiB/s that is 20 s. The last level has no target.
TEST_F(GoingBack, AddsWhatASmallerBaseLevelLeavesAbove) {
  const CostOfGoingBack cost = cost_of_going_back(d.state);
  EXPECT_DOUBLE_EQ(cost.pending_bytes, 220 * kMiB);
  EXPECT_DOUBLE_EQ(cost.seconds, 20);
  EXPECT_EQ(describe(cost), "adds 220 MiB of pending compaction, 20.0 s of the device");
}

TEST_F(GoingBack, IsNotTimedWithoutABandwidth) {
  d.state.persistent.calibration.write_bandwidth = 0;
  EXPECT_EQ(describe(cost_of_going_back(d.state)), "adds 220 MiB of pending compaction");
}

TEST_F(GoingBack, IsNotWorthTellingWhereNothingOrLessIsPending) {
  d.state.persistent.baseline = settings();
  EXPECT_EQ(describe(cost_of_going_back(d.state)), "");
  d.state.persistent.baseline.set("default", Knob::max_bytes_for_level_base, 80 * kMiB);
  EXPECT_EQ(describe(cost_of_going_back(d.state)), "");
  d.state.last.reset();
  EXPECT_EQ(describe(cost_of_going_back(d.state)), "");
}

// Of a tree of 440 MiB 2 % are 8.8 MiB: 0.7 MiB x 11 are not worth telling, 0.9 x 11 are.
TEST_F(GoingBack, IsToldFromTwoPercentOfTheTreeOn) {
  d.state.persistent.baseline.set("default", Knob::max_bytes_for_level_base, 39.3 * kMiB);
  EXPECT_EQ(cost_of_going_back(d.state).pending_bytes, 0);
  d.state.persistent.baseline.set("default", Knob::max_bytes_for_level_base, 39.1 * kMiB);
  EXPECT_NEAR(cost_of_going_back(d.state).pending_bytes, 9.9 * kMiB, 1);
}

// Another family whose debt would go does not make this one's smaller.
TEST_F(GoingBack, AddsUpFamiliesThatGetMore) {
  d.state.last->families.push_back(d.state.last->families.front());
  d.state.last->families.back().name = "other";
  const auto base = Knob::max_bytes_for_level_base;
  settings().set("other", Knob::max_bytes_for_level_multiplier, 10);
  settings().set("other", base, 20 * kMiB);
  d.state.persistent.baseline.set("other", Knob::max_bytes_for_level_multiplier, 10);
  d.state.persistent.baseline.set("other", base, 40 * kMiB);
  EXPECT_DOUBLE_EQ(cost_of_going_back(d.state).pending_bytes, 220 * kMiB);
}

TEST_F(GoingBack, IsInTheRecordOfAnOperatorsRevert) {
  d.state.persistent.kept = model::difference(d.state.persistent.baseline, settings());
  d.command(OperatorCommand::Kind::revert);
  EXPECT_NE(d.decision(DecisionKind::revert).explanation.find("it adds 220 MiB of pending"),
            std::string::npos)
      << d.decision(DecisionKind::revert).explanation;
}

}  // namespace
}  // namespace lsmtuned::controller
