// Recorded decisions for lsmtunectl's commands: of the daemon, or of a decisions.jsonl.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "controller/decision.h"
#include "daemon/ctl_call.h"

namespace lsmtuned::daemon {

struct DecisionSource {
  std::string file;  // empty: ask the daemon
  // Only those of the newest incarnation, which need not be read further back.
  bool present_incarnation = false;
};

// By id, ascending, the newest version of each; of one target where the file holds several (the one
// named by --target). Exit code kExitOk, or that of a failure that has been complained about.
int load_decisions(const Call& call, const DecisionSource& source,
                   std::vector<controller::Decision>& decisions);

}  // namespace lsmtuned::daemon
