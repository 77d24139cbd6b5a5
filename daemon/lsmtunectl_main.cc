// lsmtunectl: asks and steers the daemon over its control socket.
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include "daemon/control_protocol.h"
#include "daemon/ctl_run.h"

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    return lsmtuned::daemon::run_ctl(arguments, std::cout, std::cerr);
  } catch (const std::exception& error) {
    std::cerr << "lsmtunectl: " << error.what() << "\n";
    return lsmtuned::daemon::kExitUsage;
  }
}
