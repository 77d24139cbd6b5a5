// Which database has which name and policy, as the configuration changes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <sstream>

#include "daemon/databases.h"
#include "temp_dir.h"

namespace lsmtuned::daemon::testing {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;
using ::testing::Not;

// One in another process that never answers: only who holds it matters here.
class SilentTarget final : public actuators::Target {
 public:
  SilentTarget(const std::string& path, const std::string& statistics) {
    info_.kind = "agent";
    info_.path = path;
    info_.statistics = statistics;
  }
  const actuators::TargetInfo& info() const override { return info_; }
  bool connected() const override { return true; }
  asio::awaitable<Result<model::Snapshot>> observe(std::chrono::milliseconds) override {
    co_return Error{"silent", ""};
  }
  asio::awaitable<Result<actuators::Attachment>> attachment(std::chrono::milliseconds) override {
    co_return Error{"silent", ""};
  }
  asio::awaitable<actuators::ApplyReport> apply(model::ChangeSet, bool, std::chrono::milliseconds,
                                                LateResult) override {
    co_return actuators::ApplyReport{};
  }
  asio::awaitable<actuators::ApplyReport> restore(bool, std::chrono::milliseconds,
                                                  LateResult) override {
    co_return actuators::ApplyReport{};
  }
  asio::awaitable<Result<void>> adopt(model::ChangeSet, std::chrono::milliseconds) override {
    co_return Result<void>{};
  }
  void heartbeat(std::chrono::milliseconds) override {}
  asio::awaitable<Result<void>> keep_without_lease(std::chrono::milliseconds) override {
    co_return Result<void>{};
  }

 private:
  actuators::TargetInfo info_;
};

class DatabasesTest : public ::testing::Test {
 protected:
  void begin() {
    auto opened = History::open(temp_.path());
    ASSERT_TRUE(opened) << opened.error().text();
    history_ = std::move(*opened);
    RunnerServices services;
    services.executor = loop_.get_executor();
    services.records = services.samplers = services.searches = &pool_;
    services.history = history_.get();
    services.metrics = &metrics_;
    services.clock = &clock_;
    databases_.start(services);
    databases_.expect_named();
  }
  void TearDown() override {
    databases_.close();
    for (const auto& runner : databases_.runners()) runner->stop();
    loop_.run_for(std::chrono::seconds(10));  // ends when the last coroutine has
  }
  std::shared_ptr<actuators::Target> target(const std::string& path,
                                            const std::string& statistics = "counters") {
    return std::make_shared<SilentTarget>(path, statistics);
  }
  void name(const std::string& name, const std::string& path, config::Mode mode) {
    config::TargetConfig named;
    named.name = name;
    named.path = path;
    named.policy.mode = mode;
    config_.targets.push_back(named);
  }
  std::shared_ptr<TargetRunner> runner(const std::string& name) {
    for (const auto& runner : databases_.runners())
      if (runner->name() == name) return runner;
    return nullptr;
  }

  TempDir temp_;
  asio::io_context loop_;
  asio::thread_pool pool_{1};
  std::unique_ptr<History> history_;
  Metrics metrics_;
  Clock clock_{1};
  config::DaemonConfig config_;
  Databases databases_{config_};
};

TEST_F(DatabasesTest, TwoThatSwapTheirNamesAreBothKept) {
  name("a", "/one", config::Mode::observe);
  name("b", "/two", config::Mode::observe);
  begin();
  const auto one = target("/one");
  const auto two = target("/two");
  databases_.found(one);
  databases_.found(two);
  EXPECT_EQ(runner("a")->target(), one);
  EXPECT_EQ(runner("b")->target(), two);
  config_.targets.clear();
  name("a", "/two", config::Mode::observe);
  name("b", "/one", config::Mode::observe);
  databases_.follow_configuration();
  EXPECT_EQ(runner("a")->target(), two);
  EXPECT_EQ(runner("b")->target(), one);
}

TEST_F(DatabasesTest, OneThatNobodyNamesIsObservedOnly) {
  name("a", "/one", config::Mode::tune);
  begin();
  databases_.found(target("/one"));
  databases_.found(target("/other"));
  EXPECT_FALSE(databases_.observed_only("a"));
  ASSERT_TRUE(databases_.observed_only("/other"));
  EXPECT_THAT(databases_.observed_only("/other")->what, HasSubstr("no [[target]]"));
  name("b", "/other", config::Mode::tune);
  databases_.follow_configuration();
  EXPECT_FALSE(databases_.observed_only("b"));
  ASSERT_TRUE(runner("b"));
  EXPECT_EQ(runner("/other"), nullptr);
}

TEST_F(DatabasesTest, FewerStatisticsThanExpectedAreSaid) {
  const auto before = spdlog::default_logger();
  std::ostringstream log;
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  name("a", "/one", config::Mode::observe);
  config_.targets[0].statistics = "latency";
  config_.agent_statistics = "tickers";
  begin();
  databases_.found(target("/one", "tickers"));
  databases_.found(target("/other", "counters"));
  databases_.found(target("/rich", "host"));
  spdlog::set_default_logger(before);
  EXPECT_THAT(log.str(), HasSubstr("a: statistics are \"tickers\""));
  EXPECT_THAT(log.str(), HasSubstr("LSMTUNED_STATISTICS=latency"));
  EXPECT_THAT(log.str(), HasSubstr("/other: statistics are \"counters\""));
  EXPECT_THAT(log.str(), Not(HasSubstr("/rich: statistics are")));
}

TEST_F(DatabasesTest, OneWithoutStatisticsIsObservedOnlyWhateverTheConfigurationSays) {
  name("a", "/one", config::Mode::tune);
  begin();
  databases_.found(target("/one", "none"));
  ASSERT_TRUE(databases_.observed_only("a"));
  EXPECT_THAT(databases_.observed_only("a")->remedy, HasSubstr("LSMTUNED_STATISTICS"));
}

}  // namespace
}  // namespace lsmtuned::daemon::testing
