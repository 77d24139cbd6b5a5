#include "controller/trial_effects.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

namespace lsmtuned::controller {
namespace {

constexpr double kSameProportion = 10;  // proportions are compared in tenths

std::string name_of(const model::KnobChange& change) {
  const std::string option = model::info(change.knob).option;
  return change.family.empty() || change.family == "default" ? option
                                                             : change.family + "." + option;
}

bool ended_trial(const Decision& decision) {
  return decision.kind == DecisionKind::proposal && !decision.changes.empty() &&
         (decision.status == DecisionStatus::kept || decision.status == DecisionStatus::reverted ||
          decision.status == DecisionStatus::inconclusive) &&
         decision.measured_after.l0_compactions >= 1;
}

// One trial as a step along a direction.
struct Step {
  std::vector<std::string> knobs;
  std::vector<double> proportions;
  double length = 0;  // ln of the knob that moved most
  double from = 0;
  double to = 0;
};

bool along(const Decision& decision, Step& step) {
  std::vector<std::pair<std::string, const model::KnobChange*>> moved;
  for (const model::KnobChange& change : decision.changes) {
    if (!(change.old_value > 0) || !(change.new_value > 0)) return false;
    if (change.old_value != change.new_value) moved.emplace_back(name_of(change), &change);
  }
  if (moved.empty()) return false;
  std::sort(moved.begin(), moved.end());
  const auto ln = [](const auto& one) {
    return std::log(one.second->new_value / one.second->old_value);
  };
  const auto most = std::max_element(moved.begin(), moved.end(), [&](const auto& a, const auto& b) {
    return std::abs(ln(a)) < std::abs(ln(b)) - 1e-9;
  });
  step.length = ln(*most);
  step.from = most->second->old_value;
  step.to = most->second->new_value;
  for (const auto& one : moved) {
    step.knobs.push_back(one.first);
    step.proportions.push_back(std::round(kSameProportion * ln(one) / step.length) /
                               kSameProportion);
  }
  return true;
}

struct Sums {
  std::vector<double> elasticities;
  std::vector<double> weights;
  MeasuredEffect effect;
};

void finish(Sums& sums) {
  double weight = 0;
  double mean = 0;
  for (std::size_t i = 0; i < sums.weights.size(); ++i) {
    weight += sums.weights[i];
    mean += sums.weights[i] * sums.elasticities[i];
  }
  mean /= weight;
  double scatter = 0;
  for (std::size_t i = 0; i < sums.weights.size(); ++i)
    scatter += sums.weights[i] * (sums.elasticities[i] - mean) * (sums.elasticities[i] - mean);
  const auto count = static_cast<double>(sums.weights.size());
  const double birge = count > 1 ? std::max(1.0, scatter / (count - 1)) : 1.0;
  sums.effect.elasticity = mean;
  sums.effect.standard_error = std::sqrt(birge / weight);
}

double certainty(const MeasuredEffect& effect) {
  return std::abs(effect.elasticity) / effect.standard_error;
}

void add_scored(std::vector<ScoredValue>& list, const Decision& decision,
                const WindowMeasure& measured, const model::Prediction& predicted, bool after) {
  if (!(measured.seconds > 0) || !(measured.put_bytes_per_s > 0) ||
      !(predicted.put_bytes_per_s > 0))
    return;
  for (const model::KnobChange& change : decision.changes) {
    ScoredValue row;
    row.knob = name_of(change);
    row.value = after ? change.new_value : change.old_value;
    row.decision_id = decision.id;
    row.moved_with = static_cast<int>(decision.changes.size()) - 1;
    row.load_bound = held_by_load(measured);
    row.measured = measured.put_bytes_per_s;
    row.standard_error = measured.standard_error;
    row.predicted = predicted.put_bytes_per_s;
    row.error = predicted.put_bytes_per_s / measured.put_bytes_per_s - 1;
    row.model = predicted.model;
    list.push_back(std::move(row));
  }
}

}  // namespace

std::vector<MeasuredEffect> measured_effects(const std::vector<Decision>& decisions) {
  std::map<std::pair<std::vector<std::string>, std::vector<double>>, Sums> groups;
  for (const Decision& decision : decisions) {
    if (!ended_trial(decision) || held_by_load(decision.measured_before)) continue;
    const auto change = measured_change(decision.measured_before, decision.measured_after);
    Step step;
    if (!change || !along(decision, step)) continue;
    Sums& sums = groups[{step.knobs, step.proportions}];
    MeasuredEffect& effect = sums.effect;
    const double low = std::min(step.from, step.to);
    const double high = std::max(step.from, step.to);
    effect.smallest = effect.trials == 0 ? low : std::min(effect.smallest, low);
    effect.largest = std::max(effect.largest, high);
    ++effect.trials;
    if (held_by_load(decision.measured_after)) ++effect.at_least;
    effect.knobs = step.knobs;
    effect.proportions = step.proportions;
    const double error = change->standard_error / std::abs(step.length);
    sums.elasticities.push_back(change->log / step.length);
    sums.weights.push_back(1 / (error * error));
  }
  std::vector<MeasuredEffect> effects;
  for (auto& [key, sums] : groups) {
    finish(sums);
    effects.push_back(std::move(sums.effect));
  }
  std::stable_sort(
      effects.begin(), effects.end(),
      [](const MeasuredEffect& a, const MeasuredEffect& b) { return certainty(a) > certainty(b); });
  return effects;
}

std::vector<ScoredValue> scored_values(const std::vector<Decision>& decisions) {
  std::vector<ScoredValue> list;
  for (const Decision& decision : decisions) {
    if (!ended_trial(decision)) continue;
    add_scored(list, decision, decision.measured_before, decision.predicted_before, false);
    add_scored(list, decision, decision.measured_after, decision.predicted_after, true);
  }
  std::stable_sort(list.begin(), list.end(), [](const ScoredValue& a, const ScoredValue& b) {
    return std::tie(a.knob, a.value, a.decision_id) < std::tie(b.knob, b.value, b.decision_id);
  });
  return list;
}

}  // namespace lsmtuned::controller
