// What a RocksDB LOG tells: per-level tables, the byte ledger, stalls, jobs, settings, and what was
// wrong with the LOG itself. docs/log-analysis.md says what each figure counts.
//
// Bytes, seconds; times count from the first line. Counts as doubles. Thread rules: plain values.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/loglines/activity_series.h"
#include "model/loglines/stall_timeline.h"
#include "model/settings.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

inline constexpr std::size_t kMostLogLevels = 16;

// One level, from EVENT_LOG_v1 messages of finished jobs.
struct LogLevel {
  double flushed_bytes = 0;  // table files written here from memtables, recovery included
  double flushed_files = 0;
  double compacted_bytes = 0;  // table files written here by compactions
  double compacted_files = 0;
  double read_bytes = 0;  // table files of this level that compactions took as input
  double read_files = 0;
  double moved_in_bytes = 0;  // trivial moves
  double moved_in_files = 0;
  double moved_out_bytes = 0;
  double moved_out_files = 0;
  // Of compactions whose output is this level:
  double jobs = 0;
  double read_from_upper_bytes = 0;  // RocksDB's Rn
  double read_from_this_bytes = 0;   // RocksDB's Rnp1
  double job_seconds = 0;
  double job_cpu_seconds = 0;
  double records_in = 0;
  double records_out = 0;
  // Of table files created for this level, whether or not their job ended:
  double table_bytes = 0;       // whole files
  double table_data_bytes = 0;  // data blocks only, compressed
  double raw_bytes = 0;         // internal keys and values, uncompressed
  double table_records = 0;
  // Present state as far as it is known.
  double live_bytes = 0;
  double live_files = 0;

  double written_bytes() const { return flushed_bytes + compacted_bytes; }
  bool operator==(const LogLevel&) const = default;
};

// A line of "** Compaction Stats [family] **", as printed, so with the rounding of RocksDB.
struct DumpLevel {
  double files = 0;
  double files_in_jobs = 0;
  LevelStats stats;  // score, bytes (from GB with one decimal), seconds, counts, keys
  double write_amplification = 0;
  double new_bytes = 0;  // Wnew
};

struct JobCounts {
  double flushes = 0;
  double recovery_flushes = 0;  // files written while the WAL was replayed at open
  double l0_to_base = 0;
  double intra_l0 = 0;
  double deeper = 0;
  double trivial_moves = 0;
  double trivially_moved_files = 0;
  double failed = 0;      // compactions that ended with an error or a shutdown; not in the others
  double unfinished = 0;  // started, no end seen
  double manual = 0;      // of l0_to_base, intra_l0 and deeper: asked for by the application
  bool operator==(const JobCounts&) const = default;
};

// Records and bytes of flushed memtables.
struct MemtableTotals {
  double records = 0;
  double deletes = 0;
  double user_bytes = 0;    // key + value of all records, overwritten ones included
  double memory_bytes = 0;  // arena
  double file_records = 0;  // that reached the L0 file
  double file_bytes = 0;
  double raw_key_bytes = 0;  // internal keys (8 more than the user's), in L0 files
  double raw_value_bytes = 0;
  bool operator==(const MemtableTotals&) const = default;
};

struct LogFamily {
  std::string name;
  std::vector<LogLevel> levels;  // up to the last one ever used
  JobCounts jobs;
  MemtableTotals memtables;
  KnobValues settings;
  FamilyFacts facts;
  StallTotals stalls;
  std::vector<LoggedRate> rates;
  std::vector<DumpLevel> opening_dump;  // first table of the LOG; index is the level
  std::vector<DumpLevel> last_dump;
  double last_dump_time_s = 0;
  DumpLevel last_dump_sum;
  double dump_flush_bytes = 0;   // "Flush(GB): cumulative", summed over opens
  double dump_ingest_bytes = 0;  // "AddFile(GB): cumulative"
  double immutable_memtables = 0;
  double distinct_keys = 0;       // for uniform keys; 0: unknown, or every key is new
  double distinct_keys_jobs = 0;  // flushes and L0 jobs behind it
  std::vector<double> overlap;    // o_1.. of the ledger (docs/model.md); 0: not seen
};

// RocksDB's own counters, from "STATISTICS:" (exact) or else from "** DB Stats **" (two decimals).
// Summed over opens, since they start at 0 with each.
struct LogCounters {
  double batch_bytes = 0;
  double keys = 0;
  double write_groups = 0;  // headers counted in batch_bytes
  double wal_bytes = 0;
  double flush_write_bytes = 0;
  double compaction_read_bytes = 0;
  double compaction_write_bytes = 0;
  double stall_seconds = 0;  // time writers waited
  bool operator==(const LogCounters&) const = default;
};

// Write-batch headers in batch_bytes. RocksDB 7.8 does not count groups in pipelined writes without
// a WAL (0 then); one header a key is right for a single writer of single puts.
double headers_in(const LogCounters& counters);

// Totals of the events up to one moment, to stand beside counters of the same moment.
struct EventTotals {
  double user_bytes = 0;
  double records = 0;
  double flush_bytes = 0;
  double compaction_read_bytes = 0;
  double compaction_write_bytes = 0;  // finished compactions
  double failed_write_bytes = 0;      // written by compactions that were not installed
  bool operator==(const EventTotals&) const = default;
};

struct LedgerCheck {
  std::string name;
  std::string left_counts;
  std::string right_counts;
  double left = 0;
  double right = 0;
  double resolution = 0;  // how coarsely the sides are printed; differences below it say nothing
  // Bytes by which the right side may be larger for a reason that the check names.
  std::string open_term;
  double open_bytes = 0;
  double open_left_bytes = 0;  // the same for the left side
  double residual() const { return left - right; }
  double residual_share() const;  // of the larger side, after resolution and open term; 0..1
  bool closes(double tolerance = 0.01) const { return residual_share() <= tolerance; }
};

// Write amplification counted one way.
struct AmplificationView {
  std::string source;
  std::string counts;
  double written_bytes = 0;
  double per_bytes = 0;
  double value() const { return per_bytes > 0 ? written_bytes / per_bytes : 0; }
};

enum class LogProblemKind : std::uint8_t {
  torn_event,
  overlong_line,
  unfinished_last_line,
  binary_bytes,
  bad_number,
  bad_stall_line,
  unknown_table_format,
  other_version,
  time_backwards,
  several_opens,
  another_database,
  unknown_file,
  unknown_job,
  failed_table,
  settings_changed,
  outside_the_ledger,
  database_error,
  limit_reached,
};
inline constexpr std::size_t kLogProblemKinds = 18;
const char* to_text(LogProblemKind kind);

struct LogProblem {
  LogProblemKind kind{};
  double count = 0;
  struct Place {
    std::string file;
    std::uint64_t line = 0;
  };
  std::vector<Place> places;  // the first few
  std::string example;        // of the first one, cut short
};

struct LineCounts {
  double total = 0;
  double bytes = 0;
  double events = 0;          // EVENT_LOG_v1, understood
  double ignored_events = 0;  // of kinds that carry nothing for this analysis, e.g. ingest_finished
  double stalls = 0;
  double dumps = 0;      // lines of statistics tables and counters
  double options = 0;    // option lines and changes
  double messages = 0;   // other messages with a time
  double continued = 0;  // other lines without one
  bool operator==(const LineCounts&) const = default;
};

struct LogAnalysis {
  std::string rocksdb_version;
  std::string database_id;
  double opens = 0;
  double duration_s = 0;
  LineCounts lines;
  std::vector<LogFamily> families;  // in order of appearance
  KnobValues database_settings;

  LogCounters counters;
  bool exact_counters = false;  // from STATISTICS
  bool have_counters = false;
  double counters_time_s = 0;
  EventTotals events;              // all
  EventTotals events_at_counters;  // as far as `counters` reach, since each open
  double open_read_bytes = 0;      // inputs of compactions that ran at the last counters, or failed
  double open_write_bytes = 0;     // one table for each that ran then
  double unfinished_flush_bytes =
      0;  // tables of jobs that had begun when the LOG, or an open, ended
  double unfinished_compaction_bytes = 0;
  double uncounted_bytes = 0;  // tables of jobs that the LOG does not name

  std::vector<LedgerCheck> checks;
  std::vector<AmplificationView> amplification;
  double interval_s = 0;
  std::vector<ActivityInterval> series;
  double stall_l0_correlation = 0;             // over intervals; 0 when undefined
  double stall_amplification_correlation = 0;  // with (flush + compaction) / user bytes
  std::vector<LogProblem> problems;

  bool looks_like_a_log() const { return lines.events + lines.options > 0; }
  const LogFamily* family(const std::string& name) const;
  // The family that wrote most; null without any.
  const LogFamily* main_family() const;
};

}  // namespace lsmtuned::model
