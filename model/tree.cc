#include "model/tree.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lsmtuned::model {
namespace {

double base_bytes(const KnobValues& settings) {
  return std::max(1.0, settings.get_or(Knob::max_bytes_for_level_base,
                                       info(Knob::max_bytes_for_level_base).rocksdb_default));
}

double multiplier(const KnobValues& settings) {
  return std::max(1.0, settings.get_or(Knob::max_bytes_for_level_multiplier,
                                       info(Knob::max_bytes_for_level_multiplier).rocksdb_default));
}

std::size_t level_count(const std::vector<double>& level_bytes, const FamilyFacts& facts) {
  const double wanted = std::clamp(facts.num_levels, 2.0, 64.0);
  return std::max(static_cast<std::size_t>(wanted), level_bytes.size());
}

double size_at(const std::vector<double>& level_bytes, std::size_t level) {
  return level < level_bytes.size() ? level_bytes[level] : 0.0;
}

void set_dynamic_targets(const std::vector<double>& level_bytes, double base, double ratio,
                         LevelTargets& targets) {
  const std::size_t levels = targets.bytes.size();
  double largest = 0;
  std::size_t first_filled = 0;
  for (std::size_t level = 1; level < levels; ++level) {
    const double size = size_at(level_bytes, level);
    if (size > 0 && first_filled == 0) first_filled = level;
    largest = std::max(largest, size);
  }
  if (first_filled == 0) {  // no data below L0: it compacts straight to the last level
    targets.base_level = levels - 1;
    return;
  }
  double size = largest;
  for (std::size_t level = levels - 2; level >= first_filled; --level) size /= ratio;
  targets.base_level = first_filled;
  if (size <= base / ratio) {
    size = base / ratio + 1;
  } else {
    while (targets.base_level > 1 && size > base) {
      --targets.base_level;
      size /= ratio;
    }
    size = std::min(size, base);
  }
  for (std::size_t level = targets.base_level; level < levels; ++level) {
    if (level > targets.base_level) size *= ratio;
    targets.bytes[level] = std::max(size, base);
  }
}

}  // namespace

LevelTargets level_targets(const std::vector<double>& level_bytes, const KnobValues& settings,
                           const FamilyFacts& facts) {
  const double base = base_bytes(settings);
  const double ratio = multiplier(settings);
  LevelTargets targets;
  targets.bytes.assign(level_count(level_bytes, facts), std::numeric_limits<double>::infinity());
  if (facts.dynamic_level_bytes) {
    set_dynamic_targets(level_bytes, base, ratio, targets);
    return targets;
  }
  double size = base;
  for (std::size_t level = 1; level < targets.bytes.size(); ++level) {
    targets.bytes[level] = size;
    size *= ratio;
  }
  return targets;
}

std::vector<double> level_bytes_of(const FamilySnapshot& family) {
  std::vector<double> bytes;
  bytes.reserve(family.levels.size());
  for (const LevelStats& level : family.levels) bytes.push_back(level.size_bytes);
  return bytes;
}

double pending_bytes(const std::vector<double>& level_bytes, double l0_files,
                     const KnobValues& settings, const FamilyFacts& facts) {
  const LevelTargets targets = level_targets(level_bytes, settings, facts);
  const double trigger =
      settings.get_or(Knob::level0_file_num_compaction_trigger,
                      info(Knob::level0_file_num_compaction_trigger).rocksdb_default);
  const double l0_bytes = size_at(level_bytes, 0);
  const bool l0_triggered = l0_files >= trigger || l0_bytes >= base_bytes(settings);
  double pending = l0_triggered ? l0_bytes : 0;
  double carried = pending;
  // RocksDB stops one level above the last: nothing is compacted out of that one.
  for (std::size_t level = targets.base_level; level + 1 < targets.bytes.size(); ++level) {
    double size = size_at(level_bytes, level);
    if (level == targets.base_level && l0_triggered) pending += size;
    size += carried;
    carried = 0;
    if (size <= targets.bytes[level]) continue;
    carried = size - targets.bytes[level];
    const double next = size_at(level_bytes, level + 1);
    if (next > 0) pending += carried * (next / size + 1);
  }
  return pending;
}

}  // namespace lsmtuned::model
