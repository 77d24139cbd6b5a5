#include "bench/model_speed/problems.h"

#include <algorithm>

#include "model/units.h"

namespace lsmtuned::bench {
namespace {

using model::kGiB;
using model::kMiB;
using model::Knob;

void set_level(model::Problem& problem, std::size_t level, double bytes, double file_bytes) {
  model::LevelShape& shape = problem.tree.levels.at(level);
  shape.bytes = bytes;
  shape.files = std::max(1.0, bytes / file_bytes);
}

}  // namespace

model::Problem small_tree() {
  model::Problem problem;
  problem.settings.set(Knob::write_buffer_size, 4 * kMiB);
  problem.settings.set(Knob::max_bytes_for_level_base, 16 * kMiB);
  problem.settings.set(Knob::target_file_size_base, 2 * kMiB);
  problem.settings.set(Knob::max_compaction_bytes, 50 * kMiB);
  problem.workload.distinct_keys = 1'000'000;
  problem.device.write_bytes_per_s = 24 * kMiB;
  problem.device.read_bytes_per_s = 48 * kMiB;
  problem.horizon_s = 120;
  problem.tree.levels.resize(4);
  set_level(problem, 1, 16 * kMiB, 2 * kMiB);
  set_level(problem, 2, 160 * kMiB, 2 * kMiB);
  set_level(problem, 3, 848 * kMiB, 2 * kMiB);
  return problem;
}

model::Problem large_tree() {
  model::Problem problem;
  problem.workload.distinct_keys = 100'000'000;
  problem.device.write_bytes_per_s = 500e6;
  problem.device.read_bytes_per_s = 1000e6;
  problem.horizon_s = 600;
  problem.tree.levels.resize(5);
  set_level(problem, 1, 0.25 * kGiB, 64 * kMiB);
  set_level(problem, 2, 2.5 * kGiB, 64 * kMiB);
  set_level(problem, 3, 25 * kGiB, 64 * kMiB);
  set_level(problem, 4, 75 * kGiB, 64 * kMiB);
  return problem;
}

model::ModelInput ledger_input() {
  const model::Problem problem = small_tree();
  model::ModelInput input;
  input.family.name = "default";
  input.settings.families[input.family.name] = problem.settings;
  input.family.levels.resize(7);
  for (std::size_t l = 0; l < problem.tree.levels.size(); ++l) {
    input.family.levels[l].size_bytes = problem.tree.levels[l].bytes;
    input.family.levels[l].files = problem.tree.levels[l].files;
  }
  return input;
}

model::Calibration ledger_calibration() {
  model::Calibration calibration;
  calibration.distinct_keys = 1'000'000;
  calibration.write_bandwidth = 24 * kMiB;
  calibration.read_bandwidth = 48 * kMiB;
  return calibration;
}

}  // namespace lsmtuned::bench
