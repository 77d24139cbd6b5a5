// Level targets and RocksDB's pending-compaction estimate on plain byte totals.
//
// Source: RocksDB 7.8, db/version_set.cc, CalculateBaseBytes and EstimateCompactionBytesNeeded.
// Bytes. Pure; thread rules: plain values.
#pragma once

#include <cstddef>
#include <vector>

#include "model/settings.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

struct LevelTargets {
  std::size_t base_level = 1;  // the level that L0 compacts into
  std::vector<double> bytes;   // by level; index 0 unused; infinite above the base level
};

// Targets under `settings` for levels of these sizes (index 0 is L0); as many as `facts` has
// levels.
LevelTargets level_targets(const std::vector<double>& level_bytes, const KnobValues& settings,
                           const FamilyFacts& facts);

std::vector<double> level_bytes_of(const FamilySnapshot& family);

// `level_bytes` as above; L0 counts when it holds `trigger` files or the base level's bytes.
double pending_bytes(const std::vector<double>& level_bytes, double l0_files,
                     const KnobValues& settings, const FamilyFacts& facts);

}  // namespace lsmtuned::model
