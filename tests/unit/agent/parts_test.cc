// The agent's parts without a database: which latencies are counted, lease arithmetic, option
// texts, gate.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rocksdb/options.h>

#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

#include "actuators/agent/environment.h"
#include "actuators/agent/gate.h"
#include "actuators/agent/injection.h"
#include "actuators/agent/latency_statistics.h"
#include "actuators/agent/lease.h"
#include "actuators/agent/listener.h"
#include "actuators/agent/option_text.h"

namespace lsmtuned::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Lease, RunsOutWithoutRenewal) {
  const Lease::Clock::time_point start{};
  Lease lease;
  EXPECT_FALSE(lease.ran_out(false, start + seconds(100))) << "never started";
  lease.start(10, start);
  EXPECT_FALSE(lease.ran_out(false, start + seconds(9)));
  lease.renew(10, start + seconds(9));
  EXPECT_FALSE(lease.ran_out(false, start + seconds(18)));
  EXPECT_TRUE(lease.ran_out(false, start + seconds(20)));
}

TEST(Lease, TimeInAWriteStopDoesNotCount) {
  const Lease::Clock::time_point start{};
  Lease lease;
  lease.start(10, start);
  EXPECT_FALSE(lease.ran_out(false, start + seconds(4)));
  EXPECT_FALSE(lease.ran_out(true, start + seconds(104)));
  EXPECT_FALSE(lease.ran_out(false, start + seconds(109)));
  EXPECT_TRUE(lease.ran_out(false, start + seconds(111)));
}

TEST(Lease, RenewingNeedsALease) {
  Lease lease;
  lease.renew(10, Lease::Clock::time_point{});
  EXPECT_FALSE(lease.active());
  lease.start(10, Lease::Clock::time_point{});
  lease.end();
  EXPECT_FALSE(lease.active());
}

TEST(LatencyStatistics, OnlyWritesStallsAndBackgroundJobsAreTimed) {
  LatencyStatistics statistics;
  EXPECT_TRUE(statistics.HistEnabledForType(rocksdb::DB_WRITE));
  EXPECT_TRUE(statistics.HistEnabledForType(rocksdb::WRITE_STALL));
  EXPECT_TRUE(statistics.HistEnabledForType(rocksdb::FLUSH_TIME));
  EXPECT_FALSE(statistics.HistEnabledForType(rocksdb::DB_GET));
  EXPECT_FALSE(statistics.HistEnabledForType(rocksdb::SST_READ_MICROS));
  statistics.reportTimeToHistogram(rocksdb::DB_WRITE, 100);
  statistics.reportTimeToHistogram(rocksdb::DB_WRITE, 100000);
  statistics.reportTimeToHistogram(rocksdb::WRITE_STALL, 7);
  statistics.reportTimeToHistogram(rocksdb::DB_GET, 5);
  rocksdb::HistogramData data;
  statistics.histogramData(rocksdb::DB_WRITE, &data);
  EXPECT_EQ(data.count, 2u);
  EXPECT_NEAR(data.max, 100000, 100000 / 32.0);
  EXPECT_EQ(statistics.writes().all()[model::histogram_bucket(100)], 1u);
  statistics.histogramData(rocksdb::WRITE_STALL, &data);
  EXPECT_EQ(data.count, 1u);
  statistics.histogramData(rocksdb::DB_GET, &data);
  EXPECT_EQ(data.count, 0u);
}

TEST(JobListener, CountsAndForgetsJobsThatFailed) {
  JobListener listener(nullptr, true);
  rocksdb::FlushJobInfo flush{};
  flush.cf_id = 9;
  listener.OnFlushBegin(nullptr, flush);
  EXPECT_GT(listener.counts(true, false).oldest_running_s, 0);
  listener.OnFlushCompleted(nullptr, flush);
  EXPECT_EQ(listener.counts(false, false).oldest_running_s, 0);
  EXPECT_EQ(listener.highest_family_id(), 9u);
  rocksdb::CompactionJobInfo compaction{};
  compaction.base_input_level = 0;
  compaction.output_level = 1;
  listener.OnCompactionBegin(nullptr, compaction);
  listener.OnCompactionCompleted(nullptr, compaction);
  compaction.base_input_level = 1;
  compaction.output_level = 2;
  listener.OnCompactionCompleted(nullptr, compaction);
  compaction.base_input_level = 0;
  compaction.output_level = 0;
  listener.OnCompactionCompleted(nullptr, compaction);
  const JobCounts counts = listener.counts(false, false);
  EXPECT_EQ(counts.flushes, 1u);
  EXPECT_EQ(counts.compactions, 3u);
  EXPECT_EQ(counts.l0_compactions, 1u);
  listener.OnCompactionBegin(nullptr, compaction);  // and it fails: no completion
  std::this_thread::sleep_for(milliseconds(1100));
  EXPECT_GT(listener.counts(false, true).oldest_running_s, 1);
  EXPECT_EQ(listener.counts(false, false).oldest_running_s, 0);
}

TEST(Gate, ClosingWaitsForThoseInsideAndRefusesNewcomers) {
  Gate gate;
  auto inside = std::make_unique<Gate::Use>(gate);
  ASSERT_TRUE(*inside);
  EXPECT_FALSE(gate.close(milliseconds(10)));
  EXPECT_TRUE(gate.closing());
  EXPECT_FALSE(Gate::Use(gate));
  inside.reset();
  EXPECT_TRUE(gate.close(milliseconds(10)));
  gate.reopen();
  EXPECT_TRUE(Gate::Use(gate));
}

TEST(OptionText, TextsOfDefaultsAreExact) {
  rocksdb::ColumnFamilyOptions options;
  options.max_bytes_for_level_multiplier = 8.1;
  options.hard_pending_compaction_bytes_limit = UINT64_MAX;
  const Texts texts = family_texts(options);
  EXPECT_EQ(texts.at("write_buffer_size"), "67108864");
  EXPECT_EQ(texts.at("max_bytes_for_level_multiplier"), "8.1");
  EXPECT_EQ(texts.at("hard_pending_compaction_bytes_limit"), "18446744073709551615");
  const model::Settings settings = to_settings({{}, {{"default", texts}}});
  EXPECT_FALSE(
      settings.get("default", model::Knob::hard_pending_compaction_bytes_limit).has_value())
      << "not representable, so never tuned";
  EXPECT_FALSE(database_texts(rocksdb::DBOptions()).contains(kLimiterOption));
}

TEST(OptionText, RatiosKeepTheirValue) {
  EXPECT_TRUE(rc::check("the text of a multiplier reads back as the same double", [] {
    rocksdb::ColumnFamilyOptions options;
    options.max_bytes_for_level_multiplier = *rc::gen::inRange(1000, 1000000) / 997.0;
    const Texts texts = family_texts(options);
    RC_ASSERT(std::stod(texts.at("max_bytes_for_level_multiplier")) ==
              options.max_bytes_for_level_multiplier);
  }));
}

TEST(OptionText, OnlyKnobsInTheirScopePass) {
  const auto parse = [](const char* json) { return parse_values(boost::json::parse(json)); };
  EXPECT_TRUE(parse(R"({})").has_value());
  EXPECT_TRUE(parse(R"({"families":{"a":{"write_buffer_size":"1"}}})").has_value());
  EXPECT_FALSE(parse(R"([])").has_value());
  EXPECT_FALSE(parse(R"({"database":{"write_buffer_size":"1"}})").has_value());
  EXPECT_FALSE(parse(R"({"families":{"a":{"max_background_jobs":"1"}}})").has_value());
  EXPECT_FALSE(parse(R"({"families":{"a":{"disable_auto_compactions":"1"}}})").has_value());
  EXPECT_FALSE(parse(R"({"families":{"a":{"write_buffer_size":1}}})").has_value());
  EXPECT_TRUE(same_value("max_bytes_for_level_multiplier", "10", "10.000000"));
  EXPECT_FALSE(same_value("write_buffer_size", "10", "11"));
}

TEST(Injection, AddsWhatIsMissingOnly) {
  Options options;
  options.statistics = "latency";
  rocksdb::DBOptions db_options;
  inject(db_options, options);
  EXPECT_EQ(find_parts(db_options).level, "latency");
  EXPECT_EQ(db_options.rate_limiter, nullptr);
  EXPECT_EQ(db_options.delayed_write_rate, 0u);
  rocksdb::DBOptions counters;
  options.statistics.clear();
  inject(counters, options);
  EXPECT_EQ(find_parts(counters).level, "counters");
  EXPECT_EQ(counters.statistics, nullptr);  // RocksDB's own counters cost a put nothing
  rocksdb::DBOptions tickers;
  options.statistics = "tickers";
  inject(tickers, options);
  EXPECT_EQ(find_parts(tickers).level, "tickers");
  EXPECT_EQ(tickers.statistics->get_stats_level(), rocksdb::kExceptHistogramOrTimers);
  rocksdb::DBOptions none;
  options.statistics = "none";
  options.rate_limit_bytes_per_s = 1;
  inject(none, options);
  EXPECT_EQ(find_parts(none).level, "none");
  EXPECT_NE(none.rate_limiter, nullptr);
  EXPECT_EQ(none.delayed_write_rate, 16777216u);
}

TEST(Environment, ALimitThatIsNoPlainNumberIsNone) {
  for (const char* text : {"fast", "10MB", "-5", "nan", "inf", ""}) {
    ASSERT_EQ(setenv("LSMTUNED_RATE_LIMIT", text, 1), 0);
    EXPECT_EQ(Options::from_environment().rate_limit_bytes_per_s, 0) << text;
  }
  ASSERT_EQ(setenv("LSMTUNED_RATE_LIMIT", "25165824", 1), 0);
  EXPECT_EQ(Options::from_environment().rate_limit_bytes_per_s, 25165824);
  ASSERT_EQ(unsetenv("LSMTUNED_RATE_LIMIT"), 0);
}

}  // namespace
}  // namespace lsmtuned::agent
