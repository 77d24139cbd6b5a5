// lsmtunectl: command line in, exit code out. Kept apart from main() so that tests run it.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace lsmtuned::daemon {

// `arguments` without the program's name. Exit codes: daemon/control_protocol.h.
int run_ctl(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err);

}  // namespace lsmtuned::daemon
