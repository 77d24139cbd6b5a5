// What the readers of one LOG share while it streams by: clock, families, live files, totals.
//
// Internal to model/loglines. Bounded: at most kMostFamilies families, kMostLogLevels levels,
// FileTable::kMostFiles files. Thread rules: one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/loglines/activity_series.h"
#include "model/loglines/analysis.h"
#include "model/loglines/file_table.h"
#include "model/loglines/log_line.h"
#include "model/loglines/problem_list.h"
#include "model/loglines/stall_timeline.h"

namespace lsmtuned::model {

inline constexpr std::size_t kMostFamilies = 256;
using LevelArray = std::array<double, kMostLogLevels>;

struct FamilyState {
  FamilyState(std::string_view name, StallTimeline::OnPiece on_piece)
      : stalls(std::move(on_piece)) {
    result.name = std::string(name);
    result.levels.resize(kMostLogLevels);
  }

  LogFamily result;
  StallTimeline stalls;
  LevelArray net_bytes{};  // in less out, by level, since the first line
  LevelArray net_at_opening_dump{};
  LevelArray net_at_last_dump{};
  bool opening_dump_seen = false;
  double last_dump_printed_s = -1;  // printed time, to tell events that were logged late
  double memtable_since_s = 0;      // the active one fills since
  bool counts_logged = false;       // RocksDB said how many files each level holds
  double l0_files = 0;
  double l0_since_s = 0;
  // Keys: sum of dropped records times the K that explains them, and of dropped records.
  double dropped_times_keys = 0;
  double dropped = 0;
  double merged_records = 0;
  LevelArray overlap_bytes{};     // read from the output level
  LevelArray overlap_expected{};  // the same with o = 1
  double flush_bytes_now = 0;     // "Flush(GB): cumulative" of this open
  double ingest_bytes_now = 0;
};

struct LogState {
  explicit LogState(std::size_t most_intervals) : series(most_intervals) {}

  // Seconds since the first line, without jumps backwards.
  double now_s() const { return now_s_; }
  // When a buffered message was made; at most the present.
  double event_s(const LogLine& line) const;
  void advance(const LogLine& line);

  FamilyState& family(std::string_view name);
  // A family for lines that name none: the only one, or else "default".
  FamilyState& unnamed_family();

  // Files of a family's level changed; `late`: before the last dump was taken, logged after it.
  void add_bytes(FamilyState& at, std::size_t level, double bytes, double files, bool late);
  void set_file_counts(FamilyState& at, std::string_view text, double time_s);  // "... files[2 4 0"

  ProblemList problems;
  std::vector<std::unique_ptr<FamilyState>> families;
  FileTable files;
  ActivitySeries series;
  EventTotals totals;
  double last_counters_printed_s = -1;
  // Compactions that run, and those that failed: read and written in part, so counted by RocksDB's
  // tickers and not by the end of any job.
  double running_compactions = 0;
  double running_input_bytes = 0;
  double failed_input_bytes = 0;
  double largest_table_bytes = 0;  // of compactions
  EventTotals late_events;         // made before the last counters were printed, logged after them
  LogAnalysis result;

 private:
  double now_s_ = 0;
  double printed_s_ = -1;
};

}  // namespace lsmtuned::model
