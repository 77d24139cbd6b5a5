#include "daemon/notify.h"

#include <systemd/sd-daemon.h>

#include <cstdint>
#include <ctime>

namespace lsmtuned::daemon {

ServiceNotifier::ServiceNotifier() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) > 0)
    watchdog_s_ = static_cast<double>(microseconds) / 1e6;
}

void ServiceNotifier::ready() {
  sd_notify(0, "READY=1");
}

void ServiceNotifier::reloading() {
  std::timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = static_cast<std::int64_t>(now.tv_sec) * 1000000 + now.tv_nsec / 1000;
  const std::string text = "RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds);
  sd_notify(0, text.c_str());
}

void ServiceNotifier::stopping() {
  sd_notify(0, "STOPPING=1");
}

void ServiceNotifier::watchdog() {
  sd_notify(0, "WATCHDOG=1");
}

void ServiceNotifier::status(const std::string& line) {
  if (line == last_status_) return;
  last_status_ = line;
  const std::string text = "STATUS=" + line;
  sd_notify(0, text.c_str());
}

}  // namespace lsmtuned::daemon
