#include "model/published/dual_structure.h"

#include <cmath>

#include "model/published/device.h"

namespace lsmtuned::model::published {

Result<DualStructure> dual_structure(double fresh_mib_per_s, double degraded_mib_per_s,
                                     double available_mib_per_s) {
  for (const double value : {fresh_mib_per_s, degraded_mib_per_s, available_mib_per_s}) {
    if (!std::isfinite(value) || !(value > 0)) {
      return Error{"dual structure: every bandwidth must be finite and above 0 MiB/s", ""};
    }
  }
  if (fresh_mib_per_s == available_mib_per_s) {
    return Error{"dual structure: the fresh and the available bandwidth are the same",
                 "there is no drop to attribute"};
  }
  DualStructure report;
  report.device_degradation_percent = *degradation_percent(fresh_mib_per_s, degraded_mib_per_s);
  report.software_degradation_percent =
      *degradation_percent(degraded_mib_per_s, available_mib_per_s);
  report.total_degradation_percent = *degradation_percent(fresh_mib_per_s, available_mib_per_s);
  report.software_availability = available_mib_per_s / degraded_mib_per_s;
  const double drop = fresh_mib_per_s - available_mib_per_s;
  report.additive = {(fresh_mib_per_s - degraded_mib_per_s) / drop * 100,
                     (degraded_mib_per_s - available_mib_per_s) / drop * 100};
  const double decline = std::log(fresh_mib_per_s / available_mib_per_s);
  report.logarithmic = {std::log(fresh_mib_per_s / degraded_mib_per_s) / decline * 100,
                        std::log(degraded_mib_per_s / available_mib_per_s) / decline * 100};
  return report;
}

}  // namespace lsmtuned::model::published
