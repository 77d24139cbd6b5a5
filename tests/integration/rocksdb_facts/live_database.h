// A small real database in a temporary directory whose flushes and compactions can be held, so that
// stalls and in-flight jobs arise when a test wants them and last as long as it wants.
//
// Thread rules: LiveDatabase is used from the test's thread; db() may be used from others.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/listener.h>
#include <rocksdb/options.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

namespace lsmtuned::facts {

using OptionTexts = std::unordered_map<std::string, std::string>;

// Longest wait for something that must happen. Only a broken test ever waits this long.
inline constexpr std::chrono::seconds kPatience{20};
// How long something is watched that must not happen.
inline constexpr std::chrono::milliseconds kWatch{300};

bool eventually(const std::function<bool()>& condition);

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

// Holds flush and compaction jobs at their begin, outside the database mutex.
class Gate : public rocksdb::EventListener {
 public:
  void hold_flushes(bool hold);
  void hold_compactions(bool hold);
  bool flush_held();
  bool compaction_held();

  void OnFlushBegin(rocksdb::DB* db, const rocksdb::FlushJobInfo& info) override;
  void OnCompactionBegin(rocksdb::DB* db, const rocksdb::CompactionJobInfo& info) override;

 private:
  void wait(const bool& held, int& waiting);
  std::mutex mutex_;
  std::condition_variable changed_;
  bool hold_flushes_ = false;
  bool hold_compactions_ = false;
  int flushes_waiting_ = 0;
  int compactions_waiting_ = 0;
};

class LiveDatabase {
 public:
  explicit LiveDatabase(rocksdb::Options options);
  ~LiveDatabase();
  LiveDatabase(const LiveDatabase&) = delete;
  LiveDatabase& operator=(const LiveDatabase&) = delete;

  rocksdb::DB& db() { return *db_; }
  Gate& gate() { return *gate_; }
  std::string path() const { return directory_.path(); }

  rocksdb::Status set(const OptionTexts& options);           // SetOptions, default family
  rocksdb::Status set_database(const OptionTexts& options);  // SetDBOptions
  std::uint64_t integer(const std::string& property);        // without the "rocksdb." prefix
  std::map<std::string, std::string> map(const std::string& property);
  std::uint64_t io_stalls(const std::string& name);
  std::uint64_t l0_files();

  rocksdb::Status put(std::size_t value_bytes = 4096);  // fresh key, incompressible, no WAL
  void make_l0_file();  // one put and one flush; returns when the file is installed

 private:
  TemporaryDirectory directory_;
  std::shared_ptr<Gate> gate_;
  std::unique_ptr<rocksdb::DB> db_;
  std::uint64_t next_key_ = 0;
};

rocksdb::Options small_options();

// A database that is delayed by L0 (four files, slowdown 4, stop 60) with its compaction held, so
// that nothing but the test's own calls recomputes the delay.
std::unique_ptr<LiveDatabase> delayed_database();

// A database whose writer is stopped by full memtables with the flush held; `release` ends it.
class StoppedDatabase {
 public:
  StoppedDatabase();
  ~StoppedDatabase();
  LiveDatabase& live() { return live_; }
  bool stopped() { return live_.integer("is-write-stopped") == 1; }
  bool writer_returned() const { return writer_returned_; }
  void release();  // lets the flush go

 private:
  LiveDatabase live_;
  std::atomic<bool> writer_returned_ = false;
  std::thread writer_;
};

}  // namespace lsmtuned::facts
