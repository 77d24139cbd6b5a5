// What the tests of the linked agent share: a database in this process, a daemon that the test
// plays, and the way to a write stop.
#pragma once

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "lsmtuned/agent.h"
#include "tests/integration/agent/test_daemon.h"

namespace lsmtuned::testing {

// Holds every flush, or every compaction, of a database until released: the way to a write stop, or
// to a job that is seen running, that the test controls.
class JobHolder : public rocksdb::EventListener {
 public:
  void hold() {
    const std::scoped_lock lock(mutex_);
    held_ = true;
  }
  void release() {
    const std::scoped_lock lock(mutex_);
    held_ = compactions_held_ = false;
    changed_.notify_all();
  }
  void OnFlushBegin(rocksdb::DB*, const rocksdb::FlushJobInfo&) override { wait(held_); }
  void OnCompactionBegin(rocksdb::DB*, const rocksdb::CompactionJobInfo&) override {
    wait(compactions_held_);
  }
  void hold_compactions() {
    const std::scoped_lock lock(mutex_);
    compactions_held_ = true;
  }

 private:
  void wait(const bool& held) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&held] { return !held; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  bool compactions_held_ = false;
};

// Ends with the scope, whatever the test did: a held flush would hang the closing.
class Released {
 public:
  explicit Released(JobHolder& holder) : holder_(holder) {}
  ~Released() { holder_.release(); }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;

 private:
  JobHolder& holder_;
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

inline std::string text_of(const boost::json::object& message, const char* member) {
  const auto& text = message.at(member).as_string();
  return {text.data(), text.size()};
}

}  // namespace lsmtuned::testing
