// The three alert predicates of seed 001. Comparisons are strict: a value on the threshold is calm.
//
// Pure; thread rules: plain values. Whether and where an alert is sent is not decided here.
#pragma once

#include <optional>
#include <vector>

namespace lsmtuned::model::published {

struct AlertThresholds {
  double low_bandwidth_mib_per_s = 100;
  double low_accuracy_percent = 50;
  double utilisation_deviation = 0.5;  // relative; the seed does not define it
};

// Absent readings fire nothing.
struct AlertReadings {
  std::optional<double> write_bandwidth_mib_per_s;
  std::optional<double> accuracy_percent;
  std::optional<double> utilisation_deviation;
};

enum class Severity { warning, critical };
const char* to_text(Severity severity);

struct Alert {
  const char* name;  // low_bandwidth, prediction_accuracy, utilization_deviation
  Severity severity{};
  const char* advice;
};

std::vector<Alert> alerts(const AlertReadings& readings, const AlertThresholds& thresholds = {});

}  // namespace lsmtuned::model::published
