#include "model/stall.h"

#include <gtest/gtest.h>

#include "model/units.h"
#include "tests/unit/model/support.h"

namespace lsmtuned::model {
namespace {

using testing::family_with;

KnobValues defaults() {
  return testing::default_settings().families.at("default");
}

struct Case {
  const char* name;
  StallInputs inputs;
  double buffers;
  StallVerdict verdict;
};

class StallPredicate : public ::testing::TestWithParam<Case> {};

TEST_P(StallPredicate, FollowsRocksdb) {
  KnobValues settings = defaults();
  settings.set(Knob::max_write_buffer_number, GetParam().buffers);
  const StallVerdict verdict = stall_verdict(GetParam().inputs, settings, {});
  EXPECT_EQ(verdict, GetParam().verdict)
      << to_text(verdict.condition) << " by " << to_text(verdict.cause);
}

constexpr StallVerdict kNormal{};
constexpr StallVerdict stop(StallCause cause) {
  return {StallCondition::stopped, cause};
}
constexpr StallVerdict delay(StallCause cause) {
  return {StallCondition::delayed, cause};
}

// Defaults: slowdown 20, stop 36, soft 64 GiB, hard 256 GiB.
INSTANTIATE_TEST_SUITE_P(
    Table, StallPredicate,
    ::testing::Values(
        Case{"idle", {0, 0, 0}, 2, kNormal}, Case{"one_immutable", {1, 0, 0}, 2, kNormal},
        Case{"memtable_stop", {2, 0, 0}, 2, stop(StallCause::memtables)},
        Case{"memtables_before_l0", {2, 36, 0}, 2, stop(StallCause::memtables)},
        Case{"no_memtable_delay_up_to_three", {2, 0, 0}, 3, kNormal},
        Case{"memtable_delay", {3, 0, 0}, 4, delay(StallCause::memtables)},
        Case{"l0_below", {0, 19, 0}, 2, kNormal},
        Case{"l0_delay", {0, 20, 0}, 2, delay(StallCause::l0_files)},
        Case{"l0_stop", {0, 36, 0}, 2, stop(StallCause::l0_files)},
        Case{"soft", {0, 0, 64 * kGiB}, 2, delay(StallCause::pending_bytes)},
        Case{"below_soft", {0, 0, 64 * kGiB - 1}, 2, kNormal},
        Case{"hard", {0, 0, 256 * kGiB}, 2, stop(StallCause::pending_bytes)},
        Case{"hard_before_l0_delay", {0, 20, 256 * kGiB}, 2, stop(StallCause::pending_bytes)},
        Case{"memtable_delay_before_l0_delay", {3, 20, 0}, 4, delay(StallCause::memtables)}),
    [](const auto& at) { return at.param.name; });

TEST(Stall, MergingMemtablesPutsOffTheMemtableDelay) {
  KnobValues settings = defaults();
  settings.set(Knob::max_write_buffer_number, 4);
  FamilyFacts facts;
  facts.min_write_buffer_number_to_merge = 3;
  EXPECT_EQ(stall_verdict({3, 0, 0}, settings, facts), StallVerdict{});
  EXPECT_EQ(stall_verdict({4, 0, 0}, settings, facts), stop(StallCause::memtables));
}

TEST(Stall, DisabledCompactionsLiftL0AndPending) {
  FamilyFacts facts;
  facts.disable_auto_compactions = true;
  EXPECT_EQ(stall_verdict({0, 99, 1e18}, defaults(), facts), StallVerdict{});
  EXPECT_EQ(stall_verdict({2, 0, 0}, defaults(), facts), stop(StallCause::memtables));
}

TEST(Stall, ALimitOfZeroIsNoLimit) {
  KnobValues settings = defaults();
  settings.set(Knob::soft_pending_compaction_bytes_limit, 0);
  settings.set(Knob::hard_pending_compaction_bytes_limit, 0);
  EXPECT_EQ(stall_verdict({0, 0, 1e18}, settings, {}), StallVerdict{});
}

TEST(Stall, PressureComesBeforeTheDelay) {
  const KnobValues settings = defaults();  // trigger 4, slowdown 20: min(8, 4 + 4) = 8
  EXPECT_FALSE(compaction_pressure({0, 7, 0}, settings));
  EXPECT_TRUE(compaction_pressure({0, 8, 0}, settings));
  EXPECT_FALSE(compaction_pressure({0, 0, 16 * kGiB - 1}, settings));
  EXPECT_TRUE(compaction_pressure({0, 0, 16 * kGiB}, settings));
  EXPECT_TRUE(compaction_pressure({2, 0, 0}, settings));  // stopped writes are pressure too
}

TEST(Stall, PressureWithASmallGapUsesIntegerDivision) {
  KnobValues settings = defaults();
  settings.set(Knob::level0_slowdown_writes_trigger, 7);  // 4 + 3/4 = 4
  EXPECT_TRUE(compaction_pressure({0, 4, 0}, settings));
}

TEST(Stall, SlotsFollowTheJobSplit) {
  EXPECT_EQ(compaction_slots(2, false), 1);
  EXPECT_EQ(compaction_slots(2, true), 1);
  EXPECT_EQ(compaction_slots(8, true), 6);
  EXPECT_EQ(compaction_slots(1, true), 1);
  EXPECT_EQ(flush_slots(3), 1);
  EXPECT_EQ(flush_slots(8), 2);
}

TEST(Stall, OnTreeRecomputesPendingForTheCandidate) {
  // 10 GiB in L1, 20 GiB in L2; targets 10 and 100 GiB at first.
  const FamilySnapshot family = family_with({0, 10 * kGiB, 20 * kGiB}, 0);
  KnobValues settings = defaults();
  settings.set(Knob::max_bytes_for_level_base, 10 * kGiB);
  settings.set(Knob::soft_pending_compaction_bytes_limit, 20 * kGiB);
  EXPECT_EQ(stall_verdict_on_tree(family, settings), StallVerdict{});
  // Base 1 GiB: excess 9, times 20/10 + 1 makes 27 GiB; L2 at 29 of 10 has an empty level below.
  settings.set(Knob::max_bytes_for_level_base, 1 * kGiB);
  EXPECT_DOUBLE_EQ(estimate_pending_bytes(family, settings), 27 * kGiB);
  EXPECT_EQ(stall_verdict_on_tree(family, settings), delay(StallCause::pending_bytes));
}

TEST(Stall, OnTreeCountsL0Files) {
  KnobValues settings = defaults();
  const FamilySnapshot family = family_with({20 * kMiB}, 10);
  EXPECT_EQ(stall_verdict_on_tree(family, settings), StallVerdict{});
  settings.set(Knob::level0_slowdown_writes_trigger, 8);
  EXPECT_EQ(stall_verdict_on_tree(family, settings), delay(StallCause::l0_files));
}

TEST(Stall, AShrinkCountsTheActiveMemtable) {
  // Two buffers, one being flushed, 40 MiB in the active one: 32 MiB would make it immutable too.
  KnobValues settings = defaults();
  settings.set(Knob::max_write_buffer_number, 2);
  FamilySnapshot family = family_with({0}, 0);
  family.immutable_memtables = 1;
  family.active_memtable_bytes = 40 * kMiB;
  settings.set(Knob::write_buffer_size, 64 * kMiB);
  EXPECT_EQ(stall_verdict_on_tree(family, settings), StallVerdict{});
  settings.set(Knob::write_buffer_size, 32 * kMiB);
  EXPECT_EQ(stall_verdict_on_tree(family, settings), stop(StallCause::memtables));
}

}  // namespace
}  // namespace lsmtuned::model
