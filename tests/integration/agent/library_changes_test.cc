// The agent linked on purpose: changes of settings, and what write stops do to them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/rate_limiter.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "model/histogram.h"
#include "tests/integration/agent/library_fixture.h"

namespace lsmtuned::testing {
namespace {

using ::testing::HasSubstr;

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

std::string knob_text(TestDaemon& daemon, std::uint64_t id, const char* option) {
  const auto body = daemon.observe(id);
  const auto& texts = body.at("settings").at("families").at("default").as_object();
  const auto* text = texts.if_contains(option);
  return text != nullptr ? std::string(text->as_string()) : "";
}

// By the files' own properties: what each flush since `after` was compressed with.
std::vector<std::string> compression_of_files(rocksdb::DB& db) {
  rocksdb::TablePropertiesCollection all;
  EXPECT_TRUE(db.GetPropertiesOfAllTables(&all).ok());
  std::vector<std::string> names;
  for (const auto& [file, properties] : all) names.push_back(properties->compression_name);
  return names;
}

TEST_F(LibraryTest, LevelsAboveTheFirstCompressedAreWrittenPlain) {
  using Types = std::vector<rocksdb::CompressionType>;
  rocksdb::Options options = db_options();
  options.compression = rocksdb::kSnappyCompression;
  const auto db = open(options, "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  EXPECT_EQ(knob_text(daemon_, id, "first_compressed_level"), "1");
  ASSERT_TRUE(put(*db, 1).ok());
  ASSERT_TRUE(db->Flush({}).ok());
  EXPECT_EQ(compression_of_files(*db), (std::vector<std::string>{"Snappy"}));

  const auto applied = daemon_.apply(id, family_value("default", "first_compressed_level", "3"));
  EXPECT_EQ(text_of(applied, "status"), "ok") << text_of(applied, "error");
  EXPECT_EQ(knob_text(daemon_, id, "first_compressed_level"), "3");
  EXPECT_EQ(db->GetOptions().compression_per_level,
            (Types{rocksdb::kNoCompression, rocksdb::kNoCompression, rocksdb::kSnappyCompression}));
  ASSERT_TRUE(put(*db, 2).ok());
  ASSERT_TRUE(db->Flush({}).ok());
  EXPECT_THAT(compression_of_files(*db),
              ::testing::UnorderedElementsAre("Snappy", "NoCompression"));

  EXPECT_EQ(text_of(daemon_.restore(id), "status"), "ok");
  EXPECT_EQ(knob_text(daemon_, id, "first_compressed_level"), "1");
  EXPECT_EQ(db->GetOptions().compression_per_level, Types{});
  const auto beyond = daemon_.apply(id, family_value("default", "first_compressed_level", "9"));
  EXPECT_EQ(text_of(beyond, "status"), "not_sent");
}

TEST_F(LibraryTest, CompressionGivenByLevelComesBackAsItWas) {
  using Types = std::vector<rocksdb::CompressionType>;
  const Types given{rocksdb::kNoCompression, rocksdb::kNoCompression, rocksdb::kSnappyCompression,
                    rocksdb::kSnappyCompression, rocksdb::kZlibCompression};
  rocksdb::Options options = db_options();
  options.compression = rocksdb::kSnappyCompression;
  options.compression_per_level = given;
  const auto db = open(options, "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  EXPECT_EQ(knob_text(daemon_, id, "first_compressed_level"), "3");
  const auto applied = daemon_.apply(id, family_value("default", "first_compressed_level", "1"));
  EXPECT_EQ(text_of(applied, "status"), "ok") << text_of(applied, "error");
  EXPECT_EQ(
      db->GetOptions().compression_per_level,
      (Types{rocksdb::kSnappyCompression, rocksdb::kSnappyCompression, rocksdb::kSnappyCompression,
             rocksdb::kSnappyCompression, rocksdb::kZlibCompression}));
  EXPECT_EQ(text_of(daemon_.restore(id), "status"), "ok");
  EXPECT_EQ(db->GetOptions().compression_per_level, given);
}

TEST_F(LibraryTest, CompressionThatTheKnobCannotSayIsLeftAlone) {
  const std::vector<std::vector<rocksdb::CompressionType>> others = {
      {rocksdb::kNoCompression},
      {rocksdb::kSnappyCompression, rocksdb::kZlibCompression},
      {rocksdb::kSnappyCompression, rocksdb::kNoCompression}};
  for (std::size_t i = 0; i < others.size(); ++i) {
    rocksdb::Options options = db_options();
    options.compression_per_level = others[i];
    const auto db = open(options, "db" + std::to_string(i));
    const auto attachment = agent::attach(db.get(), agent_options());
    const std::uint64_t id = first_db(daemon_.meet());
    EXPECT_EQ(knob_text(daemon_, id, "first_compressed_level"), "");
    const auto applied = daemon_.apply(id, family_value("default", "first_compressed_level", "2"));
    EXPECT_EQ(text_of(applied, "status"), "not_sent");
    EXPECT_EQ(db->GetOptions().compression_per_level, others[i]);
  }
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

// Each options call while writes are delayed takes a fifth of their rate, and putting the options
// back does not return it; setting the rate again does, in a revert.
TEST_F(LibraryTest, ARevertCanGiveDelayedWritersTheirRateBack) {
  const auto holder = std::make_shared<JobHolder>();
  rocksdb::Options options = db_options();
  options.listeners.push_back(holder);
  options.level0_file_num_compaction_trigger = 2;
  options.level0_slowdown_writes_trigger = 3;
  options.level0_stop_writes_trigger = 30;
  const auto db = open(options, "db");
  const Released released(*holder);
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  holder->hold_compactions();
  rocksdb::FlushOptions at_once;
  at_once.allow_write_stall = true;
  for (int file = 0; file < 4; ++file) {
    ASSERT_TRUE(put(*db, file).ok());
    ASSERT_TRUE(db->Flush(at_once).ok());
  }
  const auto rate = [&] { return number(*db, "rocksdb.actual-delayed-write-rate"); };
  const auto target = [](int mib) {
    return family_value("default", "target_file_size_base", std::to_string(mib << 20));
  };
  constexpr std::uint64_t kFull = 16 << 20;
  ASSERT_GT(rate(), 0u) << "writes are not delayed";
  for (const int mib : {32, 16, 8}) daemon_.apply(id, target(mib));
  EXPECT_LT(rate(), 0.6 * kFull);
  daemon_.apply(id, target(64), true);
  EXPECT_LT(rate(), 0.6 * kFull);

  boost::json::object with_rate = target(32);
  with_rate["database"] = {{"delayed_write_rate", std::to_string(kFull)}};
  EXPECT_EQ(text_of(daemon_.apply(id, with_rate), "status"), "ok");
  EXPECT_LT(rate(), 0.6 * kFull) << "only a revert does it";
  EXPECT_EQ(text_of(daemon_.apply(id, with_rate, true), "status"), "ok");
  EXPECT_EQ(rate(), kFull);
  EXPECT_EQ(db->GetDBOptions().delayed_write_rate, kFull);
  // A restore of everything, too.
  for (const int mib : {64, 16, 8}) daemon_.apply(id, target(mib));
  ASSERT_LT(rate(), 0.6 * kFull);
  EXPECT_EQ(text_of(daemon_.restore(id), "status"), "ok");
  EXPECT_LT(rate(), 0.6 * kFull);
  daemon_.apply(id, target(16));
  EXPECT_EQ(text_of(daemon_.restore(id, true), "status"), "ok");
  EXPECT_EQ(rate(), kFull);
  daemon_.apply(id, target(16));
  ASSERT_LT(rate(), kFull);
  // Set by someone else, and not seen by the daemon yet.
  ASSERT_TRUE(db->SetDBOptions({{"delayed_write_rate", "9000000"}}).ok());
  EXPECT_EQ(text_of(daemon_.apply(id, with_rate, true), "status"), "ok");
  EXPECT_EQ(rate(), 9000000u);
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
  const auto holder = std::make_shared<JobHolder>();
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

// A stop may begin between the first look and the call: nothing was sent then, and nothing failed.
TEST_F(LibraryTest, ChangesBesideShortStopsAreSentOrRefused) {
  rocksdb::Options options = db_options();
  options.write_buffer_size = 64 << 10;
  options.level0_file_num_compaction_trigger = 1;
  options.level0_slowdown_writes_trigger = 2;
  options.level0_stop_writes_trigger = 4;
  const auto db = open(options, "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  std::atomic<bool> done{false};
  std::thread writer([&] {
    for (int key = 0; !done; ++key) EXPECT_TRUE(put(*db, key % 500).ok());
  });
  for (int i = 0; i < 3000; ++i) {
    const auto answer = daemon_.apply(
        id, family_value("default", "target_file_size_base", std::to_string((2 + i % 2) << 20)));
    EXPECT_NE(text_of(answer, "status"), "failed") << text_of(answer, "error");
  }
  done = true;
  writer.join();
}

TEST_F(LibraryTest, StalledWritesAreCountedWithTheTimeTheyWaited) {
  const auto holder = std::make_shared<JobHolder>();
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
  const auto holder = std::make_shared<JobHolder>();
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

}  // namespace
}  // namespace lsmtuned::testing
