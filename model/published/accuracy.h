// How well predictions hit measurements: the seeds' accuracy metric, and what is derived from it.
//
// Source: seed 001. accuracy = (1 - |predicted - actual| / actual) * 100, possibly negative;
// overall is the plain mean. The metric says nothing about ranking settings: a constant can score
// highest, so one stands beside the models in every comparison. Percent. Pure; thread rules: plain
// values.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/published/phase.h"
#include "model/result.h"

namespace lsmtuned::model::published {

// Signed, percent of the actual value. None unless actual > 0.
std::optional<double> error_percent(double predicted, double actual);
std::optional<double> accuracy_percent(double predicted, double actual);

struct Outcome {  // one prediction beside what was measured
  double predicted = 0;
  double actual = 0;
  Phase phase{};
};

struct ModelScore {
  std::string model;
  std::size_t runs = 0;
  double overall_percent = 0;              // mean over runs
  std::optional<double> phase_percent[3];  // mean over the runs of a phase, by Phase
  std::optional<double> consistency;       // variation (sample) over its phases' accuracies
  std::optional<double> least_percent;     // of any phase
  bool unstable = false;
};

// A model is unstable when its phases' accuracies spread by more than this many points.
inline constexpr double kStableSpreadPoints = 50;

// Errors: no outcome; an actual value that is not above 0 or a prediction that is not finite.
Result<ModelScore> score(const std::string& model, std::span<const Outcome> outcomes,
                         double stable_spread_points = kStableSpreadPoints);

inline constexpr const char* kConstantModel = "constant";

struct NamedOutcomes {
  std::string model;
  std::vector<Outcome> outcomes;
};

// Scores of all models and of a constant (the mean of the first model's actual values; all models
// must have seen the same runs), best first. Errors: as score(), unequal runs, no model.
Result<std::vector<ModelScore>> rank_models(std::span<const NamedOutcomes> models,
                                            double stable_spread_points = kStableSpreadPoints);

// The best measured model for a phase, the constant left out; `preferred` wins ties and where
// nothing was measured for the phase.
std::string choose_model(std::span<const ModelScore> scores, Phase phase,
                         const std::string& preferred);

// Accuracy per parameter. None unless parameters > 0. Constants tuned by phase are parameters too.
std::optional<double> information_efficiency(double accuracy_percent, double parameters);

struct Complexity {
  double parameters = 0;
  double accuracy_percent = 0;
};
// Pearson's r of accuracy against the number of parameters. None for fewer than three models:
// two always lie on a line.
std::optional<double> complexity_correlation(std::span<const Complexity> models);

}  // namespace lsmtuned::model::published
