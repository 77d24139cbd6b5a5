#include "model/loglines/log_line.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace lsmtuned::model {
namespace {

constexpr std::uint64_t kLargestExact = std::uint64_t{1} << 53;
constexpr std::size_t kTimeSize = sizeof("2026/11/21-12:42:07.229769") - 1;
constexpr std::size_t kTimeWithoutFraction = sizeof("2026/11/21-12:42:07.") - 1;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Two digits at `at`, or -1000 where they are not digits.
int two(const char* at) {
  return is_digit(at[0]) && is_digit(at[1]) ? (at[0] - '0') * 10 + (at[1] - '0') : -1000;
}

// Days since 1970-01-01 of a civil date (Howard Hinnant, "chrono-compatible low-level date
// algorithms", days_from_civil), for years from 1970.
int days_from_civil(int year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const int era = year / 400;
  const int year_of_era = year - era * 400;
  const int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

bool parse_time(std::string_view text, double& time_s) {
  if (text.size() < kTimeSize) return false;
  const char* const at = text.data();
  if (at[4] != '/' || at[7] != '/' || at[10] != '-' || at[13] != ':' || at[16] != ':' ||
      at[19] != '.')
    return false;
  const int year = two(at) * 100 + two(at + 2);
  const int month = two(at + 5);
  const int day = two(at + 8);
  const int hour = two(at + 11);
  const int minute = two(at + 14);
  const int second = two(at + 17);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 60)
    return false;
  int micros = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const int pair = two(at + kTimeWithoutFraction + 2 * i);
    if (pair < 0) return false;
    micros = micros * 100 + pair;
  }
  const double day_seconds = hour * 3600 + minute * 60 + second;
  time_s = days_from_civil(year, month, day) * 86400.0 + day_seconds + micros * 1e-6;
  return true;
}

void take_tag(std::string_view tag, LogLine& parsed) {
  if (tag == "WARN" || tag == "DEBUG" || tag == "INFO") return;
  if (tag == "ERROR" || tag == "FATAL") {
    parsed.error = true;
  } else if (skip_prefix(tag, "JOB ")) {
    parsed.job = static_cast<std::uint64_t>(read_whole(tag).value_or(0));
  } else if (tag.find(".cc:") == std::string_view::npos) {
    parsed.family = tag;
  }
}

}  // namespace

std::optional<double> read_whole(std::string_view& rest) {
  std::uint64_t value = 0;
  const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (read.ec != std::errc() || value > kLargestExact) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
  return static_cast<double>(value);
}

std::optional<double> read_decimal(std::string_view& rest) {
  double value = 0;
  const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (read.ec != std::errc() || !std::isfinite(value) || value < 0) return std::nullopt;
  rest.remove_prefix(static_cast<std::size_t>(read.ptr - rest.data()));
  return value;
}

bool skip_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string_view without_leading_blanks(std::string_view text) {
  std::size_t blanks = 0;
  while (blanks < text.size() && (text[blanks] == ' ' || text[blanks] == '\t')) ++blanks;
  return text.substr(blanks);
}

bool parse_log_line(std::string_view line, LogLine& parsed) {
  if (line.size() < kTimeSize + 2 || line[kTimeSize] != ' ') return false;
  parsed = LogLine{};
  if (!parse_time(line, parsed.time_s)) return false;
  parsed.event_time_s = parsed.time_s;
  std::string_view rest = line.substr(kTimeSize + 1);
  // RocksDB prints the thread in decimal, older versions in hexadecimal; it is only compared.
  const std::size_t space = rest.find(' ');
  if (space == 0 || space == std::string_view::npos || space > 20) return false;
  for (const char c : rest.substr(0, space)) parsed.thread = parsed.thread * 31 + std::uint8_t(c);
  rest.remove_prefix(space + 1);
  if (skip_prefix(rest, "(Original Log Time ")) {
    if (!parse_time(rest, parsed.event_time_s)) parsed.event_time_s = parsed.time_s;
    const std::size_t close = rest.find(") ");
    if (close != std::string_view::npos) rest.remove_prefix(close + 2);
  }
  while (!rest.empty() && rest.front() == '[') {
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos) break;
    take_tag(rest.substr(1, close - 1), parsed);
    rest.remove_prefix(close + 1);
    if (!rest.empty() && rest.front() == ':') rest.remove_prefix(1);  // "[default]: Compaction"
    if (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  }
  parsed.text = rest;
  return true;
}

}  // namespace lsmtuned::model
