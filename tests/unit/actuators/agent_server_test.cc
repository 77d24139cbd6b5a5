#include "actuators/agent_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "agent_server_fixture.h"

namespace lsmtuned::actuators {
namespace {

namespace json = boost::json;
using model::Knob;
using ::testing::HasSubstr;

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

TEST_F(AgentServerTest, LostConnectionEndsWhatWaits) {
  ASSERT_TRUE(start());
  auto agent = attached();
  std::promise<ApplyReport> late;
  auto late_result = late.get_future();
  auto pending = begin(target()->apply(
      a_change(), false, kLong, [&](ApplyReport report) { late.set_value(std::move(report)); }));
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
  EXPECT_EQ(loop_.run(target_after->apply(a_change(), false, kLong, nullptr)).status,
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
  database["ours"] = changed_values();
  again.hello({database});
  const auto second = target(1);
  EXPECT_NE(second, target(0));
  EXPECT_EQ(loop_.run(second->attachment(kLong)).value().ours, a_change());
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
