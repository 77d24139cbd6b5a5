// The configuration read again while the daemon runs.
#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sstream>

#include "app_fixture.h"
#include "config/parse.h"
#include "daemon/app.h"

namespace lsmtuned::daemon::testing {
namespace {

using ::testing::HasSubstr;

class Reload : public RunningApp {
 protected:
  void SetUp() override {
    before_ = spdlog::default_logger();
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(log_);
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("test", sink));
  }
  void TearDown() override {
    stop();
    spdlog::set_default_logger(before_);
  }
  std::string file(const std::string& mode, const std::string& extra,
                   const std::string& more = "") {
    const std::string path = temp_.file("lsmtuned.toml");
    write_all(path, "[daemon]\nagent_socket = \"" + config_.agent_socket +
                        "\"\ncontrol_socket = \"" + config_.control_socket +
                        "\"\nstate_directory = \"" + config_.state_directory +
                        "\"\nmetrics_listen = \"\"\n" + extra +
                        "\n[[target]]\nname = \"plant\"\nkind = \"embedded\"\npath = \"" +
                        temp_.path() + "\"\nmode = \"" + mode + "\"\n" + more);
    return path;
  }
  // What was said so far; asked for only after the loop has passed the point of writing.
  std::string said() {
    spdlog::default_logger()->flush();
    return log_.str();
  }

  std::ostringstream log_;
  std::shared_ptr<spdlog::logger> before_;
};

TEST_F(Reload, ABadFileChangesNothingAndAGoodOneIsTakenOver) {
  const std::string path = file("observe", "");
  config::ParseOutcome outcome = config::parse_file(path);
  ASSERT_TRUE(outcome.problems.empty()) << outcome.problems.front().text();
  config_ = outcome.config;
  start(path);
  ASSERT_TRUE(eventually([&] { return text(status(), "mode") == "observe"; }));

  write_all(path, "[daemon]\nno_such_key = 1\n[[target]]\nname = 7\n");
  app_->request_reload();
  // A command that was sent later is answered later: the reload is over.
  EXPECT_EQ(text(status(), "mode_configured"), "observe");

  file("advise", "worker_threads = 7\n");
  app_->request_reload();
  EXPECT_TRUE(eventually([&] { return text(status(), "mode_configured") == "advise"; }));
  stop();
  EXPECT_THAT(said(), HasSubstr("no_such_key"));
  EXPECT_THAT(said(), HasSubstr("the running configuration stays"));
  EXPECT_THAT(said(), HasSubstr("worker_threads"));
  EXPECT_THAT(said(), HasSubstr("next restart"));
}

TEST_F(Reload, NamedTargetsAreShownBeforeTheirDatabaseIsThereAndGoWhenNobodyNamesThem) {
  const std::string other =
      "[[target]]\nname = \"other\"\npath = \"" + temp_.file("other") + "\"\n";
  const std::string path = file("observe", "", other);
  config::ParseOutcome outcome = config::parse_file(path);
  ASSERT_TRUE(outcome.problems.empty()) << outcome.problems.front().text();
  config_ = outcome.config;
  start(path);
  const auto targets = [&] {
    return ask({{"command", "targets"}}).at("targets").as_array().size();
  };
  ASSERT_TRUE(eventually([&] { return targets() == 2; }));
  ASSERT_TRUE(eventually([&] { return ok(ask({{"command", "status"}, {"target", "other"}})); }));
  EXPECT_FALSE(ask({{"command", "status"}, {"target", "other"}}).at("attached").as_bool());
  EXPECT_EQ(text(ask({{"command", "snapshot"}, {"target", "other"}}), "code"), "not-attached");
  EXPECT_TRUE(ok(ask({{"command", "freeze"}, {"target", "other"}})));
  file("observe", "");
  app_->request_reload();
  EXPECT_TRUE(eventually([&] { return targets() == 1; }));
  file("observe", "", other);
  app_->request_reload();
  EXPECT_TRUE(eventually([&] { return targets() == 2; }));
  EXPECT_TRUE(eventually([&] {
    const json::object now = ask({{"command", "status"}, {"target", "other"}});
    return ok(now) && now.at("frozen").as_bool();
  })) << "a freeze outlives the runner";
}

}  // namespace
}  // namespace lsmtuned::daemon::testing
