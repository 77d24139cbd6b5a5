// What happened to the deciding family between two snapshots, level by level.
//
// Internal to the estimator. Bytes, seconds, counts; every difference is non-negative. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "model/snapshot.h"

namespace lsmtuned::model {

struct Deltas {
  const FamilySnapshot* now = nullptr;
  std::vector<LevelStats> levels;
  std::size_t base = 1;
  double user_bytes = 0;
  double keys = 0;
  double flush_bytes = 0;
  double wal_bytes = 0;
  double memtable_growth_bytes = 0;
  double flushes = 0;
  double base_jobs = 0;
  bool single_family = true;
};

// Growth of a counter, never below zero.
double growth(double earlier, double later);

// The level that L0 compacts into, as an index of `levels`.
std::size_t base_of(const FamilySnapshot& family);

// `earlier` may be null: everything since the database was opened. False: a counter shrank, or the
// family is not in both snapshots. `deltas.now` points into `later`.
bool deltas_between(const Snapshot* earlier, const Snapshot& later, Deltas& deltas);

// Seconds that compaction jobs of all levels spent, per second: 1 is one job at work all the time.
double compaction_busy_share(const Deltas& deltas, double seconds);

}  // namespace lsmtuned::model
