// Published models V4 Device Envelope and V4.1 Temporal: a share of the device, by phase.
//
// Source: seed 001. S = bandwidth / record * utilisation(phase), times a factor by phase in V4.1.
// Bandwidth in MiB/s, rates in operations a second, record (key + value) in bytes. The printed
// utilisation factors are not those that the seed's own table implies.
//
// Can rank: nothing. No setting enters, so every candidate gets the same number. Useful as an
// identity: U = S * record / bandwidth is the share of the device's bytes that reaches the user,
// which can be measured and watched. Pure; ranges as in inputs.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "model/published/phase.h"

namespace lsmtuned::model::published {

inline constexpr double kPublishedRecordBytes = 1040;  // 16-byte key, 1024-byte value

double ops_per_second(double mib_per_s, double record_bytes);
double mib_per_second(double ops_per_s, double record_bytes);

double published_utilisation(Phase phase);  // 0.019, 0.047, 0.046

double v4_ops(double write_mib_per_s, double record_bytes, double utilisation);

// Seed 001 prints V4.1 twice; they differ in the final phase: 1.05, or 1.05 * 0.95.
enum class V41Variant { analysis, implementation };
double v41_factor(Phase phase, V41Variant variant);

enum class Confidence { low, medium, high };
const char* to_text(Confidence confidence);

// Below 100 MiB/s low; below 500 at most medium; else high, medium in the initial phase. A rule of
// thumb of the seed, not a probability.
Confidence v4_confidence(double write_mib_per_s, Phase phase);

// U of a measured rate.
double utilisation(double ops_per_s, double write_mib_per_s, double record_bytes);

// |measured - expected| / expected. None unless expected > 0.
std::optional<double> utilisation_deviation(double measured, double expected);

// Utilisation learned online, one running mean a phase in which an old value never weighs more than
// `memory` new ones.
class LearnedUtilisation {
 public:
  explicit LearnedUtilisation(double memory = 20) : memory_(memory) {}
  // Refuses (returns false) values that are not finite and above 0.
  bool learn(Phase phase, double measured);
  std::optional<double> value(Phase phase) const;

 private:
  struct Entry {
    double value = 0;
    double weight = 0;
  };
  double memory_;
  std::array<Entry, 3> entries_{};
};

}  // namespace lsmtuned::model::published
