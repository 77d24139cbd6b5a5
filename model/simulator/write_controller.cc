#include "model/simulator/write_controller.h"

#include <algorithm>
#include <cmath>

namespace lsmtuned::model::simulator {
namespace {

constexpr double kMinRate = 16.0 * 1024;
constexpr double kNearStopRatio = 0.6;
constexpr double kSlowDownRatio = 0.8;
constexpr double kSpeedUpRatio = 1.25;
constexpr double kRecoverRatio = 1.4;

// RocksDB keeps the rate as an integer.
double scaled(double rate, double ratio) {
  return std::floor(rate * ratio);
}

}  // namespace

WriteController::WriteController(const StallLimits& limits, double delayed_rate,
                                 const StallInputs& inputs)
    : limits_(limits),
      rate_(delayed_rate > 0 ? std::min(delayed_rate, limits.max_delayed_rate)
                             : limits.max_delayed_rate),
      previous_pending_(inputs.pending_compaction_bytes) {
  verdict_ = judge(inputs, limits_);
  speed_up_ = verdict_.condition != StallCondition::normal || under_pressure(inputs, limits_);
}

void WriteController::set_limits(const StallLimits& limits) {
  limits_ = limits;
  rate_ = std::min(rate_, limits.max_delayed_rate);
}

// The cheap form of stall_verdict(); a test holds the two equal.
StallVerdict WriteController::judge(const StallInputs& in, const StallLimits& limits) const {
  if (in.immutable_memtables >= limits.max_write_buffers) {
    return {StallCondition::stopped, StallCause::memtables};
  }
  if (in.l0_files >= limits.l0_stop) return {StallCondition::stopped, StallCause::l0_files};
  const double pending = in.pending_compaction_bytes;
  if (limits.hard_pending_bytes > 0 && pending >= limits.hard_pending_bytes) {
    return {StallCondition::stopped, StallCause::pending_bytes};
  }
  if (limits.max_write_buffers > 3 && in.immutable_memtables >= limits.max_write_buffers - 1 &&
      in.immutable_memtables - 1 >= limits.min_buffers_to_merge) {
    return {StallCondition::delayed, StallCause::memtables};
  }
  if (limits.l0_slowdown >= 0 && in.l0_files >= limits.l0_slowdown) {
    return {StallCondition::delayed, StallCause::l0_files};
  }
  if (limits.soft_pending_bytes > 0 && pending >= limits.soft_pending_bytes) {
    return {StallCondition::delayed, StallCause::pending_bytes};
  }
  return {};
}

bool WriteController::near_stop(const StallInputs& in, const StallLimits& limits) const {
  if (verdict_.cause == StallCause::l0_files) return in.l0_files >= limits.l0_stop - 2;
  if (verdict_.cause == StallCause::pending_bytes && limits.hard_pending_bytes > 0) {
    return in.pending_compaction_bytes - limits.soft_pending_bytes >
           3 * (limits.hard_pending_bytes - limits.soft_pending_bytes) / 4;
  }
  return false;
}

void WriteController::adapt_rate(bool penalize, double pending) {
  if (limits_.max_delayed_rate <= kMinRate) return;  // a rate that low is the user's own
  if (penalize) {
    rate_ = std::max(kMinRate, scaled(rate_, kNearStopRatio));
  } else if (previous_pending_ > 0 && previous_pending_ <= pending) {
    rate_ = std::max(kMinRate, scaled(rate_, kSlowDownRatio));
  } else if (previous_pending_ > pending) {
    rate_ = std::min(limits_.max_delayed_rate, scaled(rate_, kSpeedUpRatio));
  }
}

bool WriteController::under_pressure(const StallInputs& in, const StallLimits& limits) const {
  return in.l0_files >= limits.l0_speedup ||
         in.pending_compaction_bytes >= limits.speedup_pending_bytes;
}

void WriteController::recalculate(const StallInputs& inputs, const StallLimits& limits) {
  const bool was_delayed = delayed();
  verdict_ = judge(inputs, limits);
  speed_up_ = true;
  if (verdict_.condition == StallCondition::delayed) {
    // A stop replaces the delay token, so after a stop of this family the rate stands still.
    if (was_delayed) adapt_rate(near_stop(inputs, limits), inputs.pending_compaction_bytes);
  } else if (verdict_.condition == StallCondition::normal) {
    speed_up_ = under_pressure(inputs, limits);
    if (was_delayed) rate_ = std::min(limits_.max_delayed_rate, scaled(rate_, kRecoverRatio));
  }
  previous_pending_ = inputs.pending_compaction_bytes;
}

}  // namespace lsmtuned::model::simulator
