#include "model/published/v4_2.h"

#include <array>

#include "model/published/v4.h"

namespace lsmtuned::model::published {
namespace {

using Table = std::array<LevelImpact, 7>;

constexpr Table kInitial = {{{1.0, 0.0, 0.10},
                             {1.1, 0.1, 0.20},
                             {1.3, 0.2, 0.30},
                             {1.5, 0.3, 0.20},
                             {2.0, 0.5, 0.10},
                             {2.5, 0.8, 0.05},
                             {3.0, 1.0, 0.05}}};
constexpr Table kMiddle = {{{1.0, 0.0, 0.10},
                            {1.2, 0.2, 0.20},
                            {2.5, 0.8, 0.40},
                            {3.5, 1.2, 0.20},
                            {4.0, 1.5, 0.10},
                            {4.5, 1.8, 0.05},
                            {5.0, 2.0, 0.05}}};
constexpr Table kFinal = {{{1.0, 0.0, 0.10},
                           {1.3, 0.3, 0.20},
                           {3.0, 1.0, 0.40},
                           {4.0, 1.5, 0.20},
                           {5.0, 2.0, 0.10},
                           {5.5, 2.2, 0.05},
                           {6.0, 2.5, 0.05}}};

}  // namespace

PhaseFactors phase_factors(Phase phase) {
  switch (phase) {
    case Phase::initial:
      return {0.3, 0.2, 0.6};
    case Phase::middle:
      return {0.6, 0.5, 0.8};
    case Phase::final:
      break;
  }
  return {0.9, 0.8, 0.9};
}

std::span<const LevelImpact> published_levels(Phase phase) {
  switch (phase) {
    case Phase::initial:
      return kInitial;
    case Phase::middle:
      return kMiddle;
    case Phase::final:
      break;
  }
  return kFinal;
}

double level_weight(double level) {
  return 1 + level * 0.3;
}

double amplification_impact(const LevelImpact& at) {
  return at.io_impact * (1 + at.wa * 0.1 + at.ra * 0.05);
}

LevelAverages weighted_averages(std::span<const LevelImpact> levels) {
  LevelAverages sum;
  double weights = 0;
  for (std::size_t l = 0; l < levels.size(); ++l) {
    const double weight = level_weight(static_cast<double>(l));
    sum.wa += weight * levels[l].wa;
    sum.ra += weight * levels[l].ra;
    weights += weight;
  }
  return {sum.wa / weights, sum.ra / weights};
}

V42Result v42_rate(double write_mib_per_s, double read_mib_per_s,
                   std::span<const LevelImpact> levels, const LevelAverages& average,
                   const PhaseFactors& factors, double record_bytes) {
  V42Result result;
  for (std::size_t l = 0; l < levels.size(); ++l) {
    result.total_io_impact +=
        level_weight(static_cast<double>(l)) * amplification_impact(levels[l]);
  }
  result.average = average;
  result.wa_penalty = 1 + (average.wa - 1) * 0.15;
  result.ra_penalty = 1 + average.ra * 0.1;
  result.io_impact_penalty = 1 + result.total_io_impact * 0.2;
  const double adjusted_write = write_mib_per_s / (result.wa_penalty * result.io_impact_penalty);
  result.adjusted_read_mib_per_s = read_mib_per_s / (result.ra_penalty * result.io_impact_penalty);
  result.effective_write_mib_per_s = adjusted_write * factors.performance_factor *
                                     factors.stability_factor * (1 - factors.io_contention * 0.3);
  result.ops_per_s = ops_per_second(result.effective_write_mib_per_s, record_bytes);
  return result;
}

}  // namespace lsmtuned::model::published
