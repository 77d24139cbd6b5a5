// Arbitration: several databases under one daemon, and several column families in one database.
//
// Databases share a memory budget and take turns: one change at a time, worst first, and a stagger
// between the end of one database's change and the beginning of another's, so that trials do not
// judge each other's flushes and compactions. Families of one database share its trials anyway;
// here is said which of them the next search is about.
//
// Pure; bytes, seconds on the clock of events. Thread rules: plain values.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "controller/state.h"
#include "controller/turn.h"

namespace lsmtuned::controller {

// ---- databases ----------------------------------------------------------------------------------

struct ArbitrationPolicy {
  double memory_budget_bytes = 0;  // of all together; 0: each has only its own
  double stagger_s = 60;
  double turn_s = 60;  // a turn in which nothing is found goes on to the next
};

// What the arbiter sees of one database.
struct Contender {
  std::string name;
  bool tunes = false;       // attached and in mode tune: takes turns
  bool advises = false;     // attached and in mode advise: an operator may change it between turns
  bool ready = false;       // and is free to begin a change now
  bool working = false;     // a search runs, or its result waits for a moment without stall
  bool changing = false;    // a change is out, settling, being verified or reverted
  bool holds_turn = false;  // its controller believes that it may begin a change
  double stall_share = 0;
  double put_bytes_per_s = 0;
  // Most that it may come to take without another turn: of its settings, its baseline, and those
  // that an open trial would go back to.
  double memory_bytes = 0;
};
Contender contender_of(const State& state);

struct ArbiterMemory {
  std::string holder;  // whose turn it is; empty: nobody's
  double holder_since_s = 0;
  bool holder_changed = false;     // it has used its turn
  double holder_memory_bytes = 0;  // its share, fixed for the turn
  std::string last_changed;        // the last database that was changed, or changed back
  double last_change_s = 0;        // when it was last seen doing so
  std::map<std::string, double> turn_ended_s;
};

struct Arbitration {
  ArbiterMemory memory;
  std::map<std::string, Turn> turns;  // empty: one database without a shared budget
};

// The shares of memory never sum to more than the budget, and at most one database that tunes may
// begin a change. The turn goes to a database that stalls more than 2 % before one that does not,
// then to the one that stalls most (ties: higher put rate, then name); those that had a turn within
// the last round come after those that had none, the latest last. What the budget leaves beside
// what all may take already goes to those that stall, in proportion to their stall share. Beyond
// the budget nobody may grow, and shares shrink in proportion: what a share lies below present use
// can only be moved down. With a shared budget no turn is given while the memory of one database is
// not known.
Arbitration arbitrate(ArbiterMemory memory, std::span<const Contender> contenders,
                      const ArbitrationPolicy& policy, double now_s);

// Whether a controller that was told `said` needs to hear `now`: every change of what it may do,
// and of its share while it may; else its share only when it moved by a tenth.
bool worth_telling(const std::optional<Turn>& said, const Turn& now);

// ---- families of one database -------------------------------------------------------------------

struct FamilyNeed {
  std::string name;
  double write_share = 0;  // of the flushed bytes of all families
  double pressure = 0;     // mean of the nearest stall limit: L0 files, pending bytes, memtables
};
// From the first to the last of `recent`. Worst (highest pressure) first, then by name.
std::vector<FamilyNeed> family_needs(const std::deque<model::Snapshot>& recent);

struct FamilyChoice {
  std::string family;          // empty: there is none
  bool database_knobs = true;  // only the family that takes most writes moves what all share
};
// The worst family with at least 1 % of the writes that does not rest; where all rest, the worst.
// Without a window the family that model::worst_family() names.
FamilyChoice choose_family(const State& state, double now_s);

}  // namespace lsmtuned::controller
