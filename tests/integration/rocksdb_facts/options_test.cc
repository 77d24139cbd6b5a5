// rocksdb-7.8-facts.md section 3, the table: what single options do when changed online.
#include <gtest/gtest.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <set>
#include <thread>

#include "tests/integration/rocksdb_facts/child_process.h"
#include "tests/integration/rocksdb_facts/live_database.h"

namespace lsmtuned::facts {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;

ChildTask min_merge_three(const std::string& options) {
  ChildTask task;
  task.options = options;
  task.min_merge = 3;
  return task;
}

// Guard: the controller settles until jobs caused by the call have ended; a shrink costs one early
// flush, and none is sent while the present immutable memtables would stop writes.
TEST(Options, write_buffer_size_shrink_switches_the_active_memtable_on_the_next_writes) {
  rocksdb::Options options = small_options();
  options.write_buffer_size = 64 * kMiB;
  LiveDatabase live(options);
  live.gate().hold_flushes(true);
  for (int i = 0; i < 1024; ++i) ASSERT_TRUE(live.put().ok());
  ASSERT_EQ(live.integer("num-immutable-mem-table"), 0U);
  ASSERT_TRUE(live.set({{"write_buffer_size", std::to_string(kMiB)}}).ok());
  EXPECT_EQ(live.integer("num-immutable-mem-table"), 0U);  // not by the call itself
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(live.put().ok());
  EXPECT_EQ(live.integer("num-immutable-mem-table"), 1U);
  EXPECT_LT(live.integer("num-entries-active-mem-table"), 4U);
}

// A memtable that has just been created counts as full when write_buffer_size is at most 2 KiB plus
// 0.4 arena blocks, and the arena block stays as it was at open.
//
// Guard: write_buffer_size at least 1 MiB (model/knobs.h), more than twice that bound for the
// largest arena block that RocksDB picks by itself, 1 MiB.
TEST(Options, write_buffer_size_below_two_fifths_of_the_arena_block_aborts) {
  ChildTask task;
  task.open_write_buffer_size = 64 * kMiB;
  task.options = "write_buffer_size=410000";  // arena block 1 MiB, bound 421478
  const ChildResult below = run_child(task, kPatience);
  EXPECT_EQ(below.end, ChildResult::End::signalled) << below.output;
  EXPECT_TRUE(below.said("ShouldScheduleFlush()")) << below.output;
  task.options = "write_buffer_size=430000";
  const ChildResult above = run_child(task, kPatience);
  EXPECT_EQ(above.end, ChildResult::End::exited) << above.output;
  EXPECT_TRUE(above.said("closed")) << above.output;
}

// Why the bound must grow with an arena_block_size that the program chose itself.
TEST(Options, a_large_arena_block_makes_one_mebibyte_of_write_buffer_abort) {
  ChildTask task;
  task.open_write_buffer_size = 64 * kMiB;
  task.arena_block_size = 4 * kMiB;
  task.options = "write_buffer_size=" + std::to_string(kMiB);
  const ChildResult below = run_child(task, kPatience);
  EXPECT_EQ(below.end, ChildResult::End::signalled) << below.output;
  EXPECT_TRUE(below.said("ShouldScheduleFlush()")) << below.output;
  task.options = "write_buffer_size=" + std::to_string(2 * kMiB);
  const ChildResult above = run_child(task, kPatience);
  EXPECT_EQ(above.end, ChildResult::End::exited) << above.output;
}

// Guard: not a knob; model/invariants.h takes it from FamilyFacts.
TEST(Options, min_write_buffer_number_to_merge_is_immutable) {
  LiveDatabase live(small_options());
  const rocksdb::Status status = live.set({{"min_write_buffer_number_to_merge", "2"}});
  EXPECT_TRUE(status.IsInvalidArgument());
  EXPECT_NE(status.ToString().find("not changeable"), std::string::npos) << status.ToString();
}

// Guard: model/invariants.h, max_write_buffer_number above min_write_buffer_number_to_merge.
TEST(Options, max_write_buffer_number_below_min_merge_hangs_writers) {
  const ChildResult hung =
      run_child(min_merge_three("max_write_buffer_number=2"), std::chrono::milliseconds(1500));
  EXPECT_EQ(hung.end, ChildResult::End::hung);
  EXPECT_TRUE(hung.said("set: OK")) << hung.output;
  EXPECT_FALSE(hung.said("written")) << hung.output;
}

// Whether three immutable memtables, the fewest that get flushed, stop writes.
bool stopped_when_first_flush_is_due(int max_write_buffer_number) {
  rocksdb::Options options = small_options();
  options.min_write_buffer_number_to_merge = 3;
  options.max_write_buffer_number = 6;
  LiveDatabase live(options);
  live.gate().hold_flushes(true);
  const std::string number = std::to_string(max_write_buffer_number);
  EXPECT_TRUE(live.set({{"max_write_buffer_number", number}}).ok());
  std::thread writer([&] {
    for (int i = 0; i < 64; ++i) {
      if (live.integer("num-immutable-mem-table") >= 3) break;
      EXPECT_TRUE(live.put().ok());
    }
  });
  EXPECT_TRUE(eventually([&] { return live.integer("num-immutable-mem-table") >= 3; }));
  const bool stopped = live.integer("is-write-stopped") == 1;
  live.gate().hold_flushes(false);
  writer.join();
  return stopped;
}

// Guard: the same rule is strict, so that a flush can become due before writes stop.
TEST(Options, max_write_buffer_number_equal_to_min_merge_stops_writes_whenever_a_flush_is_due) {
  EXPECT_TRUE(stopped_when_first_flush_is_due(3));
  EXPECT_FALSE(stopped_when_first_flush_is_due(4));
  const ChildResult equal = run_child(min_merge_three("max_write_buffer_number=3"), kPatience);
  EXPECT_EQ(equal.end, ChildResult::End::exited) << equal.output;  // but does not hang
  EXPECT_TRUE(equal.said("closed")) << equal.output;
}

// Guard: model/invariants.h, trigger <= slowdown <= stop.
TEST(Options, slowdown_above_stop_is_accepted) {
  LiveDatabase live(small_options());
  ASSERT_TRUE(
      live.set({{"level0_slowdown_writes_trigger", "80"}, {"level0_stop_writes_trigger", "40"}})
          .ok());
  EXPECT_EQ(live.db().GetOptions().level0_slowdown_writes_trigger, 80);
  EXPECT_EQ(live.db().GetOptions().level0_stop_writes_trigger, 40);
}

// Guard: model/invariants.h, soft <= hard.
TEST(Options, soft_pending_limit_above_hard_is_accepted) {
  LiveDatabase live(small_options());
  ASSERT_TRUE(live.set({{"soft_pending_compaction_bytes_limit", "2000000"},
                        {"hard_pending_compaction_bytes_limit", "1000000"}})
                  .ok());
  EXPECT_EQ(live.db().GetOptions().soft_pending_compaction_bytes_limit, 2'000'000U);
  EXPECT_EQ(live.db().GetOptions().hard_pending_compaction_bytes_limit, 1'000'000U);
}

// Guard: compression is observed and never a knob, so nothing of ours undoes such a change.
TEST(Options, compression_per_level_is_changeable) {
  LiveDatabase live(small_options());
  ASSERT_TRUE(
      live.set({{"compression_per_level", "kNoCompression:kNoCompression:kSnappyCompression"}})
          .ok());
  const std::vector<rocksdb::CompressionType> expected{
      rocksdb::kNoCompression, rocksdb::kNoCompression, rocksdb::kSnappyCompression};
  EXPECT_EQ(live.db().GetOptions().compression_per_level, expected);
}

// The commonest step in which a memtable's arena takes memory.
std::uint64_t arena_step(LiveDatabase& live, const rocksdb::WriteBufferManager& manager) {
  live.make_l0_file();  // a new memtable under the present options
  std::multiset<std::uint64_t> steps;
  std::uint64_t before = manager.memory_usage();
  for (int i = 0; i < 1024; ++i) {
    EXPECT_TRUE(live.put().ok());
    const std::uint64_t now = manager.memory_usage();
    if (now > before) steps.insert(now - before);
    before = now;
  }
  std::uint64_t best = 0;
  for (const std::uint64_t step : steps)
    if (steps.count(step) > steps.count(best)) best = step;
  return best;
}

// Guard: the arena block is read from the database (FamilyFacts), never derived from the present
// write_buffer_size.
TEST(Options, arena_block_is_fixed_at_open) {
  const auto manager = std::make_shared<rocksdb::WriteBufferManager>(1024 * kMiB);
  rocksdb::Options options = small_options();
  options.write_buffer_manager = manager;
  options.write_buffer_size = 4 * kMiB;
  {
    LiveDatabase live(options);
    ASSERT_TRUE(live.set({{"write_buffer_size", std::to_string(64 * kMiB)}}).ok());
    EXPECT_EQ(live.db().GetOptions().arena_block_size, kMiB / 2);
    EXPECT_NEAR(static_cast<double>(arena_step(live, *manager)), 512.0 * 1024, 8192);
  }
  options.write_buffer_size = 64 * kMiB;
  LiveDatabase opened(options);
  EXPECT_NEAR(static_cast<double>(arena_step(opened, *manager)), 1024.0 * 1024, 8192);
}

// Guard: not a knob; the model reads it as a fact and takes static or dynamic targets by it.
TEST(Options, level_compaction_dynamic_level_bytes_is_immutable) {
  LiveDatabase live(small_options());
  const rocksdb::Status status = live.set({{"level_compaction_dynamic_level_bytes", "true"}});
  EXPECT_TRUE(status.IsInvalidArgument());
  EXPECT_FALSE(live.db().GetOptions().level_compaction_dynamic_level_bytes);
}

// Guard: knob bound of delayed_write_rate (model/knobs.h) excludes 0 and everything near it.
TEST(Options, delayed_write_rate_zero_means_one_byte_per_second) {
  const auto live = delayed_database();
  ASSERT_EQ(live->integer("actual-delayed-write-rate"), 16U * kMiB);
  ASSERT_TRUE(live->set_database({{"delayed_write_rate", "0"}}).ok());
  EXPECT_EQ(live->db().GetDBOptions().delayed_write_rate, 0U);
  EXPECT_EQ(live->integer("actual-delayed-write-rate"), 1U);
  ASSERT_TRUE(live->set_database({{"delayed_write_rate", "16777216"}}).ok());
  EXPECT_EQ(live->integer("actual-delayed-write-rate"), 16U * kMiB);
}

// Guard: none; bytes_per_sync is no knob, and this side effect of the first SetDBOptions stays
// until the database is reopened (docs/rocksdb-surprises.md says so).
TEST(Options, any_set_db_options_turns_bytes_per_sync_zero_into_one_mebibyte) {
  LiveDatabase live(small_options());
  ASSERT_EQ(live.db().GetDBOptions().bytes_per_sync, 0U);
  ASSERT_TRUE(live.set_database({{"stats_dump_period_sec", "77"}}).ok());
  EXPECT_EQ(live.db().GetDBOptions().bytes_per_sync, kMiB);
}

// Guard: model/invariants.h, max_background_jobs at most 4 * cores.
TEST(Options, max_background_jobs_starts_threads_at_once_and_never_ends_them) {
  const ChildResult child = run_thread_child(200);
  ASSERT_EQ(child.end, ChildResult::End::exited) << child.output;
  long before = 0;
  long grown = 0;
  long after = 0;
  ASSERT_EQ(std::sscanf(child.output.c_str(), "threads %ld %ld %ld", &before, &grown, &after), 3)
      << child.output;
  EXPECT_GE(grown, before + 190);
  EXPECT_EQ(after, grown);
}

}  // namespace
}  // namespace lsmtuned::facts
