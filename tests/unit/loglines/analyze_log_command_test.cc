// lsmtunectl analyze-log: files in, text, JSON, parameters and exit codes out; and a live target.
#include <gmock/gmock.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/control_json.h"
#include "daemon/control_protocol.h"
#include "daemon/ctl_analyze_log.h"
#include "daemon/ctl_run.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kRealLog = LOGLINES_TEST_DATA "/overwrite.log";

class AnalyzeLogCommand : public ::testing::Test {
 protected:
  AnalyzeLogCommand() { std::filesystem::create_directories(folder_); }
  ~AnalyzeLogCommand() override { std::filesystem::remove_all(folder_); }

  int run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    arguments.insert(arguments.begin(), "analyze-log");
    return run_ctl(arguments, out_, err_);
  }
  std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("analyze_log_test." + std::to_string(getpid()));
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(AnalyzeLogCommand, PrintsTablesLedgerAndProblems) {
  EXPECT_EQ(run({kRealLog}), kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("Levels of default"), HasSubstr("42 flushes"),
                                HasSubstr("L0 to base 9"), HasSubstr("Byte ledger"),
                                HasSubstr("statistics, with WAL"), HasSubstr("Problems: none")));
  EXPECT_EQ(out_.str().find("OPEN"), std::string::npos);
}

TEST_F(AnalyzeLogCommand, JsonHoldsTheSame) {
  EXPECT_EQ(run({"--json", kRealLog}), kExitOk);
  const json::object answer = json::parse(out_.str()).as_object();
  const json::object& family = answer.at("families").as_array().at(0).as_object();
  EXPECT_EQ(family.at("jobs").as_object().at("flushes").to_number<double>(), 42);
  EXPECT_EQ(
      family.at("levels").as_array().at(0).as_object().at("flushed_bytes").to_number<double>(),
      85687376);
  EXPECT_TRUE(answer.at("problems").as_array().empty());
}

TEST_F(AnalyzeLogCommand, WritesParametersInTheShapeOfAProblem) {
  const std::string path = folder_ / "problem.json";
  EXPECT_EQ(run({kRealLog, "--parameters", path}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("device.write_bytes_per_s is left out"));
  std::ifstream written(path);
  const json::object problem =
      json::parse(std::string((std::istreambuf_iterator<char>(written)), {})).as_object();
  EXPECT_EQ(problem.at("settings").as_object().at("write_buffer_size").to_number<double>(),
            4194304);
  EXPECT_EQ(problem.at("workload").as_object().at("value_bytes").to_number<double>(), 400);
  EXPECT_EQ(problem.at("tree").as_object().at("levels").as_array().size(), 3U);
  EXPECT_TRUE(problem.at("calibration").as_object().contains("file_bytes_per_record"));
  EXPECT_EQ(problem.at("facts").as_object().at("compression").as_string(), "kSnappyCompression");
  EXPECT_TRUE(problem.contains("horizon_s"));
}

TEST_F(AnalyzeLogCommand, WrongInputNamesTheFileAndARemedy) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {folder_ / "missing", "No such file"},
      {folder_, "is a directory"},
      {file("empty", ""), "is empty"},
      {file("text", "not a log\n"), "not a RocksDB LOG"},
      {file("binary", std::string(100000, '\xff')), "not a RocksDB LOG"},
  };
  for (const auto& [path, what] : wrong) {
    EXPECT_EQ(run({path}), kExitRefused) << path;
    EXPECT_THAT(err_.str(), AllOf(HasSubstr(path), HasSubstr(what), HasSubstr("\n  "))) << path;
  }
  EXPECT_EQ(run({}), kExitUsage);
  EXPECT_EQ(run({kRealLog, "--parameters", "/nonexistent/dir/p.json"}), kExitRefused);
  EXPECT_EQ(run({kRealLog, "--parameters", folder_ / "p", "--family", "ghost"}), kExitRefused);
}

TEST_F(AnalyzeLogCommand, AnOpenLedgerIsExitCodeOne) {
  std::ifstream real(kRealLog, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(real)), {});
  const std::string ticker = "rocksdb.flush.write.bytes COUNT : 51007413";
  text.replace(text.find(ticker), ticker.size(), "rocksdb.flush.write.bytes COUNT : 61007413");
  EXPECT_EQ(run({file("LOG", text)}), kExitProblem);
  EXPECT_THAT(out_.str(), HasSubstr("OPEN flush bytes"));
}

TEST_F(AnalyzeLogCommand, ALiveTargetShowsItsCounters) {
  model::Snapshot snapshot;
  snapshot.target = "main";
  snapshot.incarnation = 18446744073709551615U;
  snapshot.database_uptime_s = 60;
  snapshot.counters.user_bytes = 100 * model::kMiB;
  snapshot.counters.flush_write_bytes = 50 * model::kMiB;
  model::FamilySnapshot family;
  family.name = "default";
  family.levels.resize(1);
  family.levels[0].files = 3;
  family.levels[0].write_bytes = 50 * model::kMiB;
  snapshot.families.push_back(family);
  CLI::App cli("test");
  const bool as_json = false;
  const std::string target = "main";
  int code = -1;
  bool refused = false;
  add_analyze_log(cli, {out_, err_, as_json, target, code, [&]() -> Result<json::object> {
                          if (refused) return json::object{{"ok", false}, {"error", "no target"}};
                          return json::object{{"ok", true}, {"snapshot", snapshot_json(snapshot)}};
                        }});
  cli.parse("analyze-log --seconds 0");
  EXPECT_EQ(code, kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("Levels of default"), HasSubstr("50 MiB"),
                                HasSubstr("0.50  statistics, without WAL")));
  refused = true;
  cli.parse("analyze-log --seconds 0");
  EXPECT_EQ(code, kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr("no target"));
}

}  // namespace
}  // namespace lsmtuned::daemon
