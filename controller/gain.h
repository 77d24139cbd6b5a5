// What tuning gained so far, measured: now against the level before the first change, and along
// the trials that were kept.
//
// A change is ln(rate after / rate before); its standard error joins those of both windows, each at
// least 1 % of its rate: cycles repeat more exactly than the load does. Its interval is 80 %.
//
// `since_start` compares two windows that may lie far apart: what load and device did meanwhile is
// in it. `kept` adds up the kept trials that are still in force; each compares a level with the one
// just before it, so drift between trials is not in it. Without a kept trial it is 0, exactly. A
// trial is in force while every knob that it moved holds its value, or that of a later kept trial.
//
// Pure; thread rules: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "controller/decision.h"

namespace lsmtuned::controller {

struct MeasuredChange {
  double log = 0;
  double standard_error = 0;

  double share() const;  // +0.25: a quarter more
  double low_share() const;
  double high_share() const;
};
// Empty: one of the windows holds no writes.
std::optional<MeasuredChange> measured_change(const WindowMeasure& before,
                                              const WindowMeasure& after);

// Writers hardly stalled: the rate is the load that was offered, and S_max at least that.
bool held_by_load(const WindowMeasure& measure);

struct StartLevel {
  WindowMeasure measure;
  std::uint64_t decision_id = 0;  // that recorded it
  double wall_time_s = 0;
};

struct TuningGain {
  std::optional<StartLevel>
      start;             // before the first change that was sent, else the earliest known
  bool changed = false;  // a change was sent since
  int trials = 0;        // changes sent and judged
  int kept_in_force = 0;
  std::optional<MeasuredChange> since_start;
  MeasuredChange kept;
};

// `decisions` by id, ascending; those of other incarnations are left out. `now`: the present window
// under `settings`.
TuningGain tuning_gain(const std::vector<Decision>& decisions, std::uint64_t incarnation,
                       const WindowMeasure& now, const model::Settings& settings);

}  // namespace lsmtuned::controller
