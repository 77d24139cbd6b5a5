// RocksDB 7.8's write controller for one column family: stall condition, delayed write rate and
// compaction pressure, recalculated only when RocksDB does so.
//
// Source: db/column_family.cc, RecalculateWriteStallConditions and SetupDelay. Called at a memtable
// switch, a flush, a compaction install and a trivial move, and at no other time: the rate depends
// on how often, not only on how far. Bytes per second. Pure; thread rules: a plain value.
#pragma once

#include "model/simulator/parameters.h"
#include "model/stall.h"

namespace lsmtuned::model::simulator {

class WriteController {
 public:
  // `delayed_rate` above 0: writes are being delayed at it as the simulation starts.
  WriteController(const StallLimits& limits, double delayed_rate, const StallInputs& inputs);

  void recalculate(const StallInputs& inputs) { recalculate(inputs, limits_); }
  // As by a job that still works with other limits.
  void recalculate(const StallInputs& inputs, const StallLimits& limits);

  const StallLimits& limits() const { return limits_; }
  void set_limits(const StallLimits& limits);
  void reset_rate() { rate_ = limits_.max_delayed_rate; }

  const StallVerdict& verdict() const { return verdict_; }
  bool stopped() const { return verdict_.condition == StallCondition::stopped; }
  bool delayed() const { return verdict_.condition == StallCondition::delayed; }
  double delayed_rate() const { return rate_; }  // kept while normal or stopped
  // Stopped, delayed or under compaction pressure: more than one compaction may run.
  bool speed_up() const { return speed_up_; }

 private:
  StallVerdict judge(const StallInputs& inputs, const StallLimits& limits) const;
  bool near_stop(const StallInputs& inputs, const StallLimits& limits) const;
  void adapt_rate(bool penalize, double pending);
  bool under_pressure(const StallInputs& inputs, const StallLimits& limits) const;

  StallLimits limits_;
  StallVerdict verdict_;
  double rate_;
  double previous_pending_;
  bool speed_up_ = false;
};

}  // namespace lsmtuned::model::simulator
