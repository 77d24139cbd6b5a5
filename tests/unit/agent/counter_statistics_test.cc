// Our statistics against RocksDB's own: the same answers, whatever is asked.
#include "actuators/agent/counter_statistics.h"

#include <gtest/gtest.h>
#include <rocksdb/db.h>
#include <rocksdb/statistics.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "actuators/agent/latency_statistics.h"
#include "tests/unit/daemon/temp_dir.h"

namespace lsmtuned::agent {
namespace {

namespace fs = std::filesystem;

using TickerMap = std::map<std::string, uint64_t>;

std::shared_ptr<rocksdb::Statistics> rocksdb_counters() {
  auto statistics = rocksdb::CreateDBStatistics();
  statistics->set_stats_level(rocksdb::kExceptHistogramOrTimers);
  return statistics;
}

// Through the base class, as RocksDB calls it.
void use(rocksdb::Statistics& statistics) {
  for (uint32_t type = 0; type < rocksdb::TICKER_ENUM_MAX; ++type) {
    statistics.recordTick(type, type + 1);
    statistics.recordTick(type, uint64_t{1} << 40);
  }
  statistics.setTickerCount(rocksdb::BYTES_READ, 77);
  statistics.recordTick(rocksdb::BYTES_READ, 1);
  statistics.reportTimeToHistogram(rocksdb::DB_WRITE, 5);
}

TEST(CounterStatistics, AnswersAsRocksDbsOwnDoesAtThisLevel) {
  CounterStatistics ours;
  const auto theirs = rocksdb_counters();
  use(ours);
  use(*theirs);
  EXPECT_EQ(ours.get_stats_level(), theirs->get_stats_level());
  EXPECT_EQ(ours.ToString(), theirs->ToString());
  TickerMap our_map{{"left from before", 1}};
  TickerMap their_map;
  EXPECT_TRUE(ours.getTickerMap(&our_map));
  EXPECT_TRUE(theirs->getTickerMap(&their_map));
  EXPECT_EQ(our_map, their_map);
  for (uint32_t type = 0; type < rocksdb::TICKER_ENUM_MAX; ++type)
    EXPECT_EQ(ours.getTickerCount(type), theirs->getTickerCount(type)) << type;
  EXPECT_EQ(ours.getAndResetTickerCount(rocksdb::BYTES_READ), 78u);
  EXPECT_EQ(theirs->getAndResetTickerCount(rocksdb::BYTES_READ), 78u);
  EXPECT_TRUE(ours.Reset().ok());
  EXPECT_TRUE(theirs->Reset().ok());
  EXPECT_EQ(ours.ToString(), theirs->ToString());
  EXPECT_EQ(ours.getTickerCount(rocksdb::BYTES_WRITTEN), 0u);
}

TEST(CounterStatistics, HoldsNoHistogramAndAsksForNoClock) {
  CounterStatistics ours;
  ours.set_stats_level(rocksdb::kAll);
  for (uint32_t type = 0; type < rocksdb::HISTOGRAM_ENUM_MAX; ++type) {
    EXPECT_FALSE(ours.HistEnabledForType(type));
    ours.recordInHistogram(type, 9);
    ours.measureTime(type, 9);
    rocksdb::HistogramData data;
    data.count = 3;
    data.median = 3;
    ours.histogramData(type, &data);
    EXPECT_EQ(data.count, 0u);
    EXPECT_EQ(data.median, 0);
    EXPECT_EQ(ours.getHistogramString(type), rocksdb_counters()->getHistogramString(type));
  }
}

TEST(CounterStatistics, DisabledItCountsNothing) {
  CounterStatistics ours;
  ours.recordTick(rocksdb::BYTES_WRITTEN, 1);
  ours.set_stats_level(rocksdb::kDisableAll);
  ours.recordTick(rocksdb::BYTES_WRITTEN, 1);
  EXPECT_EQ(ours.getTickerCount(rocksdb::BYTES_WRITTEN), 1u);
}

TEST(CounterStatistics, TickersOfNoKnownKindAreIgnored) {
  CounterStatistics ours;
  for (const uint32_t type : {uint32_t{rocksdb::TICKER_ENUM_MAX}, UINT32_MAX}) {
    ours.recordTick(type, 5);
    ours.setTickerCount(type, 5);
    EXPECT_EQ(ours.getTickerCount(type), 0u);
    EXPECT_EQ(ours.getAndResetTickerCount(type), 0u);
  }
}

TEST(CounterStatistics, ResetsThatRaceLoseNothing) {
  constexpr uint64_t kTicks = 50000;
  CounterStatistics ours;
  std::atomic<uint64_t> taken{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread)
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < kTicks; ++i) ours.recordTick(rocksdb::BYTES_WRITTEN, 3);
    });
  threads.emplace_back([&] {
    for (int i = 0; i < 1000; ++i) taken += ours.getAndResetTickerCount(rocksdb::BYTES_WRITTEN);
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken + ours.getTickerCount(rocksdb::BYTES_WRITTEN), 4 * kTicks * 3);
}

TEST(LatencyStatistics, ResetClearsTickersBucketsAndBackgroundJobs) {
  LatencyStatistics ours;
  ours.recordTick(rocksdb::BYTES_WRITTEN, 3);
  ours.recordInHistogram(rocksdb::DB_WRITE, 12);
  ours.recordInHistogram(rocksdb::FLUSH_TIME, 1000);
  const std::string before = ours.ToString();
  EXPECT_NE(before.find("rocksdb.bytes.written COUNT : 3\n"), std::string::npos);
  EXPECT_NE(before.find("rocksdb.db.write.micros P50 : 12.0"), std::string::npos);
  EXPECT_TRUE(ours.Reset().ok());
  EXPECT_EQ(ours.ToString(), rocksdb_counters()->ToString());
}

// Writes, flushes, reads and deletes the same with any statistics, in one thread.
TickerMap after_the_same_work(const std::shared_ptr<rocksdb::Statistics>& statistics,
                              std::string* options_file = nullptr) {
  const daemon::testing::TempDir scratch;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.statistics = statistics;
  rocksdb::DB* opened = nullptr;
  EXPECT_TRUE(rocksdb::DB::Open(options, scratch.file("db"), &opened).ok());
  const std::unique_ptr<rocksdb::DB> db(opened);
  for (int round = 0; round < 4; ++round) {
    for (int key = 0; key < 500; ++key)
      EXPECT_TRUE(db->Put({}, std::to_string(key * 7919 % 500), std::string(50, 'v')).ok());
    EXPECT_TRUE(db->Delete({}, "3").ok());
    EXPECT_TRUE(db->Flush({}).ok());
  }
  EXPECT_TRUE(db->CompactRange({}, nullptr, nullptr).ok());
  std::string value;
  EXPECT_TRUE(db->Get({}, "4", &value).ok());
  EXPECT_TRUE(db->Get({}, "3", &value).IsNotFound());
  if (options_file != nullptr)
    for (const auto& entry : fs::directory_iterator(scratch.file("db")))
      if (entry.path().filename().string().starts_with("OPTIONS-"))
        *options_file += daemon::testing::read_all(entry.path());
  TickerMap tickers;
  EXPECT_TRUE(statistics->getTickerMap(&tickers));
  return tickers;
}

TEST(CounterStatistics, ADatabaseCountsTheSameAsWithRocksDbsOwn) {
  const TickerMap ours = after_the_same_work(std::make_shared<CounterStatistics>());
  const TickerMap theirs = after_the_same_work(rocksdb_counters());
  EXPECT_EQ(ours.at("rocksdb.number.keys.written"), 2004u);
  // Those that the work alone decides; some others depend on what background threads did when.
  for (const char* ticker :
       {"rocksdb.number.keys.written", "rocksdb.bytes.written", "rocksdb.wal.bytes",
        "rocksdb.write.self", "rocksdb.write.wal", "rocksdb.number.keys.read", "rocksdb.bytes.read",
        "rocksdb.flush.write.bytes", "rocksdb.compact.read.bytes", "rocksdb.compact.write.bytes",
        "rocksdb.compaction.key.drop.new"}) {
    EXPECT_GT(ours.at(ticker), 0u) << ticker;
    EXPECT_EQ(ours.at(ticker), theirs.at(ticker)) << ticker;
  }
}

// A name that RocksDB does not know would make the file unreadable to its other tools.
TEST(CounterStatistics, LeavesNoTraceInTheOptionsFile) {
  std::string options_file;
  after_the_same_work(std::make_shared<CounterStatistics>(), &options_file);
  EXPECT_NE(options_file.find("[DBOptions]"), std::string::npos);
  EXPECT_EQ(options_file.find("lsmtuned"), std::string::npos);
}

}  // namespace
}  // namespace lsmtuned::agent
