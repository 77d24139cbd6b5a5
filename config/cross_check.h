// Checks between keys: what each value allows alone but not together.
#pragma once

#include <map>
#include <string>

#include "config/policy.h"
#include "config/problems.h"

namespace lsmtuned::config {

// Where each key of one table was written, and the dotted name of the table.
struct TablePlaces {
  std::string name;                      // "defaults", "target.main"
  Position header;                       // of the table
  std::map<std::string, Position> keys;  // by the key's name
};

void check_daemon(const DaemonConfig& daemon, const TablePlaces& places, Problems& problems);

// [defaults]; targets inherit it, so a contradiction within it is reported once, here.
void check_defaults(const Policy& defaults, const TablePlaces& places, bool has_targets,
                    Problems& problems);

// One target's policy, overlaid. Contradictions among inherited values only are left out.
void check_target(const TargetConfig& target, const TablePlaces& places, Problems& problems);

}  // namespace lsmtuned::config
