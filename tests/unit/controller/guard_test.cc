#include "controller/guard.h"

#include <gtest/gtest.h>

#include "driver.h"

namespace lsmtuned::controller {
namespace {

using model::Knob;
using testing::Driver;

struct Guard : ::testing::Test {
  Driver driver;
  model::Snapshot snapshot = driver.snapshot();
  config::Policy policy = Driver::base_policy();

  GuardVerdict check(Knob knob, double value) const {
    const bool family = model::info(knob).scope == model::KnobScope::family;
    const model::KnobChange change{family ? "default" : "", knob,
                                   snapshot.settings.get("default", knob).value_or(0), value};
    return check_changes(snapshot, {change}, policy, 2, {});
  }
};

TEST_F(Guard, OpenForAPlainChange) {
  EXPECT_EQ(check(Knob::level0_slowdown_writes_trigger, 34).gate, Gate::open);
}
TEST_F(Guard, ClosedForNothing) {
  EXPECT_EQ(check_changes(snapshot, {}, policy, 2, {}).gate, Gate::closed);
}
TEST_F(Guard, ClosedForAKnobThatThePolicyLeavesOut) {
  policy.knobs = {Knob::write_buffer_size};
  EXPECT_EQ(check(Knob::level0_slowdown_writes_trigger, 34).reason, "knob");
}
TEST_F(Guard, ClosedForAnOldStart) {
  const model::KnobChange change{"default", Knob::level0_slowdown_writes_trigger, 21, 34};
  EXPECT_EQ(check_changes(snapshot, {change}, policy, 2, {}).reason, "stale");
}
TEST_F(Guard, ClosedOutsideThePolicysBounds) {
  policy.bounds[Knob::level0_slowdown_writes_trigger] = {10, 30};
  EXPECT_EQ(check(Knob::level0_slowdown_writes_trigger, 34).reason, "invariants");
  EXPECT_EQ(check(Knob::level0_slowdown_writes_trigger, 30).gate, Gate::open);
}
TEST_F(Guard, MemoryMayNotGrowWithoutABudget) {
  policy.memory_budget_bytes = 0;
  EXPECT_EQ(check(Knob::write_buffer_size, 8.0 * 1024 * 1024).gate, Gate::closed);
  EXPECT_EQ(check(Knob::write_buffer_size, 2.0 * 1024 * 1024).gate, Gate::open);
}
TEST_F(Guard, WaitsWhileStopped) {
  snapshot.state.write_stopped = true;
  EXPECT_EQ(check(Knob::level0_slowdown_writes_trigger, 34).gate, Gate::wait);
}
TEST_F(Guard, WaitsWhileDelayedUnlessTheCauseIsCleared) {
  snapshot.families[0].levels[0].files = 25;  // at or above 20: delayed
  EXPECT_EQ(check(Knob::write_buffer_size, 2.0 * 1024 * 1024).gate, Gate::wait);
  EXPECT_EQ(check(Knob::level0_slowdown_writes_trigger, 25).gate, Gate::wait);
  EXPECT_EQ(check(Knob::level0_slowdown_writes_trigger, 26).gate, Gate::open);
}
// A base level of 10 MB leaves L1 at 60 MB, 50 above its target. While L2 is empty nothing is
// pending for that; with the first file that moves down all 50 are (and what they meet in L2).
TEST_F(Guard, ClosedWhenItWouldStallWithTheFirstFileThatMovesDown) {
  auto& family = snapshot.families[0];
  for (auto& level : family.levels) level = {};
  family.levels[1].size_bytes = 60e6;
  family.levels[1].files = 10;
  family.pending_compaction_bytes = 0;
  auto& settings = snapshot.settings;
  settings.set("default", Knob::max_bytes_for_level_base, 80e6);
  settings.set("default", Knob::max_bytes_for_level_multiplier, 10);
  settings.set("default", Knob::hard_pending_compaction_bytes_limit, 1e12);
  const model::ChangeSet smaller = {{"default", Knob::max_bytes_for_level_base, 80e6, 10e6}};
  settings.set("default", Knob::soft_pending_compaction_bytes_limit, 55e6);
  EXPECT_EQ(would_stall(snapshot, smaller), "");
  settings.set("default", Knob::soft_pending_compaction_bytes_limit, 45e6);
  EXPECT_NE(would_stall(snapshot, smaller), "");
}
TEST_F(Guard, ClosedWhenItWouldStallNow) {
  EXPECT_EQ(check(Knob::level0_slowdown_writes_trigger, 10).reason, "would_stall");
}

TEST(Near, WithinTenPerCentOfTheSameKnobs) {
  const model::ChangeSet failed{{"default", Knob::write_buffer_size, 4e6, 8e6}};
  EXPECT_TRUE(near({{"default", Knob::write_buffer_size, 4e6, 8.7e6}}, failed));
  EXPECT_FALSE(near({{"default", Knob::write_buffer_size, 4e6, 9e6}}, failed));
  EXPECT_FALSE(near({{"other", Knob::write_buffer_size, 4e6, 8e6}}, failed));
  EXPECT_FALSE(near({{"default", Knob::max_write_buffer_number, 2, 4}}, failed));
}

TEST_F(Guard, ARevertBesideAForeignChangeStaysOrdered) {
  // We moved trigger 8 -> 4; someone else then set the slowdown trigger to 6.
  auto& family = snapshot.settings.families["default"];
  family.set(Knob::level0_slowdown_writes_trigger, 6);
  family.set(Knob::write_buffer_size, 8e6);
  const model::ChangeSet back{{"default", Knob::level0_file_num_compaction_trigger, 4, 8},
                              {"default", Knob::write_buffer_size, 8e6, 4e6}};
  const auto legal = legal_revert(snapshot, back, 2);
  ASSERT_EQ(legal.size(), 1U);
  EXPECT_EQ(legal[0].knob, Knob::write_buffer_size);
}

TEST(FreezeWindow, WrapsOverMidnight) {
  // Played in tests/scenarios/freeze_window.txt too; here the ends.
  Driver d;
  auto policy = Driver::base_policy();
  policy.freeze_windows = {{"22:00", "06:00"}, {"12:00", "12:30"}};
  d.feed(PolicyChanged{policy});
  d.attach();
  const auto frozen_at = [&](double minute) {
    d.minute = minute;
    d.poll();
    return d.state.phase == Phase::frozen;
  };
  EXPECT_TRUE(frozen_at(1320));
  EXPECT_TRUE(frozen_at(0));
  EXPECT_FALSE(frozen_at(360));
  EXPECT_TRUE(frozen_at(720));
  EXPECT_FALSE(frozen_at(750));
}

// Failed: buffers 4 -> 16 (ln 4 = 1.39), trigger 4 -> 8 (0.69).
TEST(Tried, TheSameMoveByHalfToOneAndAHalfTimesAsMuch) {
  const auto change = [](Knob knob, double from, double to) {
    return model::KnobChange{"default", knob, from, to};
  };
  const model::ChangeSet failed = {change(Knob::write_buffer_size, 4e6, 16e6),
                                   change(Knob::level0_file_num_compaction_trigger, 4, 8)};
  const auto again = [&](double buffer, double trigger) {
    return tried({change(Knob::write_buffer_size, 4e6, buffer),
                  change(Knob::level0_file_num_compaction_trigger, 4, trigger)},
                 failed);
  };
  EXPECT_TRUE(again(12e6, 7));     // 1.10 and 0.56
  EXPECT_FALSE(again(7e6, 8));     // 0.56: less than half of 1.39
  EXPECT_FALSE(again(2e6, 8));     // the other way
  EXPECT_FALSE(again(16e6, 4.2));  // the trigger stays
  // A knob more that moves far is another candidate; one that follows a little is not.
  model::ChangeSet more = failed;
  more.push_back(change(Knob::target_file_size_base, 8e6, 8.5e6));
  EXPECT_TRUE(tried(more, failed));
  more.back().new_value = 32e6;
  EXPECT_FALSE(tried(more, failed));
}

}  // namespace
}  // namespace lsmtuned::controller
