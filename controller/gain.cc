#include "controller/gain.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "controller/window.h"
#include "model/eighty_percent.h"

namespace lsmtuned::controller {
namespace {

constexpr double kLeastRelativeError = 0.01;

double relative_error(const WindowMeasure& measure) {
  return std::max(kLeastRelativeError, measure.standard_error / measure.put_bytes_per_s);
}

bool measured(const WindowMeasure& measure) {
  return measure.seconds > 0 && measure.put_bytes_per_s > 0;
}

bool is_trial(const Decision& decision) {
  return decision.kind == DecisionKind::proposal || decision.kind == DecisionKind::reapply;
}

bool was_sent(const Decision& decision) {
  switch (decision.status) {
    case DecisionStatus::applied:
    case DecisionStatus::kept:
    case DecisionStatus::reverted:
    case DecisionStatus::inconclusive:
      return !decision.changes.empty();
    default:
      return false;
  }
}

struct InForce {
  model::ChangeSet changes;
  MeasuredChange change;
};

// What a revert took back: one kept trial (regret), or all of them.
void take_back(std::vector<InForce>& kept, const Decision& revert) {
  if (revert.reason != "regret") return kept.clear();
  const auto undone = std::find_if(kept.rbegin(), kept.rend(), [&](const InForce& one) {
    return one.changes == model::reversed(revert.changes);
  });
  if (undone != kept.rend()) kept.erase(std::next(undone).base());
}

// Values may go home without a decision: a lease that ran out, someone else's hand.
void drop_what_no_longer_holds(std::vector<InForce>& kept, model::Settings settings) {
  for (auto one = kept.rbegin(); one != kept.rend(); ++one) {
    const bool holds =
        std::all_of(one->changes.begin(), one->changes.end(), [&](const model::KnobChange& change) {
          return settings.get(change.family, change.knob) == change.new_value;
        });
    if (holds)
      settings = model::with_changes(settings, model::reversed(one->changes));
    else
      one->changes.clear();
  }
  std::erase_if(kept, [](const InForce& one) { return one.changes.empty(); });
}

}  // namespace

double MeasuredChange::share() const {
  return std::expm1(log);
}
double MeasuredChange::low_share() const {
  return std::expm1(log - model::kEightyPercent * standard_error);
}
double MeasuredChange::high_share() const {
  return std::expm1(log + model::kEightyPercent * standard_error);
}

std::optional<MeasuredChange> measured_change(const WindowMeasure& before,
                                              const WindowMeasure& after) {
  if (!measured(before) || !measured(after)) return std::nullopt;
  return MeasuredChange{std::log(after.put_bytes_per_s / before.put_bytes_per_s),
                        std::hypot(relative_error(before), relative_error(after))};
}

bool held_by_load(const WindowMeasure& measure) {
  return measure.stall_share <= kCalmStallShare;
}

TuningGain tuning_gain(const std::vector<Decision>& decisions, std::uint64_t incarnation,
                       const WindowMeasure& now, const model::Settings& settings) {
  TuningGain gain;
  std::vector<InForce> kept;
  model::ChangeSet open_trial;
  for (const Decision& decision : decisions) {
    if (decision.incarnation != incarnation) continue;
    const bool sent = is_trial(decision) && was_sent(decision);
    // The level just before the first change; until there is one, the earliest that was recorded.
    if (!gain.changed && measured(decision.measured_before) && (sent || !gain.start))
      gain.start = StartLevel{decision.measured_before, decision.id, decision.wall_time_s};
    if (decision.kind == DecisionKind::revert && decision.status == DecisionStatus::reverted)
      take_back(kept, decision);
    if (!sent) continue;
    gain.changed = true;
    open_trial.clear();
    if (decision.status == DecisionStatus::applied) {
      open_trial = decision.changes;
      continue;
    }
    ++gain.trials;
    if (decision.status != DecisionStatus::kept) continue;
    if (const auto change = measured_change(decision.measured_before, decision.measured_after))
      kept.push_back({decision.changes, *change});
  }
  drop_what_no_longer_holds(kept, model::with_changes(settings, model::reversed(open_trial)));
  double variance = 0;
  for (const InForce& one : kept) {
    gain.kept.log += one.change.log;
    variance += one.change.standard_error * one.change.standard_error;
  }
  gain.kept.standard_error = std::sqrt(variance);
  gain.kept_in_force = static_cast<int>(kept.size());
  if (gain.start) gain.since_start = measured_change(gain.start->measure, now);
  return gain;
}

}  // namespace lsmtuned::controller
