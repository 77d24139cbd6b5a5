// The environment variables that are not part of Options (docs/attach.md has the table).
#pragma once

#include <string>

#include "lsmtuned/agent.h"

namespace lsmtuned::agent {

inline constexpr const char* kDefaultSocket = "/run/lsmtuned/agent.sock";

bool disabled();            // LSMTUNED_DISABLE set to anything but 0
std::string daemon_user();  // LSMTUNED_DAEMON_USER, or empty

}  // namespace lsmtuned::agent
