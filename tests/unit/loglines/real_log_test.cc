// The analysis of a real LOG against figures counted by data/count.py, which shares no code.
#include <gmock/gmock.h>

#include "model/loglines/parameters.h"
#include "tests/unit/loglines/support.h"

namespace lsmtuned::model {
namespace {

using testing::analyse;
using testing::real_log;

class RealLog : public ::testing::Test {
 protected:
  const LogAnalysis analysis_ = analyse(real_log());
  const LogFamily& family_ = analysis_.families.at(0);
};

TEST_F(RealLog, JobsAndBytesByLevel) {
  ASSERT_EQ(analysis_.families.size(), 1U);
  EXPECT_EQ(family_.name, "default");
  EXPECT_EQ(family_.jobs.flushes, 42);
  EXPECT_EQ(family_.jobs.l0_to_base, 9);
  EXPECT_EQ(family_.jobs.intra_l0, 0);
  EXPECT_EQ(family_.jobs.deeper, 8);
  EXPECT_EQ(family_.jobs.trivial_moves, 2);
  EXPECT_EQ(family_.jobs.unfinished, 1);
  ASSERT_EQ(family_.levels.size(), 3U);
  EXPECT_EQ(family_.levels[0].flushed_bytes, 85687376);
  EXPECT_EQ(family_.levels[0].read_bytes, 73463325);
  EXPECT_EQ(family_.levels[1].compacted_bytes, 98481859);
  EXPECT_EQ(family_.levels[1].read_bytes, 83553931);
  EXPECT_EQ(family_.levels[1].records_in, 521420);
  EXPECT_EQ(family_.levels[1].records_out, 419094);
  EXPECT_EQ(family_.levels[2].compacted_bytes, 47466714);
  EXPECT_EQ(family_.levels[2].read_bytes, 37334212);
  EXPECT_EQ(family_.levels[2].moved_in_bytes, 11918994);
  EXPECT_EQ(family_.levels[1].moved_out_bytes, 11918994);
  EXPECT_EQ(analysis_.events.flush_bytes, 85687376);
  EXPECT_EQ(analysis_.events.compaction_write_bytes, 150468273);
}

TEST_F(RealLog, ReadsByInputAndByOutputAgree) {
  double by_input = 0;
  double by_output = 0;
  for (const LogLevel& level : family_.levels) {
    by_input += level.read_bytes;
    by_output += level.read_from_upper_bytes + level.read_from_this_bytes;
  }
  EXPECT_EQ(by_input, by_output);
  EXPECT_EQ(by_input, 73463325.0 + 83553931 + 37334212);
}

TEST_F(RealLog, LedgerClosesWithinOnePerCent) {
  EXPECT_EQ(analysis_.checks.size(), 3U + 4U + 3U);  // events, counters, sizes of three levels
  for (const LedgerCheck& check : analysis_.checks)
    EXPECT_TRUE(check.closes()) << check.name << ": " << check.left << " against " << check.right;
}

TEST_F(RealLog, CountersAreTheLastDumpLessTheFirst) {
  EXPECT_TRUE(analysis_.exact_counters);
  EXPECT_EQ(analysis_.counters.batch_bytes, 101597328);
  EXPECT_EQ(analysis_.counters.keys, 235179);
  EXPECT_EQ(analysis_.counters.wal_bytes, 101596896);
  EXPECT_EQ(analysis_.counters.flush_write_bytes, 51007413);
  EXPECT_EQ(analysis_.counters.compaction_read_bytes, 91426961);
  EXPECT_EQ(analysis_.counters.compaction_write_bytes, 71913789);
}

// 16-byte keys and 400-byte values, 380,015 records; 100,000 keys were drawn uniformly.
TEST_F(RealLog, RecordsKeysAndUserBytes) {
  EXPECT_EQ(family_.memtables.records, 380015);
  EXPECT_EQ(family_.memtables.user_bytes, 380015.0 * 416);
  EXPECT_NEAR(family_.distinct_keys, 100000, 1000);
}

TEST_F(RealLog, DelayedRatesValueByValue) {
  std::vector<double> rates;
  for (const LoggedRate& rate : family_.rates)
    if (rate.delayed_write_rate > 0) rates.push_back(rate.delayed_write_rate);
  EXPECT_EQ(rates, std::vector<double>(7, 8388608));
  EXPECT_EQ(family_.stalls.delay_lines[1], 7);
  EXPECT_EQ(family_.stalls.stop_lines[0], 0);
  EXPECT_GT(family_.stalls.total_s(), 0);
  EXPECT_LT(family_.stalls.total_s(), analysis_.duration_s);
}

TEST_F(RealLog, SettingsAndLastTable) {
  EXPECT_EQ(family_.settings.get(Knob::write_buffer_size), 4194304);
  EXPECT_EQ(family_.settings.get(Knob::level0_stop_writes_trigger), 9);
  EXPECT_EQ(family_.settings.get(Knob::max_bytes_for_level_multiplier), 4);
  EXPECT_EQ(analysis_.database_settings.get(Knob::max_background_jobs), 2);
  EXPECT_EQ(family_.facts.compression, "kSnappyCompression");
  EXPECT_EQ(family_.facts.num_levels, 7);
  ASSERT_EQ(family_.last_dump.size(), 3U);
  EXPECT_GT(family_.last_dump_sum.write_amplification, 1);
  EXPECT_EQ(analysis_.rocksdb_version, "7.8.3");
  EXPECT_TRUE(analysis_.problems.empty());
}

TEST_F(RealLog, AmplificationDiffersByWhatItCounts) {
  ASSERT_EQ(analysis_.amplification.size(), 4U);
  EXPECT_NEAR(analysis_.amplification[0].value(), (85687376.0 + 150468273) / (380015.0 * 416),
              1e-9);
  // 12 bytes of batch header and 4 of record framing a put: 235,179 x (432 - 16).
  const double user = 235179.0 * 416;
  EXPECT_NEAR(analysis_.amplification[1].value(), (51007413.0 + 71913789) / user, 1e-4);
  EXPECT_NEAR(analysis_.amplification[2].value(), (51007413.0 + 71913789 + 101596896) / user, 1e-4);
  // Snappy halves the files, so the same writes are more than twice as much a file byte.
  EXPECT_GT(analysis_.amplification[3].value(), 1.5 * analysis_.amplification[1].value());
}

TEST_F(RealLog, SeriesHoldsEveryByte) {
  double user = 0;
  double flush = 0;
  double written = 0;
  double stalled = 0;
  for (const ActivityInterval& at : analysis_.series) {
    user += at.user_bytes;
    flush += at.flush_bytes;
    written += at.compaction_write_bytes;
    stalled += at.delayed_s + at.stopped_s;
  }
  EXPECT_NEAR(user, family_.memtables.user_bytes, 1);
  EXPECT_NEAR(flush, 85687376, 1);
  EXPECT_NEAR(written, 98481859.0 + 47466714, 1);
  EXPECT_NEAR(stalled, family_.stalls.total_s(), 1e-6);
}

TEST_F(RealLog, ParametersOfTheRun) {
  const auto made = parameters_from(analysis_);
  ASSERT_TRUE(made.has_value());
  const Problem& problem = made->problem;
  EXPECT_EQ(problem.workload.key_bytes, 16);
  EXPECT_EQ(problem.workload.value_bytes, 400);
  EXPECT_NEAR(problem.workload.distinct_keys, 100000, 1000);
  EXPECT_EQ(problem.settings.get(Knob::max_background_jobs), 2);
  EXPECT_EQ(problem.settings.get(Knob::level0_slowdown_writes_trigger), 6);
  // 85,687,376 bytes in 363,408 records (num_entries of the 42 flushed tables).
  EXPECT_NEAR(problem.constants.file_bytes_per_record, 85687376.0 / 363408, 1e-9);
  EXPECT_NEAR(problem.constants.wal_bytes_per_user_byte, 101596896.0 / (235179.0 * 416), 1e-4);
  ASSERT_EQ(problem.constants.level_compression.size(), 3U);
  EXPECT_EQ(problem.constants.level_compression[0], 1);
  EXPECT_NEAR(problem.constants.level_compression[2], 1, 0.05);
  EXPECT_EQ(problem.device.write_bytes_per_s, 0);  // stalled for 0.3 s of 8: shows no limit
  ASSERT_EQ(problem.tree.levels.size(), 3U);
  EXPECT_FALSE(parameters_from(analysis_, "ghost").has_value());
}

}  // namespace
}  // namespace lsmtuned::model
