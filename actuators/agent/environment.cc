#include <cmath>
#include <cstdlib>
#include <string>

#include "actuators/agent/environment.h"

namespace lsmtuned::agent {
namespace {

// secure_getenv: a set-uid program takes nothing from its caller.
std::string variable(const char* name) {
  const char* value = secure_getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

bool disabled() {
  const std::string value = variable("LSMTUNED_DISABLE");
  return !value.empty() && value != "0";
}

std::string daemon_user() {
  return variable("LSMTUNED_DAEMON_USER");
}

Options Options::from_environment() {
  Options options;
  options.socket = variable("LSMTUNED_SOCKET");
  options.statistics = variable("LSMTUNED_STATISTICS");
  options.log_to_stderr = variable("LSMTUNED_LOG") == "stderr";
  const std::string rate = variable("LSMTUNED_RATE_LIMIT");
  if (!rate.empty()) {
    char* end = nullptr;
    const double value = std::strtod(rate.c_str(), &end);
    // Anything that is not a plain positive number means no limiter: never a surprise limit.
    if (end != nullptr && *end == '\0' && std::isfinite(value) && value > 0)
      options.rate_limit_bytes_per_s = value;
  }
  return options;
}

}  // namespace lsmtuned::agent
