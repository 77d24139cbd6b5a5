// What the daemon asks of an agent, and what comes of the answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "actuators/agent_server.h"
#include "agent_server_fixture.h"

namespace lsmtuned::actuators {
namespace {

namespace json = boost::json;
using model::Knob;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

// For requests that are meant to time out.
constexpr milliseconds kShort{20};

TEST_F(AgentServerTest, ObservationIsAskedForAndParsed) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  auto call = begin(target()->observe(kLong));
  const auto request = agent->receive("observe");
  EXPECT_EQ(request.at("db"), 1);
  auto body =
      json::parse(read_file(std::string(ACTUATORS_TEST_DATA) + "/observation.json")).as_object();
  body["type"] = "observation";
  body["seq"] = request.at("seq");
  body["db"] = 1;
  agent->send(body);
  const auto snapshot = Loop::wait(std::move(call)).value();
  EXPECT_EQ(snapshot.target, "/data/one");
  EXPECT_EQ(snapshot.incarnation, 1234567890123456789u);
  EXPECT_GT(snapshot.time_s, 0);
  EXPECT_GT(snapshot.wall_time_s, 1.6e9);
}

TEST_F(AgentServerTest, BadObservationIsAnErrorAndNoMore) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  for (const json::object& body : {json::object{{"error", "the database is closing"}},
                                   json::object{{"uptime_s", -4}}, json::object{}}) {
    auto call = begin(target()->observe(kLong));
    auto answer = body;
    answer["type"] = "observation";
    answer["seq"] = agent->receive("observe").at("seq");
    agent->send(answer);
    EXPECT_FALSE(Loop::wait(std::move(call)));
  }
  EXPECT_TRUE(loop_.on_loop([&] { return target()->connected(); }));
}

TEST_F(AgentServerTest, ObservationThatDoesNotComeTimesOut) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  EXPECT_FALSE(loop_.run(target()->observe(kShort)));
  // Its answer, when it comes, is nobody's; the next one is told apart.
  const auto first = agent->receive("observe").at("seq");
  agent->send({{"type", "observation"}, {"seq", first}, {"error", "late"}});
  auto call = begin(target()->observe(kLong));
  const auto second = agent->receive("observe").at("seq");
  EXPECT_NE(first, second);
  agent->send({{"type", "observation"}, {"seq", second}, {"error", "in time"}});
  EXPECT_THAT(Loop::wait(std::move(call)).error().what, HasSubstr("in time"));
}

TEST_F(AgentServerTest, AppliedIsReportedByReadBack) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  auto call = begin(target()->apply(a_change(), false, kLong, nullptr));
  const auto request = agent->receive("apply");
  EXPECT_EQ(json::serialize(request.at("set")), json::serialize(changed_values()));
  EXPECT_EQ(request.at("revert"), false);
  EXPECT_EQ(request.at("deadline_s"), 30.0);
  agent->send({{"type", "applied"},
               {"seq", request.at("seq")},
               {"db", 1},
               {"status", "ok"},
               {"values", changed_values()},
               {"error", ""}});
  const auto report = Loop::wait(std::move(call));
  EXPECT_EQ(report.status, ApplyStatus::ok);
  EXPECT_EQ(report.applied, a_change());
  const auto held = loop_.run(target()->attachment(kLong)).value();
  EXPECT_EQ(held.ours, a_change());
}

TEST_F(AgentServerTest, ValuesThatDidNotTakeAreNotReportedAsApplied) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  auto call = begin(target()->apply(a_change(), false, kLong, nullptr));
  agent->send({{"type", "applied"},
               {"seq", agent->receive("apply").at("seq")},
               {"db", 1},
               {"status", "failed"},
               {"values", {{"families", {{"default", {{"write_buffer_size", "4194304"}}}}}}},
               {"error", "Invalid argument"}});
  const auto report = Loop::wait(std::move(call));
  EXPECT_EQ(report.status, ApplyStatus::failed);
  EXPECT_TRUE(report.applied.empty());
  EXPECT_EQ(report.error, "Invalid argument");
  EXPECT_TRUE(loop_.run(target()->attachment(kLong)).value().ours.empty());
}

TEST_F(AgentServerTest, RefusalsAndErrorsOfTheAgentAreReported) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  auto stopped = begin(target()->apply(a_change(), false, kLong, nullptr));
  agent->send({{"type", "applied"},
               {"seq", agent->receive("apply").at("seq")},
               {"status", "not_sent"},
               {"error", "writes are stopped"}});
  const auto report = Loop::wait(std::move(stopped));
  EXPECT_EQ(report.status, ApplyStatus::not_sent);
  EXPECT_EQ(report.error, "writes are stopped");

  auto unknown = begin(target()->apply(a_change(), false, kLong, nullptr));
  agent->send({{"type", "error"},
               {"seq", agent->receive("apply").at("seq")},
               {"error", "no such database"}});
  EXPECT_EQ(Loop::wait(std::move(unknown)).error, "no such database");
}

// The report that says pending comes first, whatever the agent is in a hurry to say next.
TEST_F(AgentServerTest, PendingThenLateResult) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  std::promise<ApplyReport> late;
  auto late_result = late.get_future();
  auto call = begin(target()->apply(
      a_change(), false, kLong, [&](ApplyReport report) { late.set_value(std::move(report)); }));
  const auto seq = agent->receive("apply").at("seq");
  agent->send({{"type", "applied"}, {"seq", seq}, {"status", "pending"}});
  agent->send({{"type", "applied"},
               {"seq", seq},
               {"status", "ok"},
               {"late", true},
               {"values", changed_values()}});
  EXPECT_EQ(Loop::wait(std::move(call)).status, ApplyStatus::pending);
  const auto report = Loop::wait(std::move(late_result));
  EXPECT_EQ(report.status, ApplyStatus::ok);
  EXPECT_EQ(report.applied, a_change());
}

TEST_F(AgentServerTest, AgentThatSaysNothingIsPendingToo) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  std::promise<ApplyReport> late;
  auto late_result = late.get_future();
  const auto report = loop_.run(target()->apply(
      a_change(), false, kShort, [&](ApplyReport result) { late.set_value(std::move(result)); }));
  EXPECT_EQ(report.status, ApplyStatus::pending);
  const auto seq = agent->receive("apply").at("seq");
  agent->send({{"type", "applied"}, {"seq", seq}, {"status", "pending"}});
  agent->send({{"type", "applied"}, {"seq", seq}, {"status", "failed"}, {"error", "IO error"}});
  EXPECT_EQ(Loop::wait(std::move(late_result)).error, "IO error");
}

TEST_F(AgentServerTest, LeaseHeartbeatAdoptAndKeepTravel) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  loop_.on_loop([this] { target()->heartbeat(milliseconds(2500)); });
  EXPECT_EQ(agent->receive("heartbeat").at("lease_s"), 2.5);

  auto adopting = begin(target()->adopt(a_change(), kLong));
  const auto adopt = agent->receive("adopt");
  EXPECT_EQ(json::serialize(adopt.at("values")), json::serialize(changed_values()));
  agent->send({{"type", "adopted"}, {"seq", adopt.at("seq")}, {"db", 1}});
  EXPECT_TRUE(Loop::wait(std::move(adopting)));
  const auto held = loop_.run(target()->attachment(kLong)).value();
  EXPECT_EQ(held.baseline.get("default", Knob::write_buffer_size), 16777216);

  auto keeping = begin(target()->keep_without_lease(kLong));
  agent->send({{"type", "kept"}, {"seq", agent->receive("keep").at("seq")}, {"db", 1}});
  EXPECT_TRUE(Loop::wait(std::move(keeping)));

  agent->send({{"type", "lease_expired"}, {"db", 1}, {"status", "ok"}});
  EXPECT_TRUE(eventually([&] { return copy(expired_).size() == 1; }));
}

TEST_F(AgentServerTest, RestoreReportsWhatItPutBack) {
  ASSERT_TRUE(start());
  FakeAgent agent(path_);
  auto database = FakeAgent::database(1, "/data/one");
  database["ours"] = changed_values();
  agent.hello({database});
  auto call = begin(target()->restore(false, kLong, nullptr));
  agent.send({{"type", "applied"},
              {"seq", agent.receive("restore").at("seq")},
              {"status", "ok"},
              {"values", {{"families", {{"default", {{"write_buffer_size", "4194304"}}}}}}}});
  EXPECT_EQ(Loop::wait(std::move(call)).applied, model::reversed(a_change()));
  EXPECT_TRUE(loop_.run(target()->attachment(kLong)).value().ours.empty());
}

}  // namespace
}  // namespace lsmtuned::actuators
