// Text for people: bytes, rates, durations. Base units inside, conversion only at the edges.
#pragma once

#include <string>

namespace lsmtuned::model {

inline constexpr double kKiB = 1024.0;
inline constexpr double kMiB = 1024.0 * kKiB;
inline constexpr double kGiB = 1024.0 * kMiB;

std::string format_bytes(double bytes);            // "4 MiB", "1.5 GiB", "812 B"
std::string format_rate(double bytes_per_second);  // "12.3 MiB/s"
std::string format_duration(double seconds);       // "850 ms", "12.0 s", "3 min 20 s"
std::string format_percent(double share);          // 0.125 -> "12.5 %"

}  // namespace lsmtuned::model
