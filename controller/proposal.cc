#include <algorithm>

#include "controller/guard.h"
#include "controller/reducer.h"

namespace lsmtuned::controller {
namespace {
constexpr double kLookAgainS = 10;       // between looks that ended in a no-op, at most
constexpr double kSearchTimeoutS = 600;  // a search that never answered is forgotten
}  // namespace

void Reducer::start_apply(Decision decision) {
  decision.status = DecisionStatus::intended;
  decision.before = state.last->settings;
  decision.measured_before = state.current_measure;
  Trial trial;
  trial.decision = decision;
  std::vector<Mark> marks;
  for (const auto& sample : state.recent) marks.push_back(mark_of(sample));
  trial.before = trial_baseline(marks, tree_bytes(*state.last), policy.objective);
  trial.before.foreseen_debt_bytes = decision.predicted_after.pending_bytes;
  trial.candidate = std::exchange(state.candidate, std::nullopt);
  state.trial = std::move(trial);
  state.persistent.open_trial = decision;
  state.outstanding = OutstandingCall{decision.id, false, false, now()};
  state.advice.reset();
  state.last_noop_reason.clear();
  record(decision);
  effects.emplace_back(ApplyChanges{decision.id, decision.changes, policy.apply_deadline_s, false});
  move_to(Phase::applying);
}

void Reducer::consider() {
  if (!state.last || state.outstanding) return;
  if (!state.reapply.empty()) return consider_reapply();
  if (state.search_running) {
    if (now() - state.search_started_s < kSearchTimeoutS) return;
    state.search_running = false;
    noop("search", "a search did not answer in time");
  }
  if (state.candidate) return try_candidate();
  if (now() < state.next_search_s) return;
  const Strategy& strategy = strategy_named(policy.strategy);
  state.next_search_s = now() + strategy.pause_s(policy);
  std::erase_if(state.failed, [&](const FailedCandidate& f) { return f.until_s <= now(); });
  take(strategy.suggest(view()));
}

View Reducer::view() const {
  return {state, policy, event.now_s, event.wall_s, event.seed, saturated()};
}

void Reducer::take(Suggestion suggestion) {
  if (auto* nothing = std::get_if<Nothing>(&suggestion)) {
    if (!nothing->explanation.empty())
      noop(nothing->reason, nothing->explanation, std::move(nothing->considered));
    return;
  }
  if (auto* request = std::get_if<SearchRequest>(&suggestion)) {
    state.search_running = true;
    state.search_started_s = now();
    state.next_search_s = now() + std::max(kLookAgainS, policy.cooldown_s / 10);
    effects.emplace_back(RequestSearch{std::move(*request)});
    return;
  }
  auto& proposal = std::get<Proposal>(suggestion);
  for (const auto& failed : state.failed)
    if (failed.until_s > now() && near(proposal.changes, failed.changes))
      return noop("failed_before", "this candidate was tried and reverted",
                  std::move(proposal.considered));
  state.candidate = WaitingCandidate{std::move(proposal), now(), 0, {}};
  try_candidate();
}

void Reducer::on(const SearchFinished& finished) {
  if (!state.search_running) return;  // late or doubled
  state.search_running = false;
  if (std::exchange(state.discard_search, false)) return;
  if (state.phase != Phase::steady || !state.last) return;
  if (policy.strategy != config::Strategy::model) return;  // the policy changed while it ran
  take(model_strategy().weigh(view(), finished.result));
}

void Reducer::try_candidate() {
  if (now() < state.candidate->not_before_s) return;
  const Proposal& proposal = state.candidate->proposal;
  const auto verdict =
      check_changes(*state.last, proposal.changes, policy, state.cpu_cores, state.foreign);
  if (verdict.gate == Gate::wait && now() - state.candidate->found_at_s < kCandidateWaitS) return;
  const std::string tried_by = state.candidate->initiator;
  const bool advise = mode() == config::Mode::advise && tried_by.empty();
  if (verdict.gate != Gate::open) {
    if (tried_by.empty()) {
      noop(verdict.reason, verdict.explanation + " (" + model::describe(proposal.changes) + ")",
           proposal.considered);
    } else {
      Decision refused = new_decision(DecisionKind::proposal);
      refused.initiator = tried_by;
      refused.reason = verdict.reason;
      refused.explanation = proposal.explanation;
      refused.changes = proposal.changes;
      end(refused, DecisionStatus::refused, verdict.explanation);
    }
    state.candidate.reset();
    return;
  }
  if (advise && state.advice && state.advice->changes == proposal.changes) {  // said already
    state.candidate.reset();
    return;
  }
  Decision decision = new_decision(DecisionKind::proposal);
  if (!tried_by.empty()) decision.initiator = tried_by;
  decision.reason = proposal.reason;
  decision.explanation = proposal.explanation;
  decision.changes = proposal.changes;
  if (proposal.forecast) {
    decision.predicted_before = proposal.forecast->current;
    decision.predicted_after = proposal.forecast->predicted;
    decision.predicted_settled = proposal.forecast->predicted_settled;
  }
  decision.measured_before = state.current_measure;
  decision.considered = proposal.considered;
  decision.short_trial = policy.trial_min_cycles < config::Policy{}.trial_min_cycles;
  if (advise) {
    decision.status = DecisionStatus::advised;
    state.advice = decision;
    state.candidate.reset();
    state.last_noop_reason.clear();
    state.next_search_s = now() + std::max(kLookAgainS, policy.cooldown_s);
    record(decision);
    alert(Alert::Severity::info, "advice",
          "decision " + std::to_string(decision.id) + " advises " + decision.explanation);
    return;
  }
  start_apply(std::move(decision));
}

// Settings kept before a restart of the database, where the policy wants them back.
void Reducer::consider_reapply() {
  model::ChangeSet wanted;
  for (auto change : state.reapply) {
    const auto present = state.last->settings.get(change.family, change.knob);
    if (!present || *present == change.new_value) continue;
    change.old_value = *present;
    wanted.push_back(change);
  }
  if (wanted.empty() || mode() != config::Mode::tune) {
    state.reapply.clear();
    return;
  }
  const auto verdict = check_changes(*state.last, wanted, policy, state.cpu_cores, state.foreign);
  if (verdict.gate == Gate::wait) return noop(verdict.reason, verdict.explanation);
  Decision decision = new_decision(DecisionKind::reapply);
  decision.reason = "restart";
  decision.changes = wanted;
  decision.explanation = "kept before the database restarted: " + model::describe(wanted);
  state.reapply.clear();
  if (verdict.gate == Gate::closed) {
    end(decision, DecisionStatus::refused, verdict.explanation);
    return;
  }
  start_apply(std::move(decision));
}

}  // namespace lsmtuned::controller
