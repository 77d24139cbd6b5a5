// What the service manager is told (sd_notify). Every call is a no-op when not started by systemd.
#pragma once

#include <string>

namespace lsmtuned::daemon {

class ServiceNotifier {
 public:
  ServiceNotifier();
  // Seconds within which watchdog() must be called again; 0 when no watchdog is set.
  double watchdog_s() const { return watchdog_s_; }

  void ready();
  void reloading();
  void stopping();
  void watchdog();
  void status(const std::string& line);  // sent only when it differs from the last one

 private:
  double watchdog_s_ = 0;
  std::string last_status_;
};

}  // namespace lsmtuned::daemon
