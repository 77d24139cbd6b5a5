// Guards: may these changes be sent to the database as this snapshot shows it?
//
// Pure. Checked on the latest snapshot, right before sending, for proposals, advice and operator
// commands alike; reverts are exempt (DESIGN invariants 2, 3, 4, 8).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/policy.h"
#include "model/settings.h"
#include "model/snapshot.h"

namespace lsmtuned::controller {

enum class Gate {
  open,
  wait,    // not at this moment: writes are stopped, or delayed and the change does not clear it
  closed,  // not on this tree, or never
};
struct GuardVerdict {
  Gate gate = Gate::open;
  std::string reason;       // one word
  std::string explanation;  // a sentence
};

GuardVerdict check_changes(const model::Snapshot& snapshot, const model::ChangeSet& changes,
                           const config::Policy& policy, double cpu_cores,
                           const std::vector<std::pair<std::string, model::Knob>>& foreign);

// The part that does not depend on the moment: invariants, bounds, memory, levels, whose knobs
// these are.
GuardVerdict check_settings(const model::Snapshot& snapshot, const model::ChangeSet& changes,
                            const config::Policy& policy, double cpu_cores,
                            const std::vector<std::pair<std::string, model::Knob>>& foreign);

// Whether the changes would turn a family's stall verdict worse on its present tree; empty if not.
std::string would_stall(const model::Snapshot& snapshot, const model::ChangeSet& changes);

// Every knob of `changes` lies within 10 % of a knob of `failed`, and both touch the same knobs.
bool near(const model::ChangeSet& changes, const model::ChangeSet& failed);
// Whether a change was in substance tried by one that failed: near it, or every knob moved the same
// way and by half to one and a half times as much (on a log scale; small moves do not count).
bool tried(const model::ChangeSet& changes, const model::ChangeSet& failed);

// The part of a revert that leaves the orderings of RocksDB's options intact, after someone else
// moved knobs beside ours.
model::ChangeSet legal_revert(const model::Snapshot& snapshot, const model::ChangeSet& changes,
                              double cpu_cores);

// Levels below L0 that the family's present data fills under these settings: read cost. With
// dynamic level bytes, the base level and all below it; else as many as hold the data when each is
// at its target.
double levels_filled(const model::FamilySnapshot& family, const model::KnobValues& settings);

double tree_bytes(const model::Snapshot& snapshot);  // live SST bytes over all families

}  // namespace lsmtuned::controller
