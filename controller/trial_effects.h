// What recorded trials say of each knob: measured elasticities, and predictions beside
// measurements.
//
// A trial counts while writers stalled before it: then both rates are what the settings sustain.
// Where they no longer did after it, the change is at least what was measured (`at_least`).
// Pure; thread rules: plain values.
#pragma once

#include <string>
#include <vector>

#include "controller/decision.h"
#include "controller/gain.h"

namespace lsmtuned::controller {

// Trials that moved the same knobs, together and in the same proportions. One knob: its elasticity
// d ln S / d ln x; several: that of the group, per ln of the knob that moved most.
struct MeasuredEffect {
  std::vector<std::string> knobs;   // "family.option"; the option alone in "default" and database
  std::vector<double> proportions;  // ln steps relative to the largest, with its sign: 1 for it
  int trials = 0;
  int at_least = 0;
  double smallest = 0;  // values of the first knob that moved most, over all of them
  double largest = 0;
  // Weighted by precision. The error is that of the weights, or of the trials' own scatter where
  // that is larger.
  double elasticity = 0;
  double standard_error = 0;
};

// By |elasticity| / standard error, falling.
std::vector<MeasuredEffect> measured_effects(const std::vector<Decision>& decisions);

// One trial whose outcome was predicted: `knob` at `value`, with what else moved beside it.
struct ScoredValue {
  std::string knob;
  double value = 0;
  std::uint64_t decision_id = 0;
  int moved_with = 0;       // other knobs in the same trial
  bool load_bound = false;  // writers hardly stalled: the rate is at least this
  double measured = 0;
  double standard_error = 0;
  double predicted = 0;
  double error = 0;  // predicted / measured - 1
  std::string model;
};

// By knob, value, decision; both sides of each trial, where both are known.
std::vector<ScoredValue> scored_values(const std::vector<Decision>& decisions);

}  // namespace lsmtuned::controller
