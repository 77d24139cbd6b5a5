// History under kill -9 and under a full disk.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "daemon/codec.h"
#include "daemon/history.h"
#include "daemon/history_lines.h"
#include "tests/unit/daemon/temp_dir.h"

namespace lsmtuned::daemon {
namespace {

using controller::Decision;
using controller::DecisionStatus;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::read_all;
using testing::TempDir;

using Version = std::pair<std::uint64_t, std::string>;  // id, status

Decision make_decision(std::uint64_t id) {
  Decision decision;
  decision.id = id;
  decision.target = "main";
  decision.status = DecisionStatus::intended;
  decision.explanation = std::string(3000, 'e');
  return decision;
}

std::vector<std::string> lines_in_database(const std::string& directory) {
  sqlite3* db = nullptr;
  sqlite3_open((directory + "/history.sqlite").c_str(), &db);
  sqlite3_stmt* rows = nullptr;
  sqlite3_prepare_v2(db, "SELECT seq, json FROM decision_log ORDER BY seq", -1, &rows, nullptr);
  std::vector<std::string> lines;
  while (sqlite3_step(rows) == SQLITE_ROW) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(rows, 1));
    lines.push_back(make_log_line(sqlite3_column_int64(rows, 0), text).text);
  }
  sqlite3_finalize(rows);
  sqlite3_close(db);
  return lines;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Runs the writer for a while and kills it; what it printed goes to `output`.
void run_and_kill(const std::string& directory, const std::string& output,
                  std::chrono::microseconds life) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::execl(HISTORY_WRITER, HISTORY_WRITER, directory.c_str(), nullptr);
    ::_exit(127);
  }
  std::this_thread::sleep_for(life);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself, exit " << WEXITSTATUS(status);
}

TEST(HistoryCrash, KillLosesNothingAndDoublesNothing) {
  const TempDir dir;
  const std::string output = dir.file("printed");
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::size_t printed_before = 0;
  int rounds_that_printed = 0;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const std::chrono::microseconds life(std::uniform_int_distribution(1000, 250000)(random));
    ASSERT_NO_FATAL_FAILURE(run_and_kill(dir.path(), output, life));
    if (round % 5 == 4) {  // a power cut may also tear the derived file
      const auto lines = dir.file("decisions.jsonl");
      const auto size = std::filesystem::exists(lines) ? std::filesystem::file_size(lines) : 0;
      if (size > 40) std::filesystem::resize_file(lines, size - 20);
    }

    auto history = History::open(dir.path());
    ASSERT_TRUE(history) << history.error().text();
    const auto table = lines_in_database(dir.path());
    EXPECT_EQ(lines_of(read_all(dir.file("decisions.jsonl"))), table);

    std::set<Version> recorded;
    std::map<std::uint64_t, std::string> newest;
    for (const auto& line : table) {
      const auto decision = decision_from_json(*parse_exact(line));
      ASSERT_TRUE(decision) << decision.error().text();
      const std::string status = controller::to_text(decision->status);
      EXPECT_TRUE(recorded.emplace(decision->id, status).second)
          << "doubled: " << decision->id << " " << status;
      newest[decision->id] = status;
    }
    const auto printed = lines_of(read_all(output));
    for (const auto& line : printed) {
      const auto space = line.find(' ');
      EXPECT_EQ(recorded.count({std::stoull(line), line.substr(space + 1)}), 1u)
          << "lost: " << line;
    }
    const auto decisions = (*history)->decisions("main", 0, 1000000);
    ASSERT_TRUE(decisions) << decisions.error().text();
    EXPECT_EQ(decisions->size(), newest.size());
    std::uint64_t expected = decisions->size();  // ids are 1, 2, ... without a gap
    for (const auto& decision : *decisions) {
      EXPECT_EQ(decision.id, expected--);
      EXPECT_EQ(controller::to_text(decision.status), newest[decision.id]);
    }
    if (printed.size() > printed_before) ++rounds_that_printed;
    printed_before = printed.size();
  }
  EXPECT_GT(rounds_that_printed, 5) << "the writer was killed too early to show anything";
}

// Most kills above meet a history that exists; these meet one that is being made.
TEST(HistoryCrash, KillWhileTheFileIsMadeLeavesAHistoryThatOpens) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    const TempDir dir;
    const std::chrono::microseconds life(std::uniform_int_distribution(1000, 20000)(random));
    SCOPED_TRACE("round " + std::to_string(round) + ", killed after " +
                 std::to_string(life.count()) + " us");
    ASSERT_NO_FATAL_FAILURE(run_and_kill(dir.path(), dir.file("printed"), life));
    auto history = History::open(dir.path());
    ASSERT_TRUE(history) << history.error().text();
    EXPECT_THAT((*history)->warnings(), Not(Contains(HasSubstr(".corrupt-"))));
    const auto newest = (*history)->decisions("main", 0, 1);
    ASSERT_TRUE(newest) << newest.error().text();
    EXPECT_TRUE((*history)->record(make_decision(newest->empty() ? 1 : newest->front().id + 1)));
  }
}

// Records until the disk is full, looks at what is there, makes room and goes on.
template <class MakeRoom>
void fill_and_recover(const std::string& directory, MakeRoom make_room) {
  auto history = History::open(directory);
  ASSERT_TRUE(history) << history.error().text();
  std::uint64_t recorded = 0;
  Result<void> result;
  while (result && recorded < 5000) {
    result = (*history)->record(make_decision(recorded + 1));
    if (result) ++recorded;
  }
  ASSERT_FALSE(result) << "the disk never became full";
  EXPECT_GT(recorded, 0u);
  EXPECT_THAT(result.error().what, HasSubstr("no space left"));
  EXPECT_THAT(result.error().what, HasSubstr("recording decision"));
  EXPECT_EQ(result.error().remedy,
            "free space in " + directory + "; nothing recorded before is lost");
  EXPECT_FALSE((*history)->record(make_decision(recorded + 1)));  // again, still without harm
  EXPECT_EQ((*history)->unfinished("main")->size(), recorded);

  make_room();
  const auto after = (*history)->record(make_decision(recorded + 1));
  ASSERT_TRUE(after) << after.error().text();
  EXPECT_EQ((*history)->unfinished("main")->size(), recorded + 1);
  EXPECT_EQ(lines_of(read_all(directory + "/decisions.jsonl")), lines_in_database(directory));
  history = History::open(directory);
  ASSERT_TRUE(history);
  EXPECT_EQ((*history)->unfinished("main")->size(), recorded + 1);
}

TEST(HistoryDiskFull, AFullFileSystemIsAnErrorAndRecovers) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small file system";
  const TempDir dir;
  const std::string mounted = dir.file("small");
  std::filesystem::create_directory(mounted);
  if (::mount("tmpfs", mounted.c_str(), "tmpfs", 0, "size=1m") != 0) {
    GTEST_SKIP() << "mounting is not allowed here";
  }
  fill_and_recover(mounted, [&] {
    ASSERT_EQ(::mount("tmpfs", mounted.c_str(), "tmpfs", MS_REMOUNT, "size=16m"), 0);
  });
  EXPECT_EQ(::umount2(mounted.c_str(), MNT_DETACH), 0);
}

TEST(HistoryDiskFull, AFileSizeLimitIsAnErrorAndRecovers) {
  const TempDir dir;
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{524288, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  fill_and_recover(dir.path(), [&] { ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
}

}  // namespace
}  // namespace lsmtuned::daemon
