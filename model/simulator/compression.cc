#include "model/simulator/compression.h"

#include <algorithm>
#include <array>
#include <utility>

namespace lsmtuned::model::simulator {
namespace {

constexpr double kLeastCpuShare = 0.2;
constexpr double kMiB = 1024.0 * 1024;

constexpr std::array<std::pair<std::string_view, double>, 4> kCpu = {{
    {"kSnappyCompression", 1 / (1205 * kMiB)},
    {"kLZ4Compression", 1 / (954 * kMiB)},
    {"kZSTD", 1 / (375 * kMiB)},
    {"kZlibCompression", 1 / (144 * kMiB)},
}};

// L0 = 1, the base level = 2; empty levels between them count as the base level.
double place_of(std::size_t level, std::size_t base_level) {
  if (level == 0) return 1;
  return level < base_level ? 2 : static_cast<double>(level - base_level + 2);
}

}  // namespace

double compression_cpu_seconds_per_byte(std::string_view algorithm) {
  for (const auto& [name, seconds] : kCpu)
    if (name == algorithm) return seconds;
  return 0;
}

void set_compression(const Problem& problem, Parameters& p) {
  const TreeConstants& constants = problem.constants;
  p.bytes_per_record = p.tree_bytes_per_record;
  p.cpu_seconds_per_byte.fill(constants.cpu_seconds_per_byte);
  const double measured = constants.measured_first_compressed_level;
  const double wanted = problem.settings.get_or(Knob::first_compressed_level, measured);
  if (measured <= 0 || wanted == measured) return;
  const double raw = p.user_bytes_per_record + kFileBytesOverUser;
  const double compressing = raw * constants.compression_cpu_seconds_per_byte;
  for (std::size_t l = 0; l < p.levels; ++l) {
    const double place = place_of(l, p.base_level);
    const bool was = place >= measured;
    const bool is = place >= wanted;
    if (was == is) continue;
    const double was_bytes = p.tree_bytes_per_record[l];
    const double was_cpu = constants.cpu_seconds_per_byte * was_bytes;
    double cpu = was_cpu;
    if (is) {
      for (std::size_t below = l + 1; below < p.levels; ++below) {
        if (place_of(below, p.base_level) < measured) continue;
        p.bytes_per_record[l] = std::min(was_bytes, p.tree_bytes_per_record[below]);
        break;
      }
      cpu += compressing;
    } else {
      p.bytes_per_record[l] = std::max(was_bytes, raw);
      cpu = std::max(kLeastCpuShare * was_cpu, was_cpu - compressing);
    }
    p.cpu_seconds_per_byte[l] = cpu / p.bytes_per_record[l];
  }
}

}  // namespace lsmtuned::model::simulator
