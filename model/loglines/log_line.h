// One line of a RocksDB 7.8 LOG, taken apart: time, thread, bracketed tags, message.
//
//   2026/11/21-12:42:07.229769 27964 [WARN] [db/column_family.cc:1001] [default] Stalling writes
//   ... 2026/11/21-12:42:07.2298 27964 (Original Log Time 2026/11/21-12:42:07.229856) [...] message
//
// Time is the host's local time as printed, as seconds since 1970 without a zone: differences are
// right except across a change to or from summer time. Pure; thread rules: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lsmtuned::model {

struct LogLine {
  double time_s = 0;        // printed
  double event_time_s = 0;  // the original time of a buffered message; else time_s
  std::uint64_t thread = 0;
  std::string_view family;  // "[default]"; empty without
  std::uint64_t job = 0;    // "[JOB 11]"; 0 without
  bool error = false;       // "[ERROR]" or "[FATAL]"
  std::string_view text;    // what follows the tags
};

// False where the line does not begin with a time and a thread: a continuation of the one before.
bool parse_log_line(std::string_view line, LogLine& parsed);

// Whole numbers of at most 2^53, the largest a double holds exactly. `rest` loses what was read.
std::optional<double> read_whole(std::string_view& rest);
// Decimal numbers such as "1.25"; finite, non-negative.
std::optional<double> read_decimal(std::string_view& rest);
bool skip_prefix(std::string_view& text, std::string_view prefix);
std::string_view without_leading_blanks(std::string_view text);

}  // namespace lsmtuned::model
