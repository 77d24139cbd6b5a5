// The tree simulator: RocksDB 7.8.3's level compaction, write controller and memtables as an
// event-driven fluid model of one column family (shared rules: docs/simulator.md).
//
// Two layers with one write controller and one scheduler: `totals` keeps one byte and record total
// a level, `files` keeps every table's key range. What it cannot do: universal and FIFO styles
// (refused), several families at once, skewed keys, dynamic level bytes that move the base level
// (refused where it would). Deterministic: equal inputs give equal outputs on one machine. Units:
// bytes, seconds. Pure; thread rules: functions may run in parallel.
#pragma once

#include <cstdint>
#include <vector>

#include "model/result.h"
#include "model/simulator/problem.h"

namespace lsmtuned::model {

enum class SimulationLayer : std::uint8_t { totals, files };

struct SimulationOptions {
  SimulationLayer layer = SimulationLayer::files;
  double warmup_s = 0;         // simulated before the horizon starts; not counted in the means
  double sample_every_s = 0;   // 0: no series
  bool record_events = false;  // delayed rates and jobs, one by one
  std::uint64_t seed = 1;      // of the files' first layout and the ensemble's jitter
  std::uint32_t members = 1;   // ensemble: constants jittered by a few per cent, results averaged
  double jitter = 0.03;        // standard deviation of ln(constant) within an ensemble
};

struct StallShares {  // of the horizon, 0..1; a delayed interval counts only what it cost:
                      // 1 - admitted rate / rate the writer would have had
  double memtable_stop = 0;
  double l0_stop = 0;
  double pending_stop = 0;
  double memtable_delay = 0;
  double l0_delay = 0;
  double pending_delay = 0;
  double total() const {
    return memtable_stop + l0_stop + pending_stop + memtable_delay + l0_delay + pending_delay;
  }
};

struct SimulationSample {
  double time_s = 0;
  double put_bytes_per_s = 0;  // mean since the last sample
  double l0_files = 0;
  double pending_bytes = 0;
  double immutable_memtables = 0;
  double delayed_write_rate = 0;  // 0: not delayed
};

enum class JobKind : std::uint8_t { flush, l0_to_base, intra_l0, deeper, trivial_move };
struct JobEvent {
  JobKind kind{};
  std::uint32_t input_level = 0;
  double start_s = 0;
  double end_s = 0;
  double read_bytes = 0;
  double written_bytes = 0;
  double input_files = 0;
};
struct RateEvent {  // RocksDB's LOG says the same when it delays: value by value
  double time_s = 0;
  double delayed_write_rate = 0;  // 0: back to normal
  bool stopped = false;
};

struct Simulation {
  double put_bytes_per_s = 0;          // mean over the horizon
  double settled_put_bytes_per_s = 0;  // mean over the last third of it
  double low_bytes_per_s = 0;          // ensemble spread, 80 %; equal to the mean for one member
  double high_bytes_per_s = 0;
  StallShares stalls;
  double worst_stall_s = 0;        // longest time without one admitted write
  double write_amplification = 0;  // file and WAL bytes written per user byte
  double read_amplification = 0;   // compaction bytes read per user byte
  double space_amplification = 0;  // file bytes at the end / bytes of distinct live records
  double l0_files_mean = 0;
  double l0_files_max = 0;
  double pending_bytes_mean = 0;
  double pending_bytes_max = 0;
  double pending_bytes_end = 0;
  double pending_bytes_cycle_end = 0;  // mean just after an L0 -> base job; at the end without one
  double flushes = 0;
  double l0_compactions = 0;
  double intra_l0_compactions = 0;
  double deeper_compactions = 0;
  double trivial_moves = 0;
  double device_busy_share = 0;
  double work = 0;  // events, and a share of the files looked at: CPU time follows it
  TreeShape tree;   // at the end
  std::vector<SimulationSample> series;
  std::vector<JobEvent> jobs;
  std::vector<RateEvent> rates;
};

// Errors: an invalid problem (every fault named), a style that is not modelled.
Result<Simulation> simulate(const Problem& problem, const SimulationOptions& options);

struct SimulationWindow {
  double begin_s = 0;
  double length_s = 0;
};
// Means over several stretches of one run. Windows ascend and do not overlap; they replace
// options.warmup_s and problem.horizon_s. `work` counts from the start. Errors: as simulate();
// ensembles and windows in another order are refused.
Result<std::vector<Simulation>> simulate_windows(const Problem& problem,
                                                 const SimulationOptions& options,
                                                 const std::vector<SimulationWindow>& windows);

}  // namespace lsmtuned::model
