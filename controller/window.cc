#include "controller/window.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "model/histogram.h"

namespace lsmtuned::controller {
namespace {

// Phase alone moves the mean over a few cycles by one to four per cent, however equal the cycles
// look, so no cycle is trusted better than this.
constexpr double kCycleErrorFloor = 0.04;
// Standard error claimed when there are too few cycles to estimate one.
constexpr double kUnknownError = 0.15;
constexpr double kPutSizeChange = 0.15;  // relative
// Neighbouring cycles are correlated; means of at most this many batches are compared.
constexpr std::size_t kMaxBatches = 20;
// A cycle's peak of L0 files over the one before, from which on L0 still fills up.
constexpr double kFillingFiles = 1;
constexpr double kFilling = 1.1;
// Cycle ends whose mean says how much debt stands before a change.
constexpr std::size_t kDebtCycles = 3;

// Time without much load that is left out.
constexpr double kLittleLoad = 0.7;  // of the rate under load
constexpr double kLittleLoadS = 5;

constexpr std::array kCounted{&Mark::time_s,        &Mark::user_bytes, &Mark::keys,
                              &Mark::reads,         &Mark::stall_s,    &Mark::written_bytes,
                              &Mark::l0_compactions};

void add_difference(Mark& sum, const Mark& from, const Mark& to) {
  for (const auto member : kCounted) sum.*member += to.*member - from.*member;
}
Mark without(Mark mark, const Mark& skipped) {
  for (const auto member : kCounted) mark.*member -= skipped.*member;
  return mark;
}

template <class Value>
Estimate over_batches(std::span<const Mark> marks, bool starts_at_boundary, Value value) {
  if (marks.size() < 2) return {};
  const auto ends = boundaries(marks, starts_at_boundary);
  if (ends.size() < 3) {
    const bool cycle = ends.size() == 2;
    const Mark& from = cycle ? marks[ends.front()] : marks.front();
    const Mark& to = cycle ? marks[ends.back()] : marks.back();
    const double mean = value(from, to);
    return {mean, kUnknownError * std::abs(mean),
            cycle ? to.l0_compactions - from.l0_compactions : 0.0};
  }
  const std::size_t intervals = ends.size() - 1;
  const std::size_t batches = std::min(intervals, kMaxBatches);
  const Mark& first = marks[ends.front()];
  const Mark& last = marks[ends.back()];
  const double seconds = last.time_s - first.time_s;
  const double mean = value(first, last);
  double sum = 0;
  for (std::size_t i = 0; i < batches; ++i) {
    const Mark& from = marks[ends[i * intervals / batches]];
    const Mark& to = marks[ends[(i + 1) * intervals / batches]];
    const double weight = (to.time_s - from.time_s) / seconds;
    const double off = value(from, to) - mean;
    sum += weight * weight * off * off;
  }
  const auto n = static_cast<double>(batches);
  const double cycles = last.l0_compactions - first.l0_compactions;
  const double floor = kCycleErrorFloor * std::abs(mean) / std::sqrt(std::max(cycles, 1.0));
  return {mean, std::max(std::sqrt(sum * n / (n - 1)), floor), cycles};
}

double rate(const Mark& from, const Mark& to) {
  const double seconds = to.time_s - from.time_s;
  return seconds > 0 ? std::max(0.0, to.user_bytes - from.user_bytes) / seconds : 0;
}
double stall_share_of(const Mark& from, const Mark& to) {
  const double seconds = to.time_s - from.time_s;
  return seconds > 0 ? std::clamp((to.stall_s - from.stall_s) / seconds, 0.0, 1.0) : 0;
}

}  // namespace

double demand_bytes_per_s(double put_bytes_per_s, double stall_share) {
  if (!(stall_share < 1)) return std::numeric_limits<double>::infinity();
  return put_bytes_per_s / (1 - std::max(0.0, stall_share));
}

Mark mark_of(const model::Snapshot& snapshot) {
  Mark mark;
  mark.time_s = snapshot.time_s;
  mark.user_bytes = snapshot.counters.user_bytes;
  mark.keys = snapshot.counters.keys_written;
  mark.reads = snapshot.counters.reads;
  mark.stall_s = snapshot.counters.stall_seconds;
  mark.written_bytes = snapshot.counters.wal_bytes + snapshot.counters.flush_write_bytes +
                       snapshot.counters.compaction_write_bytes;
  mark.l0_compactions = static_cast<double>(snapshot.state.l0_compactions_completed);
  mark.memory_bytes = snapshot.state.block_cache_usage_bytes;
  for (const auto& family : snapshot.families) {
    mark.pending_bytes += family.pending_compaction_bytes;
    mark.memory_bytes += family.all_memtables_bytes + family.table_reader_bytes;
  }
  if (const auto* worst = model::worst_family(snapshot); worst && !worst->levels.empty())
    mark.l0_files = worst->levels[0].files;
  mark.stopped = snapshot.state.write_stopped;
  return mark;
}

std::vector<Mark> marks_of(const std::deque<model::Snapshot>& snapshots) {
  std::vector<Mark> marks;
  marks.reserve(snapshots.size());
  for (const model::Snapshot& snapshot : snapshots) marks.push_back(mark_of(snapshot));
  return marks;
}

std::vector<std::size_t> boundaries(std::span<const Mark> marks, bool starts_at_boundary) {
  std::vector<std::size_t> result;
  if (starts_at_boundary && !marks.empty()) result.push_back(0);
  for (std::size_t i = 1; i < marks.size(); ++i)
    if (marks[i].l0_compactions > marks[i - 1].l0_compactions) result.push_back(i);
  return result;
}

Estimate put_rate(std::span<const Mark> marks, bool starts_at_boundary) {
  return over_batches(marks, starts_at_boundary, rate);
}

double latest_rate(std::span<const Mark> marks) {
  const auto ends = boundaries(marks, false);
  return ends.size() < 3 ? 0 : rate(marks[ends[ends.size() - 3]], marks[ends.back()]);
}

Estimate merit(std::span<const Mark> marks, bool starts_at_boundary, config::Objective objective) {
  switch (objective) {
    case config::Objective::smoothness:
      return over_batches(marks, starts_at_boundary, [](const Mark& from, const Mark& to) {
        return smoothness(stall_share_of(from, to));
      });
    case config::Objective::efficiency:
      return over_batches(marks, starts_at_boundary, [](const Mark& from, const Mark& to) {
        const double written = to.written_bytes - from.written_bytes;
        return written > 0 ? std::max(0.0, to.user_bytes - from.user_bytes) / written : 0.0;
      });
    case config::Objective::throughput:
      break;
  }
  return put_rate(marks, starts_at_boundary);
}

WindowMeasure measure_marks(std::span<const Mark> marks, bool starts_at_boundary) {
  WindowMeasure measure;
  if (marks.size() < 2) return measure;
  const auto ends = boundaries(marks, starts_at_boundary);
  const std::size_t begin = ends.size() >= 2 ? ends.front() : 0;
  const std::size_t end = ends.size() >= 2 ? ends.back() : marks.size() - 1;
  const Mark& from = marks[begin];
  const Mark& to = marks[end];
  measure.seconds = to.time_s - from.time_s;
  if (measure.seconds <= 0) return {};
  measure.put_bytes_per_s = rate(from, to);
  measure.put_ops_per_s = std::max(0.0, to.keys - from.keys) / measure.seconds;
  measure.stall_share = stall_share_of(from, to);
  const double user = to.user_bytes - from.user_bytes;
  if (user > 0)
    measure.write_amplification = std::max(0.0, to.written_bytes - from.written_bytes) / user;
  measure.pending_bytes_cycle_end = pending_at_cycle_ends(marks, starts_at_boundary, kDebtCycles);
  double files = 0;
  double memory = 0;
  for (std::size_t i = begin; i <= end; ++i) {
    files += marks[i].l0_files;
    memory += marks[i].memory_bytes;
  }
  measure.l0_files_mean = files / static_cast<double>(end - begin + 1);
  measure.memory_bytes = memory / static_cast<double>(end - begin + 1);
  measure.l0_compactions = ends.size() >= 2 ? to.l0_compactions - from.l0_compactions : 0;
  measure.standard_error = put_rate(marks, starts_at_boundary).standard_error;
  return measure;
}

void add_latencies(WindowMeasure& measure, const model::Snapshot& from, const model::Snapshot& to) {
  if (!to.put_latency.buckets.empty())
    measure.put_p99_s = model::quantile_s(model::subtract(to.put_latency, from.put_latency), 0.99);
  if (!to.write_stall.buckets.empty())
    measure.worst_stall_s = model::maximum_s(model::subtract(to.write_stall, from.write_stall));
}

double pending_at_cycle_end(std::span<const Mark> marks, bool starts_at_boundary,
                            std::size_t back) {
  if (marks.empty()) return 0;
  const auto ends = boundaries(marks, starts_at_boundary);
  return back < ends.size() ? marks[ends[ends.size() - 1 - back]].pending_bytes
                            : marks.back().pending_bytes;
}

double pending_at_cycle_ends(std::span<const Mark> marks, bool starts_at_boundary,
                             std::size_t cycles) {
  const auto ends = boundaries(marks, starts_at_boundary);
  const std::size_t count = std::min(cycles, ends.size());
  if (count == 0) return pending_at_cycle_end(marks, starts_at_boundary, 0);
  double sum = 0;
  for (std::size_t back = 0; back < count; ++back)
    sum += pending_at_cycle_end(marks, starts_at_boundary, back);
  return sum / static_cast<double>(count);
}

std::size_t steady_from(std::span<const Mark> marks, bool starts_at_boundary) {
  const auto ends = boundaries(marks, starts_at_boundary);
  if (ends.empty()) return 0;
  std::size_t from = ends.back();
  double highest_later = 0;
  for (std::size_t cycle = ends.size() - 1; cycle-- > 0;) {
    double peak = 0;
    for (std::size_t i = ends[cycle] + 1; i <= ends[cycle + 1]; ++i)
      peak = std::max(peak, marks[i].l0_files);
    const bool last = cycle + 2 == ends.size();
    if (!last && highest_later <= std::max(peak + kFillingFiles, peak * kFilling))
      from = ends[cycle];
    highest_later = std::max(highest_later, peak);
  }
  return from;
}

bool loaded(const Mark& from, const Mark& to, double mean_rate) {
  return to.stall_s > from.stall_s || from.stopped || to.stopped || rate(from, to) >= mean_rate;
}

double loaded_rate(std::span<const Mark> marks) {
  if (marks.size() < 2) return 0;
  const double mean = rate(marks.front(), marks.back());
  double bytes = 0;
  double seconds = 0;
  for (std::size_t i = 1; i < marks.size(); ++i) {
    if (!loaded(marks[i - 1], marks[i], mean)) continue;
    bytes += std::max(0.0, marks[i].user_bytes - marks[i - 1].user_bytes);
    seconds += marks[i].time_s - marks[i - 1].time_s;
  }
  return seconds > 0 ? bytes / seconds : 0;
}

std::vector<Mark> under_load(std::span<const Mark> marks, double loaded_bytes_per_s) {
  std::vector<Mark> kept;
  kept.reserve(marks.size());
  Mark skipped;
  const auto little = [&](std::size_t i) {
    return !loaded(marks[i - 1], marks[i], kLittleLoad * loaded_bytes_per_s);
  };
  for (std::size_t i = 0; i < marks.size();) {
    std::size_t end = i;
    while (i > 0 && end < marks.size() && little(end)) ++end;
    if (end > i && marks[end - 1].time_s - marks[i - 1].time_s >= kLittleLoadS) {
      add_difference(skipped, marks[i - 1], marks[end - 1]);
      i = end;
      continue;
    }
    for (end = std::max(end, i + 1); i < end; ++i) kept.push_back(without(marks[i], skipped));
  }
  return kept;
}

double stopped_share(std::span<const Mark> marks) {
  if (marks.size() < 2) return 0;
  double stopped = 0;
  for (std::size_t i = 1; i < marks.size(); ++i)
    if (marks[i].stopped) stopped += marks[i].time_s - marks[i - 1].time_s;
  const double seconds = marks.back().time_s - marks.front().time_s;
  return seconds > 0 ? stopped / seconds : 0;
}

double put_size(std::span<const Mark> marks) {
  if (marks.size() < 2) return 0;
  const double keys = marks.back().keys - marks.front().keys;
  return keys > 0 ? (marks.back().user_bytes - marks.front().user_bytes) / keys : 0;
}

bool put_size_changed(double before_bytes, double now_bytes) {
  return before_bytes > 0 && now_bytes > 0 &&
         std::abs(now_bytes / before_bytes - 1) > kPutSizeChange;
}

double read_share(std::span<const Mark> marks) {
  if (marks.size() < 2) return 0;
  const double keys = marks.back().keys - marks.front().keys;
  const double reads = marks.back().reads - marks.front().reads;
  return keys + reads > 0 ? reads / (keys + reads) : 0;
}

TrialBaseline trial_baseline(std::span<const Mark> all, double tree_bytes,
                             config::Objective objective) {
  const std::vector<Mark> marks = under_load(all, loaded_rate(all));
  TrialBaseline before;
  before.rate = put_rate(marks, false);
  before.merit = merit(marks, false, objective);
  const WindowMeasure measured = measure_marks(marks, false);
  before.stall_share = measured.stall_share;
  before.loaded_bytes_per_s = loaded_rate(marks);
  if (measured.l0_compactions > 0) before.cycle_s = measured.seconds / measured.l0_compactions;
  before.stopped_share = stopped_share(marks);
  before.put_size_bytes = put_size(marks);
  before.read_share = read_share(marks);
  before.pending_cycle_end_bytes = pending_at_cycle_ends(marks, false, kDebtCycles);
  before.tree_bytes = tree_bytes;
  return before;
}

}  // namespace lsmtuned::controller
