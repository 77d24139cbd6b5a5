#include <algorithm>
#include <cmath>

#include "controller/going_back.h"
#include "controller/guard.h"
#include "controller/reducer.h"
#include "model/delayed_rate.h"

namespace lsmtuned::controller {
namespace {
constexpr double kHourS = 3600;
constexpr double kLongestBackOffS = 60;
constexpr int kAttemptsUntilAlarm = 5;
constexpr int kMostCooldownDoublings = 3;  // of the cooldown, by trials reverted in a row
constexpr double kMostLostShare = 0.02;    // of writes, by trials that gained nothing
}  // namespace

int Reducer::reverts_within_hour() {
  auto& times = state.persistent.revert_wall_times_s;
  std::erase_if(times, [&](double t) { return event.wall_s - t >= kHourS || t > event.wall_s; });
  return static_cast<int>(times.size());
}

void Reducer::count_revert() {
  auto& times = state.persistent.revert_wall_times_s;
  reverts_within_hour();
  times.push_back(event.wall_s);
  if (static_cast<int>(times.size()) < std::max(1, policy.reverts_per_hour_limit)) return;
  if (!state.persistent.storm_latched)
    alert(Alert::Severity::critical, "storm",
          std::to_string(times.size()) +
              " reverts within an hour: no more changes until an "
              "operator thaws this target");
  state.persistent.storm_latched = true;
}

// Every trial costs something: over time not more than a share of all writes. And where several in
// a row gained nothing the next may not either.
void Reducer::wait_longer() {
  const int before = std::min(state.reverted_trials++, kMostCooldownDoublings);
  double wait_s = policy.cooldown_s * (1 << before);
  if (state.trial && state.trial->before.loaded_bytes_per_s > 0)
    wait_s = std::max(wait_s, state.trial->behind_bytes / state.trial->before.loaded_bytes_per_s /
                                  kMostLostShare);
  state.rests_until_s = std::max(state.rests_until_s, now() + wait_s);
  const double before_bytes_per_s = state.trial ? state.trial->before.rate.mean : 0;
  state.rests_at_bytes_per_s =
      before_bytes_per_s > 0 ? before_bytes_per_s : state.loaded_bytes_per_s;
}

void Reducer::revert_trial(DecisionStatus status, const std::string& reason,
                           const std::string& evidence, bool counts) {
  Decision decision = state.trial->decision;
  if (!decision.evidence.empty()) decision.evidence += "; ";
  decision.evidence += reason + ": " + evidence;
  // What another load has called off has not failed.
  if (status != DecisionStatus::inconclusive) {
    remember_failed(decision.changes);
    if (decision.kind == DecisionKind::reapply) state.persistent.reapply.clear();
  }
  if (counts) {
    count_revert();
    wait_longer();
  }
  model::ChangeSet back = model::reversed(decision.changes);
  std::erase_if(back, [&](const model::KnobChange& change) {  // theirs now
    return std::find(state.foreign.begin(), state.foreign.end(),
                     std::pair(change.family, change.knob)) != state.foreign.end();
  });
  if (back.empty()) {
    end(decision, status, "nothing of the trial was left to revert");
    state.trial.reset();
    state.persistent.open_trial.reset();
    forget_window();
    move_to(Phase::cooldown);
    return;
  }
  revert_values(std::move(decision), std::move(back), status);
}

void Reducer::revert_values(Decision decision, model::ChangeSet changes,
                            DecisionStatus final_status) {
  RevertInProgress revert;
  revert.decision = std::move(decision);
  revert.final_status = final_status;
  revert.changes = std::move(changes);
  state.revert = std::move(revert);
  // A trial's intent is on disk already; one recorded in this step may fail to be.
  state.revert->awaits_record = state.revert->decision.status == DecisionStatus::intended &&
                                state.revert->decision.kind == DecisionKind::revert;
  move_to(Phase::reverting);
  send_revert();
}

// Values of ours that are in force without a verdict, or by no decision that is known.
void Reducer::take_home(const std::string& reason, const std::string& why,
                        const model::ChangeSet& back) {
  Decision decision = new_decision(DecisionKind::revert);
  decision.reason = reason;
  decision.explanation = why;
  decision.changes = back;
  decision.status = DecisionStatus::intended;
  record(decision);
  revert_values(std::move(decision), back, DecisionStatus::reverted);
}

void Reducer::restore_baseline(Decision decision) {
  RevertInProgress revert;
  revert.final_status = DecisionStatus::reverted;
  revert.restore = true;
  if (state.trial) revert.trial = state.trial->decision;
  revert.changes = decision.changes;
  decision.status = DecisionStatus::intended;
  record(decision);
  state.persistent.open_trial = decision;
  revert.decision = std::move(decision);
  revert.awaits_record = true;
  state.revert = std::move(revert);
  state.advice.reset();
  state.persistent.reapply.clear();
  move_to(Phase::reverting);
  send_revert();
}

void Reducer::want_restore(const std::string& by) {
  Decision decision = new_decision(DecisionKind::revert);
  decision.reason = "operator";
  decision.initiator = by;
  if (state.last)
    decision.changes = model::difference(state.last->settings, state.persistent.baseline);
  decision.explanation = "back to the baseline: " + model::describe(decision.changes);
  if (const std::string cost = describe(cost_of_going_back(state)); !cost.empty())
    decision.explanation += "; it " + cost;
  restore_baseline(std::move(decision));
}

// Someone else may have moved knobs beside ours: on triggers out of order RocksDB aborts, or holds
// writers for ever. What must not go back for that stays in force as ours.
void Reducer::leave_what_clashes() {
  RevertInProgress& revert = *state.revert;
  if (!state.last) return;
  model::ChangeSet in_force;
  for (const auto& change : revert.changes)
    if (state.last->settings.get(change.family, change.knob) == change.old_value)
      in_force.push_back(change);
  const model::ChangeSet legal = legal_revert(*state.last, in_force, state.cpu_cores);
  for (const auto& change : in_force) {
    if (model::find_knob(legal, change) != nullptr) continue;
    revert.stays.push_back(change);
    std::erase_if(revert.changes,
                  [&](const model::KnobChange& c) { return model::same_knob(c, change); });
  }
}

// They are as good as kept: a later revert, or the lease, takes them back where that is valid.
std::string Reducer::note_what_stays(const model::ChangeSet& stays) {
  if (stays.empty()) return {};
  auto& kept = state.persistent.kept;
  for (const auto& change : stays) {
    std::erase_if(kept, [&](const model::KnobChange& k) { return model::same_knob(k, change); });
    const auto baseline = state.persistent.baseline.get(change.family, change.knob);
    if (baseline && *baseline != change.old_value)
      kept.push_back({change.family, change.knob, *baseline, change.old_value});
  }
  std::string words =
      "what stays in force, since beside a value of someone else its old value would not be "
      "valid: " +
      model::describe(model::reversed(stays));
  alert(Alert::Severity::warning, "revert_incomplete", words);
  return words;
}

// The intent that covers a revert of a trial is the trial's own record, which holds the old values;
// so nothing needs the disk before this, and a full disk cannot hold a revert up.
void Reducer::send_revert() {
  RevertInProgress& revert = *state.revert;
  // On a repetition, only what still holds our value: the rest is back, or someone else's by now.
  if (revert.attempts > 0 && !revert.restore && state.last &&
      state.last->time_s > state.expected_since_s) {
    std::erase_if(revert.changes, [&](const model::KnobChange& change) {
      const auto present = state.last->settings.get(change.family, change.knob);
      if (present == change.new_value && state.expected)
        state.expected->set(change.family, change.knob, change.new_value);
      return present != change.old_value;
    });
  }
  const bool seen =
      state.last && (revert.attempts == 0 || state.last->time_s > state.expected_since_s);
  if (seen) leave_what_clashes();
  const bool nothing_left = revert.changes.empty() && (!revert.restore || !revert.stays.empty());
  if (seen && nothing_left) {
    revert.returned = true;
    revert.returned_at_s = state.expected_since_s;
    return;
  }
  ++revert.attempts;
  revert.returned = false;
  state.outstanding = OutstandingCall{revert.decision.id, true, false, now()};
  if (revert.restore && revert.stays.empty()) {
    effects.emplace_back(
        RestoreBaseline{revert.decision.id, policy.apply_deadline_s, policy.clear_delay_on_revert});
  } else {
    model::ChangeSet sent = revert.changes;
    // Without this a database may stay delayed, and slower, where it was not before the trial.
    if (policy.clear_delay_on_revert && state.last)
      if (const auto again = model::delayed_rate_again(state.last->settings, sent))
        sent.push_back(*again);
    effects.emplace_back(
        ApplyChanges{revert.decision.id, std::move(sent), policy.apply_deadline_s, true});
  }
}

void Reducer::revert_returned(const ApplyFinished& finished) {
  if (state.phase != Phase::reverting || !state.revert) return;
  RevertInProgress& revert = *state.revert;
  revert.awaits_record = false;
  state.expected_since_s = now();
  if (finished.status == ApplyStatus::ok) {
    const auto& back =
        revert.restore && !finished.applied.empty() ? finished.applied : revert.changes;
    if (state.expected) state.expected = model::with_changes(*state.expected, back);
    revert.returned = true;
    revert.returned_at_s = now();
    forget_window();
    return;
  }
  if (state.expected && finished.status == ApplyStatus::failed)
    state.expected = model::with_changes(*state.expected, finished.applied);
  const double wait = std::min(kLongestBackOffS, std::pow(2.0, std::min(revert.attempts - 1, 6)));
  revert.next_attempt_s = now() + wait;
  if (revert.attempts == 1 || revert.attempts == kAttemptsUntilAlarm)
    alert(revert.attempts == 1 ? Alert::Severity::warning : Alert::Severity::critical,
          "revert_failed", "a revert did not succeed and is tried again: " + finished.error);
}

void Reducer::check_reverted(const model::Snapshot& snapshot) {
  if (!state.revert || !state.revert->returned || snapshot.time_s <= state.revert->returned_at_s)
    return;
  const bool still_ours =
      std::any_of(state.revert->changes.begin(), state.revert->changes.end(),
                  [&](const model::KnobChange& change) {
                    return snapshot.settings.get(change.family, change.knob) == change.old_value &&
                           change.old_value != change.new_value;
                  });
  if (still_ours) {
    state.revert->returned = false;
    const double wait =
        std::min(kLongestBackOffS, std::pow(2.0, std::min(state.revert->attempts - 1, 6)));
    state.revert->next_attempt_s = now() + wait;
    alert(Alert::Severity::warning, "revert_failed",
          "the revert returned OK, but the database still reports our value; trying again");
    return;
  }
  finish_revert("");
}

void Reducer::finish_revert(const std::string& note) {
  RevertInProgress revert = std::move(*state.revert);
  state.revert.reset();
  state.trial.reset();
  state.persistent.open_trial.reset();
  if (revert.trial) end(*revert.trial, DecisionStatus::reverted, "the whole baseline was restored");
  if (revert.restore) {
    for (const auto& kept : state.persistent.kept) remember_failed({kept});
    state.persistent.kept.clear();
  }
  std::string words = note_what_stays(revert.stays);
  if (!note.empty() && !words.empty()) words += "; ";
  end(revert.decision, revert.final_status, words + note);
  forget_window();
  move_to(resting_phase());
}

}  // namespace lsmtuned::controller
