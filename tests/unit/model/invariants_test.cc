#include "model/invariants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "model/units.h"
#include "tests/unit/model/support.h"

namespace lsmtuned::model {
namespace {

using ::testing::AllOf;
using testing::default_settings;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kFamily;

class Invariants : public ::testing::Test {
 protected:
  Invariants() {
    inputs_.families[kFamily] = {};
    inputs_.memory_budget_bytes = 64 * kGiB;
    inputs_.cpu_cores = 2;
  }
  std::vector<std::string> changing(std::vector<std::pair<Knob, double>> values) {
    Settings to = old_;
    ChangeSet changes;
    for (const auto& [knob, value] : values) {
      const bool of_family = info(knob).scope == KnobScope::family;
      changes.push_back(
          {of_family ? kFamily : "", knob, old_.get(kFamily, knob).value_or(0), value});
      to.set(kFamily, knob, value);
    }
    return violations(to, changes, inputs_);
  }
  Settings old_ = default_settings();
  InvariantInputs inputs_;
};

TEST_F(Invariants, ASoundChangePasses) {
  EXPECT_THAT(changing({{Knob::write_buffer_size, 128 * kMiB},
                        {Knob::max_write_buffer_number, 4},
                        {Knob::level0_slowdown_writes_trigger, 30},
                        {Knob::max_bytes_for_level_multiplier, 6.5}}),
              IsEmpty());
  EXPECT_THAT(changing({}), IsEmpty());
}

TEST_F(Invariants, AMemtableHoldsMoreThanTwoFifthsOfAnArenaBlock) {
  // arena_block_size 4 MiB at open: RocksDB aborts at 2 KiB + 0.4 * 4 MiB = 1.6 MiB and below.
  inputs_.families[kFamily].arena_block_bytes = 4 * kMiB;
  EXPECT_THAT(changing({{Knob::write_buffer_size, 1 * kMiB}}),
              ElementsAre(AllOf(HasSubstr("default.write_buffer_size = 1048576"),
                                HasSubstr("arena blocks of 4 MiB"))));
  EXPECT_THAT(changing({{Knob::write_buffer_size, 3 * kMiB}}), IsEmpty());
}

TEST_F(Invariants, TriggersAreOrdered) {
  EXPECT_THAT(changing({{Knob::level0_slowdown_writes_trigger, 3}}),
              ElementsAre(HasSubstr("default.level0_file_num_compaction_trigger = 4 is above "
                                    "default.level0_slowdown_writes_trigger = 3")));
  EXPECT_THAT(changing({{Knob::level0_slowdown_writes_trigger, 80},
                        {Knob::level0_stop_writes_trigger, 40}}),
              ElementsAre(AllOf(HasSubstr("80"), HasSubstr("40"))));
}

TEST_F(Invariants, TriggerBelowStopEvenWithoutASlowdownKnob) {
  old_.families[kFamily].clear(Knob::level0_slowdown_writes_trigger);
  EXPECT_THAT(changing({{Knob::level0_stop_writes_trigger, 3}}),
              ElementsAre(HasSubstr("level0_stop_writes_trigger = 3")));
}

TEST_F(Invariants, OrderingIsCheckedAgainstValuesThatDoNotChange) {
  old_.set(kFamily, Knob::level0_stop_writes_trigger, 10);  // someone else's, below slowdown 20
  EXPECT_THAT(changing({{Knob::write_buffer_size, 32 * kMiB}}), ElementsAre(HasSubstr("is above")));
}

TEST_F(Invariants, SoftIsAtMostHard) {
  EXPECT_THAT(changing({{Knob::soft_pending_compaction_bytes_limit, 300 * kGiB}}),
              ElementsAre(HasSubstr("soft_pending_compaction_bytes_limit")));
  old_.set(kFamily, Knob::hard_pending_compaction_bytes_limit, 0);  // theirs: no limit
  EXPECT_THAT(changing({{Knob::soft_pending_compaction_bytes_limit, 300 * kGiB}}), IsEmpty());
}

TEST_F(Invariants, NoZeroThatDisables) {
  for (const Knob knob :
       {Knob::soft_pending_compaction_bytes_limit, Knob::hard_pending_compaction_bytes_limit,
        Knob::delayed_write_rate, Knob::write_buffer_size, Knob::max_write_buffer_number,
        Knob::level0_file_num_compaction_trigger, Knob::max_background_jobs}) {
    EXPECT_THAT(changing({{knob, 0}}), ::testing::Not(IsEmpty())) << info(knob).option;
  }
}

TEST_F(Invariants, MemtablesMustExceedTheMergeMinimum) {
  inputs_.families[kFamily].min_write_buffer_number_to_merge = 3;
  old_.set(kFamily, Knob::max_write_buffer_number, 5);
  EXPECT_THAT(changing({{Knob::max_write_buffer_number, 3}}),
              ElementsAre(HasSubstr("min_write_buffer_number_to_merge = 3")));
  EXPECT_THAT(changing({{Knob::max_write_buffer_number, 4}}), IsEmpty());
}

TEST_F(Invariants, CompactionsCanHoldAFile) {
  EXPECT_THAT(changing({{Knob::max_compaction_bytes, 32 * kMiB}}),
              ElementsAre(HasSubstr("target_file_size_base = 67108864 is above")));
  EXPECT_THAT(changing({{Knob::target_file_size_base, 2 * kGiB}}),
              ElementsAre(HasSubstr("max_compaction_bytes")));
}

TEST_F(Invariants, JobsFollowTheCores) {
  EXPECT_THAT(changing({{Knob::max_background_jobs, 8}}), IsEmpty());
  EXPECT_THAT(changing({{Knob::max_background_jobs, 9}}), ElementsAre(HasSubstr("4 jobs a core")));
}

TEST_F(Invariants, PolicyBoundsApplyToChangedKnobsOnly) {
  inputs_.bounds[Knob::write_buffer_size] = {8 * kMiB, 32 * kMiB};
  EXPECT_THAT(changing({{Knob::write_buffer_size, 48 * kMiB}}),
              ElementsAre(HasSubstr("configured bounds")));
  EXPECT_THAT(changing({{Knob::write_buffer_size, 32 * kMiB}}), IsEmpty());
  EXPECT_THAT(changing({{Knob::level0_stop_writes_trigger, 40}}), IsEmpty());
}

TEST_F(Invariants, ValuesAreFiniteAndWhole) {
  EXPECT_THAT(changing({{Knob::write_buffer_size, std::numeric_limits<double>::quiet_NaN()}}),
              ::testing::Contains(HasSubstr("not a finite number")));
  EXPECT_THAT(changing({{Knob::write_buffer_size, 64 * kMiB + 0.5}}),
              ElementsAre(HasSubstr("not a whole number")));
  EXPECT_THAT(changing({{Knob::max_bytes_for_level_multiplier, 6.5}}), IsEmpty());
}

TEST_F(Invariants, MemoryBudgetHolds) {
  inputs_.memory_budget_bytes = 512 * kMiB;
  // 2 * 64 MiB memtables, 2 jobs of 64 MiB files: 256 MiB.
  EXPECT_EQ(memory_of(old_, inputs_.memory), 256 * kMiB);
  EXPECT_THAT(changing({{Knob::max_write_buffer_number, 6}}), IsEmpty());
  EXPECT_THAT(changing({{Knob::max_write_buffer_number, 7}}),
              ElementsAre(AllOf(HasSubstr("576 MiB"), HasSubstr("512 MiB"))));
}

TEST_F(Invariants, AStepDownTowardsTheBudgetIsLetThrough) {
  inputs_.memory_budget_bytes = 128 * kMiB;
  EXPECT_THAT(changing({{Knob::write_buffer_size, 32 * kMiB}}), IsEmpty());
  EXPECT_THAT(changing({{Knob::level0_stop_writes_trigger, 40}}), ElementsAre(HasSubstr("budget")));
}

TEST_F(Invariants, WithoutABudgetMemoryMayNotGrow) {
  inputs_.memory_budget_bytes = 0;
  EXPECT_THAT(changing({{Knob::write_buffer_size, 65 * kMiB}}),
              ElementsAre(AllOf(HasSubstr("256 MiB"), HasSubstr("258 MiB"))));
  EXPECT_THAT(changing({{Knob::write_buffer_size, 32 * kMiB}, {Knob::max_write_buffer_number, 4}}),
              IsEmpty());
}

TEST_F(Invariants, MemoryCountsAllFamiliesCacheAndReadAhead) {
  old_.set("other", Knob::write_buffer_size, 10 * kMiB);
  old_.set("other", Knob::max_write_buffer_number, 3);
  MemoryBudgetInputs memory;
  memory.block_cache_bytes = 8 * kMiB;
  memory.table_reader_bytes = 1 * kMiB;
  memory.read_ahead_bytes = 2 * kMiB;
  EXPECT_EQ(memory_of(old_, memory), (128 + 30 + 8 + 1 + 2 * (64 + 2)) * kMiB);
}

TEST_F(Invariants, ChangesMustMatchTheSettingsAndTheDatabase) {
  const ChangeSet twice = {{kFamily, Knob::level0_stop_writes_trigger, 36, 40},
                           {kFamily, Knob::level0_stop_writes_trigger, 36, 41}};
  EXPECT_THAT(violations(with_changes(old_, twice), twice, inputs_),
              ::testing::Contains(HasSubstr("changed twice")));
  const ChangeSet absent = {{"ghost", Knob::level0_stop_writes_trigger, 36, 40}};
  EXPECT_THAT(violations(with_changes(old_, absent), absent, inputs_),
              ElementsAre(HasSubstr("family ghost")));
  EXPECT_THAT(violations(old_, {{kFamily, Knob::level0_stop_writes_trigger, 36, 40}}, inputs_),
              ElementsAre(HasSubstr("but the settings hold 36")));
}

TEST_F(Invariants, InputsComeFromTheSnapshot) {
  Snapshot snapshot;
  snapshot.families.push_back(testing::family_with({}));
  snapshot.families[0].facts.min_write_buffer_number_to_merge = 2;
  snapshot.families[0].table_reader_bytes = 5;
  snapshot.state.block_cache_capacity_bytes = 7;
  const InvariantInputs inputs = invariant_inputs(snapshot);
  EXPECT_EQ(inputs.families.at(kFamily).min_write_buffer_number_to_merge, 2);
  EXPECT_EQ(inputs.memory.table_reader_bytes, 5);
  EXPECT_EQ(inputs.memory.block_cache_bytes, 7);
}

// Whatever passes satisfies every rule, restated here independently.
RC_GTEST_PROP(InvariantsProperty, WhatPassesIsSafe, ()) {
  InvariantInputs inputs;
  inputs.families[kFamily].min_write_buffer_number_to_merge = *rc::gen::inRange(1, 4);
  inputs.memory_budget_bytes = 4 * kGiB;
  inputs.cpu_cores = 4;
  const Settings from = default_settings();
  Settings to = from;
  for (const KnobInfo& about : all_knobs()) {
    if (about.scope == KnobScope::limiter) continue;
    const double scale = *rc::gen::element(0.0, 0.1, 0.5, 1.0, 1.0, 2.0, 10.0);
    to.set(kFamily, about.knob, about.rocksdb_default * scale);
  }
  const ChangeSet changes = difference(from, to);
  if (!violations(to, changes, inputs).empty() || changes.empty()) return;
  const auto value = [&](Knob knob) { return to.get(kFamily, knob).value(); };
  RC_ASSERT(value(Knob::level0_file_num_compaction_trigger) <=
            value(Knob::level0_slowdown_writes_trigger));
  RC_ASSERT(value(Knob::level0_slowdown_writes_trigger) <= value(Knob::level0_stop_writes_trigger));
  RC_ASSERT(value(Knob::soft_pending_compaction_bytes_limit) <=
            value(Knob::hard_pending_compaction_bytes_limit));
  RC_ASSERT(value(Knob::max_write_buffer_number) >
            inputs.families[kFamily].min_write_buffer_number_to_merge);
  RC_ASSERT(value(Knob::write_buffer_size) >= kMiB);
  RC_ASSERT(memory_of(to, inputs.memory) <= inputs.memory_budget_bytes);
  for (const KnobInfo& about : all_knobs()) {
    if (about.scope != KnobScope::limiter) RC_ASSERT(value(about.knob) >= about.minimum);
  }
}

}  // namespace
}  // namespace lsmtuned::model
