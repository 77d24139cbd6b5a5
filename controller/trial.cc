#include <algorithm>
#include <utility>

#include "controller/reducer.h"
#include "controller/verdict.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {
constexpr std::size_t kMarks = 4000;
constexpr double kMostBehindS = 20;      // of writes at the rate before, or one cycle of then,
constexpr double kMostBehindLongS = 60;  // but never more than this
}  // namespace

void merge_kept(model::ChangeSet& kept, const model::ChangeSet& changes) {
  for (const auto& change : changes) {
    const auto same = std::find_if(kept.begin(), kept.end(), [&](const model::KnobChange& k) {
      return model::same_knob(k, change);
    });
    if (same == kept.end()) {
      kept.push_back(change);
    } else {
      same->new_value = change.new_value;
    }
  }
  std::erase_if(kept, [](const model::KnobChange& k) { return k.old_value == k.new_value; });
}

void Reducer::remember_failed(const model::ChangeSet& changes) {
  std::erase_if(state.failed, [&](const FailedCandidate& f) { return f.until_s <= now(); });
  state.failed.push_back({changes, now() + policy.failed_memory_s, state.workload.workload});
  if (state.failed.size() > 50) state.failed.erase(state.failed.begin());
}

// A verdict on a strategy's own proposal.
void Reducer::learned(const Decision& decision, bool kept) {
  if (decision.kind == DecisionKind::proposal)
    strategy_named(policy.strategy).learn(state, policy, decision, kept, event.wall_s);
}

// What a trial costs is bounded, settled or not: not more than some seconds of writes. A cycle
// may begin with its slow part, so one of those before is allowed for.
std::string Reducer::too_costly(const model::Snapshot& snapshot) {
  Trial& trial = *state.trial;
  const TrialBaseline& before = trial.before;
  const Mark mark = mark_of(snapshot);
  const std::optional<Mark> from = std::exchange(trial.followed, mark);
  if (!from || unverified(policy) || trial.decision.kind == DecisionKind::reapply ||
      before.rate.cycles < 2 || !(before.loaded_bytes_per_s > 0))
    return {};
  if (loaded(*from, mark, before.loaded_bytes_per_s))
    trial.behind_bytes += before.loaded_bytes_per_s * (mark.time_s - from->time_s) -
                          (mark.user_bytes - from->user_bytes);
  const double behind_s = trial.behind_bytes / before.loaded_bytes_per_s;
  if (behind_s <= std::clamp(before.cycle_s, kMostBehindS, kMostBehindLongS)) return {};
  return "since the call writers took in less than at " +
         model::format_rate(before.loaded_bytes_per_s) + " before, by " +
         model::format_duration(behind_s) + " of such writes";
}

void Reducer::follow_trial(const model::Snapshot& snapshot) {
  if (!state.trial || snapshot.time_s <= state.trial->applied_at_s) return;
  if (const auto cost = too_costly(snapshot); !cost.empty()) {
    if (state.phase == Phase::verifying) measure_trial(snapshot);
    learned(state.trial->decision, false);
    return revert_trial(DecisionStatus::reverted, "costly", cost, true);
  }
  if (state.phase == Phase::settling) {
    settle(snapshot);
  } else {
    verify(snapshot);
  }
}

// Jobs that were running at the call can undo an option's effect when they end, and their work
// belongs to the old settings. A job completed after all of them had ended began after the call.
void Reducer::settle(const model::Snapshot& snapshot) {
  Trial& trial = *state.trial;
  if (unverified(policy)) {
    if (trial.read_back) keep_trial("read back; not verified, as the policy says");
    return;
  }
  const double since_call = snapshot.time_s - trial.applied_at_s;
  const auto l0 = static_cast<double>(snapshot.state.l0_compactions_completed);
  if (!trial.drained_l0_compactions) {
    if (snapshot.state.oldest_running_job_s < since_call) trial.drained_l0_compactions = l0;
  }
  const bool cycle = trial.drained_l0_compactions && l0 > *trial.drained_l0_compactions;
  if (!cycle && since_call < policy.settle_max_s) return;
  if (!trial.read_back) return;
  if (trial.decision.kind == DecisionKind::reapply) {
    keep_trial("kept by an earlier trial; applied again and read back");
    return;
  }
  trial.settled_at_s = now();
  trial.at_settle = snapshot;
  trial.marks = {mark_of(snapshot)};
  forget_window();
  move_to(Phase::verifying);
}

void Reducer::measure_trial(const model::Snapshot& snapshot) {
  Trial& trial = *state.trial;
  trial.decision.measured_after = measure_marks(trial.marks, true);
  add_latencies(trial.decision.measured_after, *trial.at_settle, snapshot);
  judge_kpis(trial.decision);
}

void Reducer::verify(const model::Snapshot& snapshot) {
  Trial& trial = *state.trial;
  trial.marks.push_back(mark_of(snapshot));
  if (trial.marks.size() > kMarks) {
    std::vector<Mark> thinned;
    for (std::size_t i = 0; i < trial.marks.size(); ++i)
      if (i % 2 == 0 || i + 1 == trial.marks.size()) thinned.push_back(trial.marks[i]);
    trial.marks = std::move(thinned);
  }
  const Judgement judgement = judge(policy, trial.before, trial.marks, trial.behind_bytes);
  if (judgement.verdict == Verdict::go_on) return;
  measure_trial(snapshot);
  const Decision& decision = trial.decision;
  const WindowMeasure loaded =
      measure_marks(under_load(trial.marks, trial.before.loaded_bytes_per_s), true);
  if (loaded.l0_compactions >= 2 && judgement.verdict != Verdict::inconclusive)
    learn_from_trial(trial, loaded);
  if (judgement.verdict != Verdict::inconclusive)
    learned(decision, judgement.verdict == Verdict::keep);
  switch (judgement.verdict) {
    case Verdict::keep:
      keep_trial(judgement.evidence);
      break;
    case Verdict::worse:
      revert_trial(DecisionStatus::reverted, "worse", judgement.evidence, true);
      break;
    case Verdict::no_gain:
      revert_trial(DecisionStatus::reverted, "no gain", judgement.evidence, true);
      break;
    case Verdict::inconclusive:
      revert_trial(DecisionStatus::inconclusive, "inconclusive", judgement.evidence, true);
      break;
    case Verdict::go_on:
      break;
  }
}

void Reducer::keep_trial(const std::string& evidence) {
  Decision decision = std::move(state.trial->decision);
  remember_kept(decision, state.trial->before);
  // The next trial is measured against what lasts, not against an L0 that filled up.
  if (const auto& marks = state.trial->marks; !marks.empty()) {
    const double steady_s = marks[steady_from(marks, true)].time_s;
    while (!state.recent.empty() && state.recent.front().time_s < steady_s)
      state.recent.pop_front();
  }
  state.trial.reset();
  model::ChangeSet changes = decision.changes;
  for (auto& change : changes)  // relative to the baseline
    change.old_value =
        state.persistent.baseline.get(change.family, change.knob).value_or(change.old_value);
  merge_kept(state.persistent.kept, changes);
  state.persistent.open_trial.reset();
  if (decision.kind == DecisionKind::reapply) state.persistent.reapply.clear();
  state.family_rests.clear();
  state.reverted_trials = 0;
  end(decision, DecisionStatus::kept, evidence);
  alert(Alert::Severity::info, "kept",
        "decision " + std::to_string(decision.id) + " is kept: " + evidence);
  move_to(Phase::cooldown);
}

// A call that is out may still land. A restore that is out is asked for again where the database
// comes back as it was (TargetFound).
void Reducer::abandon_trial(const std::string& evidence) {
  if (state.outstanding && !state.outstanding->is_revert && state.trial)
    call_may_land(state.trial->decision.changes);
  state.outstanding.reset();
  const auto trial = std::exchange(state.trial, {});
  const auto revert = std::exchange(state.revert, {});
  if (!revert) {
    if (!trial) return;
    Decision decision = trial->decision;
    end(decision, DecisionStatus::inconclusive, evidence);
    state.persistent.open_trial.reset();
    return;
  }
  if (revert->trial) {
    Decision decision = *revert->trial;
    end(decision, DecisionStatus::inconclusive, evidence);
  }
  if (revert->restore) return;
  Decision decision = revert->decision;
  end(decision, revert->final_status, evidence);
  state.persistent.open_trial.reset();
}

}  // namespace lsmtuned::controller
