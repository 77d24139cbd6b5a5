// Windows that say nothing about the settings.
#include "controller/false_signals.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {

using model::kMiB;
using ::testing::HasSubstr;

// 61 polls of a database that flushes 10 MiB/s and compacts what it flushes; the tree stands.
std::deque<model::Snapshot> window() {
  testing::Driver driver;
  std::deque<model::Snapshot> result;
  for (int i = 0; i <= 60; ++i) {
    model::Snapshot snapshot = driver.snapshot();
    snapshot.time_s = 1000 + i;
    snapshot.database_uptime_s = 5000 + i;
    snapshot.families[0].sst_bytes = 1000 * kMiB;
    snapshot.families[0].levels[0].size_bytes = 0;
    snapshot.families[0].levels[0].write_bytes = 10 * kMiB * i;
    snapshot.counters.flush_write_bytes = 10 * kMiB * i;
    snapshot.counters.compaction_write_bytes = 50 * kMiB * i;
    snapshot.counters.compaction_read_bytes = 60 * kMiB * i;
    snapshot.state.compactions_completed = static_cast<std::uint64_t>(i);
    result.push_back(snapshot);
  }
  return result;
}

TEST(FalseSignals, APlainWindowHasNone) {
  EXPECT_EQ(false_signal({}), "");
  EXPECT_EQ(false_signal(window()), "");
}

TEST(FalseSignals, AManualCompactionUntilItLeavesTheWindow) {
  auto seen = window();
  seen[20].state.running_manual_compactions = 1;
  EXPECT_THAT(false_signal(seen), HasSubstr("manual compaction"));
  seen.erase(seen.begin(), seen.begin() + 21);
  EXPECT_EQ(false_signal(seen), "");
}

TEST(FalseSignals, ABackupWhileItLasts) {
  auto seen = window();
  seen.back().state.file_deletions_disabled = true;
  EXPECT_THAT(false_signal(seen), HasSubstr("backup"));
  seen.push_back(seen[59]);
  EXPECT_EQ(false_signal(seen), "");
}

TEST(FalseSignals, RangeTombstones) {
  auto seen = window();
  for (auto& sample : seen) sample.state.range_deletions_flushed = 7;  // from earlier
  EXPECT_EQ(false_signal(seen), "");
  seen.back().state.range_deletions_flushed = 9;
  EXPECT_THAT(false_signal(seen), HasSubstr("2 ranges of keys"));
}

TEST(FalseSignals, StartUpBacklog) {
  auto seen = window();
  auto& l0 = seen.back().families[0].levels[0];
  l0.files = 30;
  l0.size_bytes = 620 * kMiB;  // 600 MiB were flushed since the open
  EXPECT_EQ(false_signal(seen), "");
  l0.size_bytes = 640 * kMiB;
  EXPECT_THAT(false_signal(seen), HasSubstr("from before the database was opened"));
  l0.files = 3;  // below the trigger: no backlog
  EXPECT_EQ(false_signal(seen), "");
}

// 60 cycle ends: the mean of the first 20 is 1000 MiB less half of 19 steps, of the last 20 another
// 40 steps less. 40 x 8 MiB = 320 MiB are more than 30 % of 924; 40 x 6 MiB are not of 943.
TEST(FalseSignals, ABacklogThatDrains) {
  auto seen = window();
  const auto drain = [&](double step) {
    for (std::size_t i = 0; i < seen.size(); ++i) {
      seen[i].state.l0_compactions_completed = i;
      seen[i].families[0].pending_compaction_bytes = (1000 - step * static_cast<double>(i)) * kMiB;
    }
  };
  drain(6);
  EXPECT_EQ(false_signal(seen), "");
  drain(8);
  EXPECT_THAT(false_signal(seen), HasSubstr("is draining"));
  for (auto& snapshot : seen) snapshot.families[0].sst_bytes = 10000 * kMiB;  // a twentieth: 500
  EXPECT_EQ(false_signal(seen), "");
}

TEST(FalseSignals, BaseLevelJump) {
  auto seen = window();
  for (std::size_t i = 30; i < seen.size(); ++i) seen[i].families[0].base_level = 4;
  EXPECT_THAT(false_signal(seen), HasSubstr("base level of default"));
}

TEST(FalseSignals, PausedCompaction) {
  auto seen = window();
  for (auto& snapshot : seen) snapshot.families[0].facts.disable_auto_compactions = true;
  EXPECT_THAT(false_signal(seen), HasSubstr("switched off"));

  seen = window();
  for (std::size_t i = 31; i < seen.size(); ++i) {
    seen[i].state.running_compactions = 0;
    seen[i].state.compactions_completed = seen.back().state.compactions_completed;
  }
  EXPECT_EQ(false_signal(seen), "");  // 29 s
  seen[30].state.running_compactions = 0;
  seen[30].state.compactions_completed = seen.back().state.compactions_completed;
  EXPECT_THAT(false_signal(seen), HasSubstr("seems paused"));
  for (auto& snapshot : seen) snapshot.families[0].levels[0].files = 1;  // nothing is due
  EXPECT_EQ(false_signal(seen), "");
}

TEST(FalseSignals, BulkLoadByIngestion) {
  auto seen = window();
  seen.back().families[0].sst_bytes += 255 * kMiB;  // a job that runs
  EXPECT_EQ(false_signal(seen), "");
  seen.back().families[0].sst_bytes += 10 * kMiB;
  EXPECT_THAT(false_signal(seen), HasSubstr("bulk load brought 265 MiB"));
}

// An L0 compaction at the sample has read 580 MiB and written 80 of them; its inputs still stand.
// The tree has grown by 20 MiB meanwhile, so 20 - (80 - 580) = 520 MiB are unexplained.
TEST(FalseSignals, ARunningL0CompactionIsNoBulkLoad) {
  auto seen = window();
  model::Snapshot& last = seen.back();
  last.families[0].sst_bytes += 20 * kMiB;
  last.counters.compaction_read_bytes += 580 * kMiB;
  last.counters.compaction_write_bytes += 80 * kMiB;
  last.families[0].levels[0].size_bytes = 600 * kMiB;
  EXPECT_EQ(false_signal(seen), "");
  last.families[0].levels[0].size_bytes = 100 * kMiB;  // explains no more than 100 MiB
  EXPECT_THAT(false_signal(seen), HasSubstr("bulk load"));
}

TEST(FalseSignals, DroppedRanges) {
  auto seen = window();
  seen.back().families[0].sst_bytes -= 300 * kMiB;
  EXPECT_THAT(false_signal(seen), HasSubstr("300 MiB left the tree without a compaction"));
  seen.back().counters.compaction_read_bytes += 300 * kMiB;  // a compaction dropped them
  EXPECT_EQ(false_signal(seen), "");
}

TEST(FalseSignals, HoldProposalsBack) {
  testing::Driver driver;
  driver.candidate(model::Knob::write_buffer_size, 8 * kMiB);
  driver.plant.running_compactions = 0;
  driver.plant.cycle_s = 1e9;  // nothing is compacted
  driver.attach();
  driver.poll(60);
  EXPECT_EQ(driver.sent(false), 0);
  EXPECT_EQ(driver.state.last_noop_reason, "false_signal");
  driver.plant.running_compactions = 1;
  driver.plant.cycle_s = 2;
  EXPECT_TRUE(driver.poll_until(Phase::verifying, 60));
}

}  // namespace
}  // namespace lsmtuned::controller
