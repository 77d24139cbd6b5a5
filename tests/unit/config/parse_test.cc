// Valid configurations.
#include "config/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace lsmtuned::config {
namespace {

DaemonConfig good(const std::string& text) {
  const ParseOutcome outcome = parse_text(text, "test.toml");
  for (const Problem& problem : outcome.problems) ADD_FAILURE() << problem.text();
  return outcome.config;
}

TEST(Parse, EveryDaemonKey) {
  const DaemonConfig config = good(R"([daemon]
agent_socket = "/tmp/a.sock"
agent_socket_group = "db"
agent_users = ["mysql", "balboa"]
control_socket = "/tmp/c.sock"
state_directory = "/tmp/state"
metrics_listen = "[::1]:9000"
log_level = "debug"
log_target = "stderr"
history = "7 d"
sample_interval = "5 s"
worker_threads = 3
agent_statistics = "latency"
)");
  DaemonConfig expected;
  expected.agent_socket = "/tmp/a.sock";
  expected.agent_socket_group = "db";
  expected.agent_users = {"mysql", "balboa"};
  expected.control_socket = "/tmp/c.sock";
  expected.state_directory = "/tmp/state";
  expected.metrics_listen = "[::1]:9000";
  expected.log_level = "debug";
  expected.log_target = "stderr";
  expected.history_days = 7;
  expected.sample_interval_s = 5;
  expected.worker_threads = 3;
  expected.agent_statistics = "latency";
  EXPECT_EQ(config, expected);
}

TEST(Parse, EveryPolicyKey) {
  const DaemonConfig config = good(R"([defaults]
mode = "advise"
objective = "smoothness"
on_exit = "keep"
reapply_after_restart = true
memory_budget = "256 MiB"
max_space_amplification = 1.5
max_debt_growth = 0.2
knobs = ["write_buffer_size", "max_background_jobs"]
poll_interval = "500 ms"
observation = 30
lease = "20 s"
apply_deadline = "2 s"
cooldown = "1 min"
minimum_gain = "3 %"
minimum_probability = 0.9
trust_gate = "30 %"
reverts_per_hour_limit = 5
trust_region_factor = 2
trial_min_cycles = 2
trial_min = 30.5
trial_max = "1 h"
settle_max = "2 min"
failed_memory = "30 min"
search_evaluations = 500
freeze_windows = ["22:00-06:00", "12:00-13:00"]
[defaults.bounds]
write_buffer_size = ["1 MiB", "256 MiB"]
level0_stop_writes_trigger = [8, 60]
)");
  Policy expected;
  expected.mode = Mode::advise;
  expected.objective = Objective::smoothness;
  expected.on_exit = ExitPolicy::keep;
  expected.reapply_after_restart = true;
  expected.memory_budget_bytes = 256.0 * 1024 * 1024;
  expected.max_space_amplification = 1.5;
  expected.max_debt_growth_share = 0.2;
  expected.knobs = {model::Knob::write_buffer_size, model::Knob::max_background_jobs};
  expected.bounds = {{model::Knob::write_buffer_size, {1048576, 268435456}},
                     {model::Knob::level0_stop_writes_trigger, {8, 60}}};
  expected.poll_interval_s = 0.5;
  expected.observation_s = 30;
  expected.lease_s = 20;
  expected.apply_deadline_s = 2;
  expected.cooldown_s = 60;
  expected.minimum_gain = 0.03;
  expected.minimum_probability = 0.9;
  expected.trust_gate_error = 0.3;
  expected.reverts_per_hour_limit = 5;
  expected.trust_region_factor = 2;
  expected.trial_min_cycles = 2;
  expected.trial_min_s = 30.5;
  expected.trial_max_s = 3600;
  expected.settle_max_s = 120;
  expected.failed_memory_s = 1800;
  expected.search_evaluations = 500;
  expected.freeze_windows = {{"22:00", "06:00"}, {"12:00", "13:00"}};
  EXPECT_EQ(config.defaults, expected);
}

TEST(Parse, TargetsOverlayTheDefaultsWhereverTheDefaultsStand) {
  const DaemonConfig config = good(R"([[target]]
name = "main"
path = "/var/lib/db/"
mode = "tune"
cooldown = "10 s"
[target.bounds]
max_write_buffer_number = [2, 6]
[[target]]
name = "other"
kind = "embedded"
path = "/srv/other"
statistics = "latency"
[defaults]
memory_budget = "1 GiB"
cooldown = "5 min"
[defaults.bounds]
write_buffer_size = ["2 MiB", "64 MiB"]
)");
  ASSERT_EQ(config.targets.size(), 2U);
  const TargetConfig& main = config.targets[0];
  EXPECT_EQ(main.path, "/var/lib/db");  // trailing slash removed
  EXPECT_EQ(main.policy.mode, Mode::tune);
  EXPECT_EQ(main.policy.cooldown_s, 10);
  EXPECT_EQ(main.policy.memory_budget_bytes, 1073741824);
  EXPECT_EQ(main.policy.bounds.size(), 2U);  // one inherited, one added
  const TargetConfig& other = config.targets[1];
  EXPECT_EQ(other.kind, TargetKind::embedded);
  EXPECT_EQ(other.statistics, "latency");
  EXPECT_EQ(other.policy.mode, Mode::observe);
  EXPECT_EQ(other.policy.cooldown_s, 300);
}

TEST(Parse, UnknownTargetsAreOnlyObserved) {
  DaemonConfig config;
  config.defaults.mode = Mode::tune;
  config.defaults.cooldown_s = 7;
  const Policy policy = policy_for_unknown_target(config);
  EXPECT_EQ(policy.mode, Mode::observe);
  EXPECT_EQ(policy.cooldown_s, 7);
}

TEST(Parse, ModesRoundTrip) {
  for (const Mode mode : {Mode::observe, Mode::advise, Mode::tune}) {
    EXPECT_EQ(mode_from_text(to_text(mode)), mode);
  }
  EXPECT_EQ(mode_from_text("Tune"), std::nullopt);
}

TEST(Parse, WarnsWhenAModeCannotTakeEffect) {
  const ParseOutcome outcome = parse_text("[defaults]\nmode = \"advise\"\n", "x");
  EXPECT_TRUE(outcome.problems.empty());
  EXPECT_THAT(outcome.warnings, testing::ElementsAre(testing::HasSubstr("only observed")));
}

class ParseFile : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/lsmtuned-config-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  std::filesystem::path write(const std::string& text) {
    auto path = directory_ / "lsmtuned.toml";
    std::ofstream(path) << text;
    return path;
  }
  std::filesystem::path directory_;
};

TEST_F(ParseFile, ReadsAFile) {
  const ParseOutcome outcome = parse_file(write("[daemon]\nworker_threads = 4\n"));
  EXPECT_TRUE(outcome.problems.empty());
  EXPECT_EQ(outcome.config.worker_threads, 4);
}

TEST_F(ParseFile, MissingFile) {
  const ParseOutcome outcome = parse_file(directory_ / "none.toml");
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_EQ(outcome.problems[0].line, 0);
  EXPECT_THAT(outcome.problems[0].text(),
              testing::HasSubstr("none.toml: cannot be read: No such file or directory\n"));
}

TEST_F(ParseFile, Directory) {
  const ParseOutcome outcome = parse_file(directory_);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(outcome.problems[0].text(), testing::HasSubstr("Is a directory"));
}

TEST_F(ParseFile, Unreadable) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  const auto path = write("[daemon]\n");
  std::filesystem::permissions(path, std::filesystem::perms::none);
  const ParseOutcome outcome = parse_file(path);
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(outcome.problems[0].text(), testing::HasSubstr("Permission denied"));
}

TEST_F(ParseFile, EmptyFile) {
  const ParseOutcome outcome = parse_file(write(""));
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(outcome.problems[0].text(), testing::HasSubstr(":1:1: the file is empty"));
}

TEST_F(ParseFile, HugeFile) {
  const ParseOutcome outcome = parse_file(write(std::string(2000000, '#')));
  ASSERT_EQ(outcome.problems.size(), 1U);
  EXPECT_THAT(outcome.problems[0].text(), testing::HasSubstr("larger than 1 MiB"));
}

}  // namespace
}  // namespace lsmtuned::config
