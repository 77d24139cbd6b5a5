// TargetWatch: what is watched of one target beside its control.
//
// Once a sample it runs the pure conditions of model/watch/ and says what changed: lines for the
// log, alerts, and figures for status and metrics. Nothing of it is read by the controller. It
// knows only what it saw since the database was attached. Thread rules: one thread at a time.
#pragma once

#include <string>
#include <vector>

#include "controller/events.h"
#include "controller/state.h"
#include "model/estimate/measure.h"
#include "model/snapshot.h"
#include "model/watch/workload_phase.h"

namespace lsmtuned::daemon {

struct WatchNews {
  std::vector<std::string> lines;  // for the log
  std::vector<controller::Alert> alerts;
};

class TargetWatch {
 public:
  // `interval` is what was measured since the sample before; one that is not valid begins anew.
  WatchNews sample(const controller::State& state, const model::Snapshot& snapshot,
                   const model::Interval& interval);
  // Another run of a database: nothing seen before is comparable.
  void begin_anew();

  const model::PhaseWatch& workload_phase() const { return phase_; }

 private:
  void sample_phase(const controller::State& state, const model::Snapshot& snapshot,
                    const model::Interval& interval, WatchNews& news);

  model::PhaseWatch phase_;
};

}  // namespace lsmtuned::daemon
