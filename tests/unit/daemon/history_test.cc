#include "daemon/history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "daemon/codec.h"
#include "daemon/history_lines.h"
#include "tests/unit/daemon/temp_dir.h"

namespace lsmtuned::daemon {
namespace {

namespace fs = std::filesystem;
using controller::Decision;
using controller::DecisionStatus;
using controller::PersistentState;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lines_of;
using testing::read_all;
using testing::TempDir;
using testing::write_all;

Decision make_decision(std::uint64_t id, DecisionStatus status = DecisionStatus::noted,
                       double wall_time_s = 1000, const std::string& target = "main") {
  Decision decision;
  decision.id = id;
  decision.target = target;
  decision.kind = status == DecisionStatus::noted ? controller::DecisionKind::noop
                                                  : controller::DecisionKind::proposal;
  decision.status = status;
  decision.wall_time_s = wall_time_s;
  decision.reason = "gain";
  decision.changes = {{"default", model::Knob::write_buffer_size, 4194304, 16777216}};
  return decision;
}

std::unique_ptr<History> open_history(const std::string& directory) {
  auto history = History::open(directory);
  if (!history) throw std::runtime_error(history.error().text());
  return std::move(*history);
}

std::vector<std::uint64_t> ids(const Result<std::vector<Decision>>& decisions) {
  std::vector<std::uint64_t> found;
  for (const auto& decision : decisions.value()) found.push_back(decision.id);
  return found;
}

// What decisions.jsonl must hold, straight from the table.
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

void execute(const std::string& path, const char* sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

class HistoryTest : public ::testing::Test {
 protected:
  TempDir dir;
  std::string database = dir.file("history.sqlite");
  std::string jsonl = dir.file("decisions.jsonl");
};

TEST_F(HistoryTest, KeepsDecisionsAndStateAcrossAReopen) {
  {
    auto history = open_history(dir.path());
    ASSERT_TRUE(history->record(make_decision(1, DecisionStatus::intended)));
    ASSERT_TRUE(history->record(make_decision(1, DecisionStatus::kept)));
    PersistentState state;
    state.frozen_by_operator = true;
    state.frozen_by = "ops";
    state.next_decision_id = 2;
    state.open_trial = make_decision(1, DecisionStatus::applied);
    ASSERT_TRUE(history->save_state("main", state));
    EXPECT_THAT(history->warnings(), IsEmpty());
  }
  auto history = open_history(dir.path());
  const auto found = history->find("main", 1);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->status, DecisionStatus::kept);
  EXPECT_EQ((*found)->changes, make_decision(1).changes);
  const auto state = history->load_state("main");
  ASSERT_TRUE(state && *state);
  EXPECT_TRUE((*state)->frozen_by_operator);
  EXPECT_EQ((*state)->frozen_by, "ops");
  EXPECT_EQ((*state)->open_trial->id, 1u);
  EXPECT_FALSE(history->load_state("other")->has_value());
  EXPECT_FALSE(history->find("main", 2)->has_value());
  EXPECT_FALSE(history->find("main", ~0ull)->has_value());
  EXPECT_THAT(history->warnings(), IsEmpty());
}

TEST_F(HistoryTest, PagesNewestFirst) {
  auto history = open_history(dir.path());
  for (std::uint64_t id = 1; id <= 7; ++id) ASSERT_TRUE(history->record(make_decision(id)));
  ASSERT_TRUE(history->record(make_decision(9, DecisionStatus::noted, 1, "other")));
  EXPECT_THAT(ids(history->decisions("main", 0, 3)), ElementsAre(7, 6, 5));
  EXPECT_THAT(ids(history->decisions("main", 5, 3)), ElementsAre(4, 3, 2));
  EXPECT_THAT(ids(history->decisions("main", 2, 3)), ElementsAre(1));
  EXPECT_THAT(ids(history->decisions("main", 1, 3)), IsEmpty());
  EXPECT_THAT(ids(history->decisions("main", 0, 0)), IsEmpty());
  EXPECT_THAT(ids(history->decisions("main", 0, -1)), IsEmpty());
  EXPECT_THAT(ids(history->decisions("other", 0, 3)), ElementsAre(9));
}

TEST_F(HistoryTest, UnfinishedAreTheIntendedAndApplied) {
  auto history = open_history(dir.path());
  std::uint64_t id = 0;
  for (int i = 0; i <= static_cast<int>(DecisionStatus::noted); ++i) {
    ASSERT_TRUE(history->record(make_decision(++id, static_cast<DecisionStatus>(i))));
  }
  EXPECT_THAT(ids(history->unfinished("main")), ElementsAre(2, 3));
}

TEST_F(HistoryTest, OneLineForEveryVersionAndNoneForARepeat) {
  auto history = open_history(dir.path());
  for (const auto status : {DecisionStatus::intended, DecisionStatus::applied,
                            DecisionStatus::applied, DecisionStatus::kept}) {
    ASSERT_TRUE(history->record(make_decision(1, status)));
  }
  const auto lines = lines_of(jsonl);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines, lines_in_database(dir.path()));
  const auto last = parse_exact(lines.back());
  ASSERT_TRUE(last);
  EXPECT_EQ(last->at("seq").as_int64(), 3);
  EXPECT_EQ(decision_from_json(*last)->status, DecisionStatus::kept);
}

TEST_F(HistoryTest, ATornOrMissingTailIsAddedAtOpen) {
  {
    auto history = open_history(dir.path());
    for (std::uint64_t id = 1; id <= 5; ++id) ASSERT_TRUE(history->record(make_decision(id)));
  }
  const std::string whole = read_all(jsonl);
  for (const std::size_t kept :
       {whole.size() - 1, whole.size() - 7, whole.size() / 2, std::size_t{3}, std::size_t{0}}) {
    write_all(jsonl, whole.substr(0, kept));
    auto history = open_history(dir.path());
    EXPECT_EQ(read_all(jsonl), whole) << kept;
    EXPECT_THAT(history->warnings(), ElementsAre(HasSubstr("lacked its last lines")));
  }
}

TEST_F(HistoryTest, ADifferentOrRemovedLinesFileIsWrittenAgain) {
  {
    auto history = open_history(dir.path());
    for (std::uint64_t id = 1; id <= 5; ++id) ASSERT_TRUE(history->record(make_decision(id)));
  }
  const std::string whole = read_all(jsonl);
  const auto second = whole.find('\n') + 1;
  const auto third = whole.find('\n', second) + 1;
  std::string edited = whole;
  edited.replace(edited.find("gain"), 4, "loss");
  const std::string variants[] = {
      edited,
      whole.substr(second),                           // first line missing
      whole.substr(0, second) + whole.substr(third),  // one in the middle
      whole.substr(0, third) + whole.substr(second),  // doubled
      std::string(100, '\0') + "\n" + whole,          // a torn page
      whole.substr(0, second) + "garbage\n" + whole.substr(second)};
  for (const auto& variant : variants) {
    write_all(jsonl, variant);
    auto history = open_history(dir.path());
    EXPECT_EQ(read_all(jsonl), whole);
    EXPECT_THAT(history->warnings(), ElementsAre(HasSubstr("written again")));
  }
  fs::remove(jsonl);
  auto history = open_history(dir.path());
  EXPECT_EQ(read_all(jsonl), whole);
}

TEST_F(HistoryTest, ALinesFileRemovedWhileRunningComesBackWhole) {
  auto history = open_history(dir.path());
  ASSERT_TRUE(history->record(make_decision(1)));
  fs::remove(jsonl);
  ASSERT_TRUE(history->record(make_decision(2)));
  EXPECT_EQ(lines_of(jsonl), lines_in_database(dir.path()));
}

TEST_F(HistoryTest, ALinesFileThatCannotBeWrittenLosesNothing) {
  fs::create_directory(jsonl);
  auto history = open_history(dir.path());
  EXPECT_THAT(history->warnings(), ElementsAre(HasSubstr("decisions.jsonl")));
  ASSERT_TRUE(history->record(make_decision(1)));
  ASSERT_TRUE(history->record(make_decision(2)));
  EXPECT_THAT(history->warnings(), IsEmpty());  // told once
  fs::remove(jsonl);
  ASSERT_TRUE(history->record(make_decision(3)));
  EXPECT_EQ(lines_of(jsonl).size(), 3u);
}

TEST_F(HistoryTest, LinesOfAnotherHistoryAreSetAside) {
  {
    auto history = open_history(dir.path());
    for (std::uint64_t id = 1; id <= 5; ++id) ASSERT_TRUE(history->record(make_decision(id)));
  }
  const std::string old = read_all(jsonl);
  fs::remove(database);
  auto history = open_history(dir.path());
  EXPECT_THAT(history->warnings(), ElementsAre(HasSubstr("another history")));
  EXPECT_EQ(read_all(jsonl + ".other"), old);
  EXPECT_EQ(read_all(jsonl), "");
  ASSERT_TRUE(history->record(make_decision(1)));
  EXPECT_EQ(lines_of(jsonl).size(), 1u);
}

TEST_F(HistoryTest, PruneKeepsTheNewestAndTheUnfinished) {
  auto history = open_history(dir.path());
  ASSERT_TRUE(history->record(make_decision(1, DecisionStatus::applied, 10)));
  for (std::uint64_t id = 2; id <= 130; ++id) {
    ASSERT_TRUE(history->record(make_decision(id, DecisionStatus::noted, 10)));
  }
  for (std::uint64_t id = 1; id <= 3; ++id) {
    ASSERT_TRUE(history->record(make_decision(id, DecisionStatus::noted, 10, "small")));
  }
  ASSERT_TRUE(history->add_sample({"main", 10, "steady"}));
  ASSERT_TRUE(history->add_sample({"main", 30, "steady"}));
  ASSERT_TRUE(history->prune_older_than(5));
  EXPECT_EQ(history->decisions("main", 0, 1000)->size(), 130u);
  ASSERT_TRUE(history->prune_older_than(20));
  const auto left = ids(history->decisions("main", 0, 1000));
  ASSERT_EQ(left.size(), 101u);
  EXPECT_EQ(left.front(), 130u);
  EXPECT_EQ(left[99], 31u);
  EXPECT_EQ(left.back(), 1u);
  EXPECT_EQ(history->decisions("small", 0, 1000)->size(), 3u);
  EXPECT_EQ(history->samples("main", 0, 100)->size(), 1u);

  // Lines of pruned decisions stay, new ones go on, and a reopen finds nothing to repair.
  ASSERT_TRUE(history->record(make_decision(131)));
  history.reset();
  history = open_history(dir.path());
  EXPECT_THAT(history->warnings(), IsEmpty());
  EXPECT_EQ(lines_of(jsonl).size(), 134u);
}

TEST_F(HistoryTest, SeqNeverComesTwiceEvenAfterPruning) {
  auto history = open_history(dir.path());
  for (std::uint64_t id = 1; id <= 103; ++id) {
    ASSERT_TRUE(history->record(make_decision(id, DecisionStatus::noted, 10)));
  }
  ASSERT_TRUE(history->prune_older_than(20));
  ASSERT_TRUE(history->record(make_decision(104)));
  std::set<std::int64_t> seqs;
  for (const auto& line : lines_of(jsonl)) {
    EXPECT_TRUE(seqs.insert(parse_exact(line)->at("seq").as_int64()).second);
  }
  EXPECT_EQ(seqs.size(), 104u);
}

TEST_F(HistoryTest, SamplesComeBackByTime) {
  auto history = open_history(dir.path());
  const SampleRow row{"main", 20.5, "verifying", 1e6, 2, 0.3, 4, 5, 6, 7, 8, 9, 10.25};
  ASSERT_TRUE(history->add_sample({"main", 10, "steady"}));
  ASSERT_TRUE(history->add_sample(row));
  ASSERT_TRUE(history->add_sample({"main", 30, "steady"}));
  const auto rows = history->samples("main", 15, 25);
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1u);
  const auto& got = rows->front();
  EXPECT_EQ(std::tie(got.target, got.wall_time_s, got.phase, got.put_bytes_per_s, got.put_ops_per_s,
                     got.stall_share, got.predicted_put_bytes_per_s),
            std::tie(row.target, row.wall_time_s, row.phase, row.put_bytes_per_s, row.put_ops_per_s,
                     row.stall_share, row.predicted_put_bytes_per_s));
  EXPECT_EQ(std::tie(got.l0_files, got.pending_bytes, got.tree_bytes, got.write_amplification,
                     got.device_write_bytes_per_s, got.device_read_bytes_per_s),
            std::tie(row.l0_files, row.pending_bytes, row.tree_bytes, row.write_amplification,
                     row.device_write_bytes_per_s, row.device_read_bytes_per_s));
  EXPECT_FALSE(history->add_sample({"main", 40, "steady", std::nan("")}));
}

TEST_F(HistoryTest, WhatCannotBeReadBackIsRefused) {
  auto history = open_history(dir.path());
  auto decision = make_decision(1);
  decision.predicted_after.put_bytes_per_s = std::nan("");
  const auto recorded = history->record(decision);
  ASSERT_FALSE(recorded);
  EXPECT_THAT(recorded.error().what, HasSubstr("predicted_after.put_bytes_per_s"));
  PersistentState state;
  state.calibration.memtable_fill = INFINITY;
  EXPECT_FALSE(history->save_state("main", state));
  EXPECT_THAT(ids(history->decisions("main", 0, 10)), IsEmpty());
}

TEST_F(HistoryTest, ACorruptFileIsMovedAside) {
  write_all(database,
            "this is no database, but long enough to be taken for one " + std::string(4096, 'x'));
  auto history = open_history(dir.path());
  EXPECT_THAT(history->warnings(), ElementsAre(HasSubstr(".corrupt-")));
  EXPECT_TRUE(history->record(make_decision(1)));
  int aside = 0;
  for (const auto& entry : fs::directory_iterator(dir.path())) {
    if (entry.path().filename().string().rfind("history.sqlite.corrupt-", 0) == 0) {
      ++aside;
      EXPECT_THAT(read_all(entry.path()), HasSubstr("this is no database"));
    }
  }
  EXPECT_EQ(aside, 1);
}

TEST_F(HistoryTest, DamagedPagesAreFoundAndMovedAside) {
  {
    auto history = open_history(dir.path());
    for (std::uint64_t id = 1; id <= 200; ++id) ASSERT_TRUE(history->record(make_decision(id)));
  }
  std::string bytes = read_all(database);
  ASSERT_GT(bytes.size(), 65536u);
  for (std::size_t i = 8192; i < 40960; ++i) bytes[i] = static_cast<char>(i * 7);
  write_all(database, bytes);
  auto history = open_history(dir.path());
  EXPECT_THAT(history->warnings(), ElementsAre(HasSubstr("corrupt"), HasSubstr("another history")));
  EXPECT_TRUE(history->record(make_decision(1)));
}

TEST_F(HistoryTest, AForeignDatabaseIsMovedAside) {
  execute(database, "CREATE TABLE recipes(name TEXT); INSERT INTO recipes VALUES('soup')");
  auto history = open_history(dir.path());
  EXPECT_THAT(history->warnings(), ElementsAre(HasSubstr("another program")));
}

TEST_F(HistoryTest, ANewerSchemaIsRefusedAndLeftAsItIs) {
  open_history(dir.path());
  execute(database, "UPDATE schema SET version = 99");
  const std::string before = read_all(database);
  const auto history = History::open(dir.path());
  ASSERT_FALSE(history);
  EXPECT_THAT(history.error().what, HasSubstr("newer lsmtuned (schema 99"));
  EXPECT_FALSE(history.error().remedy.empty());
  EXPECT_EQ(read_all(database), before);
}

TEST_F(HistoryTest, AnEmptyFileIsANewHistory) {
  write_all(database, "");
  auto history = open_history(dir.path());
  EXPECT_THAT(history->warnings(), IsEmpty());
  EXPECT_TRUE(history->record(make_decision(1)));
}

// What a kill in the middle of a write through a rollback journal leaves: SQLite makes the very
// first page of a new history this way, before the journal mode is WAL.
void leave_hot_journal(const std::string& path, const char* begin, const char* write) {
  sqlite3* db = nullptr;
  const std::string writing = path + ".writing";
  ASSERT_EQ(sqlite3_open(writing.c_str(), &db), SQLITE_OK);
  for (const char* sql : {begin, "PRAGMA cache_size = 2; BEGIN IMMEDIATE", write}) {
    ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  }
  fs::copy_file(writing, path);
  fs::copy_file(writing + "-journal", path + "-journal");
  sqlite3_close(db);
  fs::remove(writing);
  ASSERT_GT(fs::file_size(path), 0u);
}

constexpr const char* kSpillsTheCache =
    "CREATE TABLE torn(x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i"
    " < 100) INSERT INTO torn SELECT zeroblob(5000) FROM n";

TEST_F(HistoryTest, AKillWhileTheFileIsMadeIsUndone) {
  ASSERT_NO_FATAL_FAILURE(leave_hot_journal(database, "", kSpillsTheCache));
  auto history = History::open(dir.path());
  ASSERT_TRUE(history) << history.error().text();
  EXPECT_THAT((*history)->warnings(), IsEmpty());
  EXPECT_TRUE((*history)->record(make_decision(1)));
  EXPECT_THAT(ids((*history)->decisions("main", 0, 10)), ElementsAre(1));
}

TEST_F(HistoryTest, AForeignFileWithAJournalIsMovedAside) {
  ASSERT_NO_FATAL_FAILURE(leave_hot_journal(
      database, "CREATE TABLE recipes(name TEXT); INSERT INTO recipes VALUES('soup')",
      kSpillsTheCache));
  write_all(database, "this is no database " + std::string(8192, 'x'));
  auto history = open_history(dir.path());
  EXPECT_THAT(history->warnings(), ElementsAre(HasSubstr(".corrupt-")));
  EXPECT_TRUE(history->record(make_decision(1)));
  EXPECT_FALSE(fs::exists(database + "-journal"));
  history = open_history(dir.path());
  EXPECT_THAT(history->warnings(), IsEmpty());
  EXPECT_THAT(ids(history->decisions("main", 0, 10)), ElementsAre(1));
}

TEST_F(HistoryTest, TheDirectoryIsMadeWhereItsParentExists) {
  ASSERT_TRUE(History::open(dir.file("state")));
  struct stat status {};
  ASSERT_EQ(::stat(dir.file("state").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777 & ~0750u, 0u);
  const auto missing = History::open(dir.file("a/b"));
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().what, HasSubstr("No such file"));
  EXPECT_FALSE(missing.error().remedy.empty());
  write_all(dir.file("file"), "x");
  EXPECT_FALSE(History::open(dir.file("file")));
}

TEST_F(HistoryTest, AReadOnlyDirectoryIsAnErrorNotALoss) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  open_history(dir.path());
  fs::permissions(dir.path(), fs::perms::owner_read | fs::perms::owner_exec);
  const auto history = History::open(dir.path());
  fs::permissions(dir.path(), fs::perms::owner_all);
  EXPECT_FALSE(history);
  EXPECT_TRUE(History::open(dir.path()));
}

TEST_F(HistoryTest, ThreadsMayShareIt) {
  auto history = open_history(dir.path());
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&history, t] {
      for (std::uint64_t id = 1; id <= 10; ++id) {
        EXPECT_TRUE(
            history->record(make_decision(id, DecisionStatus::noted, 1, "t" + std::to_string(t))));
        EXPECT_TRUE(history->decisions("t0", 0, 5));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(lines_of(jsonl), lines_in_database(dir.path()));
  EXPECT_EQ(lines_of(jsonl).size(), 40u);
}

// Any sequence of records, repeats and reopenings leaves the newest version of every decision, and
// the lines file equal to the table.
TEST(HistoryProperty, AnySequenceKeepsTheNewestVersions) {
  for (unsigned seed = 1; seed <= 15; ++seed) {  // few, since every step waits for the disk
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
    const TempDir dir;
    auto history = open_history(dir.path());
    std::map<std::uint64_t, DecisionStatus> expected;
    for (unsigned step = 0; step < 15; ++step) {
      if (below(6) == 0) {
        history.reset();
        history = open_history(dir.path());
        EXPECT_THAT(history->warnings(), IsEmpty());
      }
      const std::uint64_t id = 1 + below(5);
      const auto status = static_cast<DecisionStatus>(below(9));
      ASSERT_TRUE(history->record(make_decision(id, status)));
      expected[id] = status;
    }
    std::map<std::uint64_t, DecisionStatus> found;
    const auto page = history->decisions("main", 0, 100);
    ASSERT_TRUE(page);
    for (const auto& decision : *page) found[decision.id] = decision.status;
    EXPECT_EQ(found, expected);
    EXPECT_EQ(lines_of(dir.file("decisions.jsonl")), lines_in_database(dir.path()));
  }
}

}  // namespace
}  // namespace lsmtuned::daemon
