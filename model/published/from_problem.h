// From a prediction problem and what a run showed to the inputs of the published models, so that
// each of them can be scored on measured runs beside the project's own model.
//
// Conversions keep bytes honest: with c file bytes per user byte at flush and w device bytes
// written per user byte, the published amplification is (w - WAL) / c, so that compression *
// amplification is again w - WAL and nothing is counted twice. Parameters that no document
// publishes are set as said beside them. Pure; thread rules: plain functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/published/inputs.h"
#include "model/simulator/problem.h"

namespace lsmtuned::model::published {

// Traffic of one level over the observed time, any byte unit. Index 0 is L0: written by flushes.
struct LevelTraffic {
  double written_bytes = 0;
  double read_bytes = 0;
  double incoming_bytes = 0;  // from the level above, trivial moves left out
};

// Measured, or predicted by another model. Absent: unknown, and models that need it will refuse.
struct RunFacts {
  std::optional<double> written_per_user_byte;  // w, WAL included
  std::optional<double> read_per_user_byte;     // r, by compactions
  std::optional<double> stall_share;
  std::optional<double> put_rate_variation;
  std::optional<double> trend_slope;
  std::optional<double> runtime_minutes;
  std::optional<Phase> phase;  // set by an operator
  std::optional<Phase> detected_phase;
  std::optional<double> utilisation;  // learned from other runs; absent: the published factor
  std::optional<double> fresh_write_bytes_per_s;
  std::vector<LevelTraffic> levels;
  std::string bandwidth_source;
};

// v2's alpha is set to 0 and v1's read weight to 1 (neither is published). v3 runs log-driven over
// the problem's horizon in steps of a second, from the present L0, with the offered or foreground
// rate, the settings' slowdown trigger, the shares of `levels` and every capacity factor 1 (not
// published); without level traffic it stays absent. V4.2 keeps its tables; measured amplification
// of each level stands beside them. An unlimited device read rate (0) is passed on as unknown.
PublishedInputs published_inputs(const Problem& problem, const RunFacts& facts);

}  // namespace lsmtuned::model::published
