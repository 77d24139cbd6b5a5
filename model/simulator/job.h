// A running flush or compaction, as the engine sees it: how much work, how far done.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/simulator/simulate.h"

namespace lsmtuned::model::simulator {

struct Job {
  JobKind kind = JobKind::flush;
  std::uint32_t input_level = 0;
  std::uint32_t output_level = 0;
  double read_bytes = 0;
  double written_bytes = 0;
  double records = 0;  // taken in
  double input_files = 0;
  double threads = 1;  // subcompactions
  double start_s = 0;
  double remaining = 1;  // share of its work
  double speed = 0;      // shares a second
  std::uint32_t id = 0;  // names the tree's own notes on this job
};

}  // namespace lsmtuned::model::simulator
