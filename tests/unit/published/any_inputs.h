// Valid inputs for any published model: one fixed set, and random ones.
#pragma once

#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>

#include "model/published/inputs.h"

namespace lsmtuned::model::published::testing {

inline PublishedInputs full_inputs() {
  PublishedInputs inputs;
  for (const InputField& field : input_fields()) inputs.*(field.member) = 1.0;
  inputs.write_mib_per_s = 1484;
  inputs.read_mib_per_s = 2368;
  inputs.mixed_mib_per_s = 2231;
  inputs.wal_device_mib_per_s.reset();
  inputs.fresh_write_mib_per_s = 4116.6;
  inputs.record_bytes = 1040;
  inputs.write_amplification = 2.87;
  inputs.compression_ratio = 0.54;
  inputs.read_share = 0.3;
  inputs.stall_probability = 0.4531;
  inputs.phase = Phase::final;
  inputs.utilisation.reset();
  inputs.put_rate_variation = 0.041;
  inputs.levels.resize(3);
  for (LevelInputs& level : inputs.levels) {
    level.written_mib = 100;
    level.w_amp = 2;
  }
  V3Inputs v3;
  v3.steps = 50;
  v3.offered_mib_per_s = {{0, 300}};
  v3.write_amplification = {{0, 2.5}};
  v3.levels.resize(2);
  v3.levels[0].write_factor = v3.levels[0].write_share = 0.4;
  v3.levels[1].write_factor = v3.levels[1].write_share = 0.6;
  inputs.v3 = v3;
  return inputs;
}

// Within a range, both ends often, the rest spread over the orders of magnitude.
inline double any_between(double low, double high, bool above_low) {
  const int at = *rc::gen::inRange(0, 1003);
  if (at == 1001) return high;
  if (at == 1002 && !above_low) return low;
  const double share = at / 1000.0;
  if (low < 0) return low + share * (high - low);
  const double floor = std::max(low, high * 1e-12);
  return std::min(high, floor * std::pow(high / floor, share));
}

inline Phase any_phase() {
  return *rc::gen::element(Phase::initial, Phase::middle, Phase::final);
}

inline V3Inputs any_v3() {
  V3Inputs v3;
  v3.steps = static_cast<std::uint64_t>(*rc::gen::inRange(1, 60));
  v3.step_s = any_between(0, 1e6, true);
  v3.mode = *rc::gen::element(V3Mode::fixed_factors, V3Mode::log_driven);
  v3.offered_mib_per_s = {{0, any_between(0, 1e9, false)}, {10, any_between(0, 1e9, false)}};
  if (*rc::gen::arbitrary<bool>()) v3.read_share = {{0, any_between(0, 1, false)}};
  v3.write_amplification = {{0, any_between(0, 1e4, false)}};
  v3.read_amplification = {{5, any_between(0, 1e4, false)}};
  v3.concurrency_level = any_between(0, 1e6, false);
  v3.stall_sensitivity_per_file = any_between(0, 1e3, false);
  v3.stall_threshold_files = any_between(0, 1e6, false);
  v3.l0_file_mib = any_between(1e-6, 1e9, false);
  v3.l0_files = any_between(0, 1e9, false);
  v3.levels.resize(static_cast<std::size_t>(*rc::gen::inRange(1, 8)));
  for (V3LevelInputs& level : v3.levels) {
    level.capacity_factor = any_between(0, 1e3, false);
    level.concurrency = {any_between(0, 1e3, false), any_between(0, 1e3, false),
                         any_between(-1e3, 1e3, false), any_between(-1e6, 1e6, false)};
    level.write_factor = any_between(0, 1e4, false);
    level.read_factor = any_between(0, 1e4, false);
    level.write_share = any_between(0, 1, false);
    level.read_share = any_between(0, 1, false);
  }
  return v3;
}

// Every field set, anywhere in its range.
inline PublishedInputs any_inputs() {
  PublishedInputs inputs;
  for (const InputField& field : input_fields()) {
    inputs.*(field.member) = any_between(field.minimum, field.maximum, field.above_minimum);
  }
  if (*rc::gen::arbitrary<bool>()) inputs.wal_device_mib_per_s.reset();
  if (*rc::gen::arbitrary<bool>()) inputs.mixed_mib_per_s.reset();
  if (*rc::gen::arbitrary<bool>()) inputs.utilisation.reset();
  inputs.degradation_by_phase = *rc::gen::arbitrary<bool>();
  inputs.phase = any_phase();
  inputs.levels.resize(static_cast<std::size_t>(*rc::gen::inRange(1, 8)));
  for (LevelInputs& level : inputs.levels) {
    for (const LevelField& field : level_fields()) {
      level.*(field.member) = any_between(field.minimum, field.maximum, false);
    }
  }
  inputs.v3 = any_v3();
  return inputs;
}

}  // namespace lsmtuned::model::published::testing
