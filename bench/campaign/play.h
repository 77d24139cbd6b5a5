// Plays one scenario: the plant, what the daemon and the agent do between it and the controller,
// and every check at every tick.
//
// A tick is one poll interval of the policy. The controller is the shipped step() and search, with
// the scenario's share of its effort; effects are carried out in the daemon's order: records before
// calls, results after the step. Without a strategy nobody tunes: the twin. Deterministic; thread
// rules: one thread a play.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "bench/campaign/scenario.h"

namespace lsmtuned::campaign {

enum class ChangeKind { load_step, degradation };

// How the controller answered a change of load or device: with a decision that rests on at least
// one whole L0 -> base cycle after the change, or by writes that run a whole cycle without a stall.
struct Answer {
  ChangeKind kind{};
  double cycles = 0;  // L0 -> base compactions from the change to the answer
  double seconds = 0;
  bool answered = false;
  double noted_cycles = -1;  // the same to the note that the device fell; -1: none
  std::string how;           // what answered, or the phase that it ended in
};

struct Outcome {
  double accepted_bytes = 0;  // over the whole scenario
  double last_third_bytes = 0;
  // Accepted over whole L0 -> base cycles of the last third: what lies in L0 at its two ends is no
  // gain and no loss. 0: fewer than three, or settings, what is offered or the device
  // changed there.
  double whole_cycles_bytes_per_s = 0;
  int cycles = 0;            // that ended in the last third
  double stall_seconds = 0;  // over the last third
  int changes = 0;           // proposals sent
  int kept = 0;
  int reverted = 0;
  int inconclusive = 0;
  int failed = 0;
  int searches = 0;
  bool stormed = false;
  bool trial_open_in_last_third = false;
  double search_cpu_s = 0;
  double controller_cpu_s = 0;
  std::string plant_error;  // the simulator gave up: the scenario says nothing
  std::vector<std::string> violations;
  std::vector<Answer> answers;
};

Outcome play(const Scenario& scenario, std::optional<config::Strategy> strategy,
             std::ostream* story = nullptr);

// The twin once more, with one poll without writes at this share of the time, before the last
// third: how far plays that nobody tunes drift apart by the phase of their cycles alone.
Outcome play_shaken(const Scenario& scenario, double at_share);

// Put in the last third over what another play of the scenario put, less one; over whole L0 cycles
// where both have them.
double gain_over(const Outcome& other, const Outcome& outcome);

}  // namespace lsmtuned::campaign
