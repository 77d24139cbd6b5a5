#include "model/published/v4.h"

#include <algorithm>
#include <cmath>

#include "model/units.h"

namespace lsmtuned::model::published {

double ops_per_second(double mib_per_s, double record_bytes) {
  return mib_per_s * kMiB / record_bytes;
}

double mib_per_second(double ops_per_s, double record_bytes) {
  return ops_per_s * record_bytes / kMiB;
}

double published_utilisation(Phase phase) {
  switch (phase) {
    case Phase::initial:
      return 0.019;
    case Phase::middle:
      return 0.047;
    case Phase::final:
      break;
  }
  return 0.046;
}

double v4_ops(double write_mib_per_s, double record_bytes, double utilisation) {
  return ops_per_second(write_mib_per_s, record_bytes) * utilisation;
}

double v41_factor(Phase phase, V41Variant variant) {
  switch (phase) {
    case Phase::initial:
      return 0.85;
    case Phase::middle:
      return 1.1;
    case Phase::final:
      break;
  }
  return variant == V41Variant::analysis ? 1.05 : 1.05 * 0.95;
}

const char* to_text(Confidence confidence) {
  switch (confidence) {
    case Confidence::low:
      return "low";
    case Confidence::medium:
      return "medium";
    case Confidence::high:
      break;
  }
  return "high";
}

Confidence v4_confidence(double write_mib_per_s, Phase phase) {
  if (write_mib_per_s < 100) return Confidence::low;
  if (write_mib_per_s < 500 || phase == Phase::initial) return Confidence::medium;
  return Confidence::high;
}

double utilisation(double ops_per_s, double write_mib_per_s, double record_bytes) {
  return ops_per_s / ops_per_second(write_mib_per_s, record_bytes);
}

std::optional<double> utilisation_deviation(double measured, double expected) {
  if (!(expected > 0)) return std::nullopt;
  return std::abs(measured - expected) / expected;
}

bool LearnedUtilisation::learn(Phase phase, double measured) {
  if (!std::isfinite(measured) || !(measured > 0)) return false;
  Entry& entry = entries_[static_cast<std::size_t>(phase)];
  entry.weight = std::min(entry.weight + 1, std::max(memory_, 1.0));
  entry.value += (measured - entry.value) / entry.weight;
  return true;
}

std::optional<double> LearnedUtilisation::value(Phase phase) const {
  const Entry& entry = entries_[static_cast<std::size_t>(phase)];
  if (!(entry.weight > 0)) return std::nullopt;
  return entry.value;
}

}  // namespace lsmtuned::model::published
