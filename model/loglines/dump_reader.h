// RocksDB's periodic dump of its own counters: tables, cumulative lines, tickers.
//
// Counters start at the open or run on from before (one Statistics object may serve several opens),
// so the first dump of each open is its zero, and differences are summed. Internal to
// model/loglines.
#pragma once

#include <optional>
#include <string_view>

#include "model/loglines/log_state.h"
#include "model/loglines/stats_dump.h"

namespace lsmtuned::model {

class DumpReader {
 public:
  explicit DumpReader(LogState& state) : state_(state) {}

  void dump_begins(const LogLine& line);       // "------- DUMPING STATS -------"
  void statistics_begin(const LogLine& line);  // "STATISTICS:"
  bool continuation(std::string_view line);    // false: not a line of a dump
  void message();                              // any line with a time: tables and lists end
  void opened();                               // the database was opened: new zero
  void finish();

 private:
  struct Reading {
    LogCounters counters;
    EventTotals events;
    double open_read_bytes = 0;
    double open_write_bytes = 0;
    double time_s = 0;
    double printed_s = -1;
    bool exact = false;
  };
  bool ticker(std::string_view line);
  bool cumulative(std::string_view line);
  bool table_line(std::string_view line);
  void table_begins();
  void row(std::string_view name, std::string_view rest);
  void table_ends();
  void begin_reading(bool exact);
  void end_reading();
  void accumulate();  // the readings of one open into the result

  LogState& state_;
  double printed_s_ = 0;
  FamilyState* family_ = nullptr;
  std::optional<DumpColumns> columns_;
  bool opening_dump_ = false;
  bool have_dump_ = false;  // since the open
  std::optional<Reading> reading_;
  std::optional<Reading> first_;
  std::optional<Reading> last_;
};

}  // namespace lsmtuned::model
