// One campaign scenario, made from a seed: database, machine, load, policy, and what goes wrong.
//
// The plant's own constants are in `problem`; the controller sees snapshots and the policy only.
// Bytes, seconds from the scenario's start. Deterministic; plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/policy.h"
#include "model/ledger/ledger.h"
#include "model/simulator/problem.h"
#include "model/simulator/simulate.h"

namespace lsmtuned::campaign {

struct LoadPhase {
  double from_s = 0;
  double offered_bytes_per_s = 0;  // 0: nobody writes; infinite: a saturating writer
};

struct DevicePhase {
  double from_s = 0;
  double factor = 1;  // of the problem's bandwidths
};

enum class FaultKind {
  lost_samples,      // no snapshot arrives until until_s
  late_samples,      // snapshots arrive `value` seconds after they were taken
  counter_reset,     // the database's counters begin anew within one open
  wall_jump,         // the wall clock moves by `value` seconds
  suspend,           // the machine stands still for `value` seconds of the monotonic clock
  daemon_restart,    // the daemon is away for `value` seconds
  database_restart,  // reopened with the settings it had at first
  foreign_write,     // someone else moves a knob; `value` chooses which and where to
  freeze,            // by an operator, until until_s
  operator_revert,   // an operator orders the baseline back
  disk_full,         // decisions cannot be recorded until until_s
};
const char* to_text(FaultKind kind);

struct Fault {
  FaultKind kind{};
  double at_s = 0;
  double until_s = 0;
  double value = 0;
};

// What becomes of an options call, by probability.
struct CallFaults {
  double fails = 0;        // nothing changes, or a part of it
  double hangs = 0;        // returns long after its deadline
  double ineffective = 0;  // returns OK, and the old value stays
  double late = 0;         // returns a poll later
};

struct Scenario {
  std::uint64_t seed = 0;
  double seconds = 1800;
  bool mismatch = false;
  std::string start;      // which kind of starting settings
  std::string load_kind;  // and of load
  model::Problem problem;
  model::SimulationLayer layer = model::SimulationLayer::files;
  double cpu_cores = 2;             // of the machine
  bool settled = true;              // the tree has been under saturating load for an hour
  double capacity_bytes_per_s = 0;  // simulated, at the starting settings
  double cycle_s = 0;               // of an L0 -> base cycle then
  std::vector<LoadPhase> load;      // by time; the first begins at 0
  std::vector<DevicePhase> device;  // by time
  std::vector<Fault> faults;        // by time
  CallFaults calls;
  double lost_share = 0;              // of samples, one by one
  double noise = 0;                   // relative, of what each device counter gained
  double seen_limit_bytes_per_s = 0;  // the device's limit as a sampler would see it; 0: none
  std::optional<model::Calibration> remembered;  // from an earlier run, on another machine perhaps
  config::Policy policy;
  double search_effort = 1;  // share of the daemon's bounds on a search's simulated events
};

struct ScenarioOptions {
  double minutes = 30;
  double longer = 1;    // times the length that cycles and alternations ask for
  double mismatch = 0;  // how far plant constants may be from what the controller begins with
  int evaluations = 200;
  double effort = 0.13;  // share of the daemon's bounds on a search's simulated events
};

Scenario make_scenario(std::uint64_t seed, const ScenarioOptions& options);
std::string describe(const Scenario& scenario);

}  // namespace lsmtuned::campaign
