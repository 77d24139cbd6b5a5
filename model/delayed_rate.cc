#include "model/delayed_rate.h"

#include <algorithm>

namespace lsmtuned::model {

std::optional<KnobChange> delayed_rate_again(const Settings& present, const ChangeSet& changes) {
  const bool database = std::ranges::any_of(changes, [](const KnobChange& change) {
    return info(change.knob).scope == KnobScope::database;
  });
  const auto rate = present.get("", Knob::delayed_write_rate);
  if (changes.empty() || database || !rate) return std::nullopt;
  return KnobChange{"", Knob::delayed_write_rate, *rate, *rate};
}

}  // namespace lsmtuned::model
