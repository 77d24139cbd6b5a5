// Published model v3: the dynamic simulation of algorithms 1 and 2, with equations 9 to 14.
//
// Source: seed 004. Rates in MiB/s, backlogs in MiB, time in seconds. The loop is half-open
// (exactly `steps` steps from t = 0); the stall probability and the allocations use the state from
// before the step; the number of L0 files is updated last. Levels in order, the first is L0.
//
// Can rank: L0 file size and stall threshold, roughly; it has the right parts (device mix, levels,
// backlog, stalls). Cannot rank: anything else. As printed, L0 drains its own inflow rather than
// what compaction takes from it, and the backlog of deeper levels never reaches the put rate, so at
// equilibrium amplification, compression and every level but L0 have no effect. Its capacity
// factors are not published and must be calibrated. Pure; ranges as in inputs.h.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace lsmtuned::model::published {

// Equation 11. At as many files as the threshold half of the writes are already refused.
double stall_probability(double l0_files, double sensitivity_per_file, double threshold_files);

struct Concurrency {  // equation 12
  double least = 1;
  double most = 1;
  double steepness = 1;
  double middle = 0;  // k_0: where half of the rise is done
};
double effective_concurrency(double concurrency_level, const Concurrency& scaling);

// Equation 10.
double level_capacity(double capacity_factor, double effective_concurrency, double mixed_mib_per_s);

// Equations 13 and 14: the backlog after a step, never below 0.
double next_backlog(double backlog_mib, double demand_mib_per_s, double allocated_mib_per_s,
                    double step_s);

using OverTime = std::function<double(double time_s)>;
OverTime constant(double value);

struct TimedValue {
  double from_s = 0;
  double value = 0;
};
// Each value holds from its time on; the first also before it. Sorted by time, not empty.
OverTime stepwise(std::vector<TimedValue> series);

struct V3Level {
  std::string name;
  double capacity_factor = 1;  // k_l
  Concurrency concurrency;
  double write_factor = 0;             // b_l, static mode: MiB written per MiB put
  double read_factor = 0;              // a_l
  OverTime write_share = constant(0);  // zeta^W_l, log-driven mode: share of all writes
  OverTime read_share = constant(0);   // zeta^R_l
};

enum class V3Mode { fixed_factors, log_driven };

struct V3Problem {
  std::uint64_t steps = 1;
  double step_s = 1;
  double read_mib_per_s = 0;
  double write_mib_per_s = 0;
  OverTime offered_mib_per_s = constant(0);    // U(t)
  OverTime read_share = constant(0);           // rho_r(t)
  OverTime concurrency_level = constant(1);    // k_s(t)
  OverTime write_amplification = constant(1);  // WA*(t), log-driven mode
  OverTime read_amplification = constant(0);   // RA*(t)
  double stall_sensitivity_per_file = 0.4;     // a
  double stall_threshold_files = 20;           // tau_slow
  double l0_file_mib = 64;
  double l0_files = 0;  // at t = 0
  V3Mode mode = V3Mode::fixed_factors;
  std::vector<V3Level> levels;
  std::uint64_t sample_every_steps = 0;  // 0: no series
};

struct V3Sample {  // one step
  double time_s = 0;
  double put_mib_per_s = 0;
  double stall_probability = 0;
  double l0_files = 0;  // after the step
};

struct V3Backlog {
  double write_mib = 0;
  double read_mib = 0;
};

struct V3Result {
  double mean_mib_per_s = 0;
  double final_mib_per_s = 0;
  double final_stall_probability = 0;
  double final_l0_files = 0;
  double final_mixed_bandwidth_mib_per_s = 0;
  std::vector<V3Backlog> backlog;  // by level, at the end
  std::vector<V3Sample> series;
};

V3Result simulate_v3(const V3Problem& problem);

}  // namespace lsmtuned::model::published
