// Text with units, read and written: "64 MiB", "30 s", "24 MiB/s", "5 %".
//
// Values are doubles in base units: bytes, seconds, bytes per second, shares. Read: a plain decimal
// number, optional spaces, a unit; nothing else. Errors say what is allowed. Written: the shortest
// form that reads back as the same value. Thread rules: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "model/result.h"

namespace lsmtuned::config {

inline constexpr double kLargestExactInteger = 9007199254740992.0;  // 2^53

Result<double> parse_size(std::string_view text);
Result<double> parse_duration(std::string_view text);
Result<double> parse_rate(std::string_view text);
Result<double> parse_share(std::string_view text);

std::string size_text(double bytes);
std::string duration_text(double seconds);
std::string rate_text(double bytes_per_second);
std::string share_text(double share);
std::string number_text(double value);

}  // namespace lsmtuned::config
