#include "model/estimate/measure.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "model/estimate/deltas.h"

namespace lsmtuned::model {
namespace {

double ratio_or(double numerator, double denominator, double otherwise) {
  return denominator > 0 ? numerator / denominator : otherwise;
}

bool went_backwards(const Snapshot& earlier, const Snapshot& later) {
  const DatabaseCounters& a = earlier.counters;
  const DatabaseCounters& b = later.counters;
  return later.database_uptime_s < earlier.database_uptime_s || b.user_bytes < a.user_bytes ||
         b.batch_bytes < a.batch_bytes || b.keys_written < a.keys_written ||
         b.wal_bytes < a.wal_bytes || b.flush_write_bytes < a.flush_write_bytes ||
         b.compaction_read_bytes < a.compaction_read_bytes ||
         b.compaction_write_bytes < a.compaction_write_bytes || b.stall_seconds < a.stall_seconds ||
         later.state.flushes_completed < earlier.state.flushes_completed ||
         later.state.l0_compactions_completed < earlier.state.l0_compactions_completed;
}

// L0 -> base jobs: the listener's count, or cfstats where no listener reports.
double l0_compactions_between(const Snapshot& earlier, const Snapshot& later) {
  if (later.state.l0_compactions_completed > 0) {
    return static_cast<double>(later.state.l0_compactions_completed -
                               earlier.state.l0_compactions_completed);
  }
  double jobs = 0;
  for (const FamilySnapshot& family : later.families) {
    const FamilySnapshot* then = find_family(earlier, family.name);
    const std::size_t base = base_of(family);
    if (base >= family.levels.size()) continue;
    const double before =
        then != nullptr && base < then->levels.size() ? then->levels[base].compaction_count : 0.0;
    jobs += growth(before, family.levels[base].compaction_count);
  }
  return jobs;
}

}  // namespace

Interval measure(const Snapshot& earlier, const Snapshot& later) {
  Interval interval;
  interval.seconds = later.time_s - earlier.time_s;
  if (earlier.incarnation != later.incarnation || !(interval.seconds > 0) ||
      !std::isfinite(interval.seconds) || went_backwards(earlier, later)) {
    return interval;
  }
  const DatabaseCounters& from = earlier.counters;
  const DatabaseCounters& to = later.counters;
  const double seconds = interval.seconds;
  const double user = to.user_bytes - from.user_bytes;
  const double written = to.wal_bytes - from.wal_bytes + to.flush_write_bytes -
                         from.flush_write_bytes + to.compaction_write_bytes -
                         from.compaction_write_bytes;
  const double read = to.compaction_read_bytes - from.compaction_read_bytes;
  interval.put_bytes_per_s = user / seconds;
  interval.put_ops_per_s = (to.keys_written - from.keys_written) / seconds;
  interval.stall_share = std::clamp((to.stall_seconds - from.stall_seconds) / seconds, 0.0, 1.0);
  interval.write_amplification = ratio_or(written, user, 0);
  interval.read_amplification = ratio_or(read, user, 0);
  interval.device_write_bytes_per_s = written / seconds;
  interval.device_read_bytes_per_s = read / seconds;
  if (earlier.device && later.device && !later.device->name.empty() &&
      earlier.device->name == later.device->name &&
      later.device->write_bytes >= earlier.device->write_bytes &&
      later.device->read_bytes >= earlier.device->read_bytes) {
    interval.device_write_bytes_per_s =
        (later.device->write_bytes - earlier.device->write_bytes) / seconds;
    interval.device_read_bytes_per_s =
        (later.device->read_bytes - earlier.device->read_bytes) / seconds;
    interval.device_busy_share =
        std::clamp((later.device->busy_seconds - earlier.device->busy_seconds) / seconds, 0.0, 1.0);
  }
  interval.flushes =
      static_cast<double>(later.state.flushes_completed - earlier.state.flushes_completed);
  interval.l0_compactions = l0_compactions_between(earlier, later);
  interval.valid = true;
  return interval;
}

}  // namespace lsmtuned::model
