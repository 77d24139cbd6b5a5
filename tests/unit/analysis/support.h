// A small tree on a throttled device, write-bound: 1M keys of 1040 bytes, as in docs/model.md.
#pragma once

#include "model/simulator/problem.h"
#include "model/units.h"

namespace lsmtuned::model::testing {

inline Problem small_problem() {
  Problem problem;
  problem.settings.set(Knob::write_buffer_size, 8 * kMiB);
  problem.settings.set(Knob::max_write_buffer_number, 4);
  problem.settings.set(Knob::level0_file_num_compaction_trigger, 4);
  problem.settings.set(Knob::level0_slowdown_writes_trigger, 12);
  problem.settings.set(Knob::level0_stop_writes_trigger, 20);
  problem.settings.set(Knob::max_bytes_for_level_base, 64 * kMiB);
  problem.settings.set(Knob::target_file_size_base, 8 * kMiB);
  problem.settings.set(Knob::max_background_jobs, 2);
  problem.tree.levels = {{16 * kMiB, 2, {}}, {64 * kMiB, 8, {}}, {400 * kMiB, 50, {}}};
  problem.workload.distinct_keys = 1e6;
  problem.device.write_bytes_per_s = 24 * kMiB;
  problem.device.read_bytes_per_s = 48 * kMiB;
  problem.constants.file_bytes_per_record = 560;
  problem.horizon_s = 60;
  return problem;
}

}  // namespace lsmtuned::model::testing
