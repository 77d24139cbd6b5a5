// Problems that several simulator tests share.
#pragma once

#include "model/simulator/parameters.h"
#include "model/simulator/problem.h"
#include "model/units.h"

namespace lsmtuned::model::testing {

// 4 MiB buffers, 2 MiB tables, a 16 MiB base level, a 24 MiB/s write limit, one million uniform
// keys of 16 + 1024 bytes, 1,000 file bytes a record and no CPU cost: round numbers.
inline Problem small_problem() {
  Problem problem;
  problem.settings.set(Knob::write_buffer_size, 4 * kMiB);
  problem.settings.set(Knob::max_bytes_for_level_base, 16 * kMiB);
  problem.settings.set(Knob::target_file_size_base, 2 * kMiB);
  problem.settings.set(Knob::max_compaction_bytes, 50 * kMiB);
  problem.workload.distinct_keys = 1e6;
  problem.device.write_bytes_per_s = 24 * kMiB;
  problem.device.read_bytes_per_s = 48 * kMiB;
  problem.constants.file_bytes_per_record = 1000;
  problem.constants.cpu_seconds_per_byte = 0;
  problem.constants.cpu_seconds_per_record = 0;
  problem.tree.levels.resize(4);
  return problem;
}

inline FileRange range(double low, double high, double bytes) {
  return {low, high, bytes / 1000, bytes};
}

// 16 MiB, 160 MiB and 400 MiB in L1 to L3: near its targets.
inline Problem settled_problem() {
  Problem problem = small_problem();
  problem.tree.levels[1].bytes = 16 * kMiB;
  problem.tree.levels[1].files = 8;
  problem.tree.levels[2].bytes = 160 * kMiB;
  problem.tree.levels[2].files = 80;
  problem.tree.levels[3].bytes = 400 * kMiB;
  problem.tree.levels[3].files = 200;
  problem.horizon_s = 60;
  return problem;
}

}  // namespace lsmtuned::model::testing
