// lsmtunectl replay: a recorded run through the controller again (daemon/replay.h, docs/replay.md).
//
// Adds the subcommand, whose run sets `code`. `call` and `code` must outlive the parse. Needs no
// daemon.
#pragma once

#include <CLI/CLI.hpp>

#include "daemon/ctl_call.h"

namespace lsmtuned::daemon {

void add_replay(CLI::App& cli, const Call& call, int& code);

}  // namespace lsmtuned::daemon
