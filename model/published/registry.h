// The published models under one roof: which there are, and one way to ask any of them.
//
// Every model of the five source documents can be selected by id, with the same inputs and the same
// kind of answer, so that it can be scored on measured runs beside the project's own model. None of
// them is trusted: accuracy is only ever one measured by us, and absent until it is.
// Pure; thread rules: constant data, functions may run in parallel.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/published/inputs.h"
#include "model/published/phase.h"
#include "model/published/v4.h"
#include "model/published/v4_2.h"
#include "model/result.h"

namespace lsmtuned::model::published {

// From recorded runs of ours, on the metric of accuracy.h. Absent parts were not measured.
struct MeasuredAccuracy {
  std::optional<double> overall_percent;
  std::optional<double> initial_percent;
  std::optional<double> middle_percent;
  std::optional<double> final_percent;
  std::size_t runs = 0;
  std::string source;  // where the runs are recorded
};

struct ModelInfo {
  const char* id;
  const char* title;
  const char* version;
  const char* principle;
  const char* needs;  // inputs without which it refuses
  const char* can_rank;
  const char* cannot_rank;
  const char* limitations;
};

std::span<const ModelInfo> models();
// Errors: an unknown id; the text lists all known ones.
Result<ModelInfo> find_model(std::string_view id);

enum class RateUnit { ops_per_s, mib_per_s };
const char* to_text(RateUnit unit);

struct Quantity {  // an intermediate result
  std::string name;
  double value = 0;
  const char* unit = "";
};

struct LevelAnalysis {                    // index 0 is L0
  std::optional<LevelImpact> table;       // V4.2
  std::optional<double> bound_mib_per_s;  // v2.1
  std::optional<V3Backlog> backlog;       // v3
  std::optional<double> measured_wa;      // of the live database, for comparison
  std::optional<double> measured_ra;
};

struct PublishedPrediction {
  std::string model;  // id
  std::string version;
  double value = 0;  // in `unit`, the one the model is published in
  RateUnit unit{};
  double ops_per_s = 0;  // the same in both units, by the record size
  double user_mib_per_s = 0;
  double record_bytes = 0;
  std::optional<PhaseChoice> phase;  // models that know phases
  std::optional<double> utilisation;
  std::optional<double> base_ops_per_s;      // what the bandwidth alone would carry
  std::optional<Confidence> confidence;      // seed 001's rule; absent where a model has none
  std::optional<MeasuredAccuracy> accuracy;  // predict() leaves it empty: the caller knows the runs
  std::string note;
  std::vector<Quantity> details;
  std::vector<LevelAnalysis> levels;
  std::optional<PhaseFactors> phase_factors;  // V4.2
  std::vector<V3Sample> series;               // v3, when asked for
  PublishedInputs inputs;

  std::optional<double> detail(std::string_view name) const;
};

// Errors: unknown id; values out of range, all of them named; missing ones, with what they mean.
Result<PublishedPrediction> predict(std::string_view id, const PublishedInputs& inputs);

// V4.2 in the form of its document. Errors: an unknown phase, ratios outside 0..1, bandwidths that
// are not above 0.
Result<PublishedInputs> to_inputs(const V42Input& input);
// Empty for predictions of other models.
std::optional<V42Output> to_v42_output(const PublishedPrediction& prediction);

}  // namespace lsmtuned::model::published
