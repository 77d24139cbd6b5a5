#include "model/estimate/regime.h"

#include <algorithm>

namespace lsmtuned::model {
namespace {

constexpr double kSaturatedStallShare = 0.2;
constexpr double kUnstalledShare = 0.01;
constexpr double kBusyShare = 0.85;
constexpr double kComputingShare = 0.6;  // of the jobs' time: above, they do not wait for a device

StallCauses stall_causes(const Snapshot& snapshot) {
  StallCauses sum;
  for (const FamilySnapshot& family : snapshot.families) {
    sum.l0_slowdown += family.stalls.l0_slowdown;
    sum.l0_stop += family.stalls.l0_stop;
    sum.pending_slowdown += family.stalls.pending_slowdown;
    sum.pending_stop += family.stalls.pending_stop;
    sum.memtable_slowdown += family.stalls.memtable_slowdown;
    sum.memtable_stop += family.stalls.memtable_stop;
  }
  return sum;
}

// Whether compaction, not memory or the foreground, held writers back.
bool stalled_on_compaction(const Snapshot& earlier, const Snapshot& later) {
  const StallCauses before = stall_causes(earlier);
  const StallCauses after = stall_causes(later);
  const double compaction = after.l0_slowdown + after.l0_stop + after.pending_slowdown +
                            after.pending_stop - before.l0_slowdown - before.l0_stop -
                            before.pending_slowdown - before.pending_stop;
  const double memory = after.memtable_slowdown + after.memtable_stop - before.memtable_slowdown -
                        before.memtable_stop;
  return compaction > 0 && compaction >= memory;
}

// CPU time of compaction jobs a second of their thread time.
double computing_share(const Deltas& deltas, double subcompactions) {
  double cpu = 0;
  double threads = 0;
  for (std::size_t level = 1; level < deltas.levels.size(); ++level) {
    cpu += deltas.levels[level].compaction_cpu_seconds;
    threads += deltas.levels[level].compaction_seconds *
               (level == deltas.base ? std::max(1.0, subcompactions) : 1.0);
  }
  return threads > 0 ? cpu / threads : 0;
}

}  // namespace

Regime regime_of(const Snapshot& earlier, const Snapshot& later, const Interval& interval,
                 const Deltas& deltas) {
  Regime regime;
  regime.free = interval.stall_share < kUnstalledShare && !earlier.state.write_stopped &&
                !later.state.write_stopped && earlier.state.delayed_write_rate <= 0 &&
                later.state.delayed_write_rate <= 0;
  const bool jobs_busy = compaction_busy_share(deltas, interval.seconds) > kBusyShare;
  // Flushes that wait behind compactions stall writers on memory; what holds them is the device.
  regime.held_back = interval.stall_share > kSaturatedStallShare &&
                     (jobs_busy || stalled_on_compaction(earlier, later));
  if (!regime.held_back) return regime;
  const double parts = later.settings.database.get_or(Knob::max_subcompactions, 1);
  const bool computing = computing_share(deltas, parts) > kComputingShare;
  // A limit in the kernel holds jobs before the device: it need not look busy then.
  regime.device = !computing && (interval.device_busy_share > kBusyShare || jobs_busy);
  regime.cpu = computing && interval.device_busy_share <= kBusyShare;
  return regime;
}

}  // namespace lsmtuned::model
