// Replay: a recorded run put through the controller again.
//
// As recorded: every event is fed to step() as it was, searches are carried out again with their
// seeds, and every effect is compared with the recorded one, text by text. Under another policy:
// the same snapshots, and what would have been proposed; see docs/replay.md for what such an
// answer can mean. Deterministic. Reads the file, prints to the streams. Thread rules: one call,
// one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "config/policy.h"

namespace lsmtuned::daemon {

struct ReplayOptions {
  std::optional<config::Policy> policy;  // another one than recorded
  bool as_json = false;                  // decisions as JSON Lines
};

enum class ReplayEnd {
  finished,  // identical, where it was compared
  differs,   // the first difference was printed
  damaged,   // the file cannot be read, or a line makes no sense; its number was printed
};

// The target whose events a file holds; empty when it cannot be told.
std::string recorded_target(const std::string& path);

ReplayEnd replay(const std::string& path, const ReplayOptions& options, std::ostream& out,
                 std::ostream& err);

}  // namespace lsmtuned::daemon
