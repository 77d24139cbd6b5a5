#include "model/watch/workload_class.h"

#include <algorithm>
#include <cmath>

#include "model/estimate/measure.h"

namespace lsmtuned::model {
namespace {

constexpr double kMemoryS = 600;
constexpr double kFirstS = 30;  // of sums, before anything is named
constexpr double kHoldS = 60;
constexpr double kIdleOpsPerS = 1;
constexpr double kReadMostly = 0.8;
constexpr double kReads = 0.15;
constexpr double kReplaced = 0.3;  // records dropped for each one written
constexpr double kInOrder = 0.8;   // of the bytes that leave a level are moved

WorkloadClass seen(const WorkloadWatch& sums) {
  const double operations = sums.reads + sums.keys_written;
  if (operations < kIdleOpsPerS * sums.seconds) return WorkloadClass::idle;
  const double reads = sums.reads / operations;
  if (reads >= kReadMostly) return WorkloadClass::read_mostly;
  // A compaction or two say little of what all writes do.
  const bool compacted = sums.keys_in >= sums.keys_written;
  const bool replaces = compacted && sums.keys_dropped >= kReplaced * sums.keys_written;
  if (reads >= kReads) return replaces ? WorkloadClass::update_with_reads : WorkloadClass::mixed;
  const double down = sums.moved_bytes + sums.rewritten_bytes;
  if (down > 0 && sums.moved_bytes >= kInOrder * down) return WorkloadClass::sequential_load;
  if (!compacted) return WorkloadClass::unknown;
  return replaces ? WorkloadClass::overwrite : WorkloadClass::random_load;
}

double growth_of(double earlier, double later) {
  return std::max(0.0, later - earlier);
}

}  // namespace

const char* to_text(WorkloadClass workload) {
  switch (workload) {
    case WorkloadClass::unknown:
      return "unknown";
    case WorkloadClass::idle:
      return "idle";
    case WorkloadClass::sequential_load:
      return "sequential_load";
    case WorkloadClass::random_load:
      return "random_load";
    case WorkloadClass::overwrite:
      return "overwrite";
    case WorkloadClass::update_with_reads:
      return "update_with_reads";
    case WorkloadClass::mixed:
      return "mixed";
    case WorkloadClass::read_mostly:
      return "read_mostly";
  }
  return "unknown";
}

void watch(WorkloadWatch& watched, const Snapshot& earlier, const Snapshot& later) {
  const Interval interval = measure(earlier, later);
  if (!interval.valid) return;
  const double kept = std::exp(-interval.seconds / kMemoryS);
  for (double WorkloadWatch::*sum :
       {&WorkloadWatch::seconds, &WorkloadWatch::keys_written, &WorkloadWatch::reads,
        &WorkloadWatch::keys_in, &WorkloadWatch::keys_dropped, &WorkloadWatch::moved_bytes,
        &WorkloadWatch::rewritten_bytes})
    watched.*sum *= kept;
  watched.seconds += interval.seconds;
  watched.keys_written += interval.put_ops_per_s * interval.seconds;
  watched.reads += growth_of(earlier.counters.reads, later.counters.reads);
  for (const FamilySnapshot& family : later.families) {
    const FamilySnapshot* then = find_family(earlier, family.name);
    if (then == nullptr) continue;
    for (std::size_t i = 1; i < std::min(family.levels.size(), then->levels.size()); ++i) {
      const LevelStats& from = then->levels[i];
      const LevelStats& to = family.levels[i];
      watched.keys_in += growth_of(from.keys_in, to.keys_in);
      watched.keys_dropped += growth_of(from.keys_dropped, to.keys_dropped);
      watched.moved_bytes += growth_of(from.moved_bytes, to.moved_bytes);
      watched.rewritten_bytes += growth_of(from.read_from_upper_bytes, to.read_from_upper_bytes);
    }
  }
  if (watched.seconds < kFirstS) return;
  const WorkloadClass now = seen(watched);
  if (now == WorkloadClass::unknown || now == watched.workload) {
    watched.other = WorkloadClass::unknown;
    return;
  }
  if (now != watched.other) {
    watched.other = now;
    watched.other_since_s = later.time_s;
  }
  if (later.time_s - watched.other_since_s < kHoldS) return;
  watched.workload = now;
  watched.other = WorkloadClass::unknown;
}

bool different(WorkloadClass one, WorkloadClass other) {
  const auto named = [](WorkloadClass workload) {
    return workload != WorkloadClass::unknown && workload != WorkloadClass::idle;
  };
  return named(one) && named(other) && one != other;
}

}  // namespace lsmtuned::model
