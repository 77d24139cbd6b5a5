// Requests of lsmtunectl to the daemon over the control socket: same frames as the agent protocol.
//
//   request  {"command": "status", "target": "main", ...}
//   answer   {"ok": true, ...} or {"ok": false, "code": "...", "error": "...", "remedy": "..."}
//
// Commands: status, targets, decisions {target, before, limit}, explain {target, id},
// advice {target}, apply {target, id}, freeze {target}, thaw {target}, revert {target},
// mode {target, mode}, export {target}, samples {target, from, to}, snapshot {target},
// problem {target, family, horizon_s}.
// `target` may be left out when the daemon has exactly one. The socket's permissions decide who
// may ask; commands that change something are recorded with the peer's user name.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "model/result.h"

namespace lsmtuned::daemon {

// Exit codes of lsmtunectl, stable: for monitoring scripts.
enum ExitCode : int {
  kExitOk = 0,
  kExitProblem = 1,      // asked and answered: something is wrong (check, safe state, stalls)
  kExitUsage = 2,        // the command line, or a document that it names, is wrong
  kExitUnreachable = 3,  // no daemon at the control socket
  kExitRefused = 4,      // the daemon or a model refused: unknown target or id, not possible now
  kExitDiffers = 5,      // replay: a decision is not the recorded one
};

// Blocking client call, for lsmtunectl and tests. Deadline in seconds.
Result<boost::json::object> call_daemon(const std::string& socket_path,
                                        const boost::json::object& request, double deadline_s);

}  // namespace lsmtuned::daemon
