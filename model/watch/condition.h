// Building blocks of what is watched: a condition with hysteresis in value and time, and the
// baseline that a figure is held against.
//
// Condition: raised after its value has been above one threshold for a while, cleared after it has
// been below a lower one for as long. Baseline: means over spans of some minutes, kept for a day;
// the best of them is the standard, so that a slow decline within the day shows as well as a sudden
// one. A day after the last span that was learned nothing is left: what has been so for a day is
// the new standard. Seconds of any one clock. Pure; thread rules: plain values.
#pragma once

#include <deque>
#include <optional>

namespace lsmtuned::model {

struct ConditionRule {
  double raise_above = 1;
  double clear_below = 0.5;
  double hold_s = 300;  // both ways
};

struct Condition {
  bool raised = false;
  double since_s = 0;                  // when what raised it began
  std::optional<double> turning_at_s;  // beyond the other threshold without a break since then
};

enum class ConditionChange { none, raised, cleared };

// Higher is worse. No value breaks a run and changes nothing else.
ConditionChange watch(Condition& condition, const ConditionRule& rule, std::optional<double> value,
                      double now_s);

struct Span {
  double from_s = 0;
  double seconds = 0;  // learned, not passed
  double sum = 0;      // value * seconds
};

struct Baseline {
  std::deque<Span> spans;  // whole ones, oldest first
  Span running;
};
// `value` held for `seconds` up to now; a span is whole once `span_s` were learned.
void learn(Baseline& baseline, double value, double seconds, double now_s, double span_s);
// Highest mean of a whole span of the last day.
std::optional<double> best(Baseline& baseline, double now_s);

// A figure of which more is better, beside its own best.
struct Trend {
  Baseline baseline;
  Condition condition;
  std::optional<double> recent;    // the newest value
  std::optional<double> standard;  // that it is compared with
};
struct TrendRule {
  double fall = 0.25;  // share below the standard that raises; half of it clears
  double hold_s = 300;
  double span_s = 600;
};
// The standard is learned while the condition is calm. Raised and no standard left: cleared.
ConditionChange watch(Trend& trend, const TrendRule& rule, std::optional<double> value,
                      double seconds, double now_s);

}  // namespace lsmtuned::model
