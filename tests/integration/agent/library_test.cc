// The agent linked on purpose: which databases and families it finds, what it says of them, and how
// it comes and goes with them.
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/rate_limiter.h>
#include <rocksdb/utilities/transaction_db.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/agent/library_fixture.h"

namespace lsmtuned::testing {
namespace {

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

TEST_F(LibraryTest, CountersLevelSendsRocksDbsOwnCounters) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  for (int key = 0; key < 300; ++key) ASSERT_TRUE(put(*db, key).ok());
  const auto seen = daemon_.observe(first_db(daemon_.meet()));
  EXPECT_EQ(db->GetDBOptions().statistics, nullptr);
  EXPECT_FALSE(seen.contains("tickers"));
  EXPECT_EQ(text_of(seen.at("database").at("dbstats").as_object(), "db.user_keys_written"), "300");
  EXPECT_FALSE(seen.contains("histograms"));
  EXPECT_FALSE(seen.contains("latency"));
}

TEST_F(LibraryTest, TickersLevelSendsNoHistograms) {
  const auto db = open(db_options("tickers"), "db");
  const auto attachment = agent::attach(db.get(), agent_options("tickers"));
  ASSERT_TRUE(put(*db, 1).ok());
  const auto seen = daemon_.observe(first_db(daemon_.meet()));
  EXPECT_TRUE(seen.contains("tickers"));
  EXPECT_FALSE(seen.contains("histograms"));
  EXPECT_FALSE(seen.contains("latency"));
}

TEST_F(LibraryTest, TellsOfMaintenanceThatOthersOrder) {
  rocksdb::Options options = db_options();
  const auto holder = std::make_shared<JobHolder>();
  const Released released(*holder);
  options.listeners.push_back(holder);  // after the agent's
  const auto db = open(options, "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  const auto job = [&](const char* member) {
    return daemon_.observe(id).at("jobs").at(member).to_number<int>();
  };
  const auto deletions = [&] {
    return daemon_.observe(id).at("database").at("is-file-deletions-enabled").to_number<int>();
  };
  ASSERT_TRUE(put(*db, 1).ok());
  ASSERT_TRUE(db->Flush({}).ok());
  EXPECT_EQ(job("manual_running"), 0);
  holder->hold_compactions();
  std::thread compacting([&] {
    rocksdb::CompactRangeOptions all;
    all.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
    EXPECT_TRUE(db->CompactRange(all, nullptr, nullptr).ok());
  });
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (job("manual_running") == 0 && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_EQ(job("manual_running"), 1);
  holder->release();
  compacting.join();
  EXPECT_EQ(job("manual_running"), 0);

  EXPECT_EQ(job("range_deletions"), 0);
  ASSERT_TRUE(db->DeleteRange({}, db->DefaultColumnFamily(), "0", "2").ok());
  ASSERT_TRUE(db->Flush({}).ok());
  EXPECT_EQ(job("range_deletions"), 1);

  EXPECT_EQ(deletions(), 1);
  ASSERT_TRUE(db->DisableFileDeletions().ok());
  EXPECT_EQ(deletions(), 0);
  ASSERT_TRUE(db->EnableFileDeletions().ok());
  EXPECT_EQ(deletions(), 1);
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
