// Kept settings as a fragment of a RocksDB OPTIONS file, for people to carry over into their own
// configuration: changes made online may not outlive a restart of the database.
//
// No [Version] section and only the kept knobs, so it is pasted, not loaded as it is. The rate
// limiter's rate is no option of RocksDB's; it appears as a comment. Pure.
#pragma once

#include <string>
#include <vector>

#include "controller/decision.h"
#include "model/settings.h"

namespace lsmtuned::daemon {

// `decisions`: those whose changes were kept, for the comment; newest first. `wall_time_s`: when
// the fragment was written.
std::string options_fragment(const std::string& target, const model::ChangeSet& kept,
                             const std::vector<controller::Decision>& decisions,
                             double wall_time_s);

// "2026-11-21T09:15:00Z"
std::string utc_text(double wall_time_s);

}  // namespace lsmtuned::daemon
