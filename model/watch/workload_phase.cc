#include "model/watch/workload_phase.h"

#include <algorithm>
#include <array>
#include <vector>

namespace lsmtuned::model {

std::optional<published::PhaseTransition> watch(PhaseWatch& watched, const PhaseSample& sample,
                                                const published::PhaseThresholds& thresholds) {
  if (!(sample.put_bytes_per_s > 0)) return std::nullopt;
  watched.put_rates.push_back(sample.put_bytes_per_s);
  watched.write_amplifications.push_back(sample.write_amplification);
  const std::uint64_t wanted = std::max(thresholds.rate_window, thresholds.amplification_window);
  while (watched.put_rates.size() > wanted) {
    watched.put_rates.pop_front();
    watched.write_amplifications.pop_front();
  }
  if (watched.put_rates.size() < wanted) return std::nullopt;
  const std::vector<double> rates(watched.put_rates.begin(), watched.put_rates.end());
  const std::vector<double> amplifications(watched.write_amplifications.begin(),
                                           watched.write_amplifications.end());
  const published::Phase winner =
      published::phase_by_consensus(sample.runtime_s / 60, rates, amplifications, thresholds)
          .winner;
  if (!watched.phase) {
    watched.phase = winner;
    watched.since_s = sample.time_s;
    return std::nullopt;
  }
  if (winner == *watched.phase) {
    watched.other.reset();
    return std::nullopt;
  }
  if (watched.other != winner) watched.other_samples = 0;
  watched.other = winner;
  if (++watched.other_samples < thresholds.rate_window) return std::nullopt;
  const std::array<published::TimedPhase, 2> course = {
      {{watched.since_s, *watched.phase}, {sample.time_s, winner}}};
  watched.phase = winner;
  watched.since_s = sample.time_s;
  watched.other.reset();
  return published::phase_transitions(course).front();
}

}  // namespace lsmtuned::model
