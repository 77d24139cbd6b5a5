// rocksdb-7.8-facts.md section 2, and what Statistics can and cannot give.
#include <gtest/gtest.h>
#include <rocksdb/statistics.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <vector>

#include "tests/integration/rocksdb_facts/live_database.h"

namespace lsmtuned::facts {
namespace {

double median_seconds(int repetitions, const std::function<void()>& call) {
  std::vector<double> seconds;
  for (int i = 0; i < repetitions; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    call();
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  std::nth_element(seconds.begin(), seconds.begin() + repetitions / 2, seconds.end());
  return seconds[static_cast<std::size_t>(repetitions / 2)];
}

// Guard: the agent polls once a second and reads one property at a time, so that the database mutex
// is never held for longer than one of these (invariant 9).
TEST(Polling, cfstats_map_has_52_to_73_keys_and_costs_less_than_one_options_call) {
  LiveDatabase live(small_options());
  EXPECT_EQ(live.map("cfstats").size(), 31U);  // empty: ten stall counts and the sum's 21 values
  live.make_l0_file();
  EXPECT_EQ(live.map("cfstats").size(), 52U);  // 21 more for each level in use
  for (int file = 0; file < 4; ++file) live.make_l0_file();
  EXPECT_TRUE(eventually([&] { return live.map("cfstats").size() == 73U; }));
  const double map = median_seconds(51, [&] { (void)live.map("cfstats"); });
  const double call = median_seconds(51, [&] {
    ASSERT_TRUE(live.set({{"level0_slowdown_writes_trigger", "20"}}).ok());
  });
  EXPECT_LT(map, call);
}

// Guard: the controller uses io_stalls to name a cause only; stall share comes from stall time.
TEST(Polling, io_stalls_counts_recomputations_and_rises_with_our_own_set_options) {
  const auto live = delayed_database();
  const std::uint64_t before = live->io_stalls("level0_slowdown");
  const std::uint64_t total_before = live->io_stalls("total_slowdown");
  ASSERT_GT(before, 0U);
  for (int i = 0; i < 4; ++i)
    ASSERT_TRUE(live->set({{"level0_slowdown_writes_trigger", "4"}}).ok());
  EXPECT_EQ(live->io_stalls("level0_slowdown"), before + 4);  // one and the same episode
  EXPECT_EQ(live->io_stalls("total_slowdown"), total_before + 4);
}

// Guard: a stop in progress is read from is-write-stopped, never from stall time.
TEST(Polling, stall_time_is_credited_only_after_the_stalled_write_returns) {
  StoppedDatabase stopped;
  const auto stalled = [&] {
    return std::stoull(stopped.live().map("dbstats").at("db.user_write_stall_micros"));
  };
  std::this_thread::sleep_for(kWatch);
  EXPECT_EQ(stopped.live().integer("is-write-stopped"), 1U);
  EXPECT_EQ(stalled(), 0U);
  stopped.release();
  ASSERT_TRUE(eventually([&] { return stopped.writer_returned(); }));
  EXPECT_GE(stalled(), static_cast<std::uint64_t>(kWatch.count()) * 1000 / 2);
}

// Counts what RocksDB asks of a Statistics object.
class CountingStatistics : public rocksdb::Statistics {
 public:
  const char* Name() const override { return "counting"; }
  std::uint64_t getTickerCount(std::uint32_t) const override { return 0; }
  void histogramData(std::uint32_t, rocksdb::HistogramData* const) const override {}
  void recordTick(std::uint32_t, std::uint64_t) override { ++ticks; }
  void setTickerCount(std::uint32_t, std::uint64_t) override {}
  std::uint64_t getAndResetTickerCount(std::uint32_t) override { return 0; }
  void recordInHistogram(std::uint32_t type, std::uint64_t) override {
    if (type == rocksdb::DB_WRITE) ++write_timings;
  }
  bool HistEnabledForType(std::uint32_t) const override {
    return get_stats_level() >= rocksdb::StatsLevel::kExceptTimers;
  }
  std::atomic<std::uint64_t> ticks = 0;
  std::atomic<std::uint64_t> write_timings = 0;
};

// Guard: the agent's counters level is kExceptHistogramOrTimers. What timers cost in CPU is
// measured by bench/agent_cost; here, that the cheap level asks for none of them.
TEST(Polling, timers_are_taken_per_put_while_counters_alone_take_none) {
  const auto statistics = std::make_shared<CountingStatistics>();
  rocksdb::Options options = small_options();
  options.statistics = statistics;
  LiveDatabase live(options);
  statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(live.put(100).ok());
  EXPECT_EQ(statistics->write_timings, 0U);
  EXPECT_GE(statistics->ticks, 10U);
  statistics->set_stats_level(rocksdb::StatsLevel::kExceptDetailedTimers);
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(live.put(100).ok());
  EXPECT_EQ(statistics->write_timings, 10U);
}

template <typename T>
concept HasP999 = requires(T data) {
  data.percentile999;
}
|| requires(T data) {
  data.percentile99_9;
};

// Guard: windowed tails (p99.9 and the worst) come from the agent's own Statistics subclass.
TEST(Polling, histogram_data_has_no_p999_and_its_maximum_is_cumulative) {
  static_assert(!HasP999<rocksdb::HistogramData>);
  const auto statistics = rocksdb::CreateDBStatistics();
  statistics->set_stats_level(rocksdb::StatsLevel::kAll);
  statistics->recordInHistogram(rocksdb::DB_WRITE, 1000);
  for (int i = 0; i < 100'000; ++i) statistics->recordInHistogram(rocksdb::DB_WRITE, 1);
  rocksdb::HistogramData data;
  statistics->histogramData(rocksdb::DB_WRITE, &data);
  EXPECT_EQ(data.max, 1000);  // of the whole life, not of the last window
  EXPECT_LT(data.percentile99, 10);
}

}  // namespace
}  // namespace lsmtuned::facts
