// Runs a command of the system and keeps what it prints.
#pragma once

#include <string>

namespace lsmtuned::project {

struct CommandResult {
  int exit_code = -1;
  std::string output;  // stdout and stderr
};
CommandResult run(const std::string& command);

}  // namespace lsmtuned::project
