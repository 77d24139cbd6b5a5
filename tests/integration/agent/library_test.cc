// The agent linked on purpose, with real databases in this process and a daemon played by the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/utilities/optimistic_transaction_db.h>
#include <rocksdb/utilities/transaction_db.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "lsmtuned/agent.h"
#include "model/histogram.h"
#include "tests/integration/agent/test_daemon.h"

namespace lsmtuned::testing {
namespace {

using ::testing::HasSubstr;
using OptionMap = std::unordered_map<std::string, std::string>;

// Holds every flush of a database until released: the way to a write stop that the test controls.
class FlushHolder : public rocksdb::EventListener {
 public:
  void hold() {
    const std::scoped_lock lock(mutex_);
    held_ = true;
  }
  void release() {
    const std::scoped_lock lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !held_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
};

// Ends with the scope, whatever the test did: a held flush would hang the closing.
class Released {
 public:
  explicit Released(FlushHolder& holder) : holder_(holder) {}
  ~Released() { holder_.release(); }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  FlushHolder& holder_;
};

class LibraryTest : public ::testing::Test {
 protected:
  LibraryTest() : daemon_(dir_ / "agent.sock") {}

  agent::Options agent_options(const std::string& statistics = "counters") const {
    agent::Options options;
    options.socket = dir_ / "agent.sock";
    options.statistics = statistics;
    return options;
  }

  rocksdb::Options db_options(const std::string& statistics = "counters") const {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = 1 << 20;
    options.compression = rocksdb::kNoCompression;
    agent::prepare(options, agent_options(statistics));
    return options;
  }

  std::unique_ptr<rocksdb::DB> open(const rocksdb::Options& options, const std::string& name) {
    rocksdb::DB* db = nullptr;
    const rocksdb::Status status = rocksdb::DB::Open(options, dir_ / name, &db);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return std::unique_ptr<rocksdb::DB>(db);
  }

  // Without a log, so that nothing but memtables and flushes matters.
  static rocksdb::Status put(rocksdb::DB& db, int key, std::size_t bytes = 10000) {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    return db.Put(options, std::to_string(key), std::string(bytes, 'v'));
  }

  static std::uint64_t number(rocksdb::DB& db, const char* property) {
    std::uint64_t value = 0;
    EXPECT_TRUE(db.GetIntProperty(property, &value)) << property;
    return value;
  }

  static void wait_stopped(rocksdb::DB& db) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (number(db, "rocksdb.is-write-stopped") == 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << "no write stop came";
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  static std::uint64_t first_db(const boost::json::object& hello) {
    return hello.at("databases").at(0).at("db").to_number<std::uint64_t>();
  }

  TempDir dir_;
  TestDaemon daemon_;
};

std::string text_of(const boost::json::object& message, const char* member) {
  const auto& text = message.at(member).as_string();
  return {text.data(), text.size()};
}

TEST_F(LibraryTest, HelloNamesTheDatabaseAndItsBaseline) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  ASSERT_NE(attachment, nullptr);
  const auto hello = daemon_.meet();
  EXPECT_EQ(hello.at("protocol").to_number<int>(), 1);
  EXPECT_EQ(hello.at("pid").to_number<int>(), getpid());
  EXPECT_EQ(text_of(hello, "rocksdb"), "7.8.3");
  const auto& database = hello.at("databases").at(0).as_object();
  EXPECT_EQ(text_of(database, "path"), std::filesystem::canonical(dir_ / "db").string());
  std::string id;
  db->GetDbIdentity(id);
  EXPECT_EQ(text_of(database, "database_id"), id);
  EXPECT_EQ(text_of(database, "statistics"), "counters");
  EXPECT_FALSE(database.at("rate_limiter").as_bool());
  const auto& baseline = database.at("baseline").at("families").at("default").as_object();
  EXPECT_EQ(text_of(baseline, "write_buffer_size"), "1048576");
  EXPECT_EQ(text_of(baseline, "max_bytes_for_level_multiplier"), "10");
  EXPECT_TRUE(database.at("ours").at("database").as_object().empty());
}

TEST_F(LibraryTest, ObservationHoldsEveryFieldOfTheProtocol) {
  const auto db = open(db_options("latency"), "db");
  const auto attachment = agent::attach(db.get(), agent_options("latency"));
  for (int key = 0; key < 300; ++key) ASSERT_TRUE(put(*db, key).ok());
  ASSERT_TRUE(db->Flush({}).ok());
  const std::uint64_t id = first_db(daemon_.meet());
  const auto seen = daemon_.observe(id);
  ASSERT_FALSE(seen.contains("error"));
  EXPECT_GT(seen.at("uptime_s").to_number<double>(), 0);
  for (const char* member :
       {"settings", "facts", "tickers", "histograms", "latency", "database", "families", "jobs"})
    EXPECT_TRUE(seen.contains(member)) << member;
  EXPECT_EQ(seen.at("tickers").at("rocksdb.number.keys.written").to_number<int>(), 300);
  for (const auto& ticker : seen.at("tickers").as_object())
    EXPECT_NE(ticker.value().to_number<double>(), 0) << ticker.key();
  EXPECT_EQ(seen.at("histograms").at("rocksdb.db.write.micros").at("count").to_number<int>(), 300);
  const auto& puts = seen.at("latency").at("put_us").as_array();
  double counted = 0;
  for (std::size_t i = 1; i < puts.size(); i += 2) counted += puts[i].to_number<double>();
  EXPECT_EQ(counted, 300);
  const auto& database = seen.at("database").as_object();
  for (const char* property :
       {"num-running-flushes", "num-running-compactions", "actual-delayed-write-rate",
        "is-write-stopped", "background-errors", "block-cache-capacity", "block-cache-usage"})
    EXPECT_TRUE(database.contains(property)) << property;
  EXPECT_GT(std::stod(text_of(database.at("dbstats").as_object(), "db.user_bytes_written")), 3e6);
  const auto& family = seen.at("families").at("default").as_object();
  for (const char* property :
       {"num-immutable-mem-table", "mem-table-flush-pending", "compaction-pending",
        "cur-size-active-mem-table", "cur-size-all-mem-tables", "size-all-mem-tables",
        "estimate-pending-compaction-bytes", "base-level", "live-sst-files-size",
        "total-sst-files-size", "estimate-live-data-size", "num-live-versions",
        "current-super-version-number", "estimate-table-readers-mem"})
    EXPECT_TRUE(family.at("properties").as_object().contains(property)) << property;
  EXPECT_EQ(family.at("files_at_level").as_array().size(), 7u);
  EXPECT_EQ(family.at("compression_at_level").as_array().size(), 7u);
  EXPECT_TRUE(family.at("cfstats").as_object().contains("compaction.L0.WriteGB"));
  EXPECT_GE(seen.at("jobs").at("flushes").to_number<int>(), 1);
  const auto& facts = seen.at("facts").at("default").as_object();
  EXPECT_EQ(text_of(facts, "compaction_style"), "level");
  EXPECT_EQ(text_of(facts, "compression"), "kNoCompression");
}

TEST_F(LibraryTest, CountersLevelSendsNoHistograms) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  ASSERT_TRUE(put(*db, 1).ok());
  const auto seen = daemon_.observe(first_db(daemon_.meet()));
  EXPECT_TRUE(seen.contains("tickers"));
  EXPECT_FALSE(seen.contains("histograms"));
  EXPECT_FALSE(seen.contains("latency"));
}

TEST_F(LibraryTest, StatisticsOfTheProgramAreLeftAlone) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.statistics = rocksdb::CreateDBStatistics();
  const auto own = options.statistics;
  agent::prepare(options, agent_options("latency"));
  EXPECT_EQ(options.statistics, own);
  const auto db = open(options, "db");
  const auto attachment = agent::attach(db.get(), agent_options("latency"));
  const auto hello = daemon_.meet();
  EXPECT_EQ(text_of(hello.at("databases").at(0).as_object(), "statistics"), "host");
}

TEST_F(LibraryTest, InjectedLimiterPinsTheDelayedWriteRate) {
  rocksdb::Options options;
  options.create_if_missing = true;
  agent::Options agent = agent_options();
  agent.rate_limit_bytes_per_s = 50e6;
  agent::prepare(options, agent);
  const auto db = open(options, "db");
  const auto attachment = agent::attach(db.get(), agent);
  const auto hello = daemon_.meet();
  EXPECT_TRUE(hello.at("databases").at(0).at("rate_limiter").as_bool());
  EXPECT_EQ(db->GetDBOptions().delayed_write_rate, 16777216u);
  boost::json::object set{{"database", {{"rate_limiter_bytes_per_second", "20000000"}}}};
  const auto applied = daemon_.apply(first_db(hello), set);
  EXPECT_EQ(text_of(applied, "status"), "ok") << text_of(applied, "error");
  EXPECT_EQ(db->GetDBOptions().rate_limiter->GetBytesPerSecond(), 20000000);
  EXPECT_EQ(db->GetDBOptions().delayed_write_rate, 16777216u);
}

TEST_F(LibraryTest, AChangeIsReadBackAndSeenInBehaviour) {
  rocksdb::Options options = db_options();
  options.write_buffer_size = 64 << 20;
  const auto db = open(options, "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  const auto flushes = [&] {
    return daemon_.observe(id).at("jobs").at("flushes").to_number<int>();
  };
  for (int key = 0; key < 500; ++key) ASSERT_TRUE(put(*db, key).ok());
  EXPECT_EQ(flushes(), 0);
  const auto applied = daemon_.apply(id, family_value("default", "write_buffer_size", "1048576"));
  EXPECT_EQ(text_of(applied, "status"), "ok") << text_of(applied, "error");
  EXPECT_EQ(
      text_of(applied.at("values").at("families").at("default").as_object(), "write_buffer_size"),
      "1048576");
  EXPECT_EQ(db->GetOptions().write_buffer_size, 1048576u);
  for (int key = 0; key < 500; ++key) ASSERT_TRUE(put(*db, key).ok());
  rocksdb::FlushOptions wait;
  ASSERT_TRUE(db->Flush(wait).ok());
  EXPECT_GE(flushes(), 3);
  const auto restored = daemon_.restore(id);
  EXPECT_EQ(text_of(restored, "status"), "ok");
  EXPECT_EQ(db->GetOptions().write_buffer_size, 67108864u);
}

TEST_F(LibraryTest, UnchangedValuesAreNotSent) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  const auto before = db->GetLatestSequenceNumber();
  const auto files = [&] {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(dir_ / "db"))
      if (entry.path().filename().string().starts_with("OPTIONS-"))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  };
  const auto options_files = files();
  const auto applied = daemon_.apply(id, family_value("default", "write_buffer_size", "1048576"));
  EXPECT_EQ(text_of(applied, "status"), "ok");
  EXPECT_EQ(files(), options_files) << "an options call writes a new OPTIONS file";
  EXPECT_EQ(db->GetLatestSequenceNumber(), before);
}

TEST_F(LibraryTest, LethalValuesAreNotSent) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  const std::vector<std::pair<std::string, std::string>> lethal = {
      {"write_buffer_size", "0"},
      {"write_buffer_size", "1"},
      {"write_buffer_size", "-1"},
      {"max_write_buffer_number", "0"},
      {"max_write_buffer_number", "1"},
      {"level0_slowdown_writes_trigger", "2"},
      {"level0_file_num_compaction_trigger", "0"},
      {"level0_file_num_compaction_trigger", "30"},
      {"level0_stop_writes_trigger", "2"},
      {"max_bytes_for_level_base", "0"},
      {"max_bytes_for_level_multiplier", "0"},
      {"max_bytes_for_level_multiplier", "nan"},
      {"target_file_size_base", "0"},
      {"soft_pending_compaction_bytes_limit", "0"},
      {"soft_pending_compaction_bytes_limit", "999999999999999"},
      {"write_buffer_size", "abc"},
      {"write_buffer_size", ""},
      {"num_levels", "3"},
      {"disable_auto_compactions", "true"},
      {"no_such_option", "1"},
  };
  for (const auto& [option, text] : lethal) {
    const auto applied = daemon_.apply(id, family_value("default", option, text));
    EXPECT_EQ(text_of(applied, "status"), "not_sent") << option << "=" << text;
    EXPECT_NE(text_of(applied, "error"), "") << option << "=" << text;
  }
  for (const auto& [option, text] : std::vector<std::pair<std::string, std::string>>{
           {"max_background_jobs", "100000"},
           {"delayed_write_rate", "0"},
           {"max_background_jobs", "0"},
           {"rate_limiter_bytes_per_second", "1000000"}}) {
    boost::json::object texts;
    texts[option] = text;
    const auto applied = daemon_.apply(id, {{"database", texts}});
    EXPECT_EQ(text_of(applied, "status"), "not_sent") << option << "=" << text;
  }
  const auto unknown = daemon_.apply(id, family_value("nosuch", "write_buffer_size", "2097152"));
  EXPECT_EQ(text_of(unknown, "status"), "not_sent");
  EXPECT_TRUE(put(*db, 1).ok());
}

TEST_F(LibraryTest, TheThreeTriggersMoveInOneCall) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  boost::json::object texts{{"level0_file_num_compaction_trigger", "40"},
                            {"level0_slowdown_writes_trigger", "60"},
                            {"level0_stop_writes_trigger", "80"}};
  const auto applied =
      daemon_.apply(id, {{"families", boost::json::object{{"default", std::move(texts)}}}});
  EXPECT_EQ(text_of(applied, "status"), "ok") << text_of(applied, "error");
  EXPECT_EQ(db->GetOptions().level0_file_num_compaction_trigger, 40);
  EXPECT_EQ(text_of(daemon_.restore(id), "status"), "ok");
  EXPECT_EQ(db->GetOptions().level0_stop_writes_trigger, 36);
}

TEST_F(LibraryTest, DuringAWriteStopChangesAreRefusedAndRevertsArePendingThenLate) {
  const auto holder = std::make_shared<FlushHolder>();
  rocksdb::Options options = db_options();
  options.listeners.push_back(holder);
  const auto db = open(options, "db");
  const Released released(*holder);
  auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  ASSERT_EQ(text_of(daemon_.apply(id, family_value("default", "level0_stop_writes_trigger", "50")),
                    "status"),
            "ok");
  holder->hold();
  std::thread writer([&] {
    for (int key = 0; key < 400; ++key) EXPECT_TRUE(put(*db, key).ok());
  });
  wait_stopped(*db);
  const auto refused =
      daemon_.apply(id, family_value("default", "level0_stop_writes_trigger", "60"));
  EXPECT_EQ(text_of(refused, "status"), "not_sent");
  EXPECT_THAT(text_of(refused, "error"), HasSubstr("stopped"));

  const auto pending =
      daemon_.apply(id, family_value("default", "level0_stop_writes_trigger", "36"), true, 0.3);
  EXPECT_EQ(text_of(pending, "status"), "pending");
  EXPECT_FALSE(pending.at("late").as_bool());
  const auto busy = daemon_.apply(id, family_value("default", "level0_stop_writes_trigger", "61"));
  EXPECT_EQ(text_of(busy, "status"), "not_sent");
  EXPECT_EQ(daemon_.observe(id).at("database").at("is-write-stopped").to_number<int>(), 1)
      << "observing works during a stop";
  holder->release();
  const auto late = daemon_.wait_seq(pending.at("seq").to_number<std::uint64_t>());
  EXPECT_EQ(text_of(late, "status"), "ok") << text_of(late, "error");
  EXPECT_TRUE(late.at("late").as_bool());
  writer.join();
  EXPECT_EQ(db->GetOptions().level0_stop_writes_trigger, 36);
}

TEST_F(LibraryTest, StalledWritesAreCountedWithTheTimeTheyWaited) {
  const auto holder = std::make_shared<FlushHolder>();
  rocksdb::Options options = db_options("latency");
  options.listeners.push_back(holder);
  const auto db = open(options, "db");
  const Released released(*holder);
  const auto attachment = agent::attach(db.get(), agent_options("latency"));
  const std::uint64_t id = first_db(daemon_.meet());
  holder->hold();
  std::thread writer([&] {
    for (int key = 0; key < 400; ++key) EXPECT_TRUE(put(*db, key).ok());
  });
  wait_stopped(*db);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  holder->release();
  writer.join();
  const auto seen = daemon_.observe(id);
  double longest_us = 0;
  const auto& stalls = seen.at("latency").at("stall_us").as_array();
  for (std::size_t i = 0; i < stalls.size(); i += 2)
    longest_us = std::max(longest_us,
                          model::histogram_bucket_upper_us(stalls[i].to_number<std::uint32_t>()));
  EXPECT_GE(longest_us, 300e3);
  EXPECT_GE(seen.at("histograms").at("rocksdb.db.write.stall").at("max").to_number<double>(),
            300e3);
}

TEST_F(LibraryTest, ClosingFreesAnOptionsCallThatHangsInAWriteStop) {
  const auto holder = std::make_shared<FlushHolder>();
  rocksdb::Options options = db_options();
  options.listeners.push_back(holder);
  options.avoid_flush_during_shutdown = true;
  auto db = open(options, "db");
  const Released released(*holder);
  auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  holder->hold();
  std::atomic<bool> ended{false};
  std::thread writer([&] {
    for (int key = 0; key < 400 && put(*db, key).ok(); ++key) {
    }
    ended = true;
  });
  wait_stopped(*db);
  const auto pending =
      daemon_.apply(id, family_value("default", "level0_stop_writes_trigger", "60"), true, 0.3);
  EXPECT_EQ(text_of(pending, "status"), "pending");
  // The flush is still held: only the cancelling of background work can end the stop.
  attachment.reset();
  EXPECT_EQ(text_of(daemon_.wait_type("closed"), "type"), "closed");
  writer.join();
  EXPECT_TRUE(ended);
  holder->release();
  db.reset();
}

TEST_F(LibraryTest, TheLeaseRestoresTheBaselineAndKeepsForeignValues) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet(2));
  boost::json::object texts{{"write_buffer_size", "4194304"}, {"level0_stop_writes_trigger", "50"}};
  boost::json::object set{{"database", {{"max_background_jobs", "3"}}},
                          {"families", boost::json::object{{"default", std::move(texts)}}}};
  ASSERT_EQ(text_of(daemon_.apply(id, set), "status"), "ok");
  ASSERT_TRUE(db->SetOptions({{"level0_stop_writes_trigger", "70"}}).ok());
  // Heartbeats hold it longer than its two seconds.
  for (int i = 0; i < 12; ++i) {
    daemon_.heartbeat(2);
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
  EXPECT_EQ(db->GetOptions().write_buffer_size, 4194304u);
  const auto expired = daemon_.wait_type("lease_expired");
  EXPECT_EQ(text_of(expired, "status"), "ok");
  EXPECT_EQ(db->GetOptions().write_buffer_size, 1048576u);
  EXPECT_EQ(db->GetDBOptions().max_background_jobs, 2);
  EXPECT_EQ(db->GetOptions().level0_stop_writes_trigger, 70) << "set by someone else";
  EXPECT_FALSE(expired.at("values")
                   .at("families")
                   .at("default")
                   .as_object()
                   .contains("level0_stop_writes_trigger"));
}

TEST_F(LibraryTest, TheLeaseRunsOutWithoutADaemonToo) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet(1));
  ASSERT_EQ(
      text_of(daemon_.apply(id, family_value("default", "write_buffer_size", "4194304")), "status"),
      "ok");
  daemon_.hang_up();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (db->GetOptions().write_buffer_size != 1048576u) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "never restored";
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

TEST_F(LibraryTest, ARestartedDaemonFindsOursAndMayKeepThem) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  ASSERT_EQ(text_of(daemon_.apply(first_db(daemon_.meet()),
                                  family_value("default", "write_buffer_size", "4194304")),
                    "status"),
            "ok");
  const auto hello = daemon_.meet();
  const auto& database = hello.at("databases").at(0).as_object();
  EXPECT_EQ(
      text_of(database.at("ours").at("families").at("default").as_object(), "write_buffer_size"),
      "4194304");
  EXPECT_EQ(text_of(database.at("baseline").at("families").at("default").as_object(),
                    "write_buffer_size"),
            "1048576");
  const std::uint64_t id = first_db(hello);
  EXPECT_EQ(text_of(daemon_.ask({{"type", "keep"}, {"db", id}}), "type"), "kept");
  daemon_.heartbeat(0.2);
  EXPECT_FALSE(daemon_.poll_type("lease_expired", std::chrono::milliseconds(1500)).has_value());
  EXPECT_EQ(db->GetOptions().write_buffer_size, 4194304u);
  // Kept values are still ours and can be put back on request.
  EXPECT_EQ(text_of(daemon_.restore(id), "status"), "ok");
  EXPECT_EQ(db->GetOptions().write_buffer_size, 1048576u);
}

TEST_F(LibraryTest, AdoptMakesAValueTheBaseline) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  const auto values = family_value("default", "write_buffer_size", "4194304");
  ASSERT_EQ(text_of(daemon_.apply(id, values), "status"), "ok");
  EXPECT_EQ(text_of(daemon_.ask({{"type", "adopt"}, {"db", id}, {"values", values}}), "type"),
            "adopted");
  EXPECT_EQ(text_of(daemon_.restore(id), "status"), "ok");
  EXPECT_EQ(db->GetOptions().write_buffer_size, 4194304u);
}

TEST_F(LibraryTest, ARestoreNeverPutsTriggersOutOfOrder) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  boost::json::object texts{{"level0_file_num_compaction_trigger", "2"},
                            {"level0_slowdown_writes_trigger", "10"}};
  ASSERT_EQ(
      text_of(daemon_.apply(id, {{"families", boost::json::object{{"default", std::move(texts)}}}}),
              "status"),
      "ok");
  // Someone else moves the slowdown below the baseline's trigger of 4: restoring that would abort.
  ASSERT_TRUE(db->SetOptions({{"level0_slowdown_writes_trigger", "3"}}).ok());
  const auto restored = daemon_.restore(id);
  EXPECT_EQ(text_of(restored, "status"), "failed");
  EXPECT_THAT(text_of(restored, "error"), HasSubstr("clash"));
  EXPECT_EQ(db->GetOptions().level0_slowdown_writes_trigger, 3);
  EXPECT_EQ(db->GetOptions().level0_file_num_compaction_trigger, 2);
}

TEST_F(LibraryTest, FamiliesAppearGoAndComeBack) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  rocksdb::ColumnFamilyHandle* family = nullptr;
  ASSERT_TRUE(db->CreateColumnFamily(rocksdb::ColumnFamilyOptions(), "later", &family).ok());
  EXPECT_TRUE(daemon_.observe(id).at("families").as_object().contains("later"));
  EXPECT_EQ(
      text_of(daemon_.apply(id, family_value("later", "write_buffer_size", "4194304")), "status"),
      "ok");
  EXPECT_EQ(db->GetOptions(family).write_buffer_size, 4194304u);
  EXPECT_EQ(db->GetOptions().write_buffer_size, 1048576u) << "the other family is untouched";
  ASSERT_TRUE(db->DropColumnFamily(family).ok());
  ASSERT_TRUE(db->DestroyColumnFamilyHandle(family).ok());
  EXPECT_FALSE(daemon_.observe(id).at("families").as_object().contains("later"));
  EXPECT_EQ(text_of(daemon_.restore(id), "status"), "ok") << "nothing is left to restore";
}

TEST_F(LibraryTest, AnObservationOfVeryManyFamiliesStaysAFrame) {
  const auto db = open(db_options(), "db");
  std::vector<std::string> names;
  for (int i = 0; i < 400; ++i)
    names.push_back("family-with-a-rather-long-name-" + std::to_string(i));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  ASSERT_TRUE(db->CreateColumnFamilies(rocksdb::ColumnFamilyOptions(), names, &handles).ok());
  const auto attachment = agent::attach(db.get(), agent_options());
  const auto seen = daemon_.observe(first_db(daemon_.meet()));
  EXPECT_TRUE(seen.at("families").as_object().contains("default")) << "the first are kept";
  EXPECT_GT(seen.at("families").as_object().size(), 100u);
  for (auto* handle : handles) ASSERT_TRUE(db->DestroyColumnFamilyHandle(handle).ok());
}

TEST_F(LibraryTest, GarbageFromTheDaemonNeverHurts) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {
      R"({"type":"observe"})",
      R"({"type":"observe","seq":-1,"db":1})",
      R"({"type":"observe","seq":1,"db":"1"})",
      R"({"type":"observe","seq":1,"db":99})",
      R"({"type":"apply","seq":2,"db":1})",
      R"({"type":"apply","seq":2,"db":1,"set":[],"deadline_s":"x"})",
      R"({"type":"apply","seq":2,"db":1,"set":{"families":{"default":{"write_buffer_size":1}}}})",
      R"({"type":"apply","seq":2,"db":1,"set":{"families":{"default":7}},"deadline_s":1e400})",
      R"({"type":"adopt","seq":3,"db":1,"values":{"database":{"x":"1"}}})",
      R"({"type":"heartbeat","lease_s":-5})",
      R"({"type":"heartbeat","lease_s":null})",
      R"({"type":"welcome","protocol":2})",
      R"({"type":"welcome","protocol":1,"lease_s":"long"})",
      R"({"type":17})",
      R"({"type":"nonsense"})",
      R"([1,2])",
      R"(nonsense)",
      "\"\xff\xfe\"",
      std::string(40, '['),
  };
  for (int round = 0; round < 5; ++round) {
    daemon_.accept();
    if (round % 3 != 0)
      daemon_.send({{"type", "welcome"}, {"protocol", 1}, {"daemon", "test"}, {"lease_s", 60}});
    for (int i = 0; i < 60; ++i) {
      if (random() % 40 == 0) {
        std::string noise(random() % 200 + 1, '\0');
        for (char& byte : noise) byte = static_cast<char>(random());
        daemon_.send_bytes(noise);
      } else {
        std::string piece = pieces[random() % pieces.size()];
        if (random() % 8 == 0) piece[random() % piece.size()] = static_cast<char>(random());
        daemon_.send_bytes(wire::encode_frame(piece).value());
      }
    }
    daemon_.hang_up();
    EXPECT_TRUE(put(*db, round).ok());
  }
  const auto seen = daemon_.observe(first_db(daemon_.meet()));
  EXPECT_FALSE(seen.contains("error"));
  EXPECT_EQ(db->GetOptions().write_buffer_size, 1048576u);
}

TEST_F(LibraryTest, AnotherProtocolVersionEndsTheConnection) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  daemon_.accept();
  daemon_.send({{"type", "welcome"}, {"protocol", 2}, {"daemon", "test"}, {"lease_s", 60}});
  EXPECT_TRUE(daemon_.wait_end());
}

TEST_F(LibraryTest, TwoDatabasesShareOneConnection) {
  const auto first = open(db_options(), "first");
  const auto second = open(db_options(), "second");
  const auto one = agent::attach(first.get(), agent_options());
  auto two = agent::attach(second.get(), agent_options());
  const auto hello = daemon_.meet();
  std::map<std::string, std::uint64_t> numbers;
  const auto note = [&](const boost::json::object& database) {
    numbers[text_of(database, "path")] = database.at("db").to_number<std::uint64_t>();
  };
  for (const auto& database : hello.at("databases").as_array()) note(database.as_object());
  while (numbers.size() < 2) note(daemon_.wait_type("opened").at("database").as_object());
  const std::uint64_t id = numbers.at(std::filesystem::canonical(dir_ / "second").string());
  ASSERT_EQ(
      text_of(daemon_.apply(id, family_value("default", "write_buffer_size", "4194304")), "status"),
      "ok");
  EXPECT_EQ(first->GetOptions().write_buffer_size, 1048576u);
  EXPECT_EQ(second->GetOptions().write_buffer_size, 4194304u);
  two.reset();
  EXPECT_EQ(daemon_.wait_type("closed").at("db").to_number<std::uint64_t>(), id);
  EXPECT_TRUE(daemon_.observe(id).contains("error"));
}

TEST_F(LibraryTest, AReopenedDatabaseIsANewIncarnation) {
  auto db = open(db_options(), "db");
  auto attachment = agent::attach(db.get(), agent_options());
  const auto before = daemon_.meet();
  attachment.reset();
  db.reset();
  db = open(db_options(), "db");
  attachment = agent::attach(db.get(), agent_options());
  const auto after = daemon_.meet();
  EXPECT_NE(before.at("databases").at(0).at("incarnation"),
            after.at("databases").at(0).at("incarnation"));
  EXPECT_EQ(before.at("databases").at(0).at("database_id"),
            after.at("databases").at(0).at("database_id"));
}

TEST_F(LibraryTest, ClosingUnderHammeringIsClean) {
  for (int round = 0; round < 8; ++round) {
    auto db = open(db_options(), "db");
    auto attachment = agent::attach(db.get(), agent_options());
    const std::uint64_t id = first_db(daemon_.meet());
    // Not waited for: they are under way while the database closes.
    for (int i = 0; i < 50; ++i) {
      daemon_.send({{"type", "observe"}, {"seq", daemon_.next_seq()}, {"db", id}});
      daemon_.send(
          {{"type", "apply"},
           {"seq", daemon_.next_seq()},
           {"db", id},
           {"set", family_value("default", "write_buffer_size", std::to_string((i % 8 + 1) << 20))},
           {"deadline_s", 5},
           {"revert", i % 3 == 0}});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(round * 3));
    attachment.reset();
    EXPECT_TRUE(put(*db, round).ok());
    db.reset();
  }
}

TEST_F(LibraryTest, TransactionDatabasesAreReachedThroughTheirWrappers) {
  rocksdb::TransactionDB* transactions = nullptr;
  ASSERT_TRUE(rocksdb::TransactionDB::Open(db_options(), rocksdb::TransactionDBOptions(),
                                           dir_ / "transactions", &transactions)
                  .ok());
  const std::unique_ptr<rocksdb::TransactionDB> db(transactions);
  const auto attachment = agent::attach(db.get(), agent_options());
  ASSERT_NE(attachment, nullptr);
  const std::uint64_t id = first_db(daemon_.meet());
  EXPECT_EQ(
      text_of(daemon_.apply(id, family_value("default", "write_buffer_size", "4194304")), "status"),
      "ok");
  EXPECT_EQ(db->GetOptions().write_buffer_size, 4194304u);
}

TEST_F(LibraryTest, ReadOnlyAndSecondaryInstancesAreRefused) {
  open(db_options(), "db").reset();
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::OpenForReadOnly(rocksdb::Options(), dir_ / "db", &raw).ok());
  const std::unique_ptr<rocksdb::DB> read_only(raw);
  EXPECT_EQ(agent::attach(read_only.get(), agent_options()), nullptr);
  ASSERT_TRUE(
      rocksdb::DB::OpenAsSecondary(rocksdb::Options(), dir_ / "db", dir_ / "log", &raw).ok());
  const std::unique_ptr<rocksdb::DB> secondary(raw);
  EXPECT_EQ(agent::attach(secondary.get(), agent_options()), nullptr);
  EXPECT_EQ(agent::attach(nullptr, agent_options()), nullptr);
}

TEST_F(LibraryTest, OneVariableSwitchesItOff) {
  ASSERT_EQ(setenv("LSMTUNED_DISABLE", "1", 1), 0);
  rocksdb::Options options;
  options.create_if_missing = true;
  agent::prepare(options, agent_options());
  EXPECT_EQ(options.statistics, nullptr);
  EXPECT_TRUE(options.listeners.empty());
  const auto db = open(options, "db");
  EXPECT_EQ(agent::attach(db.get(), agent_options()), nullptr);
  ASSERT_EQ(setenv("LSMTUNED_DISABLE", "0", 1), 0);
  EXPECT_NE(agent::attach(db.get(), agent_options()), nullptr);
  ASSERT_EQ(unsetenv("LSMTUNED_DISABLE"), 0);
}

}  // namespace
}  // namespace lsmtuned::testing
