// A kept change is judged by one load; the next one may be another. While it is in force, writers
// that stall although they write less than the settings before it took, and although compaction
// rests at times, say that it is in the way. Where compaction never rests the device may have
// become slower, and the old settings would take less, too.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "controller/guard.h"
#include "controller/reducer.h"
#include "controller/strategy/strategy.h"
#include "controller/window.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {
constexpr double kStalled = 0.05;      // share of time
constexpr double kLess = 0.05;         // relative, beyond the standard error
constexpr double kBound90 = 1.28;      // one-sided
constexpr double kResting = 0.2;       // share of samples in which no compaction runs
constexpr double kSlowerDevice = 0.1;  // relative: the old settings would take less, too
}  // namespace

void Reducer::remember_kept(const Decision& decision, const TrialBaseline& before) {
  state.persistent.last_kept.reset();
  if (decision.kind != DecisionKind::proposal || unverified(policy)) return;
  state.persistent.last_kept =
      KeptChange{decision.id, decision.changes, before.loaded_bytes_per_s, before.put_size_bytes,
                 state.persistent.calibration.write_bandwidth};
}

bool Reducer::regret() {
  auto& last = state.persistent.last_kept;
  if (!last || !state.last || state.outstanding || mode() != config::Mode::tune) return false;
  for (const auto& change : last->changes)
    if (state.last->settings.get(change.family, change.knob) != change.new_value) {
      last.reset();
      return false;
    }
  const WindowMeasure& measured = state.current_measure;
  if (measured.l0_compactions < policy.trial_min_cycles || measured.seconds < policy.trial_min_s ||
      !(measured.stall_share > kStalled) || !(measured.put_bytes_per_s > 0))
    return false;
  if (state.persistent.calibration.write_bandwidth < (1 - kSlowerDevice) * last->write_bandwidth)
    return false;
  const std::vector<Mark> marks = marks_of(state.recent);
  if (put_size_changed(last->put_size_bytes, put_size(marks))) return false;
  const auto resting = std::count_if(
      state.recent.begin(), state.recent.end(),
      [](const model::Snapshot& sample) { return sample.state.running_compactions == 0; });
  if (static_cast<double>(resting) < kResting * static_cast<double>(state.recent.size()))
    return false;
  const double rate = loaded_rate(marks);
  const double error = rate * measured.standard_error / measured.put_bytes_per_s;
  if (rate + kBound90 * error >= (1 - kLess) * last->loaded_bytes_per_s_before) return false;

  model::ChangeSet changes = model::reversed(last->changes);
  // Beside what someone else has set since, the old values might not be valid.
  if (legal_revert(*state.last, changes, state.cpu_cores).size() < changes.size()) {
    last.reset();
    return false;
  }
  Decision decision = new_decision(DecisionKind::revert);
  decision.reason = "regret";
  decision.changes = changes;
  decision.measured_before = measured;
  decision.explanation = "writes stall " + model::format_percent(measured.stall_share) +
                         " of the time at " + model::format_rate(rate) + ", and " +
                         model::format_rate(last->loaded_bytes_per_s_before) +
                         " were taken before decision " + std::to_string(last->decision_id) +
                         ": back to " + model::describe(decision.changes);
  remember_failed(last->changes);
  last.reset();
  // By a crash from here on, what is in force and not kept goes home (TargetFound).
  model::ChangeSet back = changes;
  for (auto& change : back)  // relative to the baseline
    change.old_value =
        state.persistent.baseline.get(change.family, change.knob).value_or(change.new_value);
  merge_kept(state.persistent.kept, back);
  count_revert();
  wait_longer();
  decision.status = DecisionStatus::intended;
  record(decision);
  revert_values(std::move(decision), std::move(changes), DecisionStatus::reverted);
  return true;
}

}  // namespace lsmtuned::controller
