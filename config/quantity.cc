#include "config/quantity.h"

#include <charconv>
#include <cmath>
#include <span>
#include <vector>

namespace lsmtuned::config {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr double kKi = 1024;
constexpr Unit kSizes[] = {{"B", 1},
                           {"KiB", kKi},
                           {"MiB", kKi* kKi},
                           {"GiB", kKi* kKi* kKi},
                           {"TiB", kKi* kKi* kKi* kKi},
                           {"kB", 1e3},
                           {"KB", 1e3},
                           {"MB", 1e6},
                           {"GB", 1e9},
                           {"TB", 1e12}};
constexpr Unit kDurations[] = {{"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};
constexpr Unit kShares[] = {{"%", 0.01}};

constexpr const char* kSizeRemedy =
    "write a number and a unit, such as \"64 MiB\"; units: B, KiB, MiB, GiB, TiB (powers of 1024), "
    "kB, MB, GB, TB (powers of 1000)";
constexpr const char* kRateRemedy =
    "write a number and a unit, such as \"24 MiB/s\"; units: B/s, KiB/s, MiB/s, GiB/s, kB/s, MB/s, "
    "GB/s";
constexpr const char* kDurationRemedy =
    "write a number and a unit, such as \"30 s\"; units: ms, s, min, h, d";
constexpr const char* kShareRemedy = "write \"5 %\" or 0.05";

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Quoted for a message: control characters and bytes beyond ASCII are not echoed, length is capped.
std::string shown(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > 40 ? "...\"" : "\"");
}

Result<double> parse(std::string_view original, std::span<const Unit> units, const char* what,
                     const char* remedy, std::string_view suffix = {}) {
  const auto fail = [&](const std::string& why) {
    return Error{shown(original) + " is not " + what + ": " + why, remedy};
  };
  std::string_view text = without_spaces(original);
  if (text.empty()) return fail("it is empty");
  if (text.front() == '-') return fail("it is negative");
  // from_chars would also read "inf" and "nan".
  if (!is_digit(text.front())) return fail("it does not start with a digit");
  double number = 0;
  const auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (code != std::errc()) return fail("the number is too large");
  const std::string_view rest =
      without_spaces(text.substr(static_cast<std::size_t>(end - text.data())));
  if (rest.empty()) return fail("the unit is missing");
  for (const Unit& unit : units) {
    if (rest.size() != unit.name.size() + suffix.size() || !rest.starts_with(unit.name) ||
        !rest.ends_with(suffix)) {
      continue;
    }
    const double value = number * unit.factor;
    if (!(value <= kLargestExactInteger)) return fail("it is too large");
    return value;
  }
  return fail("unknown unit " + shown(rest));
}

Result<double> whole_bytes(const Result<double>& parsed, std::string_view text, const char* what,
                           const char* remedy) {
  if (!parsed) return parsed;
  const double bytes = std::round(*parsed);
  if (bytes == 0 && *parsed > 0) {
    return Error{shown(text) + " is not " + what + ": it is less than one byte", remedy};
  }
  return bytes;
}

// The largest of these units that leaves a whole number, else the base unit.
std::string in_units(double value, std::span<const Unit> units, std::string_view suffix,
                     std::string_view base) {
  const Unit* best = nullptr;
  for (const Unit& unit : units) {
    const double count = value / unit.factor;
    if (count >= 1 && count == std::floor(count) && count * unit.factor == value) best = &unit;
  }
  if (best == nullptr) return number_text(value) + " " + std::string(base) + std::string(suffix);
  return number_text(value / best->factor) + " " + std::string(best->name) + std::string(suffix);
}

}  // namespace

Result<double> parse_size(std::string_view text) {
  return whole_bytes(parse(text, kSizes, "a size", kSizeRemedy), text, "a size", kSizeRemedy);
}

Result<double> parse_duration(std::string_view text) {
  return parse(text, kDurations, "a duration", kDurationRemedy);
}

Result<double> parse_rate(std::string_view text) {
  return whole_bytes(parse(text, kSizes, "a rate", kRateRemedy, "/s"), text, "a rate", kRateRemedy);
}

Result<double> parse_share(std::string_view text) {
  Result<double> parsed = parse(text, kShares, "a share", kShareRemedy);
  if (!parsed) return parsed;
  // Dividing gives the same double as the decimal form: "5 %" == 0.05.
  return *parsed == 0 ? 0.0 : std::round(*parsed * 1e14) / 1e14;
}

std::string number_text(double value) {
  char buffer[64];
  // Shortest decimal without an exponent; every value here is far below 10^60.
  const auto [end, code] =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  return code == std::errc() ? std::string(buffer, end) : "0";
}

std::string size_text(double bytes) {
  return in_units(bytes, std::span(kSizes).first(5), "", "B");
}

std::string rate_text(double bytes_per_second) {
  return in_units(bytes_per_second, std::span(kSizes).first(5), "/s", "B");
}

std::string duration_text(double seconds) {
  if (seconds == 0) return "0 s";
  if (seconds < 1) return number_text(std::round(seconds * 1e9) / 1e6) + " ms";
  return in_units(seconds, std::span(kDurations).subspan(1), "", "s");
}

std::string share_text(double share) {
  return number_text(std::round(share * 1e12) / 1e10) + " %";
}

}  // namespace lsmtuned::config
