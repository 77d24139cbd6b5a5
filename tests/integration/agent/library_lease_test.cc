// The agent linked on purpose: the lease, and whose a value is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <chrono>
#include <thread>

#include "tests/integration/agent/library_fixture.h"

namespace lsmtuned::testing {
namespace {

using ::testing::HasSubstr;

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

// `keep` bridges a planned restart; a daemon that came back and then dies leaves nothing behind.
TEST_F(LibraryTest, KeptValuesHaveALeaseAgainOnceADaemonIsBack) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  ASSERT_EQ(
      text_of(daemon_.apply(id, family_value("default", "write_buffer_size", "4194304")), "status"),
      "ok");
  ASSERT_EQ(text_of(daemon_.ask({{"type", "keep"}, {"db", id}}), "type"), "kept");
  daemon_.meet();
  daemon_.heartbeat(0.2);
  EXPECT_TRUE(daemon_.poll_type("lease_expired", std::chrono::milliseconds(5000)).has_value());
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

// The daemon's revert of its slowdown 34 -> 20, not knowing yet of the trigger that someone else
// set to 24: RocksDB aborts at a slowdown below the trigger.
TEST_F(LibraryTest, ARevertNeverPutsTriggersOutOfOrder) {
  const auto db = open(db_options(), "db");
  const auto attachment = agent::attach(db.get(), agent_options());
  const std::uint64_t id = first_db(daemon_.meet());
  const auto families = [](boost::json::object texts) {
    return boost::json::object{{"families", boost::json::object{{"default", std::move(texts)}}}};
  };
  ASSERT_EQ(text_of(daemon_.apply(id, families({{"level0_slowdown_writes_trigger", "34"},
                                                {"write_buffer_size", "4194304"}})),
                    "status"),
            "ok");
  ASSERT_TRUE(db->SetOptions({{"level0_file_num_compaction_trigger", "24"}}).ok());
  const auto reverted = daemon_.apply(
      id, families({{"level0_slowdown_writes_trigger", "20"}, {"write_buffer_size", "1048576"}}),
      true);
  EXPECT_EQ(text_of(reverted, "status"), "failed");
  EXPECT_THAT(text_of(reverted, "error"), HasSubstr("clash"));
  EXPECT_EQ(db->GetOptions().level0_slowdown_writes_trigger, 34);
  EXPECT_EQ(db->GetOptions().write_buffer_size, 1048576u);
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

}  // namespace
}  // namespace lsmtuned::testing
