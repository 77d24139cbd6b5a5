#include "actuators/testing/faulty_target.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "actuators/testing/plant_target.h"
#include "model/units.h"
#include "support.h"

namespace lsmtuned::actuators::testing {
namespace {

using model::kMiB;
using model::Knob;
using std::chrono::milliseconds;

constexpr milliseconds kDeadline{1000};
const model::ChangeSet kGrow = {{kPlantFamily, Knob::write_buffer_size, 4 * kMiB, 16 * kMiB}};

class FaultyTargetTest : public ::testing::Test {
 protected:
  FaultyTargetTest() {
    PlantTargetOptions plant;
    plant.clock_s = [this] { return now_s_; };
    plant.plant.writer_ops_per_s = 500;
    plant_ = std::make_shared<PlantTarget>(plant);
    FaultyOptions options;
    options.delay = milliseconds(5);
    options.on_foreign_write = [this] {
      plant_->change_from_outside({{kPlantFamily, Knob::write_buffer_size, 0, 8 * kMiB}});
    };
    target_ = std::make_shared<FaultyTarget>(loop_.executor(), plant_, options);
  }
  Result<model::Snapshot> observe() {
    now_s_ += 1;
    return loop_.run(target_->observe(kDeadline));
  }
  double write_buffer() {
    return plant_->plant().settings().get(kPlantFamily, Knob::write_buffer_size).value();
  }

  Loop loop_;
  double now_s_ = 100;
  std::shared_ptr<PlantTarget> plant_;
  std::shared_ptr<FaultyTarget> target_;
};

TEST_F(FaultyTargetTest, WithoutFaultsIsTheTarget) {
  EXPECT_TRUE(observe());
  EXPECT_EQ(loop_.run(target_->apply(kGrow, false, kDeadline, nullptr)).applied, kGrow);
  EXPECT_EQ(loop_.run(target_->restore(false, kDeadline, nullptr)).status, ApplyStatus::ok);
  EXPECT_EQ(write_buffer(), 4 * kMiB);
  EXPECT_EQ(target_->info().kind, "plant");
}

TEST_F(FaultyTargetTest, LostAndLateSamples) {
  target_->arm(Fault::lost_sample, 2);
  EXPECT_FALSE(observe());
  EXPECT_FALSE(observe());
  target_->arm(Fault::late_sample);
  EXPECT_TRUE(observe());
  EXPECT_TRUE(observe());
  EXPECT_EQ(target_->injected(Fault::lost_sample), 2);
  EXPECT_EQ(target_->injected(Fault::late_sample), 1);
}

TEST_F(FaultyTargetTest, FailingApplyDoesNotReachTheTarget) {
  target_->arm(Fault::failing_apply);
  const auto report = loop_.run(target_->apply(kGrow, false, kDeadline, nullptr));
  EXPECT_EQ(report.status, ApplyStatus::failed);
  EXPECT_NE(report.error, "");
  EXPECT_EQ(plant_->options_calls(), 0u);
}

TEST_F(FaultyTargetTest, PendingThenLate) {
  for (const auto fault : {Fault::pending_late_ok, Fault::pending_late_fail}) {
    target_->arm(fault);
    std::promise<ApplyReport> late;
    auto result = late.get_future();
    const auto report = loop_.run(target_->apply(
        kGrow, false, kDeadline, [&](ApplyReport end) { late.set_value(std::move(end)); }));
    EXPECT_EQ(report.status, ApplyStatus::pending);
    const auto end = Loop::wait(std::move(result));
    const bool good = fault == Fault::pending_late_ok;
    EXPECT_EQ(end.status, good ? ApplyStatus::ok : ApplyStatus::failed);
    EXPECT_EQ(write_buffer(), good ? 16 * kMiB : 4 * kMiB);
    EXPECT_EQ(loop_.run(target_->restore(false, kDeadline, nullptr)).status, ApplyStatus::ok);
  }
}

TEST_F(FaultyTargetTest, DisconnectLastsUntilHealed) {
  target_->arm(Fault::disconnect);
  EXPECT_FALSE(target_->connected());
  EXPECT_FALSE(observe());
  EXPECT_EQ(loop_.run(target_->apply(kGrow, true, kDeadline, nullptr)).status,
            ApplyStatus::not_sent);
  EXPECT_FALSE(loop_.run(target_->attachment(kDeadline)));
  target_->heal();
  EXPECT_TRUE(observe());
}

TEST_F(FaultyTargetTest, CounterResetIsSeenAsGoingBackwards) {
  const auto before = observe().value();
  target_->arm(Fault::counter_reset);
  const auto after = observe().value();
  EXPECT_EQ(after.counters.user_bytes, 0);
  EXPECT_NE(model::refuse_reason(&before, after), "");
  const auto later = observe().value();
  EXPECT_GT(later.counters.user_bytes, 0);
  EXPECT_EQ(model::refuse_reason(&after, later), "");
}

TEST_F(FaultyTargetTest, ClockJumpIsRefusable) {
  const auto before = observe().value();
  target_->arm(Fault::clock_jump);
  EXPECT_NE(model::refuse_reason(&before, observe().value()), "");
  EXPECT_EQ(model::refuse_reason(&before, observe().value()), "");
}

TEST_F(FaultyTargetTest, ForeignWriteShowsInTheSettings) {
  target_->arm(Fault::foreign_write);
  EXPECT_EQ(observe().value().settings.get(kPlantFamily, Knob::write_buffer_size), 8 * kMiB);
}

TEST_F(FaultyTargetTest, RandomFaultsRepeatWithTheirSeed) {
  const auto run = [this](std::uint64_t seed) {
    target_->arm_randomly(seed, 0.2);
    std::vector<bool> came;
    for (int i = 0; i < 60; ++i) came.push_back(observe().has_value());
    target_->heal();
    return came;
  };
  const auto first = run(7);
  EXPECT_EQ(run(7), first);
  EXPECT_NE(run(8), first);
}

}  // namespace
}  // namespace lsmtuned::actuators::testing
