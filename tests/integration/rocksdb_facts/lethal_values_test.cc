// attach-facts.md 3.5: values that RocksDB accepts online and that then abort the process, hang its
// writers for ever, or mean something else. Each is run in a child process. Debian's library is
// built with assertions; without them an abort becomes undefined behaviour instead.
//
// Guard of all: model/invariants.h and the absolute bounds of model/knobs.h, checked by the daemon
// before sending and by the agent before calling.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/integration/rocksdb_facts/child_process.h"
#include "tests/integration/rocksdb_facts/live_database.h"

namespace lsmtuned::facts {
namespace {

constexpr std::chrono::milliseconds kSilence{1500};

void expect_abort(const std::string& options, const std::string& assertion) {
  ChildTask task;
  task.options = options;
  const ChildResult child = run_child(task, kPatience);
  EXPECT_EQ(child.end, ChildResult::End::signalled) << child.output;
  EXPECT_EQ(child.code, SIGABRT) << child.output;
  EXPECT_TRUE(child.said(assertion)) << child.output;
}

void expect_hang(const std::string& options) {
  ChildTask task;
  task.options = options;
  const ChildResult child = run_child(task, kSilence);
  EXPECT_EQ(child.end, ChildResult::End::hung);
  EXPECT_TRUE(child.said("set: OK")) << child.output;
  EXPECT_FALSE(child.said("written")) << child.output;
}

// What the other tests are told apart by.
TEST(LethalValues, ordered_values_do_no_harm) {
  ChildTask task;
  task.options =
      "level0_file_num_compaction_trigger=6;level0_slowdown_writes_trigger=30;"
      "level0_stop_writes_trigger=40;write_buffer_size=1048576;max_write_buffer_number=4";
  const ChildResult child = run_child(task, kPatience);
  EXPECT_EQ(child.end, ChildResult::End::exited) << child.output;
  EXPECT_EQ(child.code, 0) << child.output;
  EXPECT_TRUE(child.said("closed")) << child.output;
}

TEST(LethalValues, compaction_trigger_above_slowdown_aborts) {
  expect_abort("level0_file_num_compaction_trigger=25",
               "level0_file_num_compaction_trigger <= level0_slowdown_writes_trigger");
}

TEST(LethalValues, slowdown_below_compaction_trigger_aborts) {
  expect_abort("level0_slowdown_writes_trigger=2",
               "level0_file_num_compaction_trigger <= level0_slowdown_writes_trigger");
}

TEST(LethalValues, write_buffer_size_zero_aborts) {
  expect_abort("write_buffer_size=0", "ShouldScheduleFlush()");
}

TEST(LethalValues, write_buffer_size_one_aborts) {
  expect_abort("write_buffer_size=1", "ShouldScheduleFlush()");
}

TEST(LethalValues, stop_below_compaction_trigger_hangs_writers) {
  expect_hang("level0_stop_writes_trigger=2");
}

TEST(LethalValues, max_write_buffer_number_zero_hangs_writers) {
  expect_hang("max_write_buffer_number=0");
}

TEST(LethalValues, nonsense_is_accepted) {
  LiveDatabase live(small_options());
  for (const auto& [name, value] : OptionTexts{{"max_bytes_for_level_base", "0"},
                                               {"target_file_size_base", "0"},
                                               {"max_bytes_for_level_multiplier", "0"}}) {
    EXPECT_TRUE(live.set({{name, value}}).ok()) << name;
  }
  for (const auto& [name, value] : OptionTexts{{"max_background_jobs", "0"},
                                               {"max_background_jobs", "-5"},
                                               {"max_open_files", "0"},
                                               {"delayed_write_rate", "1"}}) {
    EXPECT_TRUE(live.set_database({{name, value}}).ok()) << name;
  }
}

TEST(LethalValues, a_compression_that_is_not_linked_in_is_refused) {
  LiveDatabase live(small_options());
  const rocksdb::Status status = live.set({{"compression", "kXpressCompression"}});
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.ToString().find("not linked"), std::string::npos) << status.ToString();
}

}  // namespace
}  // namespace lsmtuned::facts
