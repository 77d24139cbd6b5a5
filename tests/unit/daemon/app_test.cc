// The daemon as a whole: a trial from observation to verdict, hand-over, and what happens when
// the database, the disk or the operator does not play along.
#include "daemon/app.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "app_fixture.h"
#include "daemon/event_log.h"
#include "daemon/replay.h"
#include "daemon/unfinished.h"
#include "model/invariants.h"

namespace lsmtuned::daemon::testing {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::optional<json::object> finished_proposal(const json::object& answer) {
  const json::value* decisions = answer.if_contains("decisions");
  if (decisions == nullptr || !decisions->is_array()) return std::nullopt;
  for (const json::value& entry : decisions->get_array()) {
    const json::object& decision = entry.get_object();
    const std::string status(decision.at("status").as_string());
    if (decision.at("kind").as_string() == "proposal" && status != "intended" &&
        status != "applied" && status != "advised")
      return decision;
  }
  return std::nullopt;
}

TEST_F(RunningApp, GoesThroughATrialAndReturnsToTheBaselineAtTheEnd) {
  start();
  const model::Settings baseline = switches_->seen();
  std::optional<json::object> trial;
  ASSERT_TRUE(eventually([&] {
    trial = finished_proposal(ask({{"command", "decisions"}, {"limit", 100}}));
    return trial.has_value();
  })) << json::serialize(status());
  EXPECT_THAT(std::string(trial->at("status").as_string()),
              AnyOf("kept", "reverted", "inconclusive"));
  EXPECT_FALSE(trial->at("changes").as_array().empty());
  EXPECT_GE(switches_->applies, 1);
  EXPECT_GE(switches_->heartbeats, 10);
  const json::object now = status();
  EXPECT_GT(now.at("prediction").as_object().at("put_bytes_per_s").to_number<double>(), 0);
  stop();
  EXPECT_EQ(switches_->seen(), baseline);
  EXPECT_EQ(switches_->keeps, 0);

  auto history = History::open(config_.state_directory);
  ASSERT_TRUE(history);
  auto unfinished = (*history)->unfinished("plant");
  ASSERT_TRUE(unfinished);
  EXPECT_TRUE(unfinished->empty());
  auto state = (*history)->load_state("plant");
  ASSERT_TRUE(state);
  ASSERT_TRUE(*state);
  EXPECT_TRUE((*state)->kept.empty());
}

TEST_F(RunningApp, AnUnexpectedWorkloadPhaseIsAnAlert) {
  policy().mode = config::Mode::observe;
  // From initial to final at once, when the clock passes a minute.
  model::published::PhaseThresholds& phases = policy().workload_phases;
  phases = {1, 1, 0, 0, 1000, 3, 2, 2};
  start();
  const auto alerted = [&] {
    const json::object now = status();
    if (!ok(now)) return false;
    for (const json::value& alert : now.at("alerts").as_array())
      if (text(alert.as_object(), "code") == "workload-phase" &&
          text(alert.as_object(), "text") == "workload phase initial -> final: not the next one" &&
          text(alert.as_object(), "severity") == "warning")
        return true;
    return false;
  };
  ASSERT_TRUE(eventually(alerted)) << json::serialize(status());
  EXPECT_EQ(text(status().at("workload_phase").as_object(), "phase"), "final");
}

TEST_F(RunningApp, ASlowerDeviceIsFoundFromOutside) {
  speed_ /= 3;  // late polls of a slow machine make its rates uneven, and a good moment is even
  policy().mode = config::Mode::observe;
  policy().watch.hold_s = 60;
  policy().watch.span_s = 120;
  start();
  const auto standard_known = [&] {
    const json::object now = status();
    if (!ok(now)) return false;
    const json::object& watched = now.at("watched").as_object();
    return !watched.at("put_rate").as_object().at("standard").is_null() &&
           !watched.at("write_bandwidth").as_object().at("standard").is_null() &&
           watched.at("good_moment_known").as_bool();
  };
  ASSERT_TRUE(eventually(standard_known, 200)) << json::serialize(status());
  switches_->device_write_bytes_per_s = 10.0 * 1024 * 1024;  // of 24
  std::string told;
  const auto alerted = [&] {
    const json::object now = status();
    if (!ok(now)) return false;
    for (const json::value& alert : now.at("alerts").as_array())
      if (text(alert.as_object(), "code") == "regression") told = text(alert.as_object(), "text");
    return !told.empty();
  };
  ASSERT_TRUE(eventually(alerted)) << json::serialize(status());
  EXPECT_THAT(told, HasSubstr("at its best of the day, though writers stall"));
  const auto device_is_named = [&] {
    const json::object now = status();
    if (!ok(now)) return false;
    const json::array& suspects = now.at("watched").as_object().at("suspects").as_array();
    return !suspects.empty() && text(suspects[0].as_object(), "name") == "device";
  };
  EXPECT_TRUE(eventually(device_is_named)) << json::serialize(status());
  const json::object now = status();
  EXPECT_GT(now.at("watched").as_object().at("level_amplification").as_array().size(), 1U);
}

TEST_F(RunningApp, ARecordedRunReplaysIdenticallyTwice) {
  config_.record_events = temp_.file("events");
  config_.record_events_bytes = 1e9;
  policy().search_evaluations = 300;
  start();
  ASSERT_TRUE(eventually([&] {
    return finished_proposal(ask({{"command", "decisions"}, {"limit", 100}})).has_value();
  })) << json::serialize(status());
  ask({{"command", "freeze"}});
  stop();
  start();  // a session of its own in the same file
  ASSERT_TRUE(phase_becomes("frozen"));
  stop();
  const auto run = [&] {
    std::ostringstream out;
    std::ostringstream err;
    const ReplayEnd end = replay(EventLog::path_for(config_.record_events, "plant"), {}, out, err);
    EXPECT_EQ(end, ReplayEnd::finished) << err.str();
    return out.str();
  };
  const std::string first = run();
  EXPECT_THAT(first, AllOf(HasSubstr("kind=proposal"), HasSubstr("identical to the record")));
  EXPECT_EQ(first, run());
}

// Both want the same; the daemon lets them try one after the other, a stagger apart, and what both
// may take stays within what they share.
TEST_F(RunningApp, TwoDatabasesTakeTurns) {
  config_.stagger_s = 40;
  config_.memory_budget_bytes = 128.0 * 1024 * 1024;
  config_.record_events = temp_.file("events");
  config_.record_events_bytes = 1e9;
  policy().strategy = config::Strategy::probe;
  policy().poll_interval_s = 2;
  speed_ = 20;  // two loops
  config::TargetConfig second = config_.targets.front();
  second.name = "second";
  second.path = "/second";
  config_.targets.push_back(second);
  start();
  const auto ask_of = [&](const char* command, const std::string& target) {
    return ask({{"command", command}, {"target", target}, {"limit", 100}});
  };
  int rounds = 0;
  ASSERT_TRUE(eventually([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    int changing = 0;
    const json::object both = ask({{"command", "targets"}});
    if (!both.contains("targets")) return false;
    for (const json::value& entry : both.at("targets").as_array()) {
      const std::string phase = text(entry.as_object(), "phase");
      changing += phase == "applying" || phase == "settling" || phase == "verifying" ||
                  phase == "reverting";
    }
    EXPECT_LE(changing, 1);
    const model::MemoryBudgetInputs plant{8.0 * 1024 * 1024, 0, 2.0 * 1024 * 1024};
    EXPECT_LE(model::memory_of(switches_->seen(), plant) +
                  model::memory_of(other_switches_.at("second")->seen(), plant),
              config_.memory_budget_bytes);
    ++rounds;
    return finished_proposal(ask_of("decisions", "plant")) &&
           finished_proposal(ask_of("decisions", "second"));
  })) << json::serialize(ask_of("status", "plant"))
      << json::serialize(ask_of("status", "second"));
  EXPECT_GT(rounds, 10);

  struct Change {
    std::string target;
    double from_s;
    double to_s;
  };
  std::vector<Change> changes;
  for (const char* name : {"plant", "second"}) {
    const json::object answer = ask_of("decisions", name);
    for (const json::value& entry : answer.at("decisions").as_array()) {
      const json::object& decision = entry.as_object();
      const double end = decision.at("ended_wall_time_s").to_number<double>();
      if (text(decision, "kind") == "proposal" && end > 0)
        changes.push_back({name, decision.at("wall_time_s").to_number<double>(), end});
    }
  }
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return a.from_s < b.from_s; });
  ASSERT_GE(changes.size(), 2u);
  for (std::size_t i = 1; i < changes.size(); ++i)
    if (changes[i].target != changes[i - 1].target) {
      EXPECT_GE(changes[i].from_s - changes[i - 1].to_s, config_.stagger_s - 2);
    }
  stop();
  // Turns are events: each record replays by itself.
  for (const char* name : {"plant", "second"}) {
    std::ostringstream out;
    std::ostringstream err;
    const std::string path = EventLog::path_for(config_.record_events, name);
    EXPECT_EQ(replay(path, {}, out, err), ReplayEnd::finished) << err.str();
  }
}

TEST_F(RunningApp, ATrialThatIsCutShortByTheEndLeavesNothingBehind) {
  policy().trial_min_s = 5000;
  policy().trial_max_s = 10000;
  start();
  const model::Settings baseline = switches_->seen();
  ASSERT_TRUE(phase_becomes("verifying")) << json::serialize(status());
  EXPECT_NE(switches_->seen(), baseline);
  stop();
  EXPECT_EQ(switches_->seen(), baseline);
}

TEST_F(RunningApp, KeepEndsTheLeaseButATrialWithoutVerdictGoesHome) {
  policy().on_exit = config::ExitPolicy::keep;
  policy().trial_min_s = 5000;
  policy().trial_max_s = 10000;
  start();
  const model::Settings baseline = switches_->seen();
  ASSERT_TRUE(phase_becomes("verifying")) << json::serialize(status());
  stop();
  EXPECT_EQ(switches_->seen(), baseline);
  EXPECT_EQ(switches_->keeps, 1);
  EXPECT_EQ(switches_->restores, 0);
}

TEST_F(RunningApp, KeepLeavesKeptSettingsInForceAndTheNextDaemonKnowsThem) {
  policy().on_exit = config::ExitPolicy::keep;
  start();
  const auto kept = [&] {
    const json::object now = status();
    const json::value* list = now.if_contains("kept");
    return list != nullptr && list->is_array() && !list->get_array().empty();
  };
  ASSERT_TRUE(eventually(kept)) << json::serialize(status());
  ASSERT_TRUE(ok(ask({{"command", "freeze"}})));
  ASSERT_TRUE(eventually([&] { return text(status(), "phase") == "frozen"; }));
  const model::Settings tuned = switches_->seen();
  stop();
  EXPECT_EQ(switches_->seen(), tuned);
  EXPECT_EQ(switches_->keeps, 1);

  start();
  ASSERT_TRUE(eventually(kept)) << json::serialize(status());
  EXPECT_EQ(switches_->seen(), tuned);
  const std::string options = text(ask({{"command", "export"}}), "options");
  EXPECT_THAT(options, HasSubstr("[CFOptions \"default\"]"));
  EXPECT_THAT(options, HasSubstr("# decision "));
  EXPECT_THAT(options, ::testing::Not(HasSubstr("[Version]")));
  ASSERT_TRUE(ok(ask({{"command", "revert"}})));
  EXPECT_TRUE(eventually([&] { return !kept() && switches_->seen() != tuned; }));
}

// Killed between an outcome and its record: the state is saved first.
TEST_F(RunningApp, ADecisionThatADeadDaemonLeftOpenIsEnded) {
  controller::Decision kept;
  kept.id = 1;
  kept.target = "plant";
  kept.kind = controller::DecisionKind::proposal;
  kept.status = controller::DecisionStatus::applied;
  kept.changes = {{"default", model::Knob::write_buffer_size, 4194304, 8388608}};
  controller::Decision unknown = kept;
  unknown.id = 2;
  unknown.changes.front().new_value = 16777216;
  controller::Decision open = kept;
  open.id = 3;
  {
    auto history = History::open(config_.state_directory);
    ASSERT_TRUE(history);
    controller::PersistentState state;
    state.kept = kept.changes;
    state.open_trial = open;
    state.next_decision_id = 4;
    ASSERT_TRUE((*history)->save_state("plant", state));
    for (const auto& decision : {kept, unknown, open}) ASSERT_TRUE((*history)->record(decision));
    ASSERT_TRUE(end_unfinished(**history, "plant", state, 1000));
    const auto status_of = [&](std::uint64_t id) {
      return (*history)->find("plant", id).value()->status;
    };
    EXPECT_EQ(status_of(1), controller::DecisionStatus::kept);
    EXPECT_EQ(status_of(2), controller::DecisionStatus::inconclusive);
    EXPECT_EQ(status_of(3), controller::DecisionStatus::applied) << "the controller ends this one";
    for (const auto& decision : {kept, unknown}) ASSERT_TRUE((*history)->record(decision));
  }
  start();
  ASSERT_TRUE(eventually([&] {
    const std::string listed = json::serialize(ask({{"command", "decisions"}, {"limit", 100}}));
    return ok(status()) && listed.find("\"applied\"") == std::string::npos;
  })) << json::serialize(ask({{"command", "decisions"}, {"limit", 100}}));
}

TEST_F(RunningApp, AnotherDatabaseAtTheSamePathStartsAfreshButObeysTheFreeze) {
  policy().reapply_after_restart = true;
  const auto stored = [&] {
    auto history = History::open(config_.state_directory);
    EXPECT_TRUE(history);
    auto state = (*history)->load_state("plant");
    EXPECT_TRUE(state && *state);
    return **state;
  };
  start();
  ASSERT_TRUE(eventually([&] {
    const json::object now = status();
    const json::value* kept = now.if_contains("kept");
    return kept != nullptr && kept->is_array() && !kept->get_array().empty();
  })) << json::serialize(status());
  ASSERT_TRUE(ok(ask({{"command", "freeze"}})));
  stop();
  const controller::PersistentState before = stored();
  EXPECT_EQ(before.database_id, "one");
  EXPECT_TRUE(before.calibrated);

  plant_.reset();
  database_id_ = "two";
  start();
  ASSERT_TRUE(eventually([&] { return ask({{"command", "snapshot"}}).contains("snapshot"); }));
  EXPECT_TRUE(phase_becomes("frozen"));
  stop();
  const controller::PersistentState after = stored();
  EXPECT_EQ(after.database_id, "two");
  EXPECT_TRUE(after.kept.empty());
  EXPECT_TRUE(after.frozen_by_operator);
  EXPECT_GE(after.next_decision_id, before.next_decision_id);
}

TEST_F(RunningApp, AFileFreezesWhileItExists) {
  policy().freeze_file = config_.state_directory + "-freeze";
  std::ofstream(policy().freeze_file) << "backup\n";
  start();
  ASSERT_TRUE(eventually([&] { return ask({{"command", "snapshot"}}).contains("snapshot"); }));
  EXPECT_TRUE(phase_becomes("frozen"));
  EXPECT_EQ(text(status(), "freeze_file"), policy().freeze_file);
  ASSERT_TRUE(std::filesystem::remove(policy().freeze_file));
  EXPECT_TRUE(eventually([&] { return text(status(), "phase") != "frozen"; }));
  EXPECT_TRUE(status().at("freeze_file").is_null());
}

// ---- things that go wrong -----------------------------------------------------------------------

TEST_F(RunningApp, FailingObservationsEndInSafeAndComeBack) {
  start();
  ASSERT_TRUE(eventually([&] { return ask({{"command", "snapshot"}}).contains("snapshot"); }));
  switches_->fail_observe = true;
  EXPECT_TRUE(phase_becomes("safe"));
  EXPECT_EQ(text(status(), "failed_observation"), "told to fail");
  switches_->fail_observe = false;
  EXPECT_TRUE(eventually([&] { return text(status(), "phase") != "safe"; }));
}

TEST_F(RunningApp, AHungLoopSendsNoHeartbeatsAndIsSaid) {
  start();
  ASSERT_TRUE(eventually([&] { return ask({{"command", "snapshot"}}).contains("snapshot"); }));
  switches_->hang_observe = true;
  // The event queue goes on without the loop: ticks find that data has stopped.
  EXPECT_TRUE(phase_becomes("safe"));
  ASSERT_TRUE(eventually([&] { return !status().at("making_progress").as_bool(); }));
  const int before = switches_->heartbeats;
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(switches_->heartbeats, before);
  switches_->hang_observe = false;
  EXPECT_TRUE(eventually([&] { return switches_->heartbeats > before; }));
}

TEST_F(RunningApp, AnApplyThatReturnsLateIsHandled) {
  switches_->late_apply = true;
  start();
  ASSERT_TRUE(eventually([&] { return switches_->applies > 0; })) << json::serialize(status());
  ASSERT_TRUE(eventually([&] {
    const std::string phase = text(status(), "phase");
    return phase == "settling" || phase == "verifying";
  })) << json::serialize(status());
}

TEST_F(RunningApp, AFailingApplyEndsTheDecision) {
  switches_->fail_apply = true;
  start();
  const model::Settings baseline = switches_->seen();
  std::optional<json::object> trial;
  ASSERT_TRUE(eventually([&] {
    trial = finished_proposal(ask({{"command", "decisions"}, {"limit", 100}}));
    return trial.has_value();
  })) << json::serialize(status());
  EXPECT_EQ(trial->at("status").as_string(), "failed");
  EXPECT_EQ(switches_->seen(), baseline);
}

struct HistoryFaults {
  std::function<Result<void>(const controller::Decision&)> on_intent;  // before it is recorded
  std::string unreadable;                                              // why the state is
};

// A history on a disk that is full, slow or damaged.
class FaultyHistory final : public History {
 public:
  FaultyHistory(std::unique_ptr<History> real, HistoryFaults faults)
      : real_(std::move(real)), faults_(std::move(faults)) {}

  Result<void> record(const controller::Decision& decision) override {
    if (faults_.on_intent && decision.status == controller::DecisionStatus::intended)
      if (auto fault = faults_.on_intent(decision); !fault) return fault;
    return real_->record(decision);
  }
  Result<void> save_state(const std::string& target,
                          const controller::PersistentState& state) override {
    return real_->save_state(target, state);
  }
  Result<std::optional<controller::PersistentState>> load_state(
      const std::string& target) override {
    if (!faults_.unreadable.empty()) return Error{faults_.unreadable, ""};
    return real_->load_state(target);
  }
  Result<void> add_sample(const SampleRow& sample) override { return real_->add_sample(sample); }
  Result<std::optional<controller::Decision>> find(const std::string& target,
                                                   std::uint64_t id) override {
    return real_->find(target, id);
  }
  Result<std::vector<controller::Decision>> decisions(const std::string& target,
                                                      std::uint64_t before_id, int limit) override {
    return real_->decisions(target, before_id, limit);
  }
  Result<std::vector<SampleRow>> samples(const std::string& target, double from,
                                         double to) override {
    return real_->samples(target, from, to);
  }
  Result<std::vector<controller::Decision>> unfinished(const std::string& target) override {
    return real_->unfinished(target);
  }
  Result<void> prune_older_than(double wall_time_s) override {
    return real_->prune_older_than(wall_time_s);
  }

 private:
  std::unique_ptr<History> real_;
  HistoryFaults faults_;
};

auto opener_with(HistoryFaults faults) {
  return [faults =
              std::move(faults)](const std::string& directory) -> Result<std::unique_ptr<History>> {
    auto real = History::open(directory);
    if (!real) return real.error();
    return {Result<std::unique_ptr<History>>::in_place_value,
            std::make_unique<FaultyHistory>(std::move(*real), faults)};
  };
}

TEST_F(RunningApp, NothingIsSentWhileTheIntentCannotBeWritten) {
  auto full = std::make_shared<std::atomic<bool>>(true);
  HistoryFaults faults;
  faults.on_intent = [full](const controller::Decision&) -> Result<void> {
    if (*full) return Error{"database or disk is full", "make room"};
    return {};
  };
  open_history_ = opener_with(faults);
  start();
  ASSERT_TRUE(eventually([&] {
    const json::object now = status();
    const json::value* alerts = now.if_contains("alerts");
    return alerts != nullptr &&
           json::serialize(*alerts).find("could not be recorded") != std::string::npos;
  })) << json::serialize(status());
  EXPECT_EQ(switches_->applies, 0);
  *full = false;
  EXPECT_TRUE(eventually([&] { return switches_->applies > 0; })) << json::serialize(status());
}

// While the record of the intent was written the database was closed and opened again.
TEST_F(RunningApp, WhatWasDecidedAboutOneOpenIsNotSentToTheNext) {
  auto intents = std::make_shared<std::atomic<int>>(0);
  HistoryFaults faults;
  faults.on_intent = [this, intents](const controller::Decision&) -> Result<void> {
    switches_->opened_again = true;
    // What is decided about the next open is not sent either: any call is one too many.
    if (++*intents > 1) return Error{"database or disk is full", "make room"};
    return {};
  };
  open_history_ = opener_with(faults);
  start();
  // The failed call or the first snapshot of the next open ends it, whichever is heard first.
  ASSERT_TRUE(eventually([&] {
    const auto text = json::serialize(ask({{"command", "explain"}, {"id", 1}}));
    return text.find("not attached") != std::string::npos ||
           text.find("the database was restarted") != std::string::npos;
  })) << json::serialize(ask({{"command", "explain"}, {"id", 1}}));
  EXPECT_EQ(switches_->applies, 0);
}

// The watchdog would kill the daemon, and take what is tuned on other databases with it, for
// something that a restart does not mend.
TEST_F(RunningApp, AnUnreadableHistoryOfOneTargetIsNoReasonToBeKilled) {
  HistoryFaults faults;
  faults.unreadable = "state of plant: unknown word";
  open_history_ = opener_with(faults);
  std::ostringstream logged;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(logged)));
  start();
  std::this_thread::sleep_for(std::chrono::duration<double>(60 / speed_));  // of the daemon's time
  EXPECT_FALSE(ok(status()));
  stop();
  spdlog::set_default_logger(before);
  EXPECT_THAT(logged.str(), HasSubstr("cannot be read"));
  EXPECT_THAT(logged.str(), Not(HasSubstr("stuck")));
}

// ---- the instance and its configuration ---------------------------------------------------------

TEST_F(RunningApp, ASecondDaemonIsRefusedWithThePidOfTheFirst) {
  start();
  AppOptions options;
  options.config = config_;
  options.handle_signals = false;
  auto second = App::create(std::move(options));
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("pid " + std::to_string(::getpid())));
  EXPECT_TRUE(eventually([&] { return ok(status()); })) << "the first one goes on";
}

}  // namespace
}  // namespace lsmtuned::daemon::testing
