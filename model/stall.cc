#include "model/stall.h"

#include <algorithm>
#include <cmath>

#include "model/tree.h"

namespace lsmtuned::model {
namespace {

double value_of(const KnobValues& settings, Knob knob) {
  return settings.get_or(knob, info(knob).rocksdb_default);
}

}  // namespace

StallVerdict stall_verdict(const StallInputs& inputs, const KnobValues& settings,
                           const FamilyFacts& facts) {
  const double buffers = value_of(settings, Knob::max_write_buffer_number);
  const double soft = value_of(settings, Knob::soft_pending_compaction_bytes_limit);
  const double hard = value_of(settings, Knob::hard_pending_compaction_bytes_limit);
  const bool compacting = !facts.disable_auto_compactions;
  const double immutable = inputs.immutable_memtables;

  if (immutable >= buffers) return {StallCondition::stopped, StallCause::memtables};
  if (compacting && inputs.l0_files >= value_of(settings, Knob::level0_stop_writes_trigger)) {
    return {StallCondition::stopped, StallCause::l0_files};
  }
  if (compacting && hard > 0 && inputs.pending_compaction_bytes >= hard) {
    return {StallCondition::stopped, StallCause::pending_bytes};
  }
  if (buffers > 3 && immutable >= buffers - 1 &&
      immutable - 1 >= facts.min_write_buffer_number_to_merge) {
    return {StallCondition::delayed, StallCause::memtables};
  }
  // A negative trigger switches the L0 slowdown off.
  const double slowdown = value_of(settings, Knob::level0_slowdown_writes_trigger);
  if (compacting && slowdown >= 0 && inputs.l0_files >= slowdown) {
    return {StallCondition::delayed, StallCause::l0_files};
  }
  if (compacting && soft > 0 && inputs.pending_compaction_bytes >= soft) {
    return {StallCondition::delayed, StallCause::pending_bytes};
  }
  return {};
}

StallVerdict stall_verdict_on_tree(const FamilySnapshot& family, const KnobValues& candidate) {
  StallInputs inputs;
  inputs.immutable_memtables = family.immutable_memtables;
  // A shrink below what the active memtable holds makes it immutable on the next write.
  const auto buffer = candidate.get(Knob::write_buffer_size);
  if (buffer && family.active_memtable_bytes > *buffer) ++inputs.immutable_memtables;
  inputs.l0_files = family.levels.empty() ? 0 : family.levels.front().files;
  inputs.pending_compaction_bytes = estimate_pending_bytes(family, candidate);
  return stall_verdict(inputs, candidate, family.facts);
}

double estimate_pending_bytes(const FamilySnapshot& family, const KnobValues& settings) {
  if (family.facts.style != CompactionStyle::level || family.levels.empty()) return 0;
  return pending_bytes(level_bytes_of(family), family.levels.front().files, settings, family.facts);
}

bool compaction_pressure(const StallInputs& inputs, const KnobValues& settings) {
  const double buffers = value_of(settings, Knob::max_write_buffer_number);
  if (inputs.immutable_memtables >= buffers) return true;
  if (buffers > 3 && inputs.immutable_memtables >= buffers - 1 && inputs.immutable_memtables >= 2) {
    return true;
  }
  const double trigger = value_of(settings, Knob::level0_file_num_compaction_trigger);
  const double slowdown = value_of(settings, Knob::level0_slowdown_writes_trigger);
  if (trigger >= 0) {
    const double speedup = std::min(2 * trigger, trigger + std::trunc((slowdown - trigger) / 4));
    if (inputs.l0_files >= speedup) return true;
  }
  // RocksDB divides integers; a soft limit of 0 means always parallel.
  const double soft = value_of(settings, Knob::soft_pending_compaction_bytes_limit);
  return inputs.pending_compaction_bytes >= std::floor(soft / 4);
}

double compaction_slots(double max_background_jobs, bool pressure) {
  if (!pressure) return 1;
  return std::max(1.0, max_background_jobs - flush_slots(max_background_jobs));
}

double flush_slots(double max_background_jobs) {
  return std::max(1.0, std::floor(max_background_jobs / 4));
}

const char* to_text(StallCondition condition) {
  switch (condition) {
    case StallCondition::normal:
      return "normal";
    case StallCondition::delayed:
      return "delayed";
    case StallCondition::stopped:
      return "stopped";
  }
  return "unknown";
}

const char* to_text(StallCause cause) {
  switch (cause) {
    case StallCause::none:
      return "none";
    case StallCause::memtables:
      return "memtables";
    case StallCause::l0_files:
      return "L0 files";
    case StallCause::pending_bytes:
      return "pending compaction bytes";
  }
  return "unknown";
}

}  // namespace lsmtuned::model
