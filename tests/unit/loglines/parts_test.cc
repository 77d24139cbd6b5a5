// The parts: file table, series, merge formulas, counters of a live target.
#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <random>

#include "model/loglines/activity_series.h"
#include "model/loglines/counter_tables.h"
#include "model/loglines/file_table.h"
#include "model/loglines/merge_keys.h"
#include "model/units.h"

namespace lsmtuned::model {
namespace {

TEST(FileTable, BehavesAsAMapUnderRandomUse) {
  FileTable table;
  std::map<std::uint64_t, double> truth;
  std::mt19937_64 random(3);
  for (int i = 0; i < 200000; ++i) {
    const std::uint64_t number = random() % 5000;
    if (random() % 3 == 0) {
      table.erase(number);
      truth.erase(number);
    } else {
      ASSERT_TRUE(table.put(number, {static_cast<double>(i), 5, 2, (i & 1) != 0}));
      truth[number] = i;
    }
  }
  ASSERT_EQ(table.size(), truth.size());
  for (std::uint64_t number = 0; number < 5000; ++number) {
    const auto file = table.get(number);
    const auto known = truth.find(number);
    ASSERT_EQ(file.has_value(), known != truth.end());
    if (file) {
      EXPECT_EQ(file->bytes, known->second);
      EXPECT_EQ(file->approximate, (static_cast<int>(known->second) & 1) != 0);
    }
  }
}

TEST(FileTable, IsBounded) {
  FileTable table;
  for (std::uint64_t i = 0; i < FileTable::kMostFiles; ++i) ASSERT_TRUE(table.put(i, {}));
  EXPECT_FALSE(table.put(FileTable::kMostFiles, {}));
  EXPECT_TRUE(table.put(5, {7, 0, 0, false}));
}

TEST(ActivitySeries, MergesNeighboursAndLosesNothing) {
  ActivitySeries series(8);
  for (int second = 0; second < 1000; ++second)
    series.add(second, second + 2.5, &ActivityInterval::flush_bytes, 10);
  EXPECT_LE(series.intervals().size(), 8U);
  EXPECT_EQ(series.interval_s(), 128);
  double sum = 0;
  for (const ActivityInterval& at : series.intervals()) sum += at.flush_bytes;
  EXPECT_NEAR(sum, 10000, 1e-6);
  EXPECT_NEAR(series.intervals()[1].flush_bytes, 1280, 1e-6);
}

TEST(MergeKeys, InvertTheFormulas) {
  const double keys = 1e6;
  EXPECT_NEAR(keys_from_draws(5e5, keys * (1 - std::exp(-0.5))), keys, 1);
  const std::vector<double> runs = {1e5, 1e5, 3e5};
  const double kept = keys * (1 - 0.9 * 0.9 * 0.7);
  EXPECT_NEAR(keys_from_merge_of(runs, kept), keys, 1);
  EXPECT_EQ(keys_from_draws(100, 100), 0);
  EXPECT_EQ(keys_from_draws(100, 101), 0);
  EXPECT_EQ(keys_from_draws(std::nan(""), 1), 0);
  EXPECT_EQ(keys_from_draws(-1, -2), 0);
  EXPECT_EQ(keys_from_merge_of({}, 1), 0);
}

Snapshot snapshot_with(double time_s, double scale) {
  Snapshot snapshot;
  snapshot.incarnation = 1;
  snapshot.time_s = snapshot.database_uptime_s = time_s;
  snapshot.counters.user_bytes = 100 * kMiB * scale;
  snapshot.counters.wal_bytes = 102 * kMiB * scale;
  snapshot.counters.flush_write_bytes = 50 * kMiB * scale;
  snapshot.counters.compaction_write_bytes = 150 * kMiB * scale;
  snapshot.counters.compaction_read_bytes = 160 * kMiB * scale;
  FamilySnapshot family;
  family.name = "default";
  family.levels.resize(2);
  family.levels[0].write_bytes = 50 * kMiB * scale;
  family.levels[1].write_bytes = 150 * kMiB * scale;
  family.levels[1].read_bytes = 160 * kMiB * scale;
  snapshot.families.push_back(family);
  return snapshot;
}

TEST(CounterTables, LevelsAndLedgerBetweenTwoSnapshots) {
  const Snapshot before = snapshot_with(10, 1);
  const auto tables = tables_between(&before, snapshot_with(20, 3));
  ASSERT_TRUE(tables.has_value());
  EXPECT_EQ(tables->seconds, 10);
  const CounterLevel& l1 = tables->families.at(0).levels.at(1);
  EXPECT_EQ(l1.write_amplification, 3);
  EXPECT_EQ(l1.write_share, 0.75);
  EXPECT_NEAR(l1.read_write_ratio, 160.0 / 150, 1e-12);
  for (const LedgerCheck& check : tables->checks) EXPECT_TRUE(check.closes()) << check.name;
  EXPECT_NEAR(tables->amplification.at(0).value(), 2, 1e-12);
  EXPECT_NEAR(tables->amplification.at(1).value(), 3.02, 1e-12);
  EXPECT_NEAR(tables->amplification.at(2).value(), 4, 1e-12);
}

TEST(CounterTables, RefusesAnotherOpenAndCountersThatShrank) {
  const Snapshot before = snapshot_with(10, 3);
  EXPECT_FALSE(tables_between(&before, snapshot_with(20, 1)).has_value());
  EXPECT_FALSE(tables_between(&before, snapshot_with(10, 3)).has_value());
  Snapshot reopened = snapshot_with(20, 4);
  reopened.incarnation = 2;
  EXPECT_FALSE(tables_between(&before, reopened).has_value());
  EXPECT_TRUE(tables_between(nullptr, before).has_value());
}

TEST(CounterTables, AHoleInTheLedgerStaysOpen) {
  Snapshot now = snapshot_with(20, 1);
  now.families[0].levels[1].write_bytes /= 2;
  const auto tables = tables_between(nullptr, now);
  ASSERT_TRUE(tables.has_value());
  EXPECT_FALSE(tables->checks.at(0).closes());
}

}  // namespace
}  // namespace lsmtuned::model
