// Why a database takes less than it did, from two pictures of it: what changed, and how much of the
// fall it explains.
//
// While the device binds, the put rate is what the device can over the bytes written a user byte,
// so ln of the fall is split: what the device lost first; the rest goes to settings that someone
// changed, to another workload, or to a tree that costs more. A share that nothing explains is
// said. Shares are of ln(rate), an attribution by arithmetic, not a proof. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/watch/recent.h"

namespace lsmtuned::model {

struct Suspect {
  std::string name;      // device, settings, workload, tree, unknown
  double share = 0;      // of the fall, 0..1
  std::string evidence;  // in words, with both figures
};

// Likeliest first; at least one.
std::vector<Suspect> suspects(const Picture& normal, const Picture& now);

}  // namespace lsmtuned::model
