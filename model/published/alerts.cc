#include "model/published/alerts.h"

namespace lsmtuned::model::published {

const char* to_text(Severity severity) {
  return severity == Severity::critical ? "critical" : "warning";
}

std::vector<Alert> alerts(const AlertReadings& readings, const AlertThresholds& thresholds) {
  std::vector<Alert> fired;
  if (readings.write_bandwidth_mib_per_s &&
      *readings.write_bandwidth_mib_per_s < thresholds.low_bandwidth_mib_per_s) {
    fired.push_back({"low_bandwidth", Severity::warning,
                     "little write bandwidth is left: look for other users of the device"});
  }
  if (readings.accuracy_percent && *readings.accuracy_percent < thresholds.low_accuracy_percent) {
    fired.push_back({"prediction_accuracy", Severity::critical,
                     "predictions miss what is measured: recalibrate before using them"});
  }
  if (readings.utilisation_deviation &&
      *readings.utilisation_deviation > thresholds.utilisation_deviation) {
    fired.push_back({"utilization_deviation", Severity::warning,
                     "the device is used otherwise than the phase says: check the phase"});
  }
  return fired;
}

}  // namespace lsmtuned::model::published
