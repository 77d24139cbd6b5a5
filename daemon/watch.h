// TargetWatch: what is watched of one target beside its control.
//
// Once a sample it runs the pure conditions of model/watch/ and says what changed: lines for the
// log, alerts, and figures for status and metrics. Nothing of it is read by the controller. It
// knows only what it saw since the database was attached. Thread rules: one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/events.h"
#include "controller/state.h"
#include "model/estimate/measure.h"
#include "model/snapshot.h"
#include "model/watch/course.h"
#include "model/watch/workload_phase.h"

namespace lsmtuned::daemon {

struct WatchNews {
  std::vector<std::string> lines;  // for the log
  std::vector<controller::Alert> alerts;
};

class TargetWatch {
 public:
  // `earlier` is the sample before, null for the first. Where both are not of one run of the
  // database, all begins anew.
  WatchNews sample(const controller::State& state, const model::Snapshot* earlier,
                   const model::Snapshot& now);
  // Another run of a database: nothing seen before is comparable.
  void begin_anew();

  const model::PhaseWatch& workload_phase() const { return phase_; }
  const model::Course& course() const { return course_; }

 private:
  void sample_phase(const controller::State& state, const model::Snapshot& now,
                    const model::Interval& interval, WatchNews& news);
  void sample_course(const controller::State& state, const model::Snapshot& earlier,
                     const model::Snapshot& now, WatchNews& news);

  model::PhaseWatch phase_;
  model::Course course_;
  std::optional<model::ChangeSet> kept_;  // at the last sample: a change may begin and end between
};

}  // namespace lsmtuned::daemon
