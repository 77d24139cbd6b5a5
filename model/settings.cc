#include "model/settings.h"

#include <utility>

#include "model/units.h"

namespace lsmtuned::model {
namespace {

void add_differences(const std::string& family, const KnobValues& from, const KnobValues& to,
                     KnobScope scope, ChangeSet& changes) {
  for (const KnobInfo& about : all_knobs()) {
    if (about.scope != scope) continue;
    const auto old_value = from.get(about.knob);
    const auto new_value = to.get(about.knob);
    if (!old_value || !new_value || *old_value == *new_value) continue;
    changes.push_back({family, about.knob, *old_value, *new_value});
  }
}

std::string readable(Knob knob, double value) {
  switch (info(knob).unit) {
    case KnobUnit::bytes:
      return format_bytes(value);
    case KnobUnit::bytes_per_second:
      return format_rate(value);
    case KnobUnit::count:
    case KnobUnit::ratio:
      break;
  }
  return to_option_text(knob, value);
}

}  // namespace

std::optional<double> Settings::get(const std::string& family, Knob knob) const {
  if (info(knob).scope != KnobScope::family) return database.get(knob);
  const KnobValues* values = of_family(family);
  return values == nullptr ? std::nullopt : values->get(knob);
}

void Settings::set(const std::string& family, Knob knob, double value) {
  if (info(knob).scope != KnobScope::family) {
    database.set(knob, value);
  } else {
    families[family].set(knob, value);
  }
}

const KnobValues* Settings::of_family(const std::string& family) const {
  const auto found = families.find(family);
  return found == families.end() ? nullptr : &found->second;
}

ChangeSet difference(const Settings& from, const Settings& to) {
  ChangeSet changes;
  add_differences("", from.database, to.database, KnobScope::database, changes);
  add_differences("", from.database, to.database, KnobScope::limiter, changes);
  for (const auto& [name, values] : to.families) {
    const auto before = from.families.find(name);
    if (before == from.families.end()) continue;
    add_differences(name, before->second, values, KnobScope::family, changes);
  }
  return changes;
}

Settings with_changes(Settings settings, const ChangeSet& changes) {
  for (const KnobChange& change : changes) {
    settings.set(change.family, change.knob, change.new_value);
  }
  return settings;
}

ChangeSet reversed(ChangeSet changes) {
  for (KnobChange& change : changes) std::swap(change.old_value, change.new_value);
  return changes;
}

bool same_knob(const KnobChange& a, const KnobChange& b) {
  return a.family == b.family && a.knob == b.knob;
}

const KnobChange* find_knob(const ChangeSet& changes, const KnobChange& like) {
  const auto found = std::find_if(changes.begin(), changes.end(), [&](const KnobChange& change) {
    return same_knob(change, like);
  });
  return found == changes.end() ? nullptr : &*found;
}

std::string describe(const ChangeSet& changes) {
  std::string text;
  for (const KnobChange& change : changes) {
    if (!text.empty()) text += ", ";
    if (!change.family.empty()) text.append(change.family).append(".");
    std::string before = readable(change.knob, change.old_value);
    std::string after = readable(change.knob, change.new_value);
    if (before == after) {  // too close for rounded units: show the exact values
      before = to_option_text(change.knob, change.old_value);
      after = to_option_text(change.knob, change.new_value);
    }
    text.append(info(change.knob).option).append(" ").append(before).append(" -> ").append(after);
  }
  return text;
}

}  // namespace lsmtuned::model
