#include "model/estimate/deltas.h"

#include <algorithm>

namespace lsmtuned::model {
namespace {

bool shrank(const LevelStats& earlier, const LevelStats& later) {
  return later.write_bytes < earlier.write_bytes || later.read_bytes < earlier.read_bytes ||
         later.moved_bytes < earlier.moved_bytes ||
         later.compaction_seconds < earlier.compaction_seconds ||
         later.compaction_count < earlier.compaction_count || later.keys_in < earlier.keys_in;
}

LevelStats level_delta(const LevelStats& earlier, const LevelStats& later) {
  LevelStats delta = later;
  delta.size_bytes = (earlier.size_bytes + later.size_bytes) / 2;  // a mean, not a counter
  delta.read_bytes = growth(earlier.read_bytes, later.read_bytes);
  delta.read_from_upper_bytes = growth(earlier.read_from_upper_bytes, later.read_from_upper_bytes);
  delta.read_from_this_bytes = growth(earlier.read_from_this_bytes, later.read_from_this_bytes);
  delta.write_bytes = growth(earlier.write_bytes, later.write_bytes);
  delta.moved_bytes = growth(earlier.moved_bytes, later.moved_bytes);
  delta.compaction_seconds = growth(earlier.compaction_seconds, later.compaction_seconds);
  delta.compaction_cpu_seconds =
      growth(earlier.compaction_cpu_seconds, later.compaction_cpu_seconds);
  delta.compaction_count = growth(earlier.compaction_count, later.compaction_count);
  delta.keys_in = growth(earlier.keys_in, later.keys_in);
  delta.keys_dropped = growth(earlier.keys_dropped, later.keys_dropped);
  return delta;
}

}  // namespace

double growth(double earlier, double later) {
  return std::max(0.0, later - earlier);
}

std::size_t base_of(const FamilySnapshot& family) {
  const double base = family.base_level;
  if (!(base >= 1) || base >= static_cast<double>(family.levels.size())) return 1;
  return static_cast<std::size_t>(base);
}

// `earlier` may be null: everything since the database was opened.
bool deltas_between(const Snapshot* earlier, const Snapshot& later, Deltas& deltas) {
  deltas.now = worst_family(later);
  if (deltas.now == nullptr) return false;
  const FamilySnapshot* then =
      earlier == nullptr ? nullptr : find_family(*earlier, deltas.now->name);
  if (earlier != nullptr && then == nullptr) return false;
  deltas.single_family = later.families.size() == 1;
  deltas.base = base_of(*deltas.now);
  for (std::size_t i = 0; i < deltas.now->levels.size(); ++i) {
    const LevelStats& after = deltas.now->levels[i];
    LevelStats before;
    before.size_bytes = after.size_bytes;
    if (then != nullptr && i < then->levels.size()) before = then->levels[i];
    if (shrank(before, after)) return false;
    deltas.levels.push_back(level_delta(before, after));
  }
  const DatabaseCounters zero;
  const DatabaseCounters& from = earlier == nullptr ? zero : earlier->counters;
  const DatabaseCounters& to = later.counters;
  deltas.user_bytes = to.user_bytes - from.user_bytes;
  deltas.keys = to.keys_written - from.keys_written;
  deltas.flush_bytes = to.flush_write_bytes - from.flush_write_bytes;
  deltas.wal_bytes = to.wal_bytes - from.wal_bytes;
  deltas.flushes =
      static_cast<double>(later.state.flushes_completed) -
      (earlier == nullptr ? 0.0 : static_cast<double>(earlier->state.flushes_completed));
  for (const FamilySnapshot& family : later.families) {
    const FamilySnapshot* old = earlier == nullptr ? nullptr : find_family(*earlier, family.name);
    deltas.memtable_growth_bytes +=
        family.all_memtables_bytes - (old == nullptr ? 0.0 : old->all_memtables_bytes);
  }
  if (deltas.base < deltas.levels.size())
    deltas.base_jobs = deltas.levels[deltas.base].compaction_count;
  return true;
}

double compaction_busy_share(const Deltas& deltas, double seconds) {
  double busy = 0;
  for (std::size_t level = 1; level < deltas.levels.size(); ++level) {
    busy += deltas.levels[level].compaction_seconds;
  }
  return seconds > 0 ? busy / seconds : 0;
}

}  // namespace lsmtuned::model
