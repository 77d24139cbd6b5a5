// The lines file alone, with a small rotation limit.
#include "daemon/history_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/unit/daemon/temp_dir.h"

namespace lsmtuned::daemon {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::TempDir;

class LinesTest : public ::testing::Test {
 protected:
  std::unique_ptr<DecisionLines> make() {
    return std::make_unique<DecisionLines>(
        path, 200, [this](std::int64_t after, std::int64_t limit) -> Result<std::vector<LogLine>> {
          std::vector<LogLine> found;
          for (const auto& line : table) {
            if (line.seq > after && static_cast<std::int64_t>(found.size()) < limit) {
              found.push_back(line);
            }
          }
          return found;
        });
  }
  void add(std::int64_t seq) {
    table.push_back(make_log_line(seq, "{\"text\":\"" + std::string(30, 'a') + "\"}"));
  }
  std::string update(DecisionLines& lines) {
    std::string repaired;
    const auto done = lines.bring_up_to_date(table.empty() ? 0 : table.back().seq, repaired);
    EXPECT_TRUE(done) << done.error().text();
    return repaired;
  }
  TempDir dir;
  std::string path = dir.file("lines.jsonl");
  std::vector<LogLine> table;
};

TEST_F(LinesTest, RotatesAtTheLimitAndContinuesAcrossReopenings) {
  auto lines = make();
  EXPECT_EQ(update(*lines), "");
  for (int seq = 1; seq <= 6; ++seq) {
    add(seq);
    EXPECT_EQ(update(*lines), "");
  }
  EXPECT_EQ(lines_of(path + ".1").size() + lines_of(path).size(), 6u);
  EXPECT_LE(fs::file_size(path + ".1"), 200u);
  EXPECT_LE(fs::file_size(path), 200u);
  lines = make();
  EXPECT_EQ(update(*lines), "");
  EXPECT_EQ(lines_of(path + ".1").size() + lines_of(path).size(), 6u);

  // A crash just after the rename leaves no current file.
  fs::remove(path);
  lines = make();
  EXPECT_NE(update(*lines), "");
  EXPECT_EQ(lines_of(path).back(), table.back().text);
  EXPECT_EQ(lines_of(path + ".1").size() + lines_of(path).size(), 6u);
}

TEST_F(LinesTest, ARotatedFileOfAnotherTableIsSetAside) {
  auto lines = make();
  for (int seq = 1; seq <= 6; ++seq) add(seq);
  update(*lines);
  table.clear();
  lines = make();
  EXPECT_THAT(update(*lines), HasSubstr("another history"));
  EXPECT_TRUE(fs::exists(path + ".1.other"));
  EXPECT_TRUE(fs::exists(path + ".other"));
}

}  // namespace
}  // namespace lsmtuned::daemon
