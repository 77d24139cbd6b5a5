// Lines of RocksDB's periodic dump: the compaction table, cumulative lines, tickers.
//
// Pure functions on one line. Numbers as printed: GB with one decimal in the table, "35K" keys.
// Source: RocksDB 7.8, db/internal_stats.cc. Thread rules: functions may run in parallel.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/loglines/analysis.h"

namespace lsmtuned::model {

// Which column holds what; made from the table's header line, since columns come and go with
// versions.
class DumpColumns {
 public:
  enum class Column : std::uint8_t {
    ignored,
    files,
    size,
    score,
    read,
    read_upper,
    read_this,
    write,
    write_new,
    moved,
    amplification,
    seconds,
    cpu_seconds,
    count,
    keys_in,
    keys_dropped,
  };
  // Error as nothing: a column that the analysis needs is missing.
  static std::optional<DumpColumns> from_header(std::string_view line);
  // A row after its first word ("L0", "Sum"). Nothing: words are missing or not numbers.
  std::optional<DumpLevel> row(std::string_view line) const;

 private:
  std::vector<Column> columns_;
};

std::string_view next_word(std::string_view& rest);
// "12.30 MB" in two words or "2051KB" in one; RocksDB's units are powers of 1024.
std::optional<double> read_human_bytes(std::string_view& rest);
std::optional<double> read_human_count(std::string_view word);  // "35K"
// The number after `label`, or nothing.
std::optional<double> number_after(std::string_view line, std::string_view label);
// "Cumulative stall: 00:01:2.345 H:M:S" in seconds.
std::optional<double> cumulative_stall_seconds(std::string_view line);

}  // namespace lsmtuned::model
