#include "model/invariants.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr double kDirectIoReadAhead = 2 * kMiB;
constexpr double kMemtableFloor = 2 * kKiB;
constexpr double kLeastArenaBlocks = 0.5;  // 0.4 aborts (docs/rocksdb-surprises.md); with a margin

std::string place_of(const std::string& family, Knob knob) {
  const std::string option = info(knob).option;
  return info(knob).scope == KnobScope::family ? family + "." + option : option;
}

std::string value_text(Knob knob, double value) {
  return to_option_text(knob, value);
}

std::string named(const std::string& family, Knob knob, double value) {
  return place_of(family, knob) + " = " + value_text(knob, value);
}

// Two knobs of one family where the first must not exceed the second.
void check_order(const std::string& family, const KnobValues& values, Knob low, Knob high,
                 std::vector<std::string>& found) {
  const auto low_value = values.get(low);
  const auto high_value = values.get(high);
  if (!low_value || !high_value || *low_value <= *high_value) return;
  found.push_back(named(family, low, *low_value) + " is above " + named(family, high, *high_value));
}

void check_family(const std::string& family, const KnobValues& values, const FamilyFacts& facts,
                  std::vector<std::string>& found) {
  check_order(family, values, Knob::level0_file_num_compaction_trigger,
              Knob::level0_slowdown_writes_trigger, found);
  check_order(family, values, Knob::level0_slowdown_writes_trigger,
              Knob::level0_stop_writes_trigger, found);
  // Also directly: a target that does not offer the slowdown trigger must still not hang.
  if (!values.has(Knob::level0_slowdown_writes_trigger)) {
    check_order(family, values, Knob::level0_file_num_compaction_trigger,
                Knob::level0_stop_writes_trigger, found);
  }
  // A limit of 0 that somebody else set means no limit; our own 0 fails the bounds.
  if (values.get_or(Knob::hard_pending_compaction_bytes_limit, 0) > 0) {
    check_order(family, values, Knob::soft_pending_compaction_bytes_limit,
                Knob::hard_pending_compaction_bytes_limit, found);
  }
  check_order(family, values, Knob::target_file_size_base, Knob::max_compaction_bytes, found);
  // RocksDB aborts when a memtable can be full before its second arena block: at 2 KiB + 0.4
  // blocks.
  const double least_buffer = kMemtableFloor + kLeastArenaBlocks * facts.arena_block_bytes;
  if (const auto buffer = values.get(Knob::write_buffer_size);
      buffer && facts.arena_block_bytes > 0 && *buffer < least_buffer) {
    found.push_back(named(family, Knob::write_buffer_size, *buffer) +
                    " is too small for arena blocks of " + format_bytes(facts.arena_block_bytes) +
                    ", fixed when the database was opened: RocksDB would abort");
  }
  if (const auto buffers = values.get(Knob::max_write_buffer_number)) {
    const std::string text = named(family, Knob::max_write_buffer_number, *buffers);
    if (*buffers < 2) found.push_back(text + " is below 2");
    if (*buffers <= facts.min_write_buffer_number_to_merge) {
      found.push_back(
          text + " is not above min_write_buffer_number_to_merge = " +
          value_text(Knob::max_write_buffer_number, facts.min_write_buffer_number_to_merge) +
          ": no flush would become due and writers would hang");
    }
  }
}

void check_value(const KnobChange& change, const InvariantInputs& inputs,
                 std::vector<std::string>& found) {
  const KnobInfo& about = info(change.knob);
  const double value = change.new_value;
  if (!std::isfinite(value)) {
    found.push_back(place_of(change.family, change.knob) + " is not a finite number");
    return;
  }
  const std::string text = named(change.family, change.knob, value);
  if (about.unit != KnobUnit::ratio && value != std::floor(value)) {
    found.push_back(place_of(change.family, change.knob) + " = " + std::to_string(value) +
                    " is not a whole number");
  }
  if (value < about.minimum || value > about.maximum) {
    found.push_back(text + " is outside what RocksDB takes safely, " +
                    value_text(change.knob, about.minimum) + " to " +
                    value_text(change.knob, about.maximum));
  }
  const auto policy = inputs.bounds.find(change.knob);
  if (policy != inputs.bounds.end() &&
      (value < policy->second.first || value > policy->second.second)) {
    found.push_back(text + " is outside the configured bounds, " +
                    value_text(change.knob, policy->second.first) + " to " +
                    value_text(change.knob, policy->second.second));
  }
  if (change.knob == Knob::max_background_jobs) {
    const double most = 4 * std::max(1.0, inputs.cpu_cores);
    if (value > most) {
      found.push_back(text + " is above 4 jobs a core, " + value_text(change.knob, most));
    }
  }
}

void check_memory(const Settings& settings, const ChangeSet& changed, const InvariantInputs& inputs,
                  std::vector<std::string>& found) {
  const double after = memory_of(settings, inputs.memory);
  const double before = memory_of(with_changes(settings, reversed(changed)), inputs.memory);
  if (!std::isfinite(after)) {
    found.emplace_back("the memory that these settings need is not a finite number");
  } else if (inputs.memory_budget_bytes > 0) {
    // A step down towards the budget is let through: refusing it would keep the database above.
    if (after > inputs.memory_budget_bytes && after >= before) {
      found.push_back("memory " + format_bytes(after) + " is above the budget of " +
                      format_bytes(inputs.memory_budget_bytes));
    }
  } else if (after > before) {
    found.push_back("memory would grow from " + format_bytes(before) + " to " +
                    format_bytes(after) + " and no memory budget is configured");
  }
}

}  // namespace

double memory_of(const Settings& settings, const MemoryBudgetInputs& inputs) {
  double bytes = inputs.block_cache_bytes + inputs.table_reader_bytes;
  double largest_file = 0;
  for (const auto& [name, values] : settings.families) {
    bytes +=
        values.get_or(Knob::write_buffer_size, 0) * values.get_or(Knob::max_write_buffer_number, 0);
    largest_file = std::max(largest_file, values.get_or(Knob::target_file_size_base, 0));
  }
  const double jobs = settings.database.get_or(Knob::max_background_jobs, 0);
  return bytes + std::max(0.0, jobs) * (largest_file + inputs.read_ahead_bytes);
}

InvariantInputs invariant_inputs(const Snapshot& snapshot) {
  InvariantInputs inputs;
  for (const FamilySnapshot& family : snapshot.families) {
    inputs.families[family.name] = family.facts;
    inputs.memory.table_reader_bytes += family.table_reader_bytes;
  }
  inputs.memory.block_cache_bytes = snapshot.state.block_cache_capacity_bytes;
  // The snapshot does not carry compaction_readahead_size: count RocksDB's larger case.
  inputs.memory.read_ahead_bytes = kDirectIoReadAhead;
  return inputs;
}

std::vector<std::string> violations(const Settings& settings, const ChangeSet& changed,
                                    const InvariantInputs& inputs) {
  std::vector<std::string> found;
  std::set<std::string> touched;
  std::set<std::pair<std::string, Knob>> seen;
  for (const KnobChange& change : changed) {
    const std::string place = place_of(change.family, change.knob);
    const bool of_family = info(change.knob).scope == KnobScope::family;
    if (!seen.emplace(of_family ? change.family : "", change.knob).second) {
      found.push_back(place + " is changed twice in one decision");
    }
    check_value(change, inputs, found);
    const auto held = settings.get(change.family, change.knob);
    if (!held || (std::isfinite(change.new_value) && *held != change.new_value)) {
      found.push_back(place + " would be sent as " + value_text(change.knob, change.new_value) +
                      " but the settings hold " +
                      (held ? value_text(change.knob, *held) : std::string("no value")));
    }
    if (of_family) touched.insert(change.family);
  }
  for (const std::string& family : touched) {
    const auto values = settings.families.find(family);
    const auto facts = inputs.families.find(family);
    if (values == settings.families.end()) continue;  // reported above
    if (facts == inputs.families.end()) {
      found.push_back("family " + family + " is not one the database reports");
      continue;
    }
    check_family(family, values->second, facts->second, found);
  }
  if (!changed.empty()) check_memory(settings, changed, inputs, found);
  return found;
}

}  // namespace lsmtuned::model
