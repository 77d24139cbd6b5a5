#include <algorithm>
#include <utility>

#include "controller/reducer.h"

namespace lsmtuned::controller {
namespace {
constexpr int kBadSnapshotsToSafe = 3;
// After this many refusals, snapshots that agree with each other are a new truth: the accepted one
// was the outlier.
constexpr int kBadSnapshotsToRestart = 6;

bool sent_by_us(const model::ChangeSet& sent, const model::KnobChange& found) {
  const model::KnobChange* ours = model::find_knob(sent, found);
  return ours != nullptr && ours->new_value == found.new_value;
}

bool not_taken(const model::ChangeSet& sent, const model::KnobChange& found) {
  return sent_by_us(model::reversed(sent), found);
}

}  // namespace

void Reducer::on(const SnapshotFailed& failed) {
  if (!state.attached) return;
  ++state.bad_snapshots;
  if (state.bad_snapshots >= kBadSnapshotsToSafe) bad_data("no good snapshot: " + failed.reason);
}

void Reducer::bad_data(const std::string& why) {
  if (!state.safe_reason.empty()) return;
  state.safe_reason = why;
  drop_candidate("bad_data", why);
  alert(Alert::Severity::warning, "bad_data", why);
}

void Reducer::on(const SnapshotArrived& arrived) {
  if (!state.attached) return;
  const model::Snapshot& snapshot = arrived.snapshot;
  if (state.persistent.incarnation != snapshot.incarnation) {
    if (const auto why = model::refuse_reason(nullptr, snapshot); why.empty())
      restarted(snapshot.incarnation, snapshot.settings);
  }
  const model::Snapshot* previous =
      state.last && state.last->incarnation == snapshot.incarnation ? &*state.last : nullptr;
  std::string refused = model::refuse_reason(previous, snapshot);
  if (!refused.empty() && state.bad_snapshots >= kBadSnapshotsToRestart && state.last_refused &&
      model::refuse_reason(&*state.last_refused, snapshot).empty()) {
    forget_window();
    refused.clear();
  }
  if (!refused.empty()) {
    ++state.snapshots_refused;
    ++state.bad_snapshots;
    state.last_refused = snapshot;
    if (state.bad_snapshots >= kBadSnapshotsToSafe) bad_data("snapshots are refused: " + refused);
    return;
  }
  state.bad_snapshots = 0;
  state.last_refused.reset();
  if (!state.safe_reason.empty()) {
    alert(Alert::Severity::info, "good_data", "good data again after: " + state.safe_reason);
    state.safe_reason.clear();
  }
  state.last = snapshot;
  state.last_accepted_at_s = now();
  check_foreign(snapshot);
  estimate(snapshot);
  strategy_named(policy.strategy).observe(state, policy);
  if (state.phase == Phase::settling || state.phase == Phase::verifying) follow_trial(snapshot);
  if (state.phase == Phase::reverting) check_reverted(snapshot);
  advance();
  if (state.phase == Phase::steady && !regret()) consider();
}

// A knob that no longer has the value we know of, and that we did not send: it is someone else's.
void Reducer::check_foreign(const model::Snapshot& snapshot) {
  if (!state.expected) {
    state.expected = snapshot.settings;
    return;
  }
  if (state.outstanding || snapshot.time_s <= state.expected_since_s) return;
  if (state.phase == Phase::reverting && state.revert && !state.revert->returned) return;
  const model::ChangeSet found = model::difference(*state.expected, snapshot.settings);
  if (found.empty()) {
    if (state.trial && state.phase == Phase::settling) state.trial->read_back = true;
    stop_waiting_for_late_calls(snapshot);
    return;
  }
  model::ChangeSet foreign;
  model::ChangeSet landed;
  bool took_hold = true;
  for (const auto& change : found) {
    if (state.phase == Phase::settling && state.trial && !state.trial->read_back &&
        not_taken(state.trial->decision.changes, change)) {
      took_hold = false;  // OK was returned, yet the old value is in force
    } else if (state.phase == Phase::reverting && state.revert &&
               not_taken(state.revert->changes, change)) {
      continue;  // the revert did not take hold yet: check_reverted sends it again
    } else if (sent_by_us(state.persistent.may_land, change)) {
      landed.push_back(change);
    } else {
      foreign.push_back(change);
    }
  }
  if (!foreign.empty()) {
    bool news = now() - state.last_foreign_record_s >= 60;
    for (const auto& change : foreign) {
      state.persistent.baseline.set(change.family, change.knob, change.new_value);
      std::erase_if(state.persistent.kept,
                    [&](const model::KnobChange& kept) { return model::same_knob(kept, change); });
      const auto place = std::pair(change.family, change.knob);
      if (std::find(state.foreign.begin(), state.foreign.end(), place) == state.foreign.end()) {
        state.foreign.push_back(place);
        news = true;
      }
      state.expected->set(change.family, change.knob, change.new_value);
      if (state.revert)
        std::erase_if(state.revert->changes, [&](const model::KnobChange& ours) {
          return model::same_knob(ours, change);
        });
    }
    state.persistent.foreign = state.foreign;
    if (news) {
      state.last_foreign_record_s = now();
      Decision decision = new_decision(DecisionKind::foreign);
      decision.reason = "foreign";
      decision.before = model::with_changes(snapshot.settings, model::reversed(foreign));
      decision.changes = foreign;
      decision.initiator = "someone else";
      decision.explanation =
          "changed by someone else and left alone from now on: " + model::describe(foreign);
      end(decision, DecisionStatus::noted, "");
      alert(Alert::Severity::warning, "foreign", decision.explanation);
    }
    effects.emplace_back(AdoptBaseline{foreign});
    drop_candidate("foreign", "someone else changed " + model::describe(foreign));
    state.advice.reset();
    if (state.phase == Phase::settling || state.phase == Phase::verifying) {
      revert_trial(DecisionStatus::inconclusive, "foreign",
                   "someone else changed " + model::describe(foreign) + " during the trial", false);
    } else if (state.phase != Phase::reverting) {
      forget_window();
    }
  }
  if (!took_hold && state.phase == Phase::settling)
    revert_trial(DecisionStatus::failed, "read_back",
                 "the call returned OK, but the database still reports the old value", true);
  if (landed.empty()) {
    stop_waiting_for_late_calls(snapshot);
  } else {
    take_back(landed);
  }
}

// A call that nobody answered, since its connection was lost.
void Reducer::call_may_land(const model::ChangeSet& changes) {
  state.persistent.may_land = changes;
  state.late_calls_over_at_s.reset();
}

void Reducer::stop_waiting_for_late_calls(const model::Snapshot& snapshot) {
  if (!state.late_calls_over_at_s || snapshot.time_s <= *state.late_calls_over_at_s) return;
  state.persistent.may_land.clear();
  state.late_calls_over_at_s.reset();
}

// A call of before the connection was lost has returned after all.
void Reducer::take_back(const model::ChangeSet& landed) {
  if (state.phase == Phase::reverting) return;  // seen again when that is done
  if (state.trial)
    return revert_trial(DecisionStatus::inconclusive, "late_call",
                        "an earlier call took effect: " + model::describe(landed), false);
  const model::ChangeSet back = model::reversed(landed);
  take_home("late_call",
            "a call that never answered took effect after all: back to " + model::describe(back),
            back);
}

}  // namespace lsmtuned::controller
