#include "model/units.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>

namespace lsmtuned::model {
namespace {

std::string print(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

// One decimal, without a trailing ".0".
std::string short_number(double value) {
  std::string text = print("%.1f", value);
  if (text.size() > 2 && text.compare(text.size() - 2, 2, ".0") == 0) text.resize(text.size() - 2);
  return text;
}

}  // namespace

std::string format_bytes(double bytes) {
  if (!std::isfinite(bytes)) return "unknown";
  if (bytes < 0) return "-" + format_bytes(-bytes);
  static constexpr std::array<const char*, 6> kUnits = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  // 1023.95 would print as 1024.0: take the next unit there.
  while (unit + 1 < kUnits.size() && bytes >= (unit == 0 ? 1023.5 : 1023.95)) {
    bytes /= 1024;
    ++unit;
  }
  return (unit == 0 ? print("%.0f", bytes) : short_number(bytes)) + " " + kUnits.at(unit);
}

std::string format_rate(double bytes_per_second) {
  if (!std::isfinite(bytes_per_second)) return "unknown";
  return format_bytes(bytes_per_second) + "/s";
}

std::string format_duration(double seconds) {
  if (!std::isfinite(seconds)) return "unknown";
  if (seconds < 0) return "-" + format_duration(-seconds);
  if (seconds == 0) return "0 s";
  if (seconds < 0.9995e-3) return print("%.0f us", seconds * 1e6);
  if (seconds < 0.9995) return print("%.0f ms", seconds * 1e3);
  if (seconds < 59.95) return print("%.1f s", seconds);
  const double whole = std::round(seconds);
  if (whole < 3600) {
    const double rest = std::fmod(whole, 60);
    return print("%.0f min", std::floor(whole / 60)) + (rest > 0 ? print(" %.0f s", rest) : "");
  }
  const double minutes = std::round(seconds / 60);
  const double rest = std::fmod(minutes, 60);
  return print("%.0f h", std::floor(minutes / 60)) + (rest > 0 ? print(" %.0f min", rest) : "");
}

std::string format_percent(double share) {
  if (!std::isfinite(share)) return "unknown";
  return print("%.1f %%", share * 100);
}

}  // namespace lsmtuned::model
