// A table file inside the simulator: key range as fractions of the key space, records spread evenly
// over it.
#pragma once

#include <cstdint>

namespace lsmtuned::model::simulator {

struct TableFile {
  double low = 0;
  double high = 1;
  double records = 0;
  double bytes = 0;
  double overlap_bytes = 0;  // of the next level's files that overlap; L1 and deeper
  std::uint32_t job = 0;     // that has it as input; 0: free

  bool busy() const { return job != 0; }
};

}  // namespace lsmtuned::model::simulator
