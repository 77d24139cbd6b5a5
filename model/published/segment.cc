#include "model/published/segment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "model/published/statistics.h"

namespace lsmtuned::model::published {
namespace {

constexpr std::size_t kPhaseCount = 3;

bool usable(double value) {
  return std::isfinite(value) && value >= 0;
}

std::optional<Error> fault(std::span<const RunSample> run, const SegmentRule& rule) {
  if (rule.window < 2) return Error{"window: at least 2 samples are needed", ""};
  if (run.size() < rule.window) {
    return Error{"run: " + std::to_string(run.size()) + " samples are fewer than one window of " +
                     std::to_string(rule.window),
                 "record longer or choose a smaller window"};
  }
  for (std::size_t i = 0; i < run.size(); ++i) {
    const std::string at = "run, sample " + std::to_string(i) + ": ";
    if (!std::isfinite(run[i].time_s)) return Error{at + "time is not finite", ""};
    if (i > 0 && run[i].time_s <= run[i - 1].time_s) {
      return Error{at + "time does not increase", "sort the samples, one for each time"};
    }
    if (!usable(run[i].put_rate)) return Error{at + "put rate must be finite and at least 0", ""};
    if (run[i].write_amplification && !usable(*run[i].write_amplification)) {
      return Error{at + "write amplification must be finite and at least 0", ""};
    }
  }
  return std::nullopt;
}

bool drifts(std::span<const double> values, const SegmentRule& rule) {
  const auto center = mean(values);
  if (!center || !(*center > 0)) return false;
  const double change = slope(values).value_or(0) * static_cast<double>(values.size());
  return std::abs(change) / *center > rule.drifting_above;
}

Phase label(std::span<const RunSample> window, const SegmentRule& rule) {
  std::vector<double> rates;
  std::vector<double> amplifications;
  for (const RunSample& sample : window) {
    rates.push_back(sample.put_rate);
    if (sample.write_amplification) amplifications.push_back(*sample.write_amplification);
  }
  const double cv = variation(rates, Deviation::population).value_or(0);
  if (cv > rule.initial_above_variation) return Phase::initial;
  if (cv > rule.middle_above_variation || drifts(rates, rule) || drifts(amplifications, rule)) {
    return Phase::middle;
  }
  return Phase::final;
}

// The non-decreasing sequence of phases with the fewest disagreements; ties choose the earlier
// phase for as long as possible.
std::vector<Phase> ordered(const std::vector<Phase>& labels) {
  std::vector<std::array<std::size_t, kPhaseCount>> cost(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    std::size_t best_before = i == 0 ? 0 : labels.size();
    for (std::size_t phase = 0; phase < kPhaseCount; ++phase) {
      if (i > 0) best_before = std::min(best_before, cost[i - 1][phase]);
      cost[i][phase] = best_before + (static_cast<std::size_t>(labels[i]) == phase ? 0 : 1);
    }
  }
  std::vector<Phase> result(labels.size());
  std::size_t limit = kPhaseCount;
  for (std::size_t i = labels.size(); i-- > 0;) {
    const auto& row = cost[i];
    const auto best = std::min_element(row.begin(), row.begin() + static_cast<int>(limit));
    const auto phase = static_cast<std::size_t>(best - row.begin());
    result[i] = static_cast<Phase>(phase);
    limit = phase + 1;
  }
  return result;
}

}  // namespace

Result<std::vector<Segment>> segment_run(std::span<const RunSample> run, const SegmentRule& rule) {
  if (auto error = fault(run, rule)) return *error;
  const std::size_t windows = run.size() / rule.window;  // the last one takes the remainder
  const auto begin_of = [&](std::size_t window) {
    return window == windows ? run.size() : window * rule.window;
  };
  std::vector<Phase> labels;
  for (std::size_t w = 0; w < windows; ++w) {
    labels.push_back(label(run.subspan(begin_of(w), begin_of(w + 1) - begin_of(w)), rule));
  }
  const std::vector<Phase> phases = ordered(labels);

  std::vector<Segment> segments;
  for (std::size_t first = 0; first < windows;) {
    std::size_t end = first;
    std::size_t agreeing = 0;
    for (; end < windows && phases[end] == phases[first]; ++end) {
      if (labels[end] == phases[end]) ++agreeing;
    }
    const auto part = run.subspan(begin_of(first), begin_of(end) - begin_of(first));
    std::vector<double> rates;
    for (const RunSample& sample : part) rates.push_back(sample.put_rate);
    segments.push_back({phases[first], part.front().time_s, part.back().time_s, part.size(),
                        mean(rates).value_or(0),
                        variation(rates, Deviation::population).value_or(0),
                        static_cast<double>(agreeing) / static_cast<double>(end - first)});
    first = end;
  }
  return segments;
}

double confirmed_share(std::span<const TimedPhase> labels, std::span<const Segment> segments) {
  if (labels.empty()) return 0;
  const auto confirmed = std::count_if(labels.begin(), labels.end(), [&](const TimedPhase& label) {
    return std::any_of(segments.begin(), segments.end(), [&](const Segment& segment) {
      return label.time_s >= segment.from_s && label.time_s <= segment.to_s &&
             label.phase == segment.phase;
    });
  });
  return static_cast<double>(confirmed) / static_cast<double>(labels.size());
}

}  // namespace lsmtuned::model::published
