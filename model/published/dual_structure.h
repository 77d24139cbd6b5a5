// The arithmetic of seed 001's "dual structure" report: how much of a drop in usable bandwidth lies
// in the device, and how much in what the database leaves over of it.
//
// The seed calls the decline a product but adds shares of the difference; both attributions are
// given, and only the logarithmic one is consistent with a product. MiB/s; shares in percent. Pure.
#pragma once

#include "model/result.h"

namespace lsmtuned::model::published {

struct Shares {
  double device_percent = 0;
  double software_percent = 0;
};

struct DualStructure {
  double device_degradation_percent = 0;    // fresh -> degraded
  double software_degradation_percent = 0;  // degraded -> available
  double total_degradation_percent = 0;
  double software_availability = 0;  // available / degraded
  Shares additive;
  Shares logarithmic;
};

// fresh: device before; degraded: device after, without the database; available: left to writers.
// Errors: a bandwidth that is not above 0, or no drop at all (nothing to attribute).
Result<DualStructure> dual_structure(double fresh_mib_per_s, double degraded_mib_per_s,
                                     double available_mib_per_s);

}  // namespace lsmtuned::model::published
