#include "controller/going_back.h"

#include <algorithm>

#include "controller/guard.h"
#include "model/stall.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {

constexpr double kWorthTelling = 0.02;  // of the tree

}  // namespace

CostOfGoingBack cost_of_going_back(const State& state) {
  CostOfGoingBack cost;
  if (!state.last) return cost;
  for (const auto& family : state.last->families) {
    const auto* present = state.last->settings.of_family(family.name);
    const auto* baseline = state.persistent.baseline.of_family(family.name);
    if (present == nullptr || baseline == nullptr) continue;
    const double added = model::estimate_pending_bytes(family, *baseline) -
                         model::estimate_pending_bytes(family, *present);
    cost.pending_bytes += std::max(0.0, added);  // one family's debt does not pay another's
  }
  if (cost.pending_bytes < kWorthTelling * tree_bytes(*state.last)) return {};
  if (const double bandwidth = state.persistent.calibration.write_bandwidth; bandwidth > 0)
    cost.seconds = cost.pending_bytes / bandwidth;
  return cost;
}

std::string describe(const CostOfGoingBack& cost) {
  if (!(cost.pending_bytes > 0)) return {};
  std::string words = "adds " + model::format_bytes(cost.pending_bytes) + " of pending compaction";
  if (cost.seconds > 0) words += ", " + model::format_duration(cost.seconds) + " of the device";
  return words;
}

}  // namespace lsmtuned::controller
