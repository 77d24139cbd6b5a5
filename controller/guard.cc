#include "controller/guard.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/invariants.h"
#include "model/stall.h"
#include "model/tree.h"

namespace lsmtuned::controller {
namespace {

model::InvariantInputs inputs_for(const model::Snapshot& snapshot, const config::Policy& policy,
                                  double cpu_cores) {
  model::InvariantInputs inputs = model::invariant_inputs(snapshot);
  inputs.cpu_cores = cpu_cores;
  inputs.bounds = policy.bounds;
  inputs.memory_budget_bytes = policy.memory_budget_bytes;
  return inputs;
}

}  // namespace

GuardVerdict check_settings(const model::Snapshot& snapshot, const model::ChangeSet& changes,
                            const config::Policy& policy, double cpu_cores,
                            const std::vector<std::pair<std::string, model::Knob>>& foreign) {
  if (changes.empty()) return {Gate::closed, "empty", "nothing would change"};
  for (const auto& change : changes) {
    const std::string option = model::info(change.knob).option;
    if (std::find(policy.knobs.begin(), policy.knobs.end(), change.knob) == policy.knobs.end())
      return {Gate::closed, "knob", option + " is not among the knobs the policy allows"};
    if (std::find(foreign.begin(), foreign.end(), std::pair(change.family, change.knob)) !=
        foreign.end())
      return {Gate::closed, "foreign", option + " was changed by someone else and is left alone"};
    if (snapshot.settings.get(change.family, change.knob) != change.old_value)
      return {Gate::closed, "stale", option + " no longer has the value the proposal started from"};
  }
  const model::Settings wanted = model::with_changes(snapshot.settings, changes);
  const auto inputs = inputs_for(snapshot, policy, cpu_cores);
  if (const auto found = model::violations(wanted, changes, inputs); !found.empty())
    return {Gate::closed, "invariants", found.front()};
  if (policy.max_levels > 0) {
    for (const auto& family : snapshot.families) {
      const auto* present = snapshot.settings.of_family(family.name);
      const auto* candidate = wanted.of_family(family.name);
      if (present == nullptr || candidate == nullptr || *present == *candidate) continue;
      const double levels = levels_filled(family, *candidate);
      if (levels > std::max(policy.max_levels, levels_filled(family, *present)))
        return {Gate::closed, "levels",
                "the data of " + family.name + " would fill " +
                    std::to_string(static_cast<int>(levels)) + " levels, above " +
                    std::to_string(static_cast<int>(policy.max_levels))};
    }
  }
  return {};
}

double levels_filled(const model::FamilySnapshot& family, const model::KnobValues& settings) {
  const auto sizes = model::level_bytes_of(family);
  const auto targets = model::level_targets(sizes, settings, family.facts);
  double bytes = 0;
  for (std::size_t level = 1; level < sizes.size(); ++level) bytes += sizes[level];
  if (!(bytes > 0)) return 0;
  if (family.facts.dynamic_level_bytes)
    return std::max(1.0, static_cast<double>(targets.bytes.size() - targets.base_level));
  double levels = 0;
  for (std::size_t level = 1; level < targets.bytes.size() && bytes > 0; ++level) {
    bytes -= targets.bytes[level];
    ++levels;
  }
  return levels;
}

namespace {

// RocksDB moves a file of a level above its target into an empty one below within milliseconds of a
// call that makes it so, without rewriting it. Its estimate of pending bytes counts that level's
// excess from then on, which it does not while the level below is empty.
model::FamilySnapshot after_trivial_move(model::FamilySnapshot family) {
  for (std::size_t level = family.levels.size(); level-- > 1;) {
    if (!(family.levels[level].size_bytes > 0)) continue;
    if (level + 1 < family.levels.size()) {
      family.levels[level + 1].size_bytes = 1;
      family.levels[level + 1].files = 1;
    }
    break;
  }
  return family;
}

}  // namespace

std::string would_stall(const model::Snapshot& snapshot, const model::ChangeSet& changes) {
  const model::Settings wanted = model::with_changes(snapshot.settings, changes);
  for (const auto& family : snapshot.families) {
    const auto* present = snapshot.settings.of_family(family.name);
    const auto* candidate = wanted.of_family(family.name);
    if (present == nullptr || candidate == nullptr || *present == *candidate) continue;
    const auto before = model::stall_verdict_on_tree(family, *present);
    auto after = model::stall_verdict_on_tree(family, *candidate);
    if (const auto moved = model::stall_verdict_on_tree(after_trivial_move(family), *candidate);
        moved.condition > after.condition)
      after = moved;
    if (after.condition > before.condition)
      return "writes of " + family.name + " would be " + model::to_text(after.condition) +
             " now by " + model::to_text(after.cause);
  }
  return {};
}

GuardVerdict check_changes(const model::Snapshot& snapshot, const model::ChangeSet& changes,
                           const config::Policy& policy, double cpu_cores,
                           const std::vector<std::pair<std::string, model::Knob>>& foreign) {
  GuardVerdict verdict = check_settings(snapshot, changes, policy, cpu_cores, foreign);
  if (verdict.gate != Gate::open) return verdict;
  // An options call hangs while writes are stopped (RocksDB 7.8.3).
  if (snapshot.state.write_stopped) return {Gate::wait, "stopped", "writes are stopped"};
  const model::Settings wanted = model::with_changes(snapshot.settings, changes);
  bool delayed_now = snapshot.state.delayed_write_rate > 0;
  bool cleared = true;
  for (const auto& family : snapshot.families) {
    const auto* present = snapshot.settings.of_family(family.name);
    const auto* candidate = wanted.of_family(family.name);
    if (present == nullptr || candidate == nullptr) continue;
    const auto before = model::stall_verdict_on_tree(family, *present);
    if (before.condition == model::StallCondition::stopped)
      return {Gate::wait, "stopped", "writes of " + family.name + " are about to stop"};
    delayed_now = delayed_now || before.condition == model::StallCondition::delayed;
    cleared = cleared && model::stall_verdict_on_tree(family, *candidate).condition ==
                             model::StallCondition::normal;
  }
  if (const auto worse = would_stall(snapshot, changes); !worse.empty())
    return {Gate::closed, "would_stall", worse};
  // Every SetOptions call while delayed costs a fifth of the delayed rate.
  if (delayed_now && !cleared)
    return {Gate::wait, "delayed", "writes are delayed, and the change would not clear the cause"};
  return {};
}

bool near(const model::ChangeSet& changes, const model::ChangeSet& failed) {
  if (changes.size() != failed.size()) return false;
  return std::all_of(changes.begin(), changes.end(), [&](const model::KnobChange& change) {
    const model::KnobChange* other = model::find_knob(failed, change);
    return other != nullptr &&
           std::abs(change.new_value - other->new_value) <= 0.10 * std::abs(other->new_value);
  });
}

bool tried(const model::ChangeSet& changes, const model::ChangeSet& failed) {
  constexpr double kSmallMove = 0.1;  // |ln|: such knobs follow, they are not what was tried
  constexpr double kAlike = 0.5;      // of a move's size
  const auto move_of = [](const model::ChangeSet& all, const model::KnobChange& like) {
    const model::KnobChange* change = model::find_knob(all, like);
    return change != nullptr && change->old_value > 0 && change->new_value > 0
               ? std::log(change->new_value / change->old_value)
               : 0.0;
  };
  const auto covered = [&](const model::ChangeSet& all) {
    return std::all_of(all.begin(), all.end(), [&](const model::KnobChange& change) {
      const double move = move_of(changes, change);
      const double failed_move = move_of(failed, change);
      return std::abs(move - failed_move) <= std::max(kSmallMove, kAlike * std::abs(failed_move));
    });
  };
  return near(changes, failed) || (covered(changes) && covered(failed));
}

model::ChangeSet legal_revert(const model::Snapshot& snapshot, const model::ChangeSet& changes,
                              double cpu_cores) {
  auto inputs = model::invariant_inputs(snapshot);
  inputs.cpu_cores = cpu_cores;
  inputs.memory_budget_bytes = std::numeric_limits<double>::infinity();
  // Only orderings count: the values themselves were in force before us. So each family is named
  // by one knob that holds a valid value and does not move.
  const auto broken = [&](const model::ChangeSet& part) {
    const model::Settings wanted = model::with_changes(snapshot.settings, part);
    model::ChangeSet names;
    for (const auto& [family, values] : wanted.families) {
      for (const auto& about : model::all_knobs()) {
        const auto value = values.get(about.knob);
        if (!value || *value < about.minimum || *value > about.maximum) continue;
        names.push_back({family, about.knob, *value, *value});
        break;
      }
    }
    return model::violations(wanted, names, inputs).size();
  };
  const std::size_t already = broken({});
  if (broken(changes) <= already) return changes;
  model::ChangeSet taken;
  model::ChangeSet left = changes;
  for (bool progress = true; progress;) {
    progress = false;
    for (auto it = left.begin(); it != left.end();) {
      model::ChangeSet with = taken;
      with.push_back(*it);
      if (broken(with) <= already) {
        taken = std::move(with);
        it = left.erase(it);
        progress = true;
      } else {
        ++it;
      }
    }
  }
  return taken;
}

double tree_bytes(const model::Snapshot& snapshot) {
  double bytes = 0;
  for (const auto& family : snapshot.families) bytes += family.sst_bytes;
  return bytes;
}

}  // namespace lsmtuned::controller
