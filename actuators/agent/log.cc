#include "actuators/agent/log.h"

#include <rocksdb/env.h>
#include <unistd.h>

#include <cstdio>

namespace lsmtuned::agent {

void log_line(rocksdb::Logger* info_log, bool to_stderr, const std::string& line) noexcept {
  if (to_stderr) {
    dprintf(STDERR_FILENO, "lsmtuned agent: %s\n", line.c_str());
    return;
  }
  if (info_log == nullptr) return;
  try {
    rocksdb::Info(info_log, "lsmtuned agent: %s", line.c_str());
  } catch (...) {
    return;  // a logger of the host that throws is no reason to end its process
  }
}

}  // namespace lsmtuned::agent
