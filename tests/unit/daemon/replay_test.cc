// Recorded runs of the controller over a toy database, replayed.
#include "daemon/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "daemon/control_protocol.h"
#include "daemon/ctl_run.h"
#include "daemon/event_log.h"
#include "driver.h"
#include "temp_dir.h"

namespace lsmtuned::daemon {
namespace {

using controller::testing::Driver;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

struct Replayed {
  ReplayEnd end{};
  std::string out;
  std::string err;
};

Replayed replayed(const std::string& path, const ReplayOptions& options = {}) {
  std::ostringstream out;
  std::ostringstream err;
  const ReplayEnd end = replay(path, options, out, err);
  return {end, out.str(), err.str()};
}

class Recorded : public ::testing::Test {
 protected:
  static constexpr double kLarge = 1e9;

  // As TargetRunner does it.
  void record(Driver& driver, double limit_bytes = kLarge) {
    log_ = std::make_unique<EventLog>(temp_.file("events"), "main", limit_bytes);
    driver.real_search = true;
    driver.on_step = [this](const controller::State& before, const controller::Event& event,
                            const controller::StepResult& result) {
      if (log_->take_state_wish()) log_->begin(before);
      log_->append(event, result.effects, result.refusal);
    };
  }

  // A trial that is kept, a freeze, an operator's revert, and more searches.
  void play(Driver& d) {
    d.real_search = true;
    d.plant.stall = 0.3;
    d.tuned_plant.rate = 13e6;
    d.attach();
    d.poll(60);
    d.command(controller::OperatorCommand::Kind::freeze);
    d.poll(3);
    d.command(controller::OperatorCommand::Kind::freeze);  // refused: frozen already
    d.command(controller::OperatorCommand::Kind::thaw);
    d.command(controller::OperatorCommand::Kind::revert);
    d.failing_polls = 2;
    d.poll(40);
    ASSERT_GT(d.searches, 0);
    ASSERT_GT(d.sent(false), 0);
  }
  static config::Policy policy(config::Strategy strategy) {
    auto policy = Driver::base_policy();
    policy.strategy = strategy;
    policy.search_evaluations = 300;
    // Whether the model expects enough of a toy database is not the question here.
    policy.minimum_probability = 0.5;
    policy.minimum_gain = 0.01;
    return policy;
  }
  std::string path() const { return EventLog::path_for(temp_.file("events"), "main"); }
  std::string content() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void rewrite(const std::string& text) const {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << text;
  }

  testing::TempDir temp_;
  std::unique_ptr<EventLog> log_;
};

TEST_F(Recorded, ReplaysToTheSameDecisionsTwice) {
  Driver d(policy(config::Strategy::model));
  record(d);
  play(d);
  const auto first = replayed(path());
  EXPECT_EQ(first.end, ReplayEnd::finished) << first.err;
  EXPECT_EQ(first.err, "");
  EXPECT_THAT(first.out, AllOf(HasSubstr("status=kept"), HasSubstr("kind=revert"),
                               HasSubstr("identical to the record: ")));
  const auto second = replayed(path());
  EXPECT_EQ(first.out, second.out);
}

TEST_F(Recorded, EveryStrategyReplays) {
  for (const auto strategy : {config::Strategy::rules, config::Strategy::probe}) {
    Driver d(policy(strategy));
    record(d);
    d.plant.immutables = 1;
    d.attach();
    for (int i = 0; i < 20; ++i) {
      d.plant.rate = i % 5 == 0 ? 3e6 : 10e6;
      d.poll(5);
    }
    ASSERT_GT(d.sent(false), 0);
  }
  // The second run went on in the same file, as a session of its own.
  const auto result = replayed(path());
  EXPECT_EQ(result.end, ReplayEnd::finished) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("reason=rules"), HasSubstr("reason=probe")));
}

// Files begin anywhere: in a trial, in a revert, while searching.
TEST_F(Recorded, EveryFileOfARotatedLogReplays) {
  Driver d(policy(config::Strategy::model));
  record(d, 200e3);
  d.real_search = true;
  d.tuned_plant.rate = 13e6;
  d.attach();
  int files = 0;
  std::string last_state;
  for (int i = 0; i < 120; ++i) {
    d.poll();
    std::ifstream rotated(path() + ".1");
    std::string state;
    std::getline(rotated, state);
    if (state.empty() || state == last_state) continue;
    last_state = state;
    ++files;
    const auto result = replayed(path() + ".1");
    ASSERT_EQ(result.end, ReplayEnd::finished) << result.err;
  }
  EXPECT_GE(files, 3);
  EXPECT_EQ(replayed(path()).end, ReplayEnd::finished);
  EXPECT_LT(std::filesystem::file_size(path()), 400e3);
}

TEST_F(Recorded, ATornLastLineIsLeftOutAndCutOffLater) {
  Driver d(policy(config::Strategy::model));
  record(d);
  d.attach();
  d.poll(10);
  const std::string whole = content();
  rewrite(whole.substr(0, whole.size() - 30));
  const auto result = replayed(path());
  EXPECT_EQ(result.end, ReplayEnd::finished);
  EXPECT_THAT(result.err, HasSubstr("is not whole"));
  Driver later(policy(config::Strategy::model));
  record(later);
  later.attach();
  later.poll(3);
  const auto again = replayed(path());
  EXPECT_EQ(again.end, ReplayEnd::finished) << again.err;
  EXPECT_EQ(again.err, "");
}

TEST_F(Recorded, ADamagedLineIsAnErrorWithItsNumber) {
  Driver d(policy(config::Strategy::model));
  record(d);
  d.attach();
  d.poll(10);
  std::string text = content();
  std::size_t at = 0;
  for (int line = 1; line < 5; ++line) at = text.find('\n', at) + 1;
  text[at + 20] = '\x01';
  rewrite(text);
  const auto result = replayed(path());
  EXPECT_EQ(result.end, ReplayEnd::damaged);
  EXPECT_THAT(result.err, HasSubstr("main.jsonl:5: "));
}

TEST_F(Recorded, NoLogAtAll) {
  EXPECT_EQ(replayed(temp_.file("absent")).end, ReplayEnd::damaged);
  std::ofstream(temp_.file("other")) << "{\"now_s\":1}\n";
  const auto other = replayed(temp_.file("other"));
  EXPECT_EQ(other.end, ReplayEnd::damaged);
  EXPECT_THAT(other.err, HasSubstr("not the beginning of an event log"));
  std::ofstream(temp_.file("newer")) << "{\"session\":{\"format\":99}}\n";
  EXPECT_THAT(replayed(temp_.file("newer")).err, HasSubstr("another format"));
  std::ofstream(temp_.file("empty"));
  EXPECT_EQ(replayed(temp_.file("empty")).end, ReplayEnd::damaged);
}

TEST_F(Recorded, TheFirstDifferenceIsNamed) {
  Driver d(policy(config::Strategy::model));
  record(d);
  play(d);
  std::string text = content();
  const std::size_t at = text.find("\"gain\"");  // the reason of the first proposal
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 6, "\"luck\"");
  rewrite(text);
  const auto result = replayed(path());
  EXPECT_EQ(result.end, ReplayEnd::differs);
  EXPECT_THAT(result.err, AllOf(HasSubstr("the effects differs"), HasSubstr("\"luck\""),
                                HasSubstr("\"gain\"")));
}

TEST_F(Recorded, ATamperedSearchIsFound) {
  Driver d(policy(config::Strategy::model));
  record(d);
  play(d);
  std::string text = content();
  const std::size_t at = text.find("\"objective_gain\":");
  ASSERT_NE(at, std::string::npos);
  text[at + 17] = '7';
  rewrite(text);
  const auto result = replayed(path());
  EXPECT_EQ(result.end, ReplayEnd::differs);
  EXPECT_THAT(result.err, HasSubstr("the search result differs"));
}

TEST_F(Recorded, AnotherPolicyGivesOtherAdvice) {
  Driver d(policy(config::Strategy::model));
  record(d);
  play(d);
  ReplayOptions options;
  options.policy = policy(config::Strategy::model);
  const auto same = replayed(path(), options);
  EXPECT_EQ(same.end, ReplayEnd::finished) << same.err;
  EXPECT_THAT(same.out, AllOf(HasSubstr("status=advised"), HasSubstr("under another policy"),
                              Not(HasSubstr("status=applied")), Not(HasSubstr("kind=foreign"))));
  options.policy->minimum_gain = 1e6;
  EXPECT_THAT(replayed(path(), options).out, Not(HasSubstr("status=advised")));
  options.policy = policy(config::Strategy::probe);
  EXPECT_THAT(replayed(path(), options).out, HasSubstr("reason=probe"));
}

TEST_F(Recorded, ByCommand) {
  Driver d(policy(config::Strategy::model));
  record(d);
  play(d);
  const auto run = [&](std::vector<std::string> arguments) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = run_ctl(arguments, out, err);
    return std::tuple(code, out.str(), err.str());
  };
  auto [code, out, err] = run({"replay", path()});
  EXPECT_EQ(code, kExitOk) << err;
  EXPECT_THAT(out, HasSubstr("identical to the record"));
  std::ofstream(temp_.file("other.toml"))
      << "[[target]]\nname = \"main\"\npath = \"/db\"\nmode = \"observe\"\n";
  std::tie(code, out, err) =
      run({"--json", "replay", path(), "--policy", temp_.file("other.toml")});
  EXPECT_EQ(code, kExitOk) << err;
  EXPECT_THAT(out, AllOf(HasSubstr("\"result\":\"under another policy\""),
                         Not(HasSubstr("\"status\":\"advised\""))));
  std::tie(code, out, err) =
      run({"--target", "nobody", "replay", path(), "--policy", temp_.file("other.toml")});
  EXPECT_EQ(code, kExitUsage);
  rewrite(content() + "rubbish\n");
  std::tie(code, out, err) = run({"replay", path()});
  EXPECT_EQ(code, kExitProblem);
}

TEST_F(Recorded, AFailingDiskStopsTheLogOnly) {
  std::ofstream(temp_.file("events"));  // a file where the folder should be
  EventLog log(temp_.file("events"), "main", kLarge);
  EXPECT_TRUE(log.take_state_wish());
  log.begin({});
  log.append({}, {}, "");
  EXPECT_FALSE(log.take_state_wish());  // not again at once
}

TEST(EventLogPath, HasNoSlashes) {
  EXPECT_EQ(EventLog::path_for("/e", "/var/db%1"), "/e/%2Fvar%2Fdb%251.jsonl");
}

}  // namespace
}  // namespace lsmtuned::daemon
