// From when on what is watched is told of. Defaults: config/policy_keys.cc. Plain values.
#pragma once

namespace lsmtuned::model {

struct WatchRule {
  double fall = 0.25;          // share below the best of the day
  double use_deviation = 0.5;  // of the device's use from what was learned, relative, either way
  double hold_s = 300;         // before something is told of, and before it is over
  double span_s = 600;         // a standard is the best mean over such a time
  bool operator==(const WatchRule&) const = default;
};

}  // namespace lsmtuned::model
