#include "model/simulator/read_blocks.h"

#include <algorithm>
#include <cmath>

namespace lsmtuned::model::simulator {

void set_read_blocks(const Parameters& p, double together, double files, Job& job) {
  job.read_blocks = job.block_bytes = 0;
  if (p.readahead_bytes <= 0 || !std::isfinite(p.device_read) || job.read_bytes <= 0) return;
  const double slice_s = p.read_burst_bytes / p.device_read;
  // Read time that stays visible when so much is read at once and then written.
  const auto visible_bytes = [&](double read, double written) {
    const double read_s = read / p.device_read;
    const double write_s = written / p.device_write;
    const double both_s = read_s + write_s - std::min(slice_s, read_s) - std::min(slice_s, write_s);
    return std::max(0.0, both_s - std::max(read_s, write_s)) * p.device_read;
  };
  const double apart = job.read_bytes - together;
  const double apart_blocks = std::ceil(apart / p.readahead_bytes);
  const double written_per_byte = job.written_bytes / job.read_bytes;
  double visible = 0;
  if (apart_blocks > 0) {
    const double block = apart / apart_blocks;
    visible += apart_blocks * visible_bytes(block, block * written_per_byte);
  }
  double blocks = 1;
  if (together > 0 && files > 0) {
    blocks = std::max(1.0, std::round(together / files / p.readahead_bytes));
    // The write limit's credit after such a block is the engine's to grant: nobody else may have
    // taken it meanwhile.
    visible += blocks * std::max(0.0, together / blocks - p.read_burst_bytes);
  }
  if (visible <= 0) return;
  job.read_blocks = blocks;
  job.block_bytes = std::min(visible, job.read_bytes) / blocks;
}

}  // namespace lsmtuned::model::simulator
