// The unit file: valid, hardened, and in agreement with the configuration's defaults.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "config/parse.h"
#include "shell.h"

namespace lsmtuned::project {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string read_file(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

const fs::path kSystemd = fs::path(LSMTUNED_SOURCE_DIR) / "systemd";

// The unit as installed, except that its program is one that exists everywhere.
class UnitFile : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/lsmtuned-unit-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    directory_ = name;
    text_ = read_file(kSystemd / "lsmtuned.service.in");
    ASSERT_THAT(text_, HasSubstr("ExecStart=@bindir@/lsmtuned --config "
                                 "@sysconfdir@/lsmtuned/lsmtuned.toml"));
    replace_all(text_, "@bindir@/lsmtuned", "/bin/true");
    replace_all(text_, "@sysconfdir@", "/etc");
    replace_all(text_, "@docdir@", "/usr/share/doc/lsmtuned");
    ASSERT_EQ(text_.find("dir@"), std::string::npos);
    unit_ = directory_ / "lsmtuned.service";
    write(text_);
  }
  void TearDown() override { fs::remove_all(directory_); }
  void write(const std::string& text) { std::ofstream(unit_) << text; }
  static bool has_analyze() { return run("command -v systemd-analyze").exit_code == 0; }
  CommandResult verify() { return run("systemd-analyze verify --man=no " + unit_.string()); }
  CommandResult security() {
    return run("systemd-analyze security --no-pager --offline=true --threshold=15 " +
               unit_.string());
  }
  std::vector<std::string> values_of(const std::string& key) const {
    std::vector<std::string> values;
    std::istringstream lines(text_);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(key + "=")) values.push_back(line.substr(key.size() + 1));
    }
    return values;
  }

  fs::path directory_;
  fs::path unit_;
  std::string text_;
};

TEST_F(UnitFile, VerifiesClean) {
  if (!has_analyze()) GTEST_SKIP() << "systemd-analyze is not installed (package systemd)";
  const CommandResult result = verify();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(result.output, "");
}

TEST_F(UnitFile, VerifyWouldFindAMistake) {
  if (!has_analyze()) GTEST_SKIP() << "systemd-analyze is not installed (package systemd)";
  replace_all(text_, "MemoryMax=", "MemoryMaximum=");
  write(text_);
  const CommandResult result = verify();
  EXPECT_THAT(result.output, HasSubstr("MemoryMaximum"));
}

TEST_F(UnitFile, ExposureIsAtMostOnePointFive) {
  if (!has_analyze()) GTEST_SKIP() << "systemd-analyze is not installed (package systemd)";
  const CommandResult result = security();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("Overall exposure level"));
}

TEST_F(UnitFile, SecurityWouldFindALoosenedUnit) {
  if (!has_analyze()) GTEST_SKIP() << "systemd-analyze is not installed (package systemd)";
  replace_all(text_, "ProtectSystem=strict\n", "");
  replace_all(text_, "CapabilityBoundingSet=\n", "");
  write(text_);
  EXPECT_NE(security().exit_code, 0);
}

TEST_F(UnitFile, NotifiesReloadsAndRestarts) {
  using testing::ElementsAre;
  EXPECT_THAT(values_of("Type"), ElementsAre("notify"));
  EXPECT_THAT(values_of("NotifyAccess"), ElementsAre("main"));
  EXPECT_THAT(values_of("WatchdogSec"), ElementsAre("30"));
  EXPECT_THAT(values_of("ExecReload"), ElementsAre("/bin/kill -HUP $MAINPID"));
  EXPECT_THAT(values_of("Restart"), ElementsAre("on-failure"));
}

TEST_F(UnitFile, TheTunerIsNeverTheNoisyNeighbour) {
  for (const char* key : {"CPUWeight", "CPUQuota", "IOWeight", "Nice", "MemoryMax", "TasksMax"}) {
    EXPECT_EQ(values_of(key).size(), 1U) << key;
  }
  ASSERT_EQ(values_of("OOMScoreAdjust").size(), 1U);
  EXPECT_GT(std::stoi(values_of("OOMScoreAdjust")[0]), 0);
}

TEST_F(UnitFile, DirectoriesAreThoseOfTheDefaultConfiguration) {
  const config::DaemonConfig defaults;
  ASSERT_EQ(values_of("RuntimeDirectory").size(), 1U);
  const std::string runtime = "/run/" + values_of("RuntimeDirectory")[0] + "/";
  EXPECT_TRUE(defaults.agent_socket.starts_with(runtime));
  EXPECT_TRUE(defaults.control_socket.starts_with(runtime));
  ASSERT_EQ(values_of("StateDirectory").size(), 1U);
  EXPECT_EQ(defaults.state_directory, "/var/lib/" + values_of("StateDirectory")[0]);
  EXPECT_THAT(values_of("RuntimeDirectoryMode"), testing::ElementsAre("0755"));
  // The only address that the unit lets it listen on.
  EXPECT_TRUE(defaults.metrics_listen.starts_with("127.0.0.1:"));
  EXPECT_THAT(values_of("IPAddressAllow"), testing::ElementsAre("localhost"));
}

TEST_F(UnitFile, UserExistsThroughSysusers) {
  ASSERT_EQ(values_of("User").size(), 1U);
  const std::string user = values_of("User")[0];
  EXPECT_THAT(read_file(kSystemd / "lsmtuned.sysusers.conf"), HasSubstr("\nu " + user + " "));
  EXPECT_THAT(read_file(kSystemd / "lsmtuned.tmpfiles.conf"), HasSubstr(" " + user + " " + user));
}

// The drop-in for a database, on a unit such as a database has.
TEST_F(UnitFile, AttachDropInVerifiesClean) {
  if (!has_analyze()) GTEST_SKIP() << "systemd-analyze is not installed (package systemd)";
  std::string drop_in = read_file(kSystemd / "examples/attach-database.conf.in");
  replace_all(drop_in, "@libdir@", "/usr/lib");
  fs::remove(unit_);
  unit_ = directory_ / "database.service";
  write("[Unit]\nDescription=A database\n[Service]\nExecStart=/bin/true\n");
  fs::create_directory(directory_ / "database.service.d");
  std::ofstream(directory_ / "database.service.d/lsmtuned.conf") << drop_in;
  const CommandResult result = verify();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(result.output, "");
}

}  // namespace
}  // namespace lsmtuned::project
