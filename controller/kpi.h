// The five figures by which a decision is judged: before, predicted and after.
//
// put rate (bytes/s): S, user bytes per second over whole L0 -> base cycles. While writers stall it
//   is the rate that is sustained, else the load that was offered. Higher is better.
// write bandwidth use (share): S w / B_w, what flushes, compactions and the log write of what the
//   device can (Calibration::write_bandwidth, else a cgroup's limit). Better: see below.
// compaction efficiency (ratio): 1 / w, user bytes per byte written. Higher is better.
// stability (share): 1 - share of time that writes stall. Higher is better.
// resource use (bytes): memory of memtables, block cache and table readers. Lower is better.
//
// w is write amplification with the log, of counters over the same window.
//
// Predicted: S and w are the model's. Stability from the demand D = S_before / (1 - stall share),
// the rate at which writers put while they do not wait: they stall max(0, 1 - S / D) of the time.
// Memory is what is in use before plus what the change may add at most (model/invariants.h,
// memory_of()), since memtables are seldom all full.
//
// Judged is after against before; where nothing was measured after (advice), predicted against
// before. Within the noise band it is `same`: for the put rate 1.28 joint standard errors (80 %),
// at least 2 %; stability 2 points (below, the stall counter is mostly single late credits); the
// others 5 %. Use of the device has no direction of its own: less is better at a put rate that is
// not lower, more only where it buys a higher one.
//
// Pure; thread rules: plain values.
#pragma once

#include <array>

#include "controller/decision.h"

namespace lsmtuned::controller {

struct KpiInputs {
  WindowMeasure before;
  WindowMeasure after;             // seconds == 0: nothing was measured
  model::Prediction predicted;     // put_bytes_per_s == 0: the strategy does not predict
  double write_bandwidth = 0;      // B_w, bytes/s; 0: unknown, so its use is unknown
  double memory_growth_bytes = 0;  // memory_of(new settings) - memory_of(old settings)
  bool changes = true;             // false (a no-op): only `before` means something
};

Kpis kpis_of(const KpiInputs& inputs);

// In the order of the table; names as in history and on the screen.
struct NamedKpi {
  const char* name;
  Kpi Kpis::*figure;
};
const std::array<NamedKpi, 5>& kpi_names();

}  // namespace lsmtuned::controller
