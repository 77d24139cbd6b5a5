// rocksdb-7.8-facts.md, call-level hazards 1 to 6, and attach-facts.md 3.3 (read-only) and 3.4.
#include <gtest/gtest.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <cmath>
#include <future>

#include "tests/integration/rocksdb_facts/live_database.h"

namespace lsmtuned::facts {
namespace {

// Guard: one call per family per decision, none while delayed unless it clears the cause
// (invariant 4).
TEST(OptionsCalls, every_set_options_while_delayed_costs_a_fifth_of_the_write_rate) {
  const auto live = delayed_database();
  double expected = 16.0 * 1024 * 1024;
  ASSERT_EQ(static_cast<double>(live->integer("actual-delayed-write-rate")), expected);
  for (int call = 0; call < 4; ++call) {
    ASSERT_TRUE(live->set({{"level0_slowdown_writes_trigger", "4"}}).ok());  // changes nothing
    expected *= 0.8;
    EXPECT_NEAR(static_cast<double>(live->integer("actual-delayed-write-rate")), expected, 16);
  }
}

// Guard: one SetDBOptions per decision; judged only after settling, on whole compaction cycles.
TEST(OptionsCalls, any_changing_set_db_options_resets_the_adapted_rate_to_the_maximum) {
  const auto live = delayed_database();
  const std::uint64_t maximum = live->integer("actual-delayed-write-rate");
  for (int call = 0; call < 4; ++call)
    ASSERT_TRUE(live->set({{"level0_slowdown_writes_trigger", "4"}}).ok());
  ASSERT_LT(live->integer("actual-delayed-write-rate"), maximum / 2);
  ASSERT_TRUE(live->set_database({{"stats_dump_period_sec", "77"}}).ok());
  EXPECT_EQ(live->integer("actual-delayed-write-rate"), maximum);
}

// Guard: the controller settles until jobs older than the call have ended and verifies on
// behaviour, never on read-back.
TEST(OptionsCalls, jobs_in_flight_revert_the_change_while_read_back_shows_it) {
  rocksdb::Options options = small_options();
  options.level0_file_num_compaction_trigger = 4;
  options.level0_slowdown_writes_trigger = 6;
  options.level0_stop_writes_trigger = 60;
  LiveDatabase live(options);
  live.gate().hold_compactions(true);
  for (int file = 0; file < 6; ++file) live.make_l0_file();
  ASSERT_GT(live.integer("actual-delayed-write-rate"), 0U);

  live.gate().hold_flushes(true);
  auto flush = std::async(std::launch::async, [&] { live.make_l0_file(); });
  ASSERT_TRUE(eventually([&] { return live.gate().flush_held(); }));
  ASSERT_TRUE(live.set({{"level0_slowdown_writes_trigger", "50"}}).ok());
  EXPECT_EQ(live.integer("actual-delayed-write-rate"), 0U);  // the delay is gone

  live.gate().hold_flushes(false);
  flush.get();
  EXPECT_EQ(live.db().GetOptions().level0_slowdown_writes_trigger, 50);
  EXPECT_GT(live.integer("actual-delayed-write-rate"), 0U);  // and has come back

  live.make_l0_file();
  EXPECT_EQ(live.integer("actual-delayed-write-rate"), 0U);  // until the next flush
}

void expect_call_hangs_in_a_stop(const std::function<rocksdb::Status(LiveDatabase&)>& call,
                                 bool lifts_the_stop) {
  StoppedDatabase stopped;
  auto result = std::async(std::launch::async, [&] { return call(stopped.live()); });
  if (lifts_the_stop) {
    EXPECT_TRUE(eventually([&] { return !stopped.stopped(); }));  // the limit holds already
  }
  EXPECT_EQ(result.wait_for(kWatch), std::future_status::timeout);
  EXPECT_FALSE(stopped.writer_returned());
  EXPECT_EQ(stopped.stopped(), !lifts_the_stop);
  stopped.release();  // a background job ends
  ASSERT_EQ(result.wait_for(kPatience), std::future_status::ready);
  EXPECT_TRUE(result.get().ok());
  EXPECT_TRUE(eventually([&] { return stopped.writer_returned(); }));
}

// Guard: nothing is sent while writes are stopped; the agent calls RocksDB on an options worker
// with a deadline and reports "pending" (invariants 4 and 5).
TEST(OptionsCalls, set_options_hangs_in_a_stop_although_its_limit_holds_at_once) {
  expect_call_hangs_in_a_stop(
      [](LiveDatabase& live) {
        return live.set({{"max_write_buffer_number", "12"}});
      },
      true);
}

TEST(OptionsCalls, set_db_options_hangs_in_a_stop) {
  expect_call_hangs_in_a_stop(
      [](LiveDatabase& live) {
        return live.set_database({{"delayed_write_rate", "9000000"}});
      },
      false);
}

// Guard: observing goes on during a stop, so the daemon sees it (agent's poll thread).
TEST(OptionsCalls, properties_and_options_stay_readable_while_an_options_call_hangs) {
  StoppedDatabase stopped;
  auto hanging = std::async(std::launch::async, [&] {
    return stopped.live().set({{"level0_slowdown_writes_trigger", "21"}});
  });
  EXPECT_EQ(hanging.wait_for(kWatch), std::future_status::timeout);
  auto reading = std::async(std::launch::async, [&] {
    (void)stopped.live().map("cfstats");
    return stopped.live().db().GetOptions().level0_slowdown_writes_trigger;
  });
  const bool answered = reading.wait_for(kPatience) == std::future_status::ready;
  stopped.release();
  ASSERT_TRUE(answered);
  EXPECT_EQ(reading.get(), 21);  // read-back shows the value of a call that has not returned
  EXPECT_TRUE(hanging.get().ok());
}

struct Persisted {
  std::string options_file;  // the newest
  std::uintmax_t manifest_bytes = 0;
};
Persisted persisted(const std::string& directory) {
  Persisted found;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("OPTIONS-") && !name.ends_with(".dbtmp"))
      found.options_file = std::max(found.options_file, name);
    if (name.starts_with("MANIFEST-")) found.manifest_bytes += entry.file_size();
  }
  return found;
}

// Guard: one call per family per decision; a set that changes nothing is not sent.
TEST(OptionsCalls, each_call_writes_a_new_options_file_and_the_manifest_even_for_no_change) {
  LiveDatabase live(small_options());
  Persisted before = persisted(live.path());
  for (int call = 0; call < 3; ++call) {
    ASSERT_TRUE(live.set({{"level0_slowdown_writes_trigger", "20"}}).ok());
    const Persisted after = persisted(live.path());
    EXPECT_GT(after.options_file, before.options_file);
    EXPECT_GT(after.manifest_bytes, before.manifest_bytes);
    before = after;
  }
}

// Holds or refuses the creation of OPTIONS files.
class OptionsFileSystem : public rocksdb::FileSystemWrapper {
 public:
  OptionsFileSystem() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "options-file-gate"; }
  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* context) override {
    if (name.find("OPTIONS-") != std::string::npos) {
      if (refuse) return rocksdb::IOStatus::NoSpace("refused by the test");
      std::unique_lock lock(mutex);
      waiting = hold;
      changed.wait(lock, [this] { return !hold; });
    }
    return FileSystemWrapper::NewWritableFile(name, options, file, context);
  }
  void set_hold(bool value) {
    const std::lock_guard lock(mutex);
    hold = value;
    changed.notify_all();
  }
  bool is_waiting() {
    const std::lock_guard lock(mutex);
    return waiting;
  }
  std::atomic<bool> refuse = false;

 private:
  std::mutex mutex;
  std::condition_variable changed;
  bool hold = false;
  bool waiting = false;
};

struct DatabaseOnOptionsFileSystem {
  std::shared_ptr<OptionsFileSystem> files = std::make_shared<OptionsFileSystem>();
  std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
  std::unique_ptr<LiveDatabase> live;
  DatabaseOnOptionsFileSystem() {
    rocksdb::Options options = small_options();
    options.env = env.get();
    live = std::make_unique<LiveDatabase>(options);
  }
};

// Guard: the same; a slow file system makes each call a stall of its own.
TEST(OptionsCalls, writers_wait_while_the_options_file_is_written) {
  DatabaseOnOptionsFileSystem database;
  database.files->set_hold(true);
  auto call = std::async(std::launch::async, [&] {
    return database.live->set({{"level0_slowdown_writes_trigger", "21"}});
  });
  ASSERT_TRUE(eventually([&] { return database.files->is_waiting(); }));
  auto put = std::async(std::launch::async, [&] { return database.live->put(); });
  EXPECT_EQ(put.wait_for(kWatch), std::future_status::timeout);
  EXPECT_EQ(database.live->integer("is-write-stopped"), 0U);  // and no stall is reported
  database.files->set_hold(false);
  EXPECT_TRUE(call.get().ok());
  EXPECT_TRUE(put.get().ok());
}

// Guard: nothing relies on the OPTIONS file; the baseline is the agent's and the daemon's own.
TEST(OptionsCalls, failure_to_write_the_options_file_still_returns_ok) {
  DatabaseOnOptionsFileSystem database;
  const Persisted before = persisted(database.live->path());
  database.files->refuse = true;
  EXPECT_TRUE(database.live->set({{"level0_slowdown_writes_trigger", "21"}}).ok());
  EXPECT_EQ(persisted(database.live->path()).options_file, before.options_file);
  EXPECT_EQ(database.live->db().GetOptions().level0_slowdown_writes_trigger, 21);
}

std::map<std::string, std::string> listing(const std::string& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-"))
      files[name] = std::to_string(entry.file_size());
  }
  return files;
}

// Guard: the agent never attaches to a database opened read-only or as a secondary.
TEST(OptionsCalls, set_options_on_a_read_only_instance_writes_into_the_directory) {
  const TemporaryDirectory directory;
  rocksdb::Options options = small_options();
  rocksdb::DB* raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, directory.path(), &raw).ok());
  ASSERT_TRUE(raw->Put(rocksdb::WriteOptions(), "key", "value").ok());
  delete raw;
  raw = nullptr;
  ASSERT_TRUE(rocksdb::DB::OpenForReadOnly(options, directory.path(), &raw).ok());
  const std::unique_ptr<rocksdb::DB> reader(raw);
  const auto before = listing(directory.path());
  ASSERT_TRUE(reader->SetOptions({{"level0_slowdown_writes_trigger", "21"}}).ok());
  const auto after = listing(directory.path());
  const auto is_new = [&](const std::string& prefix) {
    for (const auto& [name, size] : after)
      if (name.starts_with(prefix) && !before.contains(name)) return true;
    return false;
  };
  EXPECT_TRUE(is_new("OPTIONS-"));
  EXPECT_TRUE(is_new("MANIFEST-"));
}

}  // namespace
}  // namespace lsmtuned::facts
