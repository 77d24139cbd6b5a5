// Published model V4.2 Enhanced Level-Wise Temporal: penalties from amplification tables by level.
//
// Source: seed 002. Bandwidth in MiB/s, rate in operations a second. Input and output structures
// carry the keys of the document's JSON samples. The document prints io_impact for L0 to L2 of the
// initial phase only; the rest is the audit's reconstruction, which gives the published rates. The
// level weight is linear in the level; averages are weighted with it (the averages printed in the
// document are not the ones it uses). The read penalty and read bandwidth are computed, not used.
//
// Can rank: nothing. The tables belong to the phase, not to settings; and the sign is wrong: the
// predicted rate rises with the phases while amplification rises and the measured rate falls.
// Pure; ranges as in inputs.h.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/published/phase.h"

namespace lsmtuned::model::published {

struct PhaseFactors {
  double performance_factor = 0;
  double stability_factor = 0;
  double io_contention = 0;
};
PhaseFactors phase_factors(Phase phase);

struct LevelImpact {
  double wa = 0;
  double ra = 0;
  double io_impact = 0;
};
std::span<const LevelImpact> published_levels(Phase phase);  // L0 to L6

double level_weight(double level);                   // 1 + 0.3 * level
double amplification_impact(const LevelImpact& at);  // io_impact * (1 + 0.1 wa + 0.05 ra)

struct LevelAverages {
  double wa = 0;
  double ra = 0;
};
LevelAverages weighted_averages(std::span<const LevelImpact> levels);

struct V42Result {
  double total_io_impact = 0;
  LevelAverages average;
  double wa_penalty = 0;
  double ra_penalty = 0;
  double io_impact_penalty = 0;
  double effective_write_mib_per_s = 0;
  double adjusted_read_mib_per_s = 0;
  double ops_per_s = 0;
};

V42Result v42_rate(double write_mib_per_s, double read_mib_per_s,
                   std::span<const LevelImpact> levels, const LevelAverages& average,
                   const PhaseFactors& factors, double record_bytes);

// The document's input sample.
struct V42Input {
  std::string phase;  // initial, middle or final
  struct DeviceDegradationData {
    double initial_write_bw = 0;
    double initial_read_bw = 0;
    double degraded_write_bw = 0;
    double degraded_read_bw = 0;
  } device_degradation_data;
  struct WorkloadCharacteristics {
    std::string type = "FillRandom";
    double sequential_write_ratio = 1;
    double user_read_ratio = 0;
  } workload_characteristics;
};

// The document's output sample, with all levels; level_wise_analysis[i] has the key "L<i>".
struct V42Output {
  double predicted_s_max = 0;  // operations a second, rounded to a whole one as printed
  std::vector<LevelImpact> level_wise_analysis;
  PhaseFactors phase_characteristics;
};

}  // namespace lsmtuned::model::published
