// Starts a thread inside a host process: every signal blocked, so that the host's signals go to the
// host's threads, and a name that tells whose it is. Throws std::system_error when none can be had.
#pragma once

#include <functional>
#include <thread>

namespace lsmtuned::agent {

// `name`: at most 15 characters.
std::thread start_thread(const char* name, std::function<void()> body);

}  // namespace lsmtuned::agent
