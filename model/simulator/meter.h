// Cumulative counters of a simulated database, as RocksDB and the kernel would keep them.
//
// Tickers and device counters grow as bytes move; a level's statistics when its job ends; the time
// of a stop when the stopped write returns. Bytes, seconds. Pure; thread rules: one thread.
#pragma once

#include <cstdint>
#include <vector>

#include "model/simulator/job.h"
#include "model/simulator/parameters.h"
#include "model/simulator/recorder.h"
#include "model/simulator/write_controller.h"
#include "model/snapshot.h"

namespace lsmtuned::model::simulator {

class Meter {
 public:
  // `parameters` outlives the meter.
  explicit Meter(const Parameters& parameters)
      : parameters_(&parameters), levels_(parameters.levels) {}

  void set_end(double end_s) { end_s_ = end_s; }

  // What the engine asks of a watcher.
  double end_s() const { return end_s_; }
  double next_mark_s() const { return end_s_; }
  void mark(double, const WriteController&, const Step&, double) {}
  void advance(const Step& step, const WriteController& controller);
  void finished(const Job& job, double now_s);
  void base_job_ended(double) { ++l0_compactions_; }
  void recalculated(double now_s, const WriteController& controller);

  const DatabaseCounters& counters() const { return counters_; }
  const std::vector<LevelStats>& levels() const { return levels_; }  // sizes are not filled in
  const StallCauses& causes() const { return causes_; }
  const DeviceSample& device() const { return device_; }
  std::uint64_t flushes() const { return flushes_; }
  std::uint64_t compactions() const { return compactions_; }
  std::uint64_t l0_compactions() const { return l0_compactions_; }
  double worst_stop_s() const { return worst_stop_s_; }

 private:
  const Parameters* parameters_;
  double end_s_ = 0;
  DatabaseCounters counters_;
  std::vector<LevelStats> levels_;
  StallCauses causes_;
  DeviceSample device_;
  std::uint64_t flushes_ = 0;
  std::uint64_t compactions_ = 0;
  std::uint64_t l0_compactions_ = 0;
  double stopped_for_s_ = 0;  // not yet credited
  double worst_stop_s_ = 0;
};

}  // namespace lsmtuned::model::simulator
