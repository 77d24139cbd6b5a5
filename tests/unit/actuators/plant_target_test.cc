#include "actuators/testing/plant_target.h"

#include <gtest/gtest.h>

#include <memory>

#include "model/units.h"
#include "support.h"

namespace lsmtuned::actuators::testing {
namespace {

using model::kMiB;
using model::Knob;
using std::chrono::milliseconds;

constexpr milliseconds kDeadline{1000};
const model::ChangeSet kGrow = {{kPlantFamily, Knob::write_buffer_size, 4 * kMiB, 16 * kMiB}};

class PlantTargetTest : public ::testing::Test {
 protected:
  PlantTargetTest() {
    options_.clock_s = [this] { return now_s_; };
    options_.lease_expired = [this] { ++expired_; };
    // Light enough to be never stopped.
    options_.plant.writer_ops_per_s = 500;
    target_ = std::make_unique<PlantTarget>(options_);
  }
  double write_buffer() {
    return loop_.run(target_->observe(kDeadline))
        .value()
        .settings.get(kPlantFamily, Knob::write_buffer_size)
        .value();
  }
  ApplyReport apply(const model::ChangeSet& changes, bool revert = false) {
    return loop_.run(target_->apply(changes, revert, kDeadline, nullptr));
  }

  double now_s_ = 100;
  int expired_ = 0;
  PlantTargetOptions options_;
  std::unique_ptr<PlantTarget> target_;
  Loop loop_;
};

TEST_F(PlantTargetTest, FollowsTheClock) {
  const auto first = loop_.run(target_->observe(kDeadline)).value();
  now_s_ += 5;
  const auto second = loop_.run(target_->observe(kDeadline)).value();
  EXPECT_EQ(second.time_s - first.time_s, 5);
  EXPECT_NEAR(second.database_uptime_s - first.database_uptime_s, 5, 0.01);
  EXPECT_NEAR(second.counters.keys_written - first.counters.keys_written, 2500, 5);
  EXPECT_EQ(model::refuse_reason(&first, second), "");
}

TEST_F(PlantTargetTest, AppliesRemembersAndRestores) {
  const auto report = apply(kGrow);
  EXPECT_EQ(report.status, ApplyStatus::ok);
  EXPECT_EQ(report.applied, kGrow);
  EXPECT_EQ(write_buffer(), 16 * kMiB);
  const auto held = loop_.run(target_->attachment(kDeadline)).value();
  EXPECT_EQ(held.baseline, plant_default_settings());
  EXPECT_EQ(held.ours, kGrow);
  EXPECT_EQ(loop_.run(target_->restore(false, kDeadline, nullptr)).applied, model::reversed(kGrow));
  EXPECT_EQ(write_buffer(), 4 * kMiB);
}

TEST_F(PlantTargetTest, LeaseRunsOutWithoutHeartbeats) {
  apply(kGrow);
  for (int i = 0; i < 6; ++i) {
    now_s_ += 5;
    target_->heartbeat(milliseconds(10000));
  }
  EXPECT_EQ(write_buffer(), 16 * kMiB);
  now_s_ += 10.5;
  EXPECT_EQ(write_buffer(), 4 * kMiB);
  EXPECT_EQ(expired_, 1);
}

TEST_F(PlantTargetTest, KeptValuesOutliveTheLease) {
  apply(kGrow);
  EXPECT_TRUE(loop_.run(target_->keep_without_lease(kDeadline)));
  now_s_ += 1000;
  EXPECT_EQ(write_buffer(), 16 * kMiB);
  EXPECT_EQ(expired_, 0);
}

TEST_F(PlantTargetTest, ForeignValueStays) {
  apply(kGrow);
  target_->change_from_outside({{kPlantFamily, Knob::write_buffer_size, 0, 8 * kMiB}});
  now_s_ += 20;
  EXPECT_EQ(write_buffer(), 8 * kMiB);
  const auto held = loop_.run(target_->attachment(kDeadline)).value();
  EXPECT_EQ(held.baseline.get(kPlantFamily, Knob::write_buffer_size), 8 * kMiB);
  EXPECT_TRUE(held.ours.empty());
}

TEST_F(PlantTargetTest, AdoptedValueIsTheNewBaseline) {
  apply(kGrow);
  EXPECT_TRUE(loop_.run(target_->adopt(kGrow, kDeadline)));
  EXPECT_TRUE(loop_.run(target_->restore(false, kDeadline, nullptr)).applied.empty());
  EXPECT_EQ(write_buffer(), 16 * kMiB);
}

TEST_F(PlantTargetTest, DoesNotSetWhileStopped) {
  auto& plant = target_->plant();
  plant.set_writer_ops_per_s(60000);
  plant.change({{kPlantFamily, Knob::level0_stop_writes_trigger, 36, 5},
                {kPlantFamily, Knob::level0_slowdown_writes_trigger, 20, 4}});
  for (int i = 0; i < 100000 && !target_->plant().write_stopped(); ++i) now_s_ += 0.01;
  ASSERT_TRUE(target_->plant().write_stopped());
  EXPECT_EQ(apply(kGrow).status, ApplyStatus::not_sent);
  EXPECT_EQ(target_->options_calls(), 0u);
  EXPECT_EQ(apply(kGrow, true).status, ApplyStatus::ok);
}

TEST_F(PlantTargetTest, UnknownKnobFails) {
  EXPECT_EQ(apply({{"", Knob::rate_limiter_bytes_per_second, 1e6, 2e6}}).status,
            ApplyStatus::failed);
}

TEST_F(PlantTargetTest, ReopenIsANewIncarnationWithoutOurValues) {
  now_s_ += 10;
  apply(kGrow);
  target_->reopen();
  const auto now = loop_.run(target_->observe(kDeadline)).value();
  EXPECT_EQ(now.incarnation, 2u);
  EXPECT_LT(now.database_uptime_s, 1);
  EXPECT_EQ(now.counters.keys_written, 0);
  EXPECT_EQ(now.settings, plant_default_settings());
}

TEST_F(PlantTargetTest, DisconnectedAnswersNothing) {
  target_->set_connected(false);
  EXPECT_FALSE(loop_.run(target_->observe(kDeadline)));
  EXPECT_FALSE(loop_.run(target_->attachment(kDeadline)));
  EXPECT_EQ(apply(kGrow).status, ApplyStatus::not_sent);
}

}  // namespace
}  // namespace lsmtuned::actuators::testing
