#include "actuators/agent_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fake_agent.h"
#include "support.h"

namespace lsmtuned::actuators {
namespace {

namespace json = boost::json;
using model::Knob;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

constexpr milliseconds kLong{30000};
// For requests that are meant to time out.
constexpr milliseconds kShort{20};

const model::ChangeSet kChange = {{"default", Knob::write_buffer_size, 4194304, 16777216}};
const json::object kChangedValues = {
    {"families", {{"default", {{"write_buffer_size", "16777216"}}}}}};

class AgentServerTest : public ::testing::Test {
 protected:
  ~AgentServerTest() override {
    if (server_) loop_.on_loop([this] { server_.reset(); });
    loop_.finish();
  }

  Result<void> start(std::vector<std::string> users = {}) {
    AgentServerOptions options;
    options.socket_path = path_;
    options.allowed_users = std::move(users);
    options.lease_s = 7;
    AgentServer::Callbacks callbacks;
    callbacks.found = [this](std::shared_ptr<Target> target) {
      const std::scoped_lock lock(mutex_);
      found_.push_back(std::move(target));
    };
    callbacks.lost = [this](const std::shared_ptr<Target>& target, const std::string& reason) {
      const std::scoped_lock lock(mutex_);
      lost_.emplace_back(target->info().path, reason);
    };
    callbacks.lease_expired = [this](const std::shared_ptr<Target>& target) {
      const std::scoped_lock lock(mutex_);
      expired_.push_back(target->info().path);
    };
    callbacks.log = [this](std::string line) {
      const std::scoped_lock lock(mutex_);
      log_.push_back(std::move(line));
    };
    return loop_.on_loop([this, &options, &callbacks] {
      server_ = std::make_unique<AgentServer>(loop_.executor(), options, callbacks);
      return server_->start();
    });
  }

  template <class T>
  std::vector<T> copy(const std::vector<T>& list) {
    const std::scoped_lock lock(mutex_);
    return list;
  }
  // Waits for the target number `index` to be found.
  std::shared_ptr<Target> target(std::size_t index = 0) {
    EXPECT_TRUE(eventually([&] { return copy(found_).size() > index; }));
    return copy(found_).at(index);
  }
  bool logged(const std::string& text) {
    return eventually([&] {
      for (const auto& line : copy(log_))
        if (line.find(text) != std::string::npos) return true;
      return false;
    });
  }
  // An agent with one database, welcomed.
  std::unique_ptr<FakeAgent> attached() {
    auto agent = std::make_unique<FakeAgent>(path_);
    agent->hello({FakeAgent::database(1, "/data/one")});
    agent->receive("welcome");
    return agent;
  }
  // Starts a call on the loop; its result is waited for later.
  template <class T>
  std::future<T> begin(boost::asio::awaitable<T> call) {
    return boost::asio::co_spawn(loop_.executor(), std::move(call), boost::asio::use_future);
  }

  TempDir directory_;
  std::string path_ = directory_ / "agent.sock";
  Loop loop_;
  std::unique_ptr<AgentServer> server_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Target>> found_;
  std::vector<std::pair<std::string, std::string>> lost_;
  std::vector<std::string> expired_;
  std::vector<std::string> log_;
};

TEST_F(AgentServerTest, HandshakeFindsEveryDatabase) {
  ASSERT_TRUE(start());
  FakeAgent agent(path_);
  agent.hello({FakeAgent::database(1, "/data/one"), FakeAgent::database(2, "/data/two")});
  const auto welcome = agent.receive("welcome");
  EXPECT_EQ(welcome.at("protocol"), wire::kProtocolVersion);
  EXPECT_EQ(welcome.at("lease_s"), 7.0);
  const auto second = target(1);
  EXPECT_EQ(second->info().path, "/data/two");
  EXPECT_EQ(second->info().name, "/data/two");
  EXPECT_EQ(second->info().kind, "agent");
  EXPECT_EQ(second->info().database_id, "id-2");
  EXPECT_EQ(second->info().incarnation, 1234567890123456789u);
  EXPECT_EQ(second->info().executable, "/usr/bin/fake");
  EXPECT_EQ(second->info().pid, getpid()) << "the kernel's word, not the agent's";
  EXPECT_TRUE(second->connected());
  const auto held = loop_.run(second->attachment(kLong)).value();
  EXPECT_EQ(held.baseline.get("default", Knob::write_buffer_size), 4194304);
  EXPECT_TRUE(held.ours.empty());
}

TEST_F(AgentServerTest, OtherProtocolIsNamedAndRefused) {
  ASSERT_TRUE(start());
  FakeAgent agent(path_);
  agent.hello({}, 99);
  const auto error = wire::text_member(agent.receive("error"), "error");
  EXPECT_THAT(error, HasSubstr("99"));
  EXPECT_THAT(error, HasSubstr("protocol 1"));
  EXPECT_TRUE(agent.closed_by_daemon());
  EXPECT_TRUE(logged("99"));
}

TEST_F(AgentServerTest, SilentAgentIsClosed) {
  ASSERT_TRUE(start());
  FakeAgent agent(path_);
  EXPECT_TRUE(agent.closed_by_daemon());
  EXPECT_TRUE(logged("no hello"));
}

TEST_F(AgentServerTest, GarbageEndsTheConnectionWithOneLine) {
  ASSERT_TRUE(start());
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string(4, '\0'), std::string(64, '\xff'),
        wire::encode_frame("[1,2]").value(), wire::encode_frame("{\"type\":").value(),
        wire::encode_frame("{\"type\":\"observe\"}").value(),
        wire::encode_frame("{\"type\":\"hello\",\"protocol\":1,\"databases\":[7]}").value()}) {
    const auto before = copy(log_).size();
    FakeAgent agent(path_);
    agent.send_bytes(bytes);
    EXPECT_TRUE(agent.closed_by_daemon());
    EXPECT_TRUE(eventually([&] { return copy(log_).size() == before + 1; }));
  }
  // The server is as well as before.
  attached();
  EXPECT_EQ(target()->info().path, "/data/one");
}

TEST_F(AgentServerTest, GarbageAfterTheHandshakeLosesTheTarget) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  const auto lost = target();
  agent->send_bytes("\xff\xff\xff\xff\xff");
  EXPECT_TRUE(agent->closed_by_daemon());
  EXPECT_TRUE(eventually([&] { return copy(lost_).size() == 1; }));
  EXPECT_FALSE(loop_.on_loop([&] { return lost->connected(); }));
}

TEST_F(AgentServerTest, UserNotListedIsTurnedAway) {
  if (geteuid() != 0) GTEST_SKIP() << "needs a user that is not nobody";
  ASSERT_TRUE(start({"nobody"}));
  FakeAgent agent(path_);
  agent.hello({});
  EXPECT_TRUE(agent.closed_by_daemon());
  EXPECT_TRUE(logged("agent_users"));
  EXPECT_TRUE(copy(found_).empty());
}

TEST_F(AgentServerTest, UserListedByNumberIsLetIn) {
  ASSERT_TRUE(start({std::to_string(geteuid())}));
  attached();
  EXPECT_NE(target(), nullptr);
}

TEST_F(AgentServerTest, UserThatDoesNotExistIsAnError) {
  const auto started = start({"no-such-user-here"});
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().what, HasSubstr("no-such-user-here"));
}

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
  auto call = begin(target()->apply(kChange, false, kLong, nullptr));
  const auto request = agent->receive("apply");
  EXPECT_EQ(json::serialize(request.at("set")), json::serialize(kChangedValues));
  EXPECT_EQ(request.at("revert"), false);
  EXPECT_EQ(request.at("deadline_s"), 30.0);
  agent->send({{"type", "applied"},
               {"seq", request.at("seq")},
               {"db", 1},
               {"status", "ok"},
               {"values", kChangedValues},
               {"error", ""}});
  const auto report = Loop::wait(std::move(call));
  EXPECT_EQ(report.status, ApplyStatus::ok);
  EXPECT_EQ(report.applied, kChange);
  const auto held = loop_.run(target()->attachment(kLong)).value();
  EXPECT_EQ(held.ours, kChange);
}

TEST_F(AgentServerTest, ValuesThatDidNotTakeAreNotReportedAsApplied) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  auto call = begin(target()->apply(kChange, false, kLong, nullptr));
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
  auto stopped = begin(target()->apply(kChange, false, kLong, nullptr));
  agent->send({{"type", "applied"},
               {"seq", agent->receive("apply").at("seq")},
               {"status", "not_sent"},
               {"error", "writes are stopped"}});
  const auto report = Loop::wait(std::move(stopped));
  EXPECT_EQ(report.status, ApplyStatus::not_sent);
  EXPECT_EQ(report.error, "writes are stopped");

  auto unknown = begin(target()->apply(kChange, false, kLong, nullptr));
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
      kChange, false, kLong, [&](ApplyReport report) { late.set_value(std::move(report)); }));
  const auto seq = agent->receive("apply").at("seq");
  agent->send({{"type", "applied"}, {"seq", seq}, {"status", "pending"}});
  agent->send({{"type", "applied"},
               {"seq", seq},
               {"status", "ok"},
               {"late", true},
               {"values", kChangedValues}});
  EXPECT_EQ(Loop::wait(std::move(call)).status, ApplyStatus::pending);
  const auto report = Loop::wait(std::move(late_result));
  EXPECT_EQ(report.status, ApplyStatus::ok);
  EXPECT_EQ(report.applied, kChange);
}

TEST_F(AgentServerTest, AgentThatSaysNothingIsPendingToo) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  std::promise<ApplyReport> late;
  auto late_result = late.get_future();
  const auto report = loop_.run(target()->apply(
      kChange, false, kShort, [&](ApplyReport result) { late.set_value(std::move(result)); }));
  EXPECT_EQ(report.status, ApplyStatus::pending);
  const auto seq = agent->receive("apply").at("seq");
  agent->send({{"type", "applied"}, {"seq", seq}, {"status", "pending"}});
  agent->send({{"type", "applied"}, {"seq", seq}, {"status", "failed"}, {"error", "IO error"}});
  EXPECT_EQ(Loop::wait(std::move(late_result)).error, "IO error");
}

TEST_F(AgentServerTest, LostConnectionEndsWhatWaits) {
  ASSERT_TRUE(start());
  auto agent = attached();
  std::promise<ApplyReport> late;
  auto late_result = late.get_future();
  auto pending = begin(target()->apply(
      kChange, false, kLong, [&](ApplyReport report) { late.set_value(std::move(report)); }));
  agent->send(
      {{"type", "applied"}, {"seq", agent->receive("apply").at("seq")}, {"status", "pending"}});
  EXPECT_EQ(Loop::wait(std::move(pending)).status, ApplyStatus::pending);
  auto observing = begin(target()->observe(kLong));
  auto restoring = begin(target()->restore(false, kLong, nullptr));
  agent->receive("restore");
  agent->disconnect();
  EXPECT_FALSE(Loop::wait(std::move(observing)));
  EXPECT_EQ(Loop::wait(std::move(restoring)).status, ApplyStatus::failed);
  EXPECT_EQ(Loop::wait(std::move(late_result)).status, ApplyStatus::failed);
  EXPECT_TRUE(eventually([&] { return copy(lost_).size() == 1; }));
  const auto target_after = target();
  EXPECT_FALSE(loop_.on_loop([&] { return target_after->connected(); }));
  EXPECT_FALSE(loop_.run(target_after->observe(kLong)));
  EXPECT_FALSE(loop_.run(target_after->attachment(kLong)));
  EXPECT_EQ(loop_.run(target_after->apply(kChange, false, kLong, nullptr)).status,
            ApplyStatus::not_sent);
  loop_.on_loop([&] { target_after->heartbeat(kLong); });
}

TEST_F(AgentServerTest, ReconnectIsANewTarget) {
  ASSERT_TRUE(start());
  {
    const auto agent = attached();
    target(0);
  }
  EXPECT_TRUE(eventually([&] { return copy(lost_).size() == 1; }));
  FakeAgent again(path_);
  auto database = FakeAgent::database(1, "/data/one");
  database["ours"] = kChangedValues;
  again.hello({database});
  const auto second = target(1);
  EXPECT_NE(second, target(0));
  EXPECT_EQ(loop_.run(second->attachment(kLong)).value().ours, kChange);
}

TEST_F(AgentServerTest, DatabasesComeAndGo) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  agent->send({{"type", "opened"}, {"database", FakeAgent::database(5, "/data/five")}});
  EXPECT_EQ(target(1)->info().path, "/data/five");
  auto call = begin(target(1)->observe(kLong));
  agent->receive("observe");
  agent->send({{"type", "closed"}, {"db", 5}});
  EXPECT_FALSE(Loop::wait(std::move(call)));
  EXPECT_TRUE(eventually([&] { return copy(lost_).size() == 1; }));
  EXPECT_EQ(copy(lost_)[0].first, "/data/five");
  EXPECT_TRUE(loop_.on_loop([&] { return target(0)->connected(); }));
}

TEST_F(AgentServerTest, LeaseHeartbeatAdoptAndKeepTravel) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  loop_.on_loop([this] { target()->heartbeat(milliseconds(2500)); });
  EXPECT_EQ(agent->receive("heartbeat").at("lease_s"), 2.5);

  auto adopting = begin(target()->adopt(kChange, kLong));
  const auto adopt = agent->receive("adopt");
  EXPECT_EQ(json::serialize(adopt.at("values")), json::serialize(kChangedValues));
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
  database["ours"] = kChangedValues;
  agent.hello({database});
  auto call = begin(target()->restore(false, kLong, nullptr));
  agent.send({{"type", "applied"},
              {"seq", agent.receive("restore").at("seq")},
              {"status", "ok"},
              {"values", {{"families", {{"default", {{"write_buffer_size", "4194304"}}}}}}}});
  EXPECT_EQ(Loop::wait(std::move(call)).applied, model::reversed(kChange));
  EXPECT_TRUE(loop_.run(target()->attachment(kLong)).value().ours.empty());
}

TEST_F(AgentServerTest, UnknownMessagesAreAnswered) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  agent->send({{"type", "song"}});
  EXPECT_THAT(wire::text_member(agent->receive("error"), "error"), HasSubstr("unknown"));
  EXPECT_TRUE(loop_.on_loop([&] { return target()->connected(); }));
}

TEST_F(AgentServerTest, SixtyFourDatabasesAndNoMore) {
  ASSERT_TRUE(start());
  FakeAgent agent(path_);
  json::array databases;
  for (int i = 0; i < 70; ++i)
    databases.push_back(FakeAgent::database(i, "/data/" + std::to_string(i)));
  agent.hello(databases);
  agent.receive("welcome");
  EXPECT_TRUE(logged("more than 64"));
  EXPECT_EQ(copy(found_).size(), 64u);
}

TEST_F(AgentServerTest, AgentThatDoesNotReadIsLetGo) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  const auto reader_gone = target();
  loop_.on_loop([&] {
    for (int i = 0; i < 500000 && reader_gone->connected(); ++i) reader_gone->heartbeat(kLong);
  });
  EXPECT_TRUE(logged("does not read"));
}

TEST_F(AgentServerTest, StaleSocketIsReplaced) {
  ASSERT_TRUE(start());
  // A daemon that was killed leaves its file: a second name survives our own removal at stop.
  const std::string left = directory_ / "left.sock";
  std::filesystem::create_hard_link(path_, left);
  loop_.on_loop([this] { server_.reset(); });
  EXPECT_FALSE(std::filesystem::exists(path_)) << "stop removes its socket";
  path_ = left;
  ASSERT_TRUE(start());
  attached();
  EXPECT_NE(target(), nullptr);
}

TEST_F(AgentServerTest, SocketOfALivingDaemonIsLeftAlone) {
  ASSERT_TRUE(start());
  AgentServerOptions options;
  options.socket_path = path_;
  const auto second = loop_.on_loop([&] {
    AgentServer server(loop_.executor(), options, {});
    return server.start();
  });
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("another process"));
  attached();
  EXPECT_NE(target(), nullptr);
}

TEST_F(AgentServerTest, FileThatIsNoSocketIsLeftAlone) {
  write_file(path_, "precious");
  EXPECT_FALSE(start());
  EXPECT_EQ(read_file(path_), "precious");
}

TEST_F(AgentServerTest, MissingDirectoryIsSaidWithARemedy) {
  path_ = directory_ / "missing/agent.sock";
  const auto started = start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().what, HasSubstr("missing"));
  EXPECT_NE(started.error().remedy, "");
}

TEST_F(AgentServerTest, TooLongAPathIsAnError) {
  path_ = directory_ / std::string(120, 'x');
  EXPECT_FALSE(start());
}

TEST_F(AgentServerTest, SocketModeLetsTheGroupIn) {
  ASSERT_TRUE(start());
  struct stat status {};
  ASSERT_EQ(stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0660u);
}

TEST_F(AgentServerTest, StopTellsNobodyAndLeavesTargetsUsable) {
  ASSERT_TRUE(start());
  const auto agent = attached();
  const auto target_after = target();
  loop_.on_loop([this] { server_->stop(); });
  EXPECT_TRUE(agent->closed_by_daemon());
  EXPECT_FALSE(loop_.on_loop([&] { return target_after->connected(); }));
  EXPECT_FALSE(loop_.run(target_after->observe(kLong)));
  EXPECT_TRUE(copy(lost_).empty());
}

}  // namespace
}  // namespace lsmtuned::actuators
