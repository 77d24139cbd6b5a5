// What the daemon exports as Prometheus metrics: one place that names every series.
//
// Built on prometheus-cpp core's registry; text produced on request for the HTTP server. Series
// exist at zero from the first attach. Labels: db (target name) and few-valued ones only. Thread
// rules: update and text() may be called from different threads (the registry locks).
#pragma once

#include <memory>
#include <string>

#include "controller/decision.h"
#include "controller/state.h"
#include "daemon/watch.h"
#include "model/estimate/calibrate.h"

namespace lsmtuned::daemon {

class Metrics {
 public:
  Metrics();
  ~Metrics();
  void target_seen(const std::string& target);  // creates the series at zero
  void target_removed(const std::string& target);
  void update(const controller::State& state, const model::Snapshot& snapshot,
              const model::Interval& interval);
  void watched(const std::string& target, const TargetWatch& watch);  // once a sample
  void decision(const controller::Decision& decision);
  void poll(const std::string& target, double seconds, bool ok);
  void search(const std::string& target, double seconds, int evaluations);
  void history_error();
  void lease_expired(const std::string& target);
  std::string text() const;  // Prometheus text format 0.0.4

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace lsmtuned::daemon
