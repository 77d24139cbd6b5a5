// The three strategies: what each proposes, with the arithmetic, and that they choose differently.
#include "controller/strategy/strategy.h"

#include <gtest/gtest.h>

#include "model/units.h"

#include "controller/guard.h"
#include "driver.h"

namespace lsmtuned::controller {
namespace {

using model::Knob;
using testing::Driver;

using model::kMiB;

config::Policy policy_for(config::Strategy strategy) {
  auto policy = Driver::base_policy();
  policy.strategy = strategy;
  policy.memory_budget_bytes = 4096 * kMiB;
  return policy;
}

double value_of(const model::ChangeSet& changes, Knob knob) {
  for (const auto& change : changes)
    if (change.knob == knob) return change.new_value;
  return 0;
}

// A saturated database that has been watched for a minute.
Driver watched(const config::Policy& policy) {
  Driver d(policy);
  d.hold_search = true;
  d.state.policy.mode = config::Mode::observe;  // nothing is sent meanwhile
  d.attach();
  d.poll(60);
  d.state.policy.mode = config::Mode::tune;
  return d;
}

Suggestion suggest(const Driver& d, const config::Policy& policy) {
  return strategy_named(policy.strategy).suggest({d.state, policy, d.now, d.wall, 7, true});
}
model::ChangeSet proposed(const Suggestion& suggestion) {
  const auto* proposal = std::get_if<Proposal>(&suggestion);
  return proposal == nullptr ? model::ChangeSet{} : proposal->changes;
}
std::string reason(const Suggestion& suggestion) {
  const auto* nothing = std::get_if<Nothing>(&suggestion);
  return nothing == nullptr ? "" : nothing->reason;
}

RulesReading held_up() {
  RulesReading reading;
  reading.fill_bytes_per_s = 4 * kMiB;
  reading.mean_fill_bytes_per_s = 10 * kMiB;
  reading.flush_bytes_per_s = 50 * kMiB;
  reading.immutable_memtables = 1;
  return reading;
}

// ---- rules --------------------------------------------------------------------------------------

class Rules : public ::testing::Test {
 protected:
  Suggestion with(const RulesReading& reading) {
    d.state.rules.reading = reading;
    return suggest(d, policy);
  }
  config::Policy policy = policy_for(config::Strategy::rules);
  Driver d = watched(policy);
};

TEST_F(Rules, ReadsFillAndFlushOfAPeriod) {
  // 10 MiB/s of puts with 2 % of framing; flushes run at 50 MiB/s; no pending bytes; 10 of 20
  // files.
  const auto reading = d.state.rules.reading;
  ASSERT_TRUE(reading);
  EXPECT_NEAR(reading->fill_bytes_per_s, 1.02 * 10 * kMiB, 1);
  EXPECT_NEAR(reading->mean_fill_bytes_per_s, 1.02 * 10 * kMiB, 1);
  EXPECT_NEAR(reading->flush_bytes_per_s, 50 * kMiB, 1);
  EXPECT_EQ(reading->l0_ratio, 0.5);
  EXPECT_EQ(reading->pending_ratio, 0);
  EXPECT_EQ(reading->idle_periods, 0);
}

// Looking more often than a period makes no more steps: 20 polls, a second apart, hold 4 periods of
// 5 s.
TEST_F(Rules, AReadingLastsForOnePoll) {
  policy.rules_period_s = 5;
  Driver often = watched(policy);
  const Strategy& rules = strategy_named(config::Strategy::rules);
  int readings = 0;
  for (int i = 0; i < 20; ++i) {
    often.now += 1;
    often.state.last->time_s += 1;
    rules.observe(often.state, policy);
    if (often.state.rules.reading) {
      ++readings;
    } else {
      EXPECT_TRUE(reason(suggest(often, policy)).empty());
    }
  }
  EXPECT_EQ(readings, 4);
}

// The worst family is another one than a period ago: 10 MiB in 0.2 s are 50 MiB/s all the same.
TEST_F(Rules, FlushSpeedIsOfAllFamilies) {
  const Strategy& rules = strategy_named(config::Strategy::rules);
  State state = d.state;
  model::Snapshot& snapshot = *state.last;
  snapshot.families.push_back(snapshot.families.front());
  model::FamilySnapshot& other = snapshot.families.back();
  other.name = "other";
  other.levels[0].write_bytes += 1024 * kMiB;
  other.levels[0].compaction_seconds += 100;
  state.rules = {};
  rules.observe(state, policy);
  other.levels[0].files += 10;
  snapshot.families.front().levels[0].write_bytes += 10 * kMiB;
  snapshot.families.front().levels[0].compaction_seconds += 0.2;
  snapshot.time_s += policy.rules_period_s;
  ASSERT_EQ(model::worst_family(snapshot)->name, "other");
  rules.observe(state, policy);
  ASSERT_TRUE(state.rules.reading);
  EXPECT_NEAR(state.rules.reading->flush_bytes_per_s, 50 * kMiB, 1);
}

TEST_F(Rules, GateNeedsAHeldUpFillAndAWaitingFlush) {
  RulesReading reading = held_up();
  EXPECT_FALSE(proposed(with(reading)).empty());
  reading.fill_bytes_per_s = 5 * kMiB;  // half of the mean: not below it
  EXPECT_EQ(reason(with(reading)), "rules_gate");
  reading = held_up();
  reading.immutable_memtables = 0;
  EXPECT_EQ(reason(with(reading)), "rules_gate");
}

// Fill 4 of a flush's 50 MiB/s is no slow flush; one immutable: threads + 2, the batch stays.
TEST_F(Rules, ThreadsGrowByTwo) {
  const auto changes = proposed(with(held_up()));
  EXPECT_EQ(changes, (model::ChangeSet{{"", Knob::max_background_jobs, 2, 4}}));
}

// L0 at its slowdown trigger: threads 2 + 2 = 4; batch 4 + 4 = 8 MiB, below the least of 64 MiB.
// Level base: trigger 4 x merge 1 x 64 = 256 MiB. max_compaction_bytes: 25 x 64 = 1600 MiB.
TEST_F(Rules, PressureGrowsBoth) {
  RulesReading reading = held_up();
  reading.l0_ratio = 1;
  const auto changes = proposed(with(reading));
  EXPECT_EQ(value_of(changes, Knob::max_background_jobs), 4);
  EXPECT_EQ(value_of(changes, Knob::write_buffer_size), 64 * kMiB);
  EXPECT_EQ(value_of(changes, Knob::target_file_size_base), 64 * kMiB);
  EXPECT_EQ(value_of(changes, Knob::max_bytes_for_level_base), 256 * kMiB);
  EXPECT_EQ(value_of(changes, Knob::max_compaction_bytes), 1600 * kMiB);
  EXPECT_EQ(check_settings(d.snapshot(), changes, policy, 2, {}).gate, Gate::open);
}

// From 96 MiB the next step is 96 + 4 = 100 MiB; base 4 x 100.
TEST_F(Rules, BatchGrowsByTheInitialBuffer) {
  d.state.last->settings.set("default", Knob::write_buffer_size, 96 * kMiB);
  RulesReading reading = held_up();
  reading.immutable_memtables = 2;
  const auto changes = proposed(with(reading));
  EXPECT_EQ(value_of(changes, Knob::write_buffer_size), 100 * kMiB);
  EXPECT_EQ(value_of(changes, Knob::max_bytes_for_level_base), 400 * kMiB);
}

// Fill 4 MiB/s > 0.5 x 6 MiB/s: the device cannot flush faster; threads 8 / 2, the batch grows.
TEST_F(Rules, SlowFlushHalvesThreads) {
  d.state.last->settings.set("", Knob::max_background_jobs, 8);
  RulesReading reading = held_up();
  reading.flush_bytes_per_s = 6 * kMiB;
  auto changes = proposed(with(reading));
  EXPECT_EQ(value_of(changes, Knob::max_background_jobs), 4);
  EXPECT_EQ(value_of(changes, Knob::write_buffer_size), 64 * kMiB);
  reading.pending_ratio = 1;  // the later rule counts: 8 + 2, cut to 4 jobs a core = 8: no change
  changes = proposed(with(reading));
  EXPECT_EQ(value_of(changes, Knob::max_background_jobs), 0);
}

// Three periods without a job: threads 8 / 2; batch 256 / 2.
TEST_F(Rules, IdleHalvesBoth) {
  d.state.last->settings.set("", Knob::max_background_jobs, 8);
  d.state.last->settings.set("default", Knob::write_buffer_size, 256 * kMiB);
  RulesReading reading = held_up();
  reading.idle_periods = 3;
  const auto changes = proposed(with(reading));
  EXPECT_EQ(value_of(changes, Knob::max_background_jobs), 4);
  EXPECT_EQ(value_of(changes, Knob::write_buffer_size), 128 * kMiB);
}

// 98 % of 128 MiB, no cache: jobs 4 x (8 MiB file + 2 MiB) = 40 MiB; 85.44 MiB over two buffers:
// 42.69 MiB each in steps of 64 KiB, below the published 64. Nothing is left for larger files: they
// stay at 8 MiB. Table readers may grow by the margin until the step is sent.
TEST_F(Rules, TheMemoryBudgetLowersTheLimits) {
  policy.memory_budget_bytes = 128 * kMiB;
  RulesReading reading = held_up();
  reading.l0_ratio = 1;
  const auto changes = proposed(with(reading));
  EXPECT_EQ(value_of(changes, Knob::max_background_jobs), 4);
  EXPECT_EQ(value_of(changes, Knob::write_buffer_size), 42.6875 * kMiB);
  EXPECT_EQ(value_of(changes, Knob::target_file_size_base), 0);
  EXPECT_EQ(value_of(changes, Knob::max_bytes_for_level_base), 170.75 * kMiB);
  model::Snapshot later = d.snapshot();
  later.families.front().table_reader_bytes += 2 * kMiB;
  EXPECT_EQ(check_settings(later, changes, policy, 2, {}).gate, Gate::open);
}

TEST_F(Rules, WhatThePolicyHoldsStays) {
  std::erase(policy.knobs, Knob::max_background_jobs);
  EXPECT_EQ(reason(with(held_up())), "rules_limit");
  policy.bounds[Knob::write_buffer_size] = {1 * kMiB, 16 * kMiB};
  RulesReading reading = held_up();
  reading.l0_ratio = 1;
  EXPECT_EQ(value_of(proposed(with(reading)), Knob::write_buffer_size), 16 * kMiB);
}

// ---- probe --------------------------------------------------------------------------------------

class Probe : public ::testing::Test {
 protected:
  void verdict(const model::ChangeSet& changes, bool kept) {
    Decision ended;
    ended.reason = "probe";
    ended.changes = changes;
    probe_strategy().learn(d.state, policy, ended, kept, d.wall);
  }
  ProbeMemory& memory() { return d.state.persistent.probe; }
  config::Policy policy = policy_for(config::Strategy::probe);
  Driver d = watched(policy);
};

// An octave up: 4 -> 8 MiB, 64 -> 128 MiB, and nothing else.
TEST_F(Probe, BeginsWithBuffersAndLevelBaseTogether) {
  const auto changes = proposed(suggest(d, policy));
  EXPECT_EQ(value_of(changes, Knob::write_buffer_size), 8 * kMiB);
  EXPECT_EQ(value_of(changes, Knob::max_bytes_for_level_base), 128 * kMiB);
  EXPECT_EQ(changes.size(), 2U);
}

TEST_F(Probe, GoesOnWhereItHelpedWithALargerStep) {
  verdict(proposed(suggest(d, policy)), true);
  EXPECT_EQ(memory().buffers.direction, ProbeDirection::up);
  EXPECT_EQ(memory().buffers.step_octaves, 1.5);
  // 4 MiB x 2^1.5 = 11.3 MiB, in steps of 512 KiB: 11.5 MiB.
  EXPECT_EQ(value_of(proposed(suggest(d, policy)), Knob::write_buffer_size), 11.5 * kMiB);
  verdict(proposed(suggest(d, policy)), true);
  EXPECT_EQ(memory().buffers.step_octaves, 2);  // the trust region: a factor of 4
}

TEST_F(Probe, TurnsRoundAndThenMovesOn) {
  verdict(proposed(suggest(d, policy)), false);
  EXPECT_EQ(memory().buffers.direction, ProbeDirection::down);
  const auto down = proposed(suggest(d, policy));
  EXPECT_EQ(value_of(down, Knob::write_buffer_size), 2 * kMiB);
  verdict(down, false);
  EXPECT_EQ(memory().buffers.direction, ProbeDirection::stable);
  EXPECT_EQ(memory().buffers.step_octaves, 0.5);
  // The L0 triggers: 4 -> 8; 20 -> 40, but max_l0_files is 32; stop keeps its distance, x 1.8.
  const auto triggers = proposed(suggest(d, policy));
  EXPECT_EQ(value_of(triggers, Knob::level0_file_num_compaction_trigger), 8);
  EXPECT_EQ(value_of(triggers, Knob::level0_slowdown_writes_trigger), 32);
  EXPECT_EQ(value_of(triggers, Knob::level0_stop_writes_trigger), 58);
  verdict(triggers, false);
  // Down: 20 / 2 = 10 is what L0 holds now. It would delay writes at once; so the jobs' turn.
  EXPECT_EQ(memory().triggers.direction, ProbeDirection::down);
  EXPECT_EQ(proposed(suggest(d, policy)),
            (model::ChangeSet{{"", Knob::max_background_jobs, 2, 4}}));
}

TEST_F(Probe, ForgetsFailuresInTime) {
  for (int trial = 0; trial < 6; ++trial) verdict(proposed(suggest(d, policy)), false);
  EXPECT_EQ(reason(suggest(d, policy)), "probed");
  d.wall += policy.failed_memory_s + 1;
  // Half an octave: 4 MiB x 1.41 = 5.66 MiB, in steps of 256 KiB: 5.75 MiB.
  EXPECT_EQ(value_of(proposed(suggest(d, policy)), Knob::write_buffer_size), 5.75 * kMiB);
}

TEST_F(Probe, AKeptStepAwayIsNotUndoneByTheNext) {
  verdict(proposed(suggest(d, policy)), true);
  verdict(proposed(suggest(d, policy)), false);
  EXPECT_EQ(memory().buffers.direction, ProbeDirection::stable);
  EXPECT_EQ(memory().group, 1U);
}

TEST_F(Probe, OthersVerdictsTeachNothing) {
  const ProbeMemory before = memory();
  Decision ended;
  ended.reason = "gain";
  ended.changes = {{"default", Knob::write_buffer_size, 4 * kMiB, 8 * kMiB}};
  probe_strategy().learn(d.state, policy, ended, false, d.wall);
  EXPECT_EQ(memory(), before);
}

// ---- all three ----------------------------------------------------------------------------------

// F2: on one state of one database, each proposes something else.
TEST(Strategies, ChooseDifferentlyOnTheSameSnapshot) {
  const auto rules = policy_for(config::Strategy::rules);
  Driver d = watched(rules);
  d.state.persistent.calibration.write_bandwidth = 100e6;
  d.state.persistent.calibration.read_bandwidth = 200e6;
  d.state.persistent.calibration.job_bytes_per_second = 80e6;
  RulesReading reading = held_up();
  reading.l0_ratio = 1;
  d.state.rules.reading = reading;
  const auto by_rules = proposed(suggest(d, rules));
  const auto by_probe = proposed(suggest(d, policy_for(config::Strategy::probe)));
  auto model_policy = policy_for(config::Strategy::model);
  model_policy.search_evaluations = 600;
  const auto asked = suggest(d, model_policy);
  ASSERT_TRUE(std::holds_alternative<SearchRequest>(asked)) << reason(asked);
  const auto by_model = search(std::get<SearchRequest>(asked)).best;
  EXPECT_FALSE(by_rules.empty());
  EXPECT_FALSE(by_probe.empty());
  EXPECT_FALSE(by_model.empty());
  EXPECT_NE(by_rules, by_probe);
  EXPECT_NE(by_rules, by_model);
  EXPECT_NE(by_probe, by_model);
  for (const auto* changes : {&by_rules, &by_probe, &by_model})
    EXPECT_EQ(check_settings(d.snapshot(), *changes, model_policy, 2, {}).gate, Gate::open)
        << model::describe(*changes);
}

// A lesson between the search and the call took the model's trust away: nothing is sent.
TEST(ModelStrategy, ACandidateIsDroppedWhenTrustIsLostWhileItWaits) {
  auto policy = Driver::base_policy();
  policy.trust_gate_error = 0.25;
  Driver d(policy);
  d.hold_search = true;
  d.attach();
  d.poll(10);
  d.state.prediction_error_known = true;
  d.state.prediction_error = 0.1;
  d.plant.stopped = true;  // the candidate has to wait
  WaitingCandidate waiting;
  waiting.proposal.changes = {{"default", Knob::write_buffer_size, 4.0 * kMiB, 8.0 * kMiB}};
  waiting.proposal.reason = "gain";
  waiting.proposal.forecast = Forecast{};
  waiting.found_at_s = d.now;
  d.state.search_running = false;
  d.state.phase = Phase::steady;
  d.state.candidate = waiting;
  d.poll(12);
  ASSERT_TRUE(d.state.candidate);
  d.state.prediction_error = 5;
  d.plant.stopped = false;
  d.poll();
  EXPECT_FALSE(d.state.candidate);
  EXPECT_EQ(d.sent(false), 0);
  EXPECT_EQ(d.decision(DecisionKind::noop).reason, "trust");
}

// 10 s apart at first (cooldown 10 s), then 20, 40, 80, 160; at once again at another rate.
TEST(ModelStrategy, SearchesThatFindNothingComeLessAndLessOften) {
  Driver d(Driver::base_policy());
  d.attach();
  d.poll(330);
  EXPECT_GE(d.searches, 4);
  EXPECT_LE(d.searches, 7);  // 33 without the back-off
  const int before = d.searches;
  d.plant.rate *= 2;
  d.poll(100);
  EXPECT_GT(d.searches, before);
}

// Cycles of 2 s and a window of a minute: 8 s at 1.8 times the rate move the mean by a tenth, the
// last two cycles by all of it.
TEST(ModelStrategy, AStepIsAskedAboutOnceItFillsTwoCycles) {
  Driver d(Driver::base_policy());
  d.attach();
  d.poll(330);
  const int before = d.searches;
  d.poll(8);
  EXPECT_EQ(d.searches, before);
  d.plant.rate *= 1.8;
  d.poll(8);
  EXPECT_GT(d.searches, before);
}

// Each proposal waits 300 s for a moment without delay that never comes, and another is looked for
// once meanwhile. The pauses between are 10, 20, 40, 80, 160 and 320 s: 4,000 s hold nine or ten
// proposals, not the 13 of a constant pause, and two searches for each.
TEST(ModelStrategy, ProposalsThatWaitInVainComeLessOften) {
  Driver d(Driver::base_policy());
  d.plant.delayed = true;
  d.plant.l0_files = 30;
  d.candidate(Knob::write_buffer_size, 8.0 * kMiB);
  d.attach();
  d.poll(4000);
  EXPECT_EQ(d.sent(false), 0);
  EXPECT_GE(d.searches, 16);
  EXPECT_LE(d.searches, 20);
}

}  // namespace
}  // namespace lsmtuned::controller
