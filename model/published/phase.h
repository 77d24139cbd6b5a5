// The three published phases of a filling database, and the published ways to detect them.
//
// Source: seed 001 (time-based and consensus detectors, manual override, unexpected changes).
// The thresholds are theirs, chosen for one 120-minute fillrandom run; other workloads set their
// own. Known weaknesses, kept because the published rule has them: the consensus detector calls a
// calm, empty database final, and its slope of write amplification is per sample, so it depends on
// the sampling interval. Pure; thread rules: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/result.h"

namespace lsmtuned::model::published {

enum class Phase { initial, middle, final };

const char* to_text(Phase phase);
Result<Phase> parse_phase(std::string_view text);  // error: anything but the three names

struct PhaseThresholds {
  double middle_from_minutes = 30;
  double final_from_minutes = 90;
  double initial_above_variation = 0.3;  // of the put rate, population standard deviation / mean
  double middle_above_variation = 0.1;
  double rising_above_slope = 0.1;            // of write amplification, per sample
  double final_from_write_amplification = 3;  // while it rises
  std::uint64_t rate_window = 10;             // samples
  std::uint64_t amplification_window = 5;
  bool operator==(const PhaseThresholds&) const = default;
};

// Without a runtime: middle, as published.
Phase phase_by_time(std::optional<double> runtime_minutes, const PhaseThresholds& thresholds = {});

struct PhaseVotes {
  Phase time{};
  Phase stability{};
  Phase amplification{};
  Phase winner{};  // ties go to the first of initial, middle, final
};

// Only the last `window` samples of each history count; a shorter history copies the time vote.
PhaseVotes phase_by_consensus(std::optional<double> runtime_minutes,
                              std::span<const double> put_rates,
                              std::span<const double> write_amplifications,
                              const PhaseThresholds& thresholds = {});

// Where a phase in use comes from.
enum class PhaseSource { manual, detected, by_time, assumed };
const char* to_text(PhaseSource source);

struct PhaseChoice {
  Phase phase = Phase::middle;
  PhaseSource source = PhaseSource::assumed;
};

// The operator's word first, then a detector's, then the clock, else the published default.
PhaseChoice choose_phase(std::optional<Phase> manual, std::optional<Phase> detected,
                         std::optional<double> runtime_minutes,
                         const PhaseThresholds& thresholds = {});

struct TimedPhase {
  double time_s = 0;
  Phase phase{};
};

struct PhaseTransition {
  double time_s = 0;
  Phase from{};
  Phase to{};
  bool expected = true;  // exactly one step forward; backwards or skipping is not
};

std::vector<PhaseTransition> phase_transitions(std::span<const TimedPhase> history);

}  // namespace lsmtuned::model::published
