// The lease of one database: permission to keep tuned values, which runs out without heartbeats.
//
// Seconds. Time that passes while writes are stopped does not count. Thread rules: one thread.
#pragma once

#include <chrono>

namespace lsmtuned::agent {

class Lease {
 public:
  using Clock = std::chrono::steady_clock;

  bool active() const { return active_; }
  void start(double seconds, Clock::time_point now) {
    active_ = true;
    remaining_s_ = seconds;
    last_ = now;
  }
  void renew(double seconds, Clock::time_point now) {
    if (active_) start(seconds, now);
  }
  void end() { active_ = false; }
  // Time passed; true when the lease has run out.
  bool ran_out(bool writes_stopped, Clock::time_point now) {
    if (!active_) return false;
    if (!writes_stopped) remaining_s_ -= std::chrono::duration<double>(now - last_).count();
    last_ = now;
    return remaining_s_ <= 0;
  }

 private:
  bool active_ = false;
  double remaining_s_ = 0;
  Clock::time_point last_;
};

}  // namespace lsmtuned::agent
