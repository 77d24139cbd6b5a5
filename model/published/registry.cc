#include "model/published/registry.h"

#include <cmath>

#include "model/published/evaluate.h"

namespace lsmtuned::model::published {
namespace {

using Evaluate = void (*)(Evaluation&);

Evaluate evaluator(std::string_view id) {
  if (id == "v1") return evaluate_v1;
  if (id == "v1-wal") return evaluate_v1_wal;
  if (id == "v1-bounds") return evaluate_v1_bounds;
  if (id == "v2") return evaluate_v2;
  if (id == "v2.1") return evaluate_v21;
  if (id == "v3") return evaluate_v3;
  if (id == "v4") return evaluate_v4;
  if (id == "v4.1-analysis") return evaluate_v41_analysis;
  if (id == "v4.1-implementation") return evaluate_v41_implementation;
  if (id == "v4.2") return evaluate_v42;
  if (id == "v5-original") return evaluate_v5_original;
  if (id == "v5-original-reconstructed") return evaluate_v5_reconstructed;
  if (id == "v5-independence") return evaluate_v5_independence;
  if (id == "v5-independence-reconstructed") return evaluate_v5_independence_reconstructed;
  return nullptr;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

}  // namespace

std::optional<double> PublishedPrediction::detail(std::string_view name) const {
  for (const Quantity& quantity : details) {
    if (quantity.name == name) return quantity.value;
  }
  return std::nullopt;
}

Result<PublishedPrediction> predict(std::string_view id, const PublishedInputs& inputs) {
  const auto about = find_model(id);
  if (!about) return about.error();
  if (const auto wrong = faults(inputs); !wrong.empty()) {
    return Error{"model " + std::string(id) + ": " + joined(wrong), "correct the inputs named"};
  }
  Evaluation evaluation(inputs);
  evaluation.prediction.model = about->id;
  evaluation.prediction.version = about->version;
  evaluator(id)(evaluation);
  if (!evaluation.missing.empty()) {
    return Error{"model " + std::string(id) + ": " + joined(evaluation.missing),
                 std::string("it needs: ") + about->needs};
  }
  return std::move(evaluation.prediction);
}

Result<PublishedInputs> to_inputs(const V42Input& input) {
  const auto phase = parse_phase(input.phase);
  if (!phase) return phase.error();
  const auto& workload = input.workload_characteristics;
  for (const auto& [name, value] :
       {std::pair("sequential_write_ratio", workload.sequential_write_ratio),
        std::pair("user_read_ratio", workload.user_read_ratio)}) {
    if (!(value >= 0 && value <= 1)) {
      return Error{std::string("workload_characteristics.") + name + ": must be within 0 and 1",
                   ""};
    }
  }
  const auto& device = input.device_degradation_data;
  for (const auto& [name, value] : {std::pair("initial_write_bw", device.initial_write_bw),
                                    std::pair("initial_read_bw", device.initial_read_bw),
                                    std::pair("degraded_write_bw", device.degraded_write_bw),
                                    std::pair("degraded_read_bw", device.degraded_read_bw)}) {
    if (!(value > 0) || !std::isfinite(value)) {
      return Error{
          std::string("device_degradation_data.") + name + ": must be finite and above 0 MB/s", ""};
    }
  }
  PublishedInputs inputs;
  inputs.phase = *phase;
  inputs.fresh_write_mib_per_s = device.initial_write_bw;
  inputs.fresh_read_mib_per_s = device.initial_read_bw;
  inputs.write_mib_per_s = device.degraded_write_bw;
  inputs.read_mib_per_s = device.degraded_read_bw;
  inputs.workload = workload.type;
  return inputs;
}

std::optional<V42Output> to_v42_output(const PublishedPrediction& prediction) {
  if (!prediction.phase_factors) return std::nullopt;
  V42Output output;
  output.predicted_s_max = std::round(prediction.ops_per_s);
  output.phase_characteristics = *prediction.phase_factors;
  for (const LevelAnalysis& level : prediction.levels) {
    if (level.table) output.level_wise_analysis.push_back(*level.table);
  }
  return output;
}

}  // namespace lsmtuned::model::published
