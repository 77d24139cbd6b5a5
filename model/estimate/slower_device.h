// A device that suddenly can do far less, found from the kernel's counters.
//
// Lessons (calibrate.h) span whole L0 -> base cycles, and RocksDB books a job's bytes as it ends:
// after a fall to a quarter three of them can take half an hour. The kernel counts bytes as they
// move. While compactions run at every poll and writers are held back the device carries what it
// can, so spans of 30 s are compared with the lowest such span of the time before; what a cycle
// varies by itself is in that. Three in a row below 0.6 of it are another device, and u of the
// calibration (filter.h) is begun anew there, within its range (of a known limit at least 0.3).
// After such a fall two spans in a row that carry more than the low level by as much undo it, as
// far as they show. Where settings ask less of the device (fewer jobs, a lower rate limit, more
// compression), what was usual is forgotten.
//
// Carried is bytes per second as the write bandwidth that both directions would need (limits.h).
// Without kernel counters, without a bandwidth learned, or with polls a minute apart, nothing is
// found. Pure; thread rules: plain values.
#pragma once

#include <optional>

#include "model/ledger/ledger.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

struct DeviceWatch {
  std::optional<Snapshot> from;  // of the span that runs
  bool whole = true;             // compactions ran at every poll of it
  bool held_back = true;         // and so were writers
  double usual_low = 0;          // lowest span of the time before, bytes/s carried; 0: not known
  double lowest = 0;             // of the present time
  double lowest_of_streak = 0;   // of the low spans in a row
  int spans = 0;                 // of the present time
  int low_spans = 0;             // in a row
  double log_fallen = 0;         // of u, by falls that were not undone
  double lowest_above = 0;       // the last span, where it was above the low level
};

enum class DeviceChange { none, fell, recovered };

// Takes one more snapshot. Where the device fell or is back, `calibration` says so, as far as the
// range of u goes.
DeviceChange watch_device(DeviceWatch& watch, Calibration& calibration, const Snapshot& snapshot);

// A lesson was learned: the time before ends here, once it holds enough spans.
void end_of_lesson(DeviceWatch& watch);

}  // namespace lsmtuned::model
