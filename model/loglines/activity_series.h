// What happened over time, in a fixed number of equal intervals.
//
// The intervals start at one second; when time runs past the last one, neighbours are merged and
// all become twice as long. So memory is fixed, sums are exact, and only the resolution falls.
// Bytes, seconds. Thread rules: one thread at a time.
#pragma once

#include <cstddef>
#include <vector>

namespace lsmtuned::model {

struct ActivityInterval {
  double user_bytes = 0;  // spread over the time in which the memtable was filled
  double flush_bytes = 0;
  double compaction_read_bytes = 0;  // of finished jobs, spread over their run time
  double compaction_write_bytes = 0;
  double delayed_s = 0;
  double stopped_s = 0;
  double l0_file_seconds = 0;  // L0 files x time, of all families
  bool operator==(const ActivityInterval&) const = default;
};

class ActivitySeries {
 public:
  explicit ActivitySeries(std::size_t most_intervals = 256);

  // `amount` spread evenly over [from_s, to_s], counted from the first line; a point in time where
  // they are equal. Times must be finite; negative ones count as 0.
  void add(double from_s, double to_s, double ActivityInterval::*member, double amount);

  double interval_s() const { return interval_s_; }
  const std::vector<ActivityInterval>& intervals() const { return intervals_; }

 private:
  void reach(double time_s);

  std::size_t most_;
  double interval_s_ = 1;
  std::vector<ActivityInterval> intervals_;
};

}  // namespace lsmtuned::model
