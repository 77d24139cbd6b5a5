// The settings a search may reach: axes on log scales, and what follows from them.
//
// An axis is a knob that the policy allows, the target offers and nobody else owns, between the
// narrowest of absolute bounds, policy bounds and trust region. Some knobs are no axes but follow:
// the stop trigger keeps its distance to the slowdown trigger, max_compaction_bytes stays at 25
// target files, and the pending limits stay above what the tree owes under the candidate. A
// candidate that moves an L0 trigger leaves a quarter of the slowdown trigger as room. Where a
// candidate is to be sent at once, its slowdown trigger lies above the L0 files there are. So every
// point is ordered by construction. Pure; base units.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "controller/search.h"
#include "model/settings.h"
#include "model/snapshot.h"

namespace lsmtuned::controller {

struct Axis {
  model::Knob knob{};
  std::string family;  // empty for database and limiter scope
  double current = 0;
  double low = 0;
  double high = 0;
};

class SearchSpace {
 public:
  // Axes of the family that limits writes most, and of the database.
  // `ledger_alone`: no axes that only the simulator can predict.
  explicit SearchSpace(const SearchRequest& request, bool ledger_alone = false);

  const std::vector<Axis>& axes() const { return axes_; }

  // `values` by axis, any reals; rounded, clamped and completed to full settings.
  model::Settings settings(const std::vector<double>& values) const;
  std::vector<double> current() const;

  // The value RocksDB would be sent: whole, round in binary, within the axis; the present value
  // itself where the difference is too small to matter.
  static double rounded(const Axis& axis, double value);
  // One step of whole numbers, a quarter octave elsewhere, up (1) or down (-1); `value` at an end.
  static double neighbour(const Axis& axis, double value, double direction);

 private:
  struct Range {
    double low = 0;
    double high = 0;
  };
  std::optional<Range> range_of(const SearchRequest& request, const std::string& family,
                                model::Knob knob) const;
  void clear_delay(model::KnobValues& values) const;
  void follow_triggers(model::KnobValues& values) const;
  void follow_file_size(model::KnobValues& values) const;
  void follow_debt(model::KnobValues& values) const;
  bool may(model::Knob knob) const { return movable_.count(knob) != 0; }

  model::Settings present_;
  model::FamilySnapshot family_;
  double l0_files_without_delay_ = 0;
  std::vector<Axis> axes_;
  std::map<model::Knob, Range> movable_;  // of the family, axes or not
};

}  // namespace lsmtuned::controller
