#include "controller/transitions.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "driver.h"

namespace lsmtuned::controller {
namespace {

using testing::Driver;
using Kind = OperatorCommand::Kind;

void find_candidate(Driver& d) {
  d.tuned_plant = d.plant;
  d.tuned_plant.rate = 1.3 * d.plant.rate;
  d.candidate(model::Knob::level0_slowdown_writes_trigger, 34);
}
// One way into each phase, from a fresh start.
void enter(Driver& d, Phase phase) {
  switch (phase) {
    case Phase::observing:
      d.attach();
      d.poll();
      break;
    case Phase::steady:
      d.attach();
      d.poll(6);
      break;
    case Phase::applying:
      find_candidate(d);
      d.answers.push_back({ApplyStatus::pending});
      d.attach();
      d.poll_until(Phase::applying, 40);
      break;
    case Phase::settling:
      find_candidate(d);
      d.attach();
      d.poll_until(Phase::settling, 40);
      break;
    case Phase::verifying:
      find_candidate(d);
      d.attach();
      d.poll_until(Phase::verifying, 40);
      break;
    case Phase::cooldown:
      enter(d, Phase::verifying);
      d.poll_until(Phase::cooldown, 40);
      d.candidate(model::Knob::write_buffer_size, 0);
      break;
    case Phase::reverting:
      enter(d, Phase::verifying);
      d.answers.push_back({ApplyStatus::pending});
      d.command(Kind::set_mode, 0, config::Mode::observe);
      d.command(Kind::set_mode, 0, config::Mode::tune);
      break;
    case Phase::frozen:
      enter(d, Phase::cooldown);
      d.command(Kind::freeze);
      break;
    case Phase::safe:
      enter(d, Phase::cooldown);
      d.failing_polls = 3;
      d.poll(3);
      break;
  }
}

struct Way {
  Phase from;
  Phase to;
  std::function<void(Driver&)> act;
};

// What leads from one phase to another: the table, played.
std::vector<Way> ways() {
  const auto observe = [](Driver& d) { d.command(Kind::set_mode, 0, config::Mode::observe); };
  const auto freeze = [](Driver& d) { d.command(Kind::freeze); };
  const auto lose = [](Driver& d) { d.lose(); };
  const auto revert = [](Driver& d) { d.command(Kind::revert); };
  const auto reopen = [](Driver& d) {
    d.restart_database();
    d.poll();
  };
  const auto poll = [](Driver& d) { d.poll(); };
  // A second trial's kept values, then an answer that does not come.
  const auto held_revert = [](Driver& d) {
    d.answers.push_back({ApplyStatus::pending});
    d.command(Kind::revert);
  };
  using P = Phase;
  return {
      {P::observing, P::steady, [](Driver& d) { d.poll(6); }},
      {P::observing, P::reverting,
       [](Driver& d) {
         d.lose();
         d.settings.set("default", model::Knob::level0_slowdown_writes_trigger, 30);
         d.state.phase = P::observing;  // as a fresh daemon begins
         d.answers.push_back({ApplyStatus::pending});
         d.attach();
       }},
      {P::observing, P::frozen, freeze},
      {P::observing, P::safe, lose},
      {P::steady, P::applying,
       [](Driver& d) {
         find_candidate(d);
         d.answers.push_back({ApplyStatus::pending});
         d.poll(40);
       }},
      {P::steady, P::observing, observe},
      {P::steady, P::reverting,
       [](Driver& d) {
         d.settings.set("default", model::Knob::level0_slowdown_writes_trigger, 30);
         d.state.persistent.kept = {
             {"default", model::Knob::level0_slowdown_writes_trigger, 20, 30}};
         d.state.expected = d.settings;
         d.answers.push_back({ApplyStatus::pending});
         d.command(Kind::revert);
       }},
      {P::steady, P::frozen, freeze},
      {P::steady, P::safe, lose},
      {P::applying, P::settling, [](Driver& d) { d.finish_call(ApplyStatus::ok); }},
      {P::applying, P::steady, [](Driver& d) { d.finish_call(ApplyStatus::not_sent); }},
      {P::applying, P::cooldown, [](Driver& d) { d.finish_call(ApplyStatus::failed); }},
      {P::applying, P::reverting,
       [](Driver& d) {
         const auto changes = d.state.trial->decision.changes;
         d.answers.push_back({ApplyStatus::not_sent});
         d.feed(ApplyFinished{d.state.trial->decision.id, false, ApplyStatus::failed, changes,
                              "half"});
         d.broken.clear();  // the driver still holds the first call
       }},
      {P::applying, P::observing, reopen},
      {P::applying, P::safe, lose},
      {P::settling, P::verifying, [](Driver& d) { d.poll(6); }},
      {P::settling, P::cooldown,
       [](Driver& d) {
         d.settings.set("default", model::Knob::level0_slowdown_writes_trigger, 30);
         d.poll();
       }},
      {P::settling, P::reverting, freeze},
      {P::settling, P::observing, reopen},
      {P::settling, P::safe, lose},
      {P::verifying, P::cooldown, [](Driver& d) { d.poll(20); }},
      {P::verifying, P::reverting, freeze},
      {P::verifying, P::observing, reopen},
      {P::verifying, P::safe, lose},
      {P::cooldown, P::steady, [](Driver& d) { d.poll(11); }},
      {P::cooldown, P::observing, observe},
      {P::cooldown, P::reverting, held_revert},
      {P::cooldown, P::frozen, freeze},
      {P::cooldown, P::safe, lose},
      {P::reverting, P::cooldown,
       [](Driver& d) {
         d.finish_call(ApplyStatus::ok);
         d.poll();
       }},
      {P::reverting, P::observing, reopen},
      {P::reverting, P::frozen,
       [](Driver& d) {
         d.command(Kind::freeze);
         d.finish_call(ApplyStatus::ok);
         d.poll();
       }},
      {P::reverting, P::safe, lose},
      {P::frozen, P::observing, [](Driver& d) { d.command(Kind::thaw); }},
      {P::frozen, P::reverting, revert},
      {P::frozen, P::safe, lose},
      {P::safe, P::observing, poll},
      {P::safe, P::frozen,
       [](Driver& d) {
         d.command(Kind::freeze);
         d.poll();
       }},
      {P::safe, P::reverting, held_revert},
  };
}

TEST(Transitions, EveryRowIsReachedAndNothingElse) {
  std::set<std::pair<Phase, Phase>> reached;
  for (const auto& way : ways()) {
    SCOPED_TRACE(std::string(to_text(way.from)) + " -> " + to_text(way.to));
    Driver d;
    enter(d, way.from);
    ASSERT_EQ(d.state.phase, way.from) << to_text(d.state.phase);
    d.moves.clear();
    way.act(d);
    // A step may pass through a phase: from frozen over observing to steady.
    if (d.moves.count({way.from, way.to}) != 0 ||
        (way.to == Phase::observing && d.moves.count({way.from, Phase::steady}) != 0))
      reached.insert({way.from, way.to});
    else
      ADD_FAILURE() << "not reached; the phase is " << to_text(d.state.phase);
    EXPECT_TRUE(d.broken.empty()) << d.broken.front();
  }
  for (const auto& row : transitions())
    EXPECT_TRUE(reached.count({row.from, row.to}))
        << to_text(row.from) << " -> " << to_text(row.to) << " has no way";
  EXPECT_EQ(reached.size(), transitions().size());
}

TEST(Transitions, StayingIsAllowedAndShortCutsAreNot) {
  for (int i = 0; i < kPhaseCount; ++i)
    EXPECT_TRUE(allowed(static_cast<Phase>(i), static_cast<Phase>(i)));
  EXPECT_FALSE(allowed(Phase::observing, Phase::applying));
  EXPECT_FALSE(allowed(Phase::frozen, Phase::applying));
  EXPECT_FALSE(allowed(Phase::safe, Phase::applying));
  EXPECT_FALSE(allowed(Phase::settling, Phase::steady));
}

TEST(Transitions, DocumentationPrintsTheTable) {
  std::ifstream file(std::string(LSMTUNED_SOURCE_DIR) + "/docs/control.md");
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_NE(text.str().find(transitions_markdown()), std::string::npos)
      << "docs/control.md must hold exactly:\n"
      << transitions_markdown();
}

}  // namespace
}  // namespace lsmtuned::controller
