#include "model/simulator/read_blocks.h"

#include <algorithm>
#include <cmath>

namespace lsmtuned::model::simulator {
namespace {

constexpr double kMostBlocks = 256;  // a job: many small ones are merged into fewer

// How far apart, as a share of the key space, `files` files of so many uniform keys stand when each
// has given the share x of its records: the range of that many normal deviates (about 1.3 ln n of
// their deviations, n from 2 to 100) times the deviation of an order statistic.
double spread(double x, double files, double records) {
  if (files < 2 || records < 1) return 0;
  return 1.3 * std::log(files) * std::sqrt(x * (1 - x) / records);
}

}  // namespace

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
    const double records = together / files / p.bytes_per_record[0];
    const double write_s = job.written_bytes / p.device_write;
    // The write limit's credit after such a block is the engine's to grant: nobody else may have
    // taken it meanwhile.
    const double seen = std::min(blocks, kMostBlocks);  // a sample of them where they are many
    for (double k = 0; k < seen; ++k) {
      const double hidden_s = slice_s + spread(k / seen, files, records) * write_s;
      visible += std::max(0.0, together / blocks - hidden_s * p.device_read) * blocks / seen;
    }
    blocks = seen;
  }
  if (visible <= 0) return;
  job.read_blocks = blocks;
  job.block_bytes = std::min(visible, job.read_bytes) / blocks;
}

}  // namespace lsmtuned::model::simulator
