#include "model/published/phase.h"

#include <array>
#include <string>

#include "model/published/statistics.h"

namespace lsmtuned::model::published {
namespace {

constexpr std::array kPhases = {Phase::initial, Phase::middle, Phase::final};

std::span<const double> last(std::span<const double> values, std::size_t window) {
  return values.subspan(values.size() - window);
}

Phase stability_vote(std::span<const double> put_rates, Phase time_vote,
                     const PhaseThresholds& thresholds) {
  if (put_rates.size() < thresholds.rate_window) return time_vote;
  const double cv =
      variation(last(put_rates, thresholds.rate_window), Deviation::population).value_or(0);
  if (cv > thresholds.initial_above_variation) return Phase::initial;
  return cv > thresholds.middle_above_variation ? Phase::middle : Phase::final;
}

Phase amplification_vote(std::span<const double> history, Phase time_vote,
                         const PhaseThresholds& thresholds) {
  if (history.size() < thresholds.amplification_window) return time_vote;
  const auto window = last(history, thresholds.amplification_window);
  if (!(slope(window).value_or(0) > thresholds.rising_above_slope)) return Phase::final;
  return mean(window).value_or(0) < thresholds.final_from_write_amplification ? Phase::middle
                                                                              : Phase::final;
}

}  // namespace

const char* to_text(Phase phase) {
  switch (phase) {
    case Phase::initial:
      return "initial";
    case Phase::middle:
      return "middle";
    case Phase::final:
      return "final";
  }
  return "";
}

const char* to_text(PhaseSource source) {
  switch (source) {
    case PhaseSource::manual:
      return "manual";
    case PhaseSource::detected:
      return "detected";
    case PhaseSource::by_time:
      return "time";
    case PhaseSource::assumed:
      return "assumed";
  }
  return "";
}

Result<Phase> parse_phase(std::string_view text) {
  for (const Phase phase : kPhases) {
    if (text == to_text(phase)) return phase;
  }
  return Error{"phase: \"" + std::string(text) + "\" is not a phase",
               "allowed: initial, middle, final"};
}

Phase phase_by_time(std::optional<double> runtime_minutes, const PhaseThresholds& thresholds) {
  if (!runtime_minutes) return Phase::middle;
  if (*runtime_minutes < thresholds.middle_from_minutes) return Phase::initial;
  return *runtime_minutes < thresholds.final_from_minutes ? Phase::middle : Phase::final;
}

PhaseVotes phase_by_consensus(std::optional<double> runtime_minutes,
                              std::span<const double> put_rates,
                              std::span<const double> write_amplifications,
                              const PhaseThresholds& thresholds) {
  PhaseVotes votes;
  votes.time = phase_by_time(runtime_minutes, thresholds);
  votes.stability = stability_vote(put_rates, votes.time, thresholds);
  votes.amplification = amplification_vote(write_amplifications, votes.time, thresholds);
  int most = 0;
  for (const Phase phase : kPhases) {
    const int count =
        (votes.time == phase) + (votes.stability == phase) + (votes.amplification == phase);
    if (count <= most) continue;
    most = count;
    votes.winner = phase;
  }
  return votes;
}

PhaseChoice choose_phase(std::optional<Phase> manual, std::optional<Phase> detected,
                         std::optional<double> runtime_minutes, const PhaseThresholds& thresholds) {
  if (manual) return {*manual, PhaseSource::manual};
  if (detected) return {*detected, PhaseSource::detected};
  return {phase_by_time(runtime_minutes, thresholds),
          runtime_minutes ? PhaseSource::by_time : PhaseSource::assumed};
}

std::vector<PhaseTransition> phase_transitions(std::span<const TimedPhase> history) {
  std::vector<PhaseTransition> found;
  for (std::size_t i = 1; i < history.size(); ++i) {
    const Phase from = history[i - 1].phase;
    const Phase to = history[i].phase;
    if (from == to) continue;
    const bool next = static_cast<int>(to) == static_cast<int>(from) + 1;
    found.push_back({history[i].time_s, from, to, next});
  }
  return found;
}

}  // namespace lsmtuned::model::published
