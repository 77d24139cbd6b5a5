#include "model/published/accuracy.h"

#include <algorithm>
#include <cmath>

#include "model/published/statistics.h"

namespace lsmtuned::model::published {

std::optional<double> error_percent(double predicted, double actual) {
  if (!(actual > 0)) return std::nullopt;
  return (predicted - actual) / actual * 100;
}

std::optional<double> accuracy_percent(double predicted, double actual) {
  if (!(actual > 0)) return std::nullopt;
  return (1 - std::abs(predicted - actual) / actual) * 100;
}

Result<ModelScore> score(const std::string& model, std::span<const Outcome> outcomes,
                         double stable_spread_points) {
  if (outcomes.empty()) return Error{"score of " + model + ": no run was recorded", ""};
  std::vector<double> all;
  std::vector<double> by_phase[3];
  for (const Outcome& outcome : outcomes) {
    const auto accuracy = accuracy_percent(outcome.predicted, outcome.actual);
    if (!accuracy || !std::isfinite(*accuracy)) {
      return Error{"score of " + model + ", run " + std::to_string(all.size()) +
                       ": the measured value must be above 0 and both must be finite",
                   ""};
    }
    all.push_back(*accuracy);
    by_phase[static_cast<std::size_t>(outcome.phase)].push_back(*accuracy);
  }
  ModelScore result;
  result.model = model;
  result.runs = all.size();
  result.overall_percent = *mean(all);
  std::vector<double> phases;
  for (std::size_t phase = 0; phase < 3; ++phase) {
    result.phase_percent[phase] = mean(by_phase[phase]);
    if (result.phase_percent[phase]) phases.push_back(*result.phase_percent[phase]);
  }
  result.consistency = variation(phases, Deviation::sample);
  const auto [least, most] = std::minmax_element(phases.begin(), phases.end());
  result.least_percent = *least;
  result.unstable = *most - *least > stable_spread_points;
  return result;
}

Result<std::vector<ModelScore>> rank_models(std::span<const NamedOutcomes> models,
                                            double stable_spread_points) {
  if (models.empty()) return Error{"ranking: no model was given", ""};
  const std::vector<Outcome>& first = models.front().outcomes;
  std::vector<ModelScore> scores;
  for (const NamedOutcomes& model : models) {
    const bool same = std::equal(model.outcomes.begin(), model.outcomes.end(), first.begin(),
                                 first.end(), [](const Outcome& a, const Outcome& b) {
                                   return a.actual == b.actual && a.phase == b.phase;
                                 });
    if (!same) {
      return Error{"ranking: " + model.model + " and " + models.front().model +
                       " were scored on different runs",
                   "score every model on the same runs"};
    }
    auto scored = score(model.model, model.outcomes, stable_spread_points);
    if (!scored) return scored.error();
    scores.push_back(std::move(*scored));
  }
  std::vector<Outcome> baseline = first;
  double sum = 0;
  for (const Outcome& outcome : first) sum += outcome.actual;
  for (Outcome& outcome : baseline) outcome.predicted = sum / static_cast<double>(first.size());
  scores.push_back(*score(kConstantModel, baseline, stable_spread_points));
  std::stable_sort(scores.begin(), scores.end(), [](const ModelScore& a, const ModelScore& b) {
    return a.overall_percent > b.overall_percent;
  });
  return scores;
}

std::string choose_model(std::span<const ModelScore> scores, Phase phase,
                         const std::string& preferred) {
  const auto accuracy = [&](const ModelScore& score) {
    return score.phase_percent[static_cast<std::size_t>(phase)];
  };
  std::string best = preferred;
  std::optional<double> highest;
  for (const ModelScore& score : scores) {
    if (score.model == preferred) highest = accuracy(score);
  }
  for (const ModelScore& score : scores) {
    if (score.model == kConstantModel || !accuracy(score)) continue;
    if (highest && *accuracy(score) <= *highest) continue;
    highest = accuracy(score);
    best = score.model;
  }
  return best;
}

std::optional<double> information_efficiency(double accuracy_percent, double parameters) {
  if (!(parameters > 0)) return std::nullopt;
  return accuracy_percent / parameters;
}

std::optional<double> complexity_correlation(std::span<const Complexity> models) {
  if (models.size() < 3) return std::nullopt;
  std::vector<double> parameters;
  std::vector<double> accuracies;
  for (const Complexity& model : models) {
    parameters.push_back(model.parameters);
    accuracies.push_back(model.accuracy_percent);
  }
  return correlation(parameters, accuracies);
}

}  // namespace lsmtuned::model::published
