// Single messages: hostile numbers, stalls, several opens and families, changes of settings.
#include <gmock/gmock.h>

#include "model/loglines/stall_timeline.h"
#include "model/loglines/stats_dump.h"
#include "tests/unit/loglines/support.h"

namespace lsmtuned::model {
namespace {

using testing::analyse;
using ::testing::DoubleNear;
using testing::message;
using testing::problem_of;
using testing::real_log;

std::string flush(double second, int job, const std::string& family, const std::string& bytes) {
  const std::string number = std::to_string(job);
  return message(second, "[db/flush_job.cc:861] [" + family + "] [JOB " + number +
                             "] Flushing memtable with next log file: 3") +
         message(second, "EVENT_LOG_v1 {\"time_micros\": 1, \"job\": " + number +
                             ", \"event\": \"flush_started\", \"num_memtables\": 1, "
                             "\"num_entries\": 10, \"num_deletes\": 0, \"total_data_size\": 1260, "
                             "\"memory_usage\": 1500, \"flush_reason\": \"Write Buffer Full\"}") +
         message(second + 0.1,
                 "EVENT_LOG_v1 {\"time_micros\": 1, \"cf_name\": \"" + family + "\", \"job\": " +
                     number + ", \"event\": \"table_file_creation\", \"file_number\": " +
                     std::to_string(100 + job) + ", \"file_size\": " + bytes +
                     ", \"table_properties\": {\"data_size\": 900, \"raw_key_size\": 240, "
                     "\"raw_value_size\": 1000, \"num_entries\": 10}}") +
         message(second + 0.2, "EVENT_LOG_v1 {\"time_micros\": 1, \"job\": " + number +
                                   ", \"event\": \"flush_finished\", \"lsm_state\": [1, 0], "
                                   "\"immutable_memtables\": 0}") +
         message(second + 0.2,
                 "[db/x.cc:1] [" + family + "] Level summary: files[1 0] max score 0");
}

TEST(Messages, AFlushIsCountedForItsFamily) {
  const LogAnalysis analysis =
      analyse(flush(1, 1, "default", "1000") + flush(2, 2, "other", "500"));
  ASSERT_EQ(analysis.families.size(), 2U);
  EXPECT_EQ(analysis.family("default")->levels.at(0).flushed_bytes, 1000);
  EXPECT_EQ(analysis.family("other")->levels.at(0).flushed_bytes, 500);
  // 1260 less 10 x (8 of the internal key, 1 + 1 of two varints): keys of 16, values of 100.
  EXPECT_EQ(analysis.family("other")->memtables.user_bytes, 1160);
  EXPECT_EQ(analysis.main_family()->name, "default");
}

TEST(Messages, HostileNumbersAreNamedAndNotCounted) {
  for (const char* bytes : {"-5", "99999999999999999999999", "nan", "1e308", "18446744073709551615",
                            "9007199254740993", "0x10", "\"7\"", "7.5", ""}) {
    const LogAnalysis analysis = analyse(flush(1, 1, "default", bytes));
    ASSERT_NE(problem_of(analysis, LogProblemKind::bad_number), nullptr) << bytes;
    EXPECT_EQ(analysis.events.flush_bytes, 0) << bytes;
  }
}

TEST(Messages, DumpNumbersThatAreNoneAreRefused) {
  std::string_view rest = "nan MB";
  EXPECT_FALSE(read_human_bytes(rest));
  rest = "-1.00 MB";
  EXPECT_FALSE(read_human_bytes(rest));
  rest = "inf MB";
  EXPECT_FALSE(read_human_bytes(rest));
  rest = "1.50 XB";
  EXPECT_FALSE(read_human_bytes(rest));
  rest = "1.50 MB";
  EXPECT_EQ(read_human_bytes(rest), 1.5 * 1024 * 1024);
  EXPECT_EQ(read_human_count("35K"), 35000);
  EXPECT_FALSE(read_human_count("35Q"));
  EXPECT_EQ(cumulative_stall_seconds("Cumulative stall: 01:02:3.500 H:M:S, 0.0 percent"), 3723.5);
  EXPECT_FALSE(cumulative_stall_seconds("Cumulative stall: -1:00:0.0 H:M:S"));
}

TEST(Messages, AllSixStallMessages) {
  const auto delayed =
      parse_stall("Stalling writes because we have 21 level-0 files rate 13421772");
  ASSERT_TRUE(delayed);
  EXPECT_FALSE(delayed->stop);
  EXPECT_EQ(delayed->cause, LoggedStallCause::l0_files);
  EXPECT_EQ(delayed->level, 21);
  EXPECT_EQ(delayed->delayed_write_rate, 13421772);
  EXPECT_EQ(parse_stall("Stopping writes because we have 36 level-0 files")->cause,
            LoggedStallCause::l0_files);
  EXPECT_EQ(parse_stall("Stopping writes because we have 2 immutable memtables (waiting for "
                        "flush), max_write_buffer_number is set to 2")
                ->cause,
            LoggedStallCause::memtables);
  EXPECT_EQ(parse_stall("Stalling writes because we have 3 immutable memtables (waiting for "
                        "flush), max_write_buffer_number is set to 4 rate 77")
                ->delayed_write_rate,
            77);
  EXPECT_EQ(parse_stall("Stopping writes because of estimated pending compaction bytes 99")->level,
            99);
  EXPECT_EQ(
      parse_stall("Stalling writes because of estimated pending compaction bytes 99 rate 5")->cause,
      LoggedStallCause::pending_bytes);
  EXPECT_FALSE(parse_stall("Stalling writes because we have -3 level-0 files rate 5"));
  EXPECT_FALSE(parse_stall("Stalling writes because we have 3 level-0 files"));
  EXPECT_FALSE(parse_stall("Stopping writes because of the weather"));
}

// Thread 1 flushes, thread 2 writes. Delayed at 10 s by a flush, stopped at 12 s by a switch, still
// stalled when the flush of 13 s logs a delay, free at 16 s when a flush logs nothing.
TEST(Messages, StallSpansEndWhereARecalculationIsSilent) {
  const std::string summary = "[db/x.cc:1] [default] Level summary: files[20 0] max score 1";
  const std::string text =
      message(0, "[db/x.cc:1] [default] New memtable created with log file: #1.", 2) +
      message(10,
              "[WARN] [db/c.cc:1] [default] Stalling writes because we have 20 level-0 files "
              "rate 1000",
              1) +
      message(10.001, summary, 1) +
      message(12, "[db/x.cc:1] [default] New memtable created with log file: #2.", 2) +
      message(12,
              "[WARN] [db/c.cc:1] [default] Stopping writes because we have 2 immutable "
              "memtables (waiting for flush), max_write_buffer_number is set to 2",
              2) +
      message(13,
              "[WARN] [db/c.cc:1] [default] Stalling writes because we have 21 level-0 files "
              "rate 600",
              1) +
      message(13.001, summary, 1) + message(16, summary, 1) + message(20, "the end", 3);
  const LogAnalysis analysis = analyse(text);
  const LogFamily& family = *analysis.family("default");
  EXPECT_EQ(family.stalls.spans, 1);
  EXPECT_THAT(family.stalls.delayed_s[1], DoubleNear(2 + 3, 1e-6));
  EXPECT_THAT(family.stalls.stopped_s[0], DoubleNear(1, 1e-6));
  EXPECT_THAT(family.stalls.longest_span_s, DoubleNear(6, 1e-6));
  EXPECT_THAT(family.stalls.longest_stop_s, DoubleNear(1, 1e-6));
  ASSERT_EQ(family.rates.size(), 4U);
  EXPECT_EQ(family.rates[0].delayed_write_rate, 1000);
  EXPECT_TRUE(family.rates[1].stopped);
  EXPECT_EQ(family.rates[2].delayed_write_rate, 600);
  EXPECT_EQ(family.rates[3].delayed_write_rate, 0);
}

TEST(Messages, AMemtableSwitchWithoutAStallLineEndsTheSpan) {
  const std::string text =
      message(1, "[db/c.cc:1] [default] Stalling writes because we have 20 level-0 files rate 9",
              1) +
      message(1.001, "[db/x.cc:1] [default] Level summary: files[20 0] max score 1", 1) +
      message(3, "[db/x.cc:1] [default] New memtable created with log file: #2.", 2) +
      message(9, "the end", 3);
  EXPECT_THAT(analyse(text).family("default")->stalls.total_s(), DoubleNear(2, 1e-6));
}

TEST(Messages, RatesAreThinnedNotGrown) {
  StallTimeline timeline([](double, double, bool) {}, 64);
  for (int i = 0; i < 100000; ++i)
    timeline.stalled(i, 1, {false, LoggedStallCause::l0_files, 20, 100.0 + i});
  EXPECT_LE(timeline.rates().size(), 64U);
  double merged = 0;
  for (const LoggedRate& rate : timeline.rates()) merged += rate.merged;
  EXPECT_EQ(merged, 100000);
  EXPECT_EQ(timeline.rates().front().time_s, 0);
  EXPECT_EQ(timeline.rates().back().delayed_write_rate, 100099);
}

TEST(Messages, TimeThatGoesBackIsLeftOut) {
  const LogAnalysis analysis =
      analyse(message(10, "a") + message(20, "b") + message(5, "c") + message(8, "d"));
  EXPECT_THAT(analysis.duration_s, DoubleNear(13, 1e-6));
  const LogProblem* problem = problem_of(analysis, LogProblemKind::time_backwards);
  ASSERT_NE(problem, nullptr);
  EXPECT_EQ(problem->places.at(0).line, 3U);
}

TEST(Messages, ARolledLogIsOneOpenAndAReopenIsAnother) {
  const std::string header = message(1, "DB Session ID:  AAAA");
  EXPECT_EQ(analyse(header + message(2, "x") + message(3, "DB Session ID:  AAAA")).opens, 1);
  const LogAnalysis twice = analyse(header + message(3, "DB Session ID:  BBBB"));
  EXPECT_EQ(twice.opens, 2);
  EXPECT_NE(problem_of(twice, LogProblemKind::several_opens), nullptr);
}

TEST(Messages, FilesInOrderAddUp) {
  LogAnalyzer analyzer;
  analyzer.begin_file("LOG.old.1");
  analyzer.feed(real_log());
  analyzer.begin_file("LOG");
  analyzer.feed(message(3599, "DB Session ID:  CCCC") + flush(3599.5, 1, "default", "1000"));
  const LogAnalysis analysis = analyzer.finish();
  EXPECT_EQ(analysis.families.at(0).jobs.flushes, 43);
  EXPECT_EQ(analysis.counters.batch_bytes, 101597328);
  const LogProblem* opens = problem_of(analysis, LogProblemKind::several_opens);
  ASSERT_NE(opens, nullptr);
  EXPECT_EQ(opens->places.at(0).file, "LOG");
  EXPECT_EQ(opens->places.at(0).line, 1U);
}

TEST(Messages, ChangedSettingsCountOnceTheySucceed) {
  const std::string begin =
      message(1, "[db/d.cc:1] SetOptions() on column family [default], inputs:");
  const std::string input = message(1, "[db/d.cc:1] write_buffer_size: 8388608");
  const LogAnalysis done =
      analyse(begin + input + message(1, "[db/d.cc:1] [default] SetOptions() succeeded"));
  EXPECT_EQ(done.family("default")->settings.get(Knob::write_buffer_size), 8388608);
  EXPECT_NE(problem_of(done, LogProblemKind::settings_changed), nullptr);
  const LogAnalysis failed =
      analyse(begin + input + message(1, "[db/d.cc:1] [default] SetOptions() failed"));
  EXPECT_EQ(failed.family("default"), nullptr);
  const LogAnalysis database = analyse(message(1, "[db/d.cc:1] SetDBOptions(), inputs:") +
                                       message(1, "[db/d.cc:1] max_background_jobs: 6") +
                                       message(1, "[db/d.cc:1] SetDBOptions() succeeded"));
  EXPECT_EQ(database.database_settings.get(Knob::max_background_jobs), 6);
}

TEST(Messages, OtherVersionsAndForeignTablesAreNamed) {
  EXPECT_NE(
      problem_of(analyse(message(1, "RocksDB version: 6.4.6")), LogProblemKind::other_version),
      nullptr);
  const LogAnalysis foreign = analyse(message(1, "[db/d.cc:1] ------- DUMPING STATS -------") +
                                      "** Compaction Stats [default] **\nLevel Files Bytes\n");
  EXPECT_NE(problem_of(foreign, LogProblemKind::unknown_table_format), nullptr);
}

// Files made before the LOG begins have no creation event: sizes come from the summary, scaled to
// the exact total (2,200,000 = 1000 KB + 1000 KB as printed, so 1,100,000 each).
TEST(Messages, InputsFromBeforeTheLogAreTakenFromTheSummary) {
  const LogAnalysis analysis = analyse(
      message(1, "[db/c.cc:1] [default] [JOB 4] Compacting 1@0 + 1@1 files to L1, score 1.00") +
      message(1,
              "[db/c.cc:1] [default]: Compaction start summary: Base version 1 Base level 0, "
              "inputs: [7(1000KB)], [5(1000KB)]") +
      message(1,
              "EVENT_LOG_v1 {\"time_micros\": 1, \"job\": 4, \"event\": \"compaction_started\", "
              "\"compaction_reason\": \"LevelL0FilesNum\", \"files_L0\": [7], \"files_L1\": [5], "
              "\"score\": 1, \"input_data_size\": 2200000}") +
      message(3,
              "[db/c.cc:1] [default] compacted to: files[0 2] max score 0, level 1, "
              "write-amplify(1.8) OK, records in: 69722") +
      message(3,
              "EVENT_LOG_v1 {\"time_micros\": 1, \"job\": 4, \"event\": \"compaction_finished\", "
              "\"compaction_time_micros\": 2000000, \"compaction_time_cpu_micros\": 1000000, "
              "\"output_level\": 1, \"num_output_files\": 2, \"total_output_size\": 2000000, "
              "\"num_input_records\": 20, \"num_output_records\": 18}"));
  const LogFamily& family = *analysis.family("default");
  EXPECT_EQ(family.jobs.l0_to_base, 1);
  EXPECT_THAT(family.levels.at(0).read_bytes, DoubleNear(1100000, 1));
  EXPECT_THAT(family.levels.at(1).read_bytes, DoubleNear(1100000, 1));
  EXPECT_EQ(problem_of(analysis, LogProblemKind::unknown_file)->count, 2);
}

TEST(Messages, AFailedCompactionMovesNothing) {
  std::string text = real_log();
  const std::size_t at = text.find(") OK, records in");
  text.replace(at, 4, ") Shutdown in progress");
  const LogAnalysis analysis = analyse(text);
  EXPECT_EQ(analysis.families.at(0).jobs.failed, 1);
  EXPECT_EQ(analysis.families.at(0).jobs.l0_to_base, 8);
  EXPECT_GT(analysis.events.failed_write_bytes, 0);
  EXPECT_TRUE(analysis.checks.at(1).closes());
}

TEST(Messages, AForeignDatabaseIsNamed) {
  const LogAnalysis analysis =
      analyse(message(1, "[db/d.cc:538] DB ID: aaaa") + message(2, "[db/d.cc:538] DB ID: bbbb"));
  EXPECT_NE(problem_of(analysis, LogProblemKind::another_database), nullptr);
}

}  // namespace
}  // namespace lsmtuned::model
