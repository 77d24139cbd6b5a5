#include <algorithm>
#include <utility>

#include "controller/reducer.h"

namespace lsmtuned::controller {
// A new open of the database: nothing of ours is in force there, and everything is learned anew
// except what belongs to workload and device.
void Reducer::restarted(std::uint64_t incarnation, const model::Settings& baseline) {
  model::ChangeSet tried;
  if (state.trial) tried = state.trial->decision.changes;
  abandon_trial("the database was restarted");
  drop_candidate("restart", "the database was restarted");
  auto& persistent = state.persistent;
  bool restored = std::exchange(state.restore_wanted_by, std::nullopt).has_value();
  // What is left is of a daemon that died, or a restore.
  if (auto open = std::exchange(persistent.open_trial, {})) {
    const bool restore = open->kind == DecisionKind::revert;
    if (!restore) tried = open->changes;
    end(*open, restore ? DecisionStatus::reverted : DecisionStatus::inconclusive,
        "the database was restarted meanwhile");
    restored = restored || restore;
  }
  if (policy.reapply_after_restart && !restored) {
    std::erase_if(persistent.reapply, [&](const model::KnobChange& earlier) {
      return model::find_knob(persistent.kept, earlier) != nullptr;
    });
    persistent.reapply.insert(persistent.reapply.end(), persistent.kept.begin(),
                              persistent.kept.end());
  } else {
    persistent.reapply.clear();
  }
  persistent.kept.clear();
  persistent.may_land.clear();
  persistent.last_kept.reset();
  persistent.incarnation = incarnation;
  persistent.baseline = baseline;
  persistent.foreign.clear();
  state.foreign.clear();
  state.expected = baseline;
  state.expected_since_s = 0;
  state.last.reset();
  state.last_refused.reset();
  state.advice.reset();
  state.rules = {};
  state.next_reapply_s = 0;
  state.discard_search = state.search_running;
  state.attached_since_s = now();
  state.current_prediction.reset();
  state.current_settled.reset();
  forget_window();
  // Kept settings come back without a new observation period: they were found on this database.
  if (!persistent.reapply.empty()) state.attached_since_s = now() - policy.observation_s;
  if (state.phase != Phase::safe && state.phase != Phase::frozen) move_to(Phase::observing);
  take_home_persisted(tried);
}

// RocksDB writes what SetOptions sets into its OPTIONS file: a program that opens with the latest
// options brings a trial without a verdict back as if it were its own.
void Reducer::take_home_persisted(const model::ChangeSet& tried) {
  auto& baseline = state.persistent.baseline;
  const auto came_back = [&](const model::KnobChange& change) {
    return baseline.get(change.family, change.knob) == change.new_value &&
           change.old_value != change.new_value;
  };
  if (tried.empty() || !std::all_of(tried.begin(), tried.end(), came_back)) return;
  model::ChangeSet back = model::reversed(tried);
  baseline = model::with_changes(baseline, back);
  effects.emplace_back(AdoptBaseline{back});
  take_home("persisted",
            "the database was opened with the values of a trial that had no verdict: back to " +
                model::describe(back),
            back);
}

void Reducer::on(const TargetFound& found) {
  auto& persistent = state.persistent;
  if (state.attached) on(TargetLost{"it was found again without having been lost"});
  const std::optional<Decision> open = persistent.open_trial;
  const bool same = persistent.incarnation == found.incarnation;
  state.attached = true;
  state.safe_reason.clear();
  state.bad_snapshots = 0;
  state.last_accepted_at_s = now();
  if (!same) {
    restarted(found.incarnation, found.baseline);
  } else {
    persistent.baseline = found.baseline;
    state.attached_since_s = now();
    state.last.reset();
    state.last_refused.reset();
    state.discard_search = state.search_running;
    state.expected_since_s = 0;
    forget_window();
  }
  state.expected = model::with_changes(found.baseline, found.tuned_by_us);
  if (state.phase == Phase::reverting) return;  // what a trial left in its OPTIONS file goes first
  if (state.phase == Phase::safe && !storm())
    move_to(frozen_now() ? Phase::frozen : Phase::observing);

  if (same && open && open->kind == DecisionKind::revert) {
    if (!found.tuned_by_us.empty()) return restore_baseline(*open);
    persistent.kept.clear();
    persistent.open_trial.reset();
    Decision decision = *open;
    return end(decision, DecisionStatus::reverted,
               "the values were back when the database was found again");
  }
  // What is in force by us must be what trials kept; anything else goes home.
  // A trial may have moved a kept knob to its baseline: then no value of ours shows it.
  const auto moved_to_baseline = [&](const model::KnobChange& kept) {
    const auto* tried = open && same ? model::find_knob(open->changes, kept) : nullptr;
    return tried != nullptr && !found.tuned_by_us.empty() &&
           found.baseline.get(kept.family, kept.knob) == tried->new_value;
  };
  std::erase_if(persistent.kept, [&](const model::KnobChange& kept) {
    return model::find_knob(found.tuned_by_us, kept) == nullptr && !moved_to_baseline(kept);
  });
  model::ChangeSet back;
  for (const auto& ours : found.tuned_by_us) {
    const auto* kept = model::find_knob(persistent.kept, ours);
    const double wanted = kept
                              ? kept->new_value
                              : found.baseline.get(ours.family, ours.knob).value_or(ours.old_value);
    if (wanted != ours.new_value) back.push_back({ours.family, ours.knob, ours.new_value, wanted});
  }
  for (const auto& kept : persistent.kept)
    if (model::find_knob(found.tuned_by_us, kept) == nullptr)
      back.push_back(
          {kept.family, kept.knob, *found.baseline.get(kept.family, kept.knob), kept.new_value});
  if (same && open) {
    Decision decision = *open;
    if (decision.status == DecisionStatus::intended) call_may_land(decision.changes);
    if (back.empty()) {
      persistent.open_trial.reset();
      return end(decision, DecisionStatus::reverted,
                 "the daemon restarted during the trial; the lease had restored the values");
    }
    decision.evidence = "daemon restarted during the trial";
    return revert_values(std::move(decision), std::move(back), DecisionStatus::reverted);
  }
  if (!back.empty())
    take_home("unknown_values",
              "values of ours that no kept decision explains: " + model::describe(back), back);
}

void Reducer::on(const TargetLost& lost) {
  if (!state.attached) return;
  abandon_trial("target lost: " + lost.reason + "; the lease restores the values");
  state.attached = false;
  state.safe_reason = "target lost: " + lost.reason;
  drop_candidate("target_lost", state.safe_reason);
  state.discard_search = state.search_running;
  forget_window();
  state.last.reset();
  state.last_refused.reset();
  state.bad_snapshots = 0;
  move_to(Phase::safe);
}

void Reducer::on(const PolicyChanged& changed) {
  if (state.policy.strategy != changed.policy.strategy) state.rules = {};
  state.policy = changed.policy;
  policy = effective_policy(state);
  forget_found();
  state.advice.reset();
  state.next_search_s = now();
  state.fruitless_searches = 0;
  state.reverted_trials = 0;
}

void Reducer::on(const TurnGiven& given) {
  state.turn = given.turn;
  policy = effective_policy(state);
}

void Reducer::on(const Tick&) {
  retry_records();
  if (!state.attached) return;
  if (now() - std::max(state.last_accepted_at_s, 0.0) > longest_pause_s())
    bad_data("no good snapshot for more than " +
             std::to_string(static_cast<int>(longest_pause_s())) + " s");
}

// `keep` keeps what trials have kept; a trial without a verdict goes home either way.
void Reducer::on(const Shutdown&) {
  state.stopping = true;
  drop_candidate("shutdown", "the daemon stops");
  if (!state.attached || (state.revert && state.revert->restore)) return;
  if (policy.on_exit == config::ExitPolicy::revert) {
    if (state.persistent.kept.empty() && !state.trial && !state.revert) return;
    if (state.outstanding) {  // one call at a time: the restore follows, or the lease does it
      state.restore_wanted_by = "shutdown";
      return;
    }
    Decision decision = new_decision(DecisionKind::revert);
    decision.reason = "shutdown";
    if (state.last)
      decision.changes = model::difference(state.last->settings, state.persistent.baseline);
    decision.explanation = "the daemon stops, and on_exit is revert";
    if (state.revert) end(state.revert->decision, state.revert->final_status, "the daemon stops");
    return restore_baseline(std::move(decision));
  }
  if (state.phase == Phase::settling || state.phase == Phase::verifying)
    revert_trial(DecisionStatus::inconclusive, "shutdown", "the daemon stops", false);
}

}  // namespace lsmtuned::controller
