// Which knobs and which properties of device and workload move S_max, and which pairs act together.
//
// Elasticity: d ln S / d ln x by central differences of one step up and one down, on the same
// random numbers; whole-number knobs move by at least one. A step that RocksDB would refuse is not
// taken, and the other side alone counts. Pairs: (S(ab) - S(a) - S(b) + S) / S for one step of each
// in the direction that raises S, above zero: more together than apart. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "model/analysis/s_max.h"
#include "model/result.h"

namespace lsmtuned::model {

struct Elasticity {
  std::string name;  // the knob's option, or "device.write_bytes_per_s" and the like
  bool knob = false;
  double value = 0;
  std::optional<double> up;  // ln(S(up) / S) and ln(S(down) / S); absent: not a valid step
  std::optional<double> down;
  double up_value = 0;
  double down_value = 0;
  double elasticity = 0;
};

struct Interaction {
  std::string first;
  std::string second;
  double interaction = 0;  // share of S
  double together = 0;     // ln(S(ab) / S)
};

struct Sensitivity {
  SMax present;
  std::vector<Elasticity> ranked;  // by |elasticity|, knobs and others alike
  std::vector<Interaction> pairs;  // by |interaction|
};

struct SensitivityOptions {
  ModelChoice choice;
  double step = 1.25;          // factor
  std::size_t pair_knobs = 6;  // pairs among so many knobs with the highest effect; 0: none
};

// Errors: an invalid problem, a style that is not modelled.
Result<Sensitivity> sensitivity(const Problem& problem, const SensitivityOptions& options);

}  // namespace lsmtuned::model
