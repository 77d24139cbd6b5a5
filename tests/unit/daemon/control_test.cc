// The control socket: every command, and what a hostile or careless client meets.
#include <gmock/gmock.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "actuators/wire/frame.h"
#include "app_fixture.h"

namespace lsmtuned::daemon::testing {
namespace {

using ::testing::HasSubstr;

class Control : public RunningApp {
 protected:
  void begin() {
    start();
    ASSERT_TRUE(eventually([&] { return ask({{"command", "snapshot"}}).contains("snapshot"); }));
  }
  std::string code(const json::object& request) { return text(ask(request), "code"); }
};

TEST_F(Control, StatusAndTargetsTellWhatThereIs) {
  policy().mode = config::Mode::observe;
  begin();
  const json::object now = status();
  ASSERT_TRUE(ok(now)) << json::serialize(now);
  for (const char* name : {"target",
                           "phase",
                           "phase_since_s",
                           "mode",
                           "now",
                           "prediction",
                           "prediction_error",
                           "prediction_scale",
                           "trust",
                           "device_utilisation_v4",
                           "settings",
                           "baseline",
                           "kept",
                           "last_decision",
                           "alerts",
                           "path",
                           "database_id",
                           "incarnation",
                           "measured",
                           "calibration",
                           "frozen"})
    EXPECT_TRUE(now.contains(name)) << name;
  EXPECT_EQ(text(now, "target"), "plant");
  EXPECT_EQ(now.at("settings"), now.at("baseline"));
  const json::object targets = ask({{"command", "targets"}});
  ASSERT_EQ(targets.at("targets").as_array().size(), 1u);
  EXPECT_EQ(targets.at("targets").as_array()[0].as_object().at("name").as_string(), "plant");
}

TEST_F(Control, ASnapshotHoldsWhatWasSampled) {
  begin();
  const json::object answer = ask({{"command", "snapshot"}, {"target", "plant"}});
  const json::object& snapshot = answer.at("snapshot").as_object();
  for (const char* name : {"time_s", "wall_time_s", "database_uptime_s", "settings", "families",
                           "counters", "state", "put_latency", "write_stall", "device"})
    EXPECT_TRUE(snapshot.contains(name)) << name;
  for (const char* name :
       {"user_bytes", "batch_bytes", "keys_written", "wal_bytes", "flush_write_bytes",
        "compaction_read_bytes", "compaction_write_bytes", "stall_seconds"})
    EXPECT_TRUE(snapshot.at("counters").as_object().contains(name)) << name;
  const json::object& family = snapshot.at("families").as_array().at(0).as_object();
  EXPECT_TRUE(family.at("levels").as_array().at(0).as_object().contains("files"));
  EXPECT_TRUE(family.contains("pending_compaction_bytes"));
  EXPECT_TRUE(snapshot.at("state").as_object().contains("l0_compactions_completed"));
  EXPECT_EQ(snapshot.at("put_latency").as_array().size() % 2, 0u);
  ASSERT_TRUE(eventually([&] {
    const json::object later = ask({{"command", "snapshot"}});
    return later.at("snapshot").as_object().at("time_s").to_number<double>() >
           snapshot.at("time_s").to_number<double>();
  }));
}

TEST_F(Control, RefusalsHaveAStableCodeAndARemedy) {
  policy().mode = config::Mode::observe;
  begin();
  EXPECT_EQ(code({{"command", "dance"}}), "unknown-command");
  EXPECT_EQ(code({}), "unknown-command");
  EXPECT_EQ(code({{"command", 7}}), "unknown-command");
  EXPECT_EQ(code({{"command", "status"}, {"target", "nobody"}}), "unknown-target");
  EXPECT_EQ(code({{"command", "explain"}}), "bad-request");
  EXPECT_EQ(code({{"command", "explain"}, {"id", -3}}), "bad-request");
  EXPECT_EQ(code({{"command", "explain"}, {"id", 999999}}), "unknown-decision");
  EXPECT_EQ(code({{"command", "apply"}}), "bad-request");
  EXPECT_EQ(code({{"command", "apply"}, {"id", 999999}}), "refused");
  const auto attempt = [&](json::object set) {
    return code({{"command", "try"}, {"set", std::move(set)}});
  };
  EXPECT_EQ(code({{"command", "try"}}), "bad-request");
  EXPECT_EQ(attempt({}), "bad-request");
  EXPECT_EQ(attempt({{"write_bufer_size", 8388608}}), "bad-request");
  EXPECT_EQ(attempt({{"write_buffer_size", "8 MiB/s"}}), "bad-request");
  EXPECT_EQ(attempt({{"max_background_jobs", "4 MiB"}}), "bad-request");
  EXPECT_EQ(attempt({{"write_buffer_size", nullptr}}), "bad-request");
  // Understood, but nothing is tried while the mode is observe.
  EXPECT_EQ(attempt({{"write_buffer_size", "8 MiB"}}), "refused");
  EXPECT_EQ(code({{"command", "thaw"}}), "refused");
  EXPECT_EQ(code({{"command", "revert"}}), "refused");
  EXPECT_EQ(code({{"command", "mode"}, {"mode", "fast"}}), "bad-request");
  const json::object answer = ask({{"command", "status"}, {"target", "nobody"}});
  EXPECT_THAT(text(answer, "remedy"), HasSubstr("plant"));
}

TEST_F(Control, TuningIsRefusedWithoutAMemoryBudget) {
  policy().mode = config::Mode::observe;
  policy().memory_budget_bytes = 0;
  begin();
  const json::object answer = ask({{"command", "mode"}, {"mode", "tune"}});
  EXPECT_EQ(text(answer, "code"), "refused");
  EXPECT_THAT(text(answer, "remedy"), HasSubstr("memory_budget"));
  EXPECT_TRUE(ok(ask({{"command", "mode"}, {"mode", "advise"}})));
}

TEST_F(Control, AFreezeAndAModeOutliveTheDaemonAndAreRecordedWithTheUser) {
  begin();
  ASSERT_TRUE(ok(ask({{"command", "freeze"}})));
  ASSERT_TRUE(ok(ask({{"command", "mode"}, {"mode", "advise"}})));
  const passwd* me = getpwuid(getuid());
  ASSERT_NE(me, nullptr);
  EXPECT_EQ(text(status(), "frozen_by"), me->pw_name);
  EXPECT_EQ(code({{"command", "freeze"}}), "refused");
  stop();
  start();
  ASSERT_TRUE(eventually([&] { return text(status(), "phase") == "frozen"; }))
      << json::serialize(status());
  EXPECT_EQ(text(status(), "frozen_by"), me->pw_name);
  EXPECT_EQ(text(status(), "mode"), "advise");
  EXPECT_EQ(text(status(), "mode_configured"), "tune");
  ASSERT_TRUE(ok(ask({{"command", "thaw"}})));
  EXPECT_TRUE(eventually([&] { return text(status(), "phase") != "frozen"; }));
}

TEST_F(Control, AdviceIsGivenExplainedAndApplied) {
  policy().mode = config::Mode::advise;
  begin();
  json::object advice;
  ASSERT_TRUE(eventually([&] {
    advice = ask({{"command", "advice"}});
    const json::value* decision = advice.if_contains("advice");
    return decision != nullptr && decision->is_object();
  })) << json::serialize(status());
  EXPECT_EQ(switches_->applies, 0);
  // Newer advice may replace it at any moment: ask and apply until both meet.
  ASSERT_TRUE(eventually([&] {
    const json::object latest = ask({{"command", "advice"}});
    const json::value* decision = latest.if_contains("advice");
    if (decision == nullptr || !decision->is_object()) return false;
    const json::value id = decision->get_object().at("id");
    const json::object explained = ask({{"command", "explain"}, {"id", id}});
    EXPECT_TRUE(ok(explained));
    EXPECT_FALSE(explained.at("decision").as_object().at("considered").as_array().empty());
    return ok(ask({{"command", "apply"}, {"id", id}}));
  })) << json::serialize(status());
  EXPECT_TRUE(eventually([&] { return switches_->applies > 0; }));
}

TEST_F(Control, DecisionsPageByCursorAndSamplesCover) {
  begin();
  ASSERT_TRUE(eventually([&] {
    const json::object answer = ask({{"command", "decisions"}, {"limit", 100}});
    return answer.at("decisions").as_array().size() >= 2;
  })) << json::serialize(status());
  const json::object first = ask({{"command", "decisions"}, {"limit", 1}});
  ASSERT_EQ(first.at("decisions").as_array().size(), 1u);
  const json::object second =
      ask({{"command", "decisions"}, {"limit", 1}, {"before", first.at("next_before")}});
  EXPECT_LT(second.at("decisions").as_array().at(0).as_object().at("id").to_number<int>(),
            first.at("decisions").as_array().at(0).as_object().at("id").to_number<int>());
  ASSERT_TRUE(eventually([&] {
    const json::object samples = ask({{"command", "samples"}});
    return samples.at("samples").as_array().size() >= 2;
  }));
  const json::object none = ask({{"command", "samples"}, {"from", 1}, {"to", 2}});
  EXPECT_TRUE(none.at("samples").as_array().empty());
}

// ---- the socket ---------------------------------------------------------------------------------

class Client {
 public:
  explicit Client(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const timeval patience{30, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  bool connected() const { return connected_; }
  void send(const std::string& bytes) {
    (void)!::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  std::string frame() {
    wire::FrameDecoder decoder;
    while (true) {
      auto next = decoder.next();
      if (!next) return "";
      if (*next) return **next;
      char buffer[4096];
      const auto size = ::recv(socket_, buffer, sizeof buffer, 0);
      if (size <= 0) return "";
      decoder.feed(std::string_view(buffer, static_cast<std::size_t>(size)));
    }
  }
  bool closed_by_peer() {
    char buffer[4096];
    while (true) {
      const auto size = ::recv(socket_, buffer, sizeof buffer, 0);
      if (size == 0) return true;
      if (size < 0) return errno == ECONNRESET;
    }
  }

 private:
  int socket_;
  bool connected_ = false;
};

TEST_F(Control, GarbageEndsItsOwnConnectionOnly) {
  begin();
  Client good(config_.control_socket);
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  for (const std::string& bad :
       {std::string("\xff\xff\xff\xff garbage"), std::string("\0\0\0\0", 4),
        *wire::encode_frame("not json"), *wire::encode_frame("[1]"),
        *wire::encode_frame("{\"a\":\"\xff\"}"), *wire::encode_frame(deep)}) {
    Client client(config_.control_socket);
    ASSERT_TRUE(client.connected());
    client.send(bad);
    EXPECT_TRUE(client.closed_by_peer());
  }
  // Several requests in one write, on the connection that was open all along.
  const std::string request = *wire::encode_frame("{\"command\":\"targets\"}");
  good.send(request + request);
  EXPECT_THAT(good.frame(), HasSubstr("\"ok\":true"));
}

TEST_F(Control, ConnectionsAreBounded) {
  begin();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 32; ++i) {
    clients.push_back(std::make_unique<Client>(config_.control_socket));
    clients.back()->send(*wire::encode_frame("{\"command\":\"targets\"}"));
    ASSERT_THAT(clients.back()->frame(), HasSubstr("\"ok\":true"));
  }
  Client extra(config_.control_socket);
  EXPECT_TRUE(extra.closed_by_peer());
  clients.clear();
  EXPECT_TRUE(eventually([&] { return ok(status()); }));
}

TEST_F(Control, TheSocketIsForOwnerAndGroupAndGoesAwayWithTheDaemon) {
  begin();
  struct stat info {};
  ASSERT_EQ(::stat(config_.control_socket.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
  stop();
  EXPECT_NE(::stat(config_.control_socket.c_str(), &info), 0);
  // A stale one, as kill -9 leaves it, is taken over.
  const int stale = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, config_.control_socket.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(stale, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(stale);
  start();
  EXPECT_TRUE(eventually([&] { return ok(ask({{"command", "targets"}})); }));
}

}  // namespace
}  // namespace lsmtuned::daemon::testing
