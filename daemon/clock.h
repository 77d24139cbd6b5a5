// The daemon's one source of time: monotonic seconds, Unix time, local minute of the day.
//
// `speed` above 1 makes the clock and the waits derived from it run faster than the real ones, so
// that tests go through a whole trial in seconds; the daemon itself always runs at 1. Thread rules:
// immutable after construction.
#pragma once

#include <chrono>

namespace lsmtuned::daemon {

class Clock {
 public:
  explicit Clock(double speed = 1);

  double now_s() const;   // monotonic
  double wall_s() const;  // Unix time
  double local_minute_of_day() const;
  // How long to wait for this many of the clock's seconds; at least one millisecond.
  std::chrono::milliseconds real(double seconds) const;

 private:
  double speed_;
  std::chrono::steady_clock::time_point start_;
  double wall_start_s_;
};

}  // namespace lsmtuned::daemon
