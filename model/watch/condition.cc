#include "model/watch/condition.h"

#include <algorithm>
#include <cmath>

namespace lsmtuned::model {
namespace {
constexpr double kDayS = 86400;
}  // namespace

ConditionChange watch(Condition& condition, const ConditionRule& rule, std::optional<double> value,
                      double now_s) {
  const bool turning =
      value && (condition.raised ? *value < rule.clear_below : *value > rule.raise_above);
  if (!turning) {
    condition.turning_at_s.reset();
    return ConditionChange::none;
  }
  if (!condition.turning_at_s) condition.turning_at_s = now_s;
  if (now_s - *condition.turning_at_s < rule.hold_s) return ConditionChange::none;
  condition.raised = !condition.raised;
  if (condition.raised) condition.since_s = *condition.turning_at_s;
  condition.turning_at_s.reset();
  return condition.raised ? ConditionChange::raised : ConditionChange::cleared;
}

void learn(Baseline& baseline, double value, double seconds, double now_s, double span_s) {
  if (!std::isfinite(value) || !(seconds > 0)) return;
  if (!(baseline.running.seconds > 0)) baseline.running.from_s = now_s - seconds;
  baseline.running.seconds += seconds;
  baseline.running.sum += value * seconds;
  if (baseline.running.seconds < span_s) return;
  baseline.spans.push_back(baseline.running);
  baseline.running = {};
}

std::optional<double> best(Baseline& baseline, double now_s) {
  while (!baseline.spans.empty() && now_s - baseline.spans.front().from_s > kDayS)
    baseline.spans.pop_front();
  std::optional<double> highest;
  for (const Span& span : baseline.spans)
    highest = std::max(highest.value_or(span.sum / span.seconds), span.sum / span.seconds);
  return highest;
}

ConditionChange watch(Trend& trend, const TrendRule& rule, std::optional<double> value,
                      double seconds, double now_s) {
  trend.standard = best(trend.baseline, now_s);
  if (value) trend.recent = value;
  if (!trend.standard && trend.condition.raised) {
    trend.condition = {};
    return ConditionChange::cleared;
  }
  std::optional<double> fallen;
  if (value && trend.standard && *trend.standard > 0) fallen = 1 - *value / *trend.standard;
  const ConditionRule limits{rule.fall, rule.fall / 2, rule.hold_s};
  const ConditionChange change = watch(trend.condition, limits, fallen, now_s);
  if (value && !trend.condition.raised && !trend.condition.turning_at_s)
    learn(trend.baseline, *value, seconds, now_s, rule.span_s);
  return change;
}

}  // namespace lsmtuned::model
