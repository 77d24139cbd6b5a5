// Runs a program without a shell, with a deadline, and collects what it prints.
//
// Blocking: for lsmtunectl, never for the daemon's loop. The child leads a process group of its
// own, which is killed as a whole at the deadline. Thread rules: may be called from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/result.h"

namespace lsmtuned::daemon {

struct ChildOutput {
  int exit_code = 0;  // 128 + signal where one ended it
  std::string out;
  std::string errors;
};

// `arguments[0]` is the program, looked up in PATH. Errors: not found or not runnable, not ended
// within `deadline_s`, more than `most_bytes` on either stream.
Result<ChildOutput> run_child(const std::vector<std::string>& arguments, double deadline_s,
                              std::size_t most_bytes);

}  // namespace lsmtuned::daemon
