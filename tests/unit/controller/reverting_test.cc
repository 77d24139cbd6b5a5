#include <gtest/gtest.h>

#include <variant>
#include <vector>

#include "driver.h"

namespace lsmtuned::controller {
namespace {

using model::Knob;
using testing::Driver;

// The reverts that are sent when a trial of `knob` is called off by a freeze.
std::vector<model::ChangeSet> reverts_of(config::Policy policy, Knob knob, double value) {
  policy.knobs = {knob};
  Driver d(std::move(policy));
  std::vector<model::ChangeSet> sent;
  d.on_step = [&](const State&, const Event&, const StepResult& result) {
    for (const Effect& effect : result.effects)
      if (const auto* apply = std::get_if<ApplyChanges>(&effect); apply && apply->is_revert)
        sent.push_back(apply->changes);
  };
  d.attach();
  d.candidate(knob, value);
  EXPECT_TRUE(d.poll_until(Phase::settling, 1000));
  d.command(OperatorCommand::Kind::freeze);
  d.poll(3);
  EXPECT_EQ(d.state.phase, Phase::frozen);
  EXPECT_TRUE(d.broken.empty()) << d.broken.front();
  return sent;
}

// More than are remembered at once (16): none is lost by a retry that fails.
TEST(Records, ARetryThatFailsLosesNone) {
  Driver d;
  d.attach();
  for (std::uint64_t id = 1000; id < 1040; ++id) {
    Decision decision;
    decision.id = id;
    decision.status = DecisionStatus::reverted;
    decision.ended_wall_time_s = d.wall;
    d.state.unrecorded.push_back(decision);
  }
  d.failing_records = 1;
  d.poll(200);
  for (std::uint64_t id = 1000; id < 1040; ++id) EXPECT_EQ(d.history.count(id), 1U) << id;
}

// RocksDB keeps a lowered rate of delayed writers until a database-wide option is set.
TEST(Reverting, GivesDelayedWritersTheirRateBack) {
  const auto sent = reverts_of(Driver::base_policy(), Knob::write_buffer_size, 96.0 * (1 << 20));
  ASSERT_EQ(sent.size(), 1u);
  ASSERT_EQ(sent.front().size(), 2u);
  EXPECT_EQ(sent.front().front().knob, Knob::write_buffer_size);
  const model::KnobChange& again = sent.front().back();
  EXPECT_EQ(again.knob, Knob::delayed_write_rate);
  EXPECT_EQ(again.family, "");
  EXPECT_EQ(again.old_value, 16.0 * (1 << 20));
  EXPECT_EQ(again.new_value, again.old_value);
}

TEST(Reverting, TouchesNoDatabaseWideOptionWhereThePolicySaysSo) {
  config::Policy policy = Driver::base_policy();
  policy.clear_delay_on_revert = false;
  const auto sent = reverts_of(policy, Knob::write_buffer_size, 96.0 * (1 << 20));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().size(), 1u);
}

// The revert of max_background_jobs does it by itself.
TEST(Reverting, OfADatabaseWideKnobNeedsNothingElse) {
  const auto sent = reverts_of(Driver::base_policy(), Knob::max_background_jobs, 3);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent.front().size(), 1u);
}

}  // namespace
}  // namespace lsmtuned::controller
