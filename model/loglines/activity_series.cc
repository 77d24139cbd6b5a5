#include "model/loglines/activity_series.h"

#include <algorithm>

namespace lsmtuned::model {
namespace {

void merge(ActivityInterval& into, const ActivityInterval& other) {
  into.user_bytes += other.user_bytes;
  into.flush_bytes += other.flush_bytes;
  into.compaction_read_bytes += other.compaction_read_bytes;
  into.compaction_write_bytes += other.compaction_write_bytes;
  into.delayed_s += other.delayed_s;
  into.stopped_s += other.stopped_s;
  into.l0_file_seconds += other.l0_file_seconds;
}

}  // namespace

ActivitySeries::ActivitySeries(std::size_t most_intervals)
    : most_(std::max<std::size_t>(2, most_intervals + most_intervals % 2)) {}

void ActivitySeries::reach(double time_s) {
  while (time_s >= static_cast<double>(most_) * interval_s_) {
    const std::size_t half = (intervals_.size() + 1) / 2;
    for (std::size_t i = 0; i < half; ++i) {
      ActivityInterval sum = intervals_[2 * i];
      if (2 * i + 1 < intervals_.size()) merge(sum, intervals_[2 * i + 1]);
      intervals_[i] = sum;
    }
    intervals_.resize(half);
    interval_s_ *= 2;
  }
  const auto last = static_cast<std::size_t>(time_s / interval_s_);
  if (last >= intervals_.size()) intervals_.resize(last + 1);
}

void ActivitySeries::add(double from_s, double to_s, double ActivityInterval::*member,
                         double amount) {
  from_s = std::max(0.0, from_s);
  to_s = std::max(from_s, to_s);
  reach(to_s);
  const auto first = static_cast<std::size_t>(from_s / interval_s_);
  const auto last = static_cast<std::size_t>(to_s / interval_s_);
  if (first == last) {
    intervals_[first].*member += amount;
    return;
  }
  for (std::size_t i = first; i <= last; ++i) {
    const double begin = std::max(from_s, static_cast<double>(i) * interval_s_);
    const double end = std::min(to_s, static_cast<double>(i + 1) * interval_s_);
    intervals_[i].*member += amount * std::max(0.0, end - begin) / (to_s - from_s);
  }
}

}  // namespace lsmtuned::model
