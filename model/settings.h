// Settings: one full set of knob values of a target; and the differences between two sets.
//
// A knob that a target does not offer (no rate limiter, an older backend) is absent. Thread rules:
// plain values.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/knobs.h"

namespace lsmtuned::model {

class KnobValues {
 public:
  std::optional<double> get(Knob knob) const { return values_[static_cast<std::size_t>(knob)]; }
  double get_or(Knob knob, double otherwise) const { return get(knob).value_or(otherwise); }
  bool has(Knob knob) const { return get(knob).has_value(); }
  void set(Knob knob, double value) { values_[static_cast<std::size_t>(knob)] = value; }
  void clear(Knob knob) { values_[static_cast<std::size_t>(knob)].reset(); }
  bool operator==(const KnobValues&) const = default;

 private:
  std::array<std::optional<double>, kKnobCount> values_{};
};

struct Settings {
  KnobValues database;                         // scope database and limiter
  std::map<std::string, KnobValues> families;  // by column family name

  // The value of a knob; family is ignored for knobs that are not per family.
  std::optional<double> get(const std::string& family, Knob knob) const;
  void set(const std::string& family, Knob knob, double value);
  const KnobValues* of_family(const std::string& family) const;  // or nullptr
  bool operator==(const Settings&) const = default;
};

struct KnobChange {
  std::string family;  // empty for database and limiter scope
  Knob knob{};
  double old_value = 0;
  double new_value = 0;
  bool operator==(const KnobChange&) const = default;
};
using ChangeSet = std::vector<KnobChange>;

// Changes that lead from one set to the other, in a stable order (database, limiter, then families
// by name, knobs in enum order). Knobs absent on either side are skipped.
ChangeSet difference(const Settings& from, const Settings& to);
Settings with_changes(Settings settings, const ChangeSet& changes);
ChangeSet reversed(ChangeSet changes);
bool same_knob(const KnobChange& a,
               const KnobChange& b);  // of the same family, whatever the values
const KnobChange* find_knob(const ChangeSet& changes, const KnobChange& like);  // or nullptr
std::string describe(const ChangeSet& changes);  // "default.write_buffer_size 4 MiB -> 16 MiB, ..."

}  // namespace lsmtuned::model
