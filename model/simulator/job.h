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
  double upper_bytes = 0;  // of read_bytes, what leaves the input level
  double written_bytes = 0;
  double records = 0;  // taken in
  double input_files = 0;
  double threads = 1;  // subcompactions
  // A compaction thread reads blocks ahead while it writes nothing: so many times, so many bytes
  // that the read limit's burst credit does not hide (read_blocks.h).
  double read_blocks = 0;
  double block_bytes = 0;
  double blocks_left = 0;      // of read_blocks, not begun
  double block_remaining = 0;  // share of the block being read; 0: writing
  double turns = 1;            // requests its threads queue at the device (turns.h)
  double start_s = 0;
  double remaining = 1;  // share of its work
  double speed = 0;      // shares a second
  std::uint32_t id = 0;  // names the tree's own notes on this job
};

}  // namespace lsmtuned::model::simulator
