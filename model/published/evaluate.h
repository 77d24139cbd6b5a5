// How each published model takes its inputs and fills its answer. Internal to the registry.
//
// An evaluator asks for what it needs; what is absent is collected in `missing` and read as NaN, so
// that all of it is reported at once; the answer is then discarded. PublishedInputs are in range
// already.
#pragma once

#include <string>
#include <vector>

#include "model/published/registry.h"

namespace lsmtuned::model::published {

struct Evaluation {
  explicit Evaluation(const PublishedInputs& given);

  double need(std::optional<double> PublishedInputs::*field);
  double get_or(std::optional<double> PublishedInputs::*field, double otherwise) const;
  PhaseChoice use_phase();
  void add(std::string name, double value, const char* unit = "");  // finite values only
  void note(const std::string& text);
  void finish_mib(double mib_per_s);
  void finish_ops(double ops_per_s);
  void add_measured_levels();  // beside whatever the model says of its levels

  const PublishedInputs& inputs;
  PublishedPrediction prediction;
  std::vector<std::string> missing;
};

void evaluate_v1(Evaluation& at);
void evaluate_v1_wal(Evaluation& at);
void evaluate_v1_bounds(Evaluation& at);
void evaluate_v2(Evaluation& at);
void evaluate_v21(Evaluation& at);
void evaluate_v3(Evaluation& at);
void evaluate_v4(Evaluation& at);
void evaluate_v41_analysis(Evaluation& at);
void evaluate_v41_implementation(Evaluation& at);
void evaluate_v42(Evaluation& at);
void evaluate_v5_original(Evaluation& at);
void evaluate_v5_reconstructed(Evaluation& at);
void evaluate_v5_independence(Evaluation& at);
void evaluate_v5_independence_reconstructed(Evaluation& at);

}  // namespace lsmtuned::model::published
