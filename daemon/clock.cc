#include "daemon/clock.h"

#include <algorithm>
#include <cmath>
#include <ctime>

namespace lsmtuned::daemon {
namespace {

double seconds_of(auto duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

Clock::Clock(double speed)
    : speed_(speed),
      start_(std::chrono::steady_clock::now()),
      wall_start_s_(seconds_of(std::chrono::system_clock::now().time_since_epoch())) {}

double Clock::now_s() const {
  const double offset = seconds_of(start_.time_since_epoch());
  return offset + seconds_of(std::chrono::steady_clock::now() - start_) * speed_;
}

double Clock::wall_s() const {
  // At real speed the system's clock is asked each time, so that its corrections are followed.
  if (speed_ == 1) return seconds_of(std::chrono::system_clock::now().time_since_epoch());
  return wall_start_s_ + seconds_of(std::chrono::steady_clock::now() - start_) * speed_;
}

double Clock::local_minute_of_day() const {
  const double wall = wall_s();
  const auto whole = static_cast<std::time_t>(std::floor(wall));
  std::tm local{};
  localtime_r(&whole, &local);
  return local.tm_hour * 60 + local.tm_min + local.tm_sec / 60.0;
}

std::chrono::milliseconds Clock::real(double seconds) const {
  const double milliseconds = std::clamp(seconds * 1000 / speed_, 1.0, 1e12);
  return std::chrono::milliseconds(static_cast<std::int64_t>(std::ceil(milliseconds)));
}

}  // namespace lsmtuned::daemon
