#include "model/watch/recent.h"

#include <algorithm>
#include <cmath>

#include "model/estimate/measure.h"

namespace lsmtuned::model {
namespace {

double ratio(double numerator, double denominator) {
  return denominator > 0 ? numerator / denominator : 0;
}

void forget(Recent& recent, double kept) {
  for (double Recent::*sum : {&Recent::seconds, &Recent::user_bytes, &Recent::keys, &Recent::reads,
                              &Recent::written_bytes, &Recent::stall_s, &Recent::held_s,
                              &Recent::held_bytes, &Recent::device_bytes, &Recent::own_bytes})
    recent.*sum *= kept;
}

double process_bytes(const DeviceSample& device) {
  return device.process_read_bytes + device.process_write_bytes;
}

}  // namespace

void add(Recent& recent, const Snapshot& earlier, const Snapshot& later, double memory_s) {
  const Interval interval = measure(earlier, later);
  if (!interval.valid) return;
  const double seconds = interval.seconds;
  forget(recent, std::exp(-seconds / memory_s));
  recent.seconds += seconds;
  recent.user_bytes += interval.put_bytes_per_s * seconds;
  recent.keys += interval.put_ops_per_s * seconds;
  recent.reads += std::max(0.0, later.counters.reads - earlier.counters.reads);
  recent.written_bytes += interval.write_amplification * interval.put_bytes_per_s * seconds;
  const double stall_share = later.state.write_stopped ? 1 : interval.stall_share;
  recent.stall_s += stall_share * seconds;
  if (stall_share > kHeldStallShare) {
    recent.held_s += seconds;
    recent.held_bytes += interval.put_bytes_per_s * seconds;
  }
  recent.device_bytes +=
      (interval.device_write_bytes_per_s + interval.device_read_bytes_per_s) * seconds;
  if (earlier.device && later.device)
    recent.own_bytes +=
        std::max(0.0, process_bytes(*later.device) - process_bytes(*earlier.device));
}

Picture picture_of(const Recent& recent, const Snapshot& now, const Calibration& calibration) {
  Picture picture;
  picture.put_bytes_per_s = ratio(recent.user_bytes, recent.seconds);
  picture.held_bytes_per_s = ratio(recent.held_bytes, recent.held_s);
  picture.stall_share = ratio(recent.stall_s, recent.seconds);
  picture.write_amplification = ratio(recent.written_bytes, recent.user_bytes);
  picture.write_bandwidth = calibration.write_bandwidth;
  picture.put_size_bytes = ratio(recent.user_bytes, recent.keys);
  picture.read_share = ratio(recent.reads, recent.reads + recent.keys);
  if (recent.own_bytes > 0)
    picture.others_share = std::max(0.0, 1 - ratio(recent.own_bytes, recent.device_bytes));
  picture.device_use_v4 = device_utilisation_v4(recent.user_bytes, recent.device_bytes);
  for (const FamilySnapshot& family : now.families)
    for (const LevelStats& level : family.levels) picture.tree_bytes += level.size_bytes;
  picture.settings = now.settings;
  return picture;
}

void add(LevelSeries& series, const Snapshot& earlier, const Snapshot& later, double memory_s) {
  const Interval interval = measure(earlier, later);
  if (!interval.valid) return;
  const double kept = std::exp(-interval.seconds / memory_s);
  series.user_bytes = kept * series.user_bytes + interval.put_bytes_per_s * interval.seconds;
  for (LevelAmplification& level : series.bytes) {
    level.write *= kept;
    level.read *= kept;
  }
  for (const FamilySnapshot& family : later.families) {
    const FamilySnapshot* then = find_family(earlier, family.name);
    if (then == nullptr) continue;
    const std::size_t levels = std::min(family.levels.size(), then->levels.size());
    if (series.bytes.size() < levels) series.bytes.resize(levels);
    for (std::size_t i = 0; i < levels; ++i) {
      const LevelStats& from = then->levels[i];
      const LevelStats& to = family.levels[i];
      series.bytes[i].write += std::max(0.0, to.write_bytes - from.write_bytes);
      series.bytes[i].read += std::max(0.0, to.read_bytes - from.read_bytes);
    }
  }
}

std::vector<LevelAmplification> amplification(const LevelSeries& series) {
  std::vector<LevelAmplification> levels;
  if (!(series.user_bytes > 0)) return levels;
  for (const LevelAmplification& level : series.bytes)
    levels.push_back({level.write / series.user_bytes, level.read / series.user_bytes});
  return levels;
}

}  // namespace lsmtuned::model
