// A change that was found, or that an operator proposed, until it is sent or dropped.
#include <cmath>
#include <utility>

#include "controller/false_signals.h"
#include "controller/guard.h"
#include "controller/reducer.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {

constexpr double kAdviceRestS = 10;  // before the next look, at least

bool by_operator(const std::optional<WaitingCandidate>& candidate) {
  return candidate && !candidate->initiator.empty();
}

}  // namespace

// Advice needs no turn: an operator takes it, or not. What an operator wants tried does.
bool Reducer::waits_for_turn() const {
  return state.turn && !state.turn->may_change &&
         (mode() == config::Mode::tune || by_operator(state.candidate));
}

// What was found is stale when the other database is done. An operator's own waits its time.
void Reducer::wait_for_turn() {
  if (by_operator(state.candidate) && state.candidate->may_wait(now())) {
    state.candidate->waits_for = state.turn->waits_for;
    return;
  }
  drop_candidate("turn", "another database comes first: " + state.turn->waits_for);
}

// An operator is told what became of a proposal.
void Reducer::drop_candidate(const std::string& reason, const std::string& why) {
  if (!state.candidate) return;
  const WaitingCandidate dropped = *std::exchange(state.candidate, std::nullopt);
  if (dropped.initiator.empty()) return;
  Decision refused = new_decision(DecisionKind::proposal);
  refused.initiator = dropped.initiator;
  refused.reason = reason;
  refused.explanation = dropped.proposal.explanation;
  refused.changes = dropped.proposal.changes;
  end(refused, DecisionStatus::refused, why);
}

// Another policy or device is another question, but not to what an operator wants tried: the guards
// ask the new one.
void Reducer::forget_found() {
  if (!by_operator(state.candidate)) state.candidate.reset();
  if (state.trial && !by_operator(state.trial->candidate)) state.trial->candidate.reset();
  state.discard_search = state.search_running;
}

// Why the candidate may not be sent at this moment; open: it may.
GuardVerdict Reducer::candidate_gate() const {
  const Proposal& proposal = state.candidate->proposal;
  GuardVerdict verdict =
      check_changes(*state.last, proposal.changes, policy, state.cpu_cores, state.foreign);
  // What a search found would not have stalled when it began: L0 falls again.
  if (verdict.gate == Gate::closed && proposal.forecast && verdict.reason == "would_stall")
    verdict.gate = Gate::wait;
  if (verdict.gate != Gate::open || by_operator(state.candidate) || unverified(policy))
    return verdict;
  if (const auto why = false_signal(state.recent); !why.empty())
    return {Gate::wait, "false_signal", why};
  return verdict;
}

void Reducer::try_candidate() {
  if (waits_for_turn()) return wait_for_turn();  // it went on while the search ran
  if (now() < state.candidate->not_before_s) return;
  const Proposal& proposal = state.candidate->proposal;
  // What was learned while the search ran, or the candidate waited, may have cost the model its
  // trust.
  if (proposal.forecast && state.prediction_error_known &&
      state.prediction_error > policy.trust_gate_error) {
    noop("trust", "the model is off by " + model::format_percent(state.prediction_error) +
                      " since the candidate was found");
    state.candidate.reset();
    return;
  }
  GuardVerdict verdict = candidate_gate();
  const bool may_wait = state.candidate->may_wait(now());
  state.candidate->waits_for = verdict.explanation;
  if (verdict.gate == Gate::wait && may_wait) return look_for_one_that_clears(verdict);
  if (verdict.gate == Gate::open && !may_wait)
    verdict = {Gate::closed, "stale", "it could not be sent in the time that it may wait"};
  if (verdict.gate != Gate::open) {
    if (!by_operator(state.candidate)) {
      noop(verdict.reason, verdict.explanation + " (" + model::describe(proposal.changes) + ")",
           proposal.considered);
      if (proposal.forecast) {  // found by a search, and of no use
        state.next_search_s = now() + search_pause_s() * std::exp2(state.fruitless_searches);
        found_nothing();
      }
    }
    return drop_candidate(verdict.reason, verdict.explanation);
  }
  const bool advise = mode() == config::Mode::advise && !by_operator(state.candidate);
  if (advise && state.advice && state.advice->changes == proposal.changes) {  // said already
    state.candidate.reset();
    return;
  }
  Decision decision = new_decision(DecisionKind::proposal);
  if (by_operator(state.candidate)) decision.initiator = state.candidate->initiator;
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
  if (advise) return give_advice(std::move(decision));
  start_apply(std::move(decision));
}

// Under L0 files that hardly ever are few enough, moments without delay are rare and over before a
// call arrives. Triggers above them clear the delay themselves, so such a change can go out at
// once.
void Reducer::look_for_one_that_clears(const GuardVerdict& verdict) {
  WaitingCandidate& waiting = *state.candidate;
  if (!waiting.proposal.forecast || !waiting.initiator.empty() || waiting.looked_again ||
      now() - waiting.found_at_s < kLookForClearingS ||
      (verdict.reason != "delayed" && verdict.reason != "would_stall"))
    return;
  waiting.looked_again = true;
  SearchRequest request = search_request(view());
  for (const Mark& mark : marks_of(state.recent))
    request.l0_files_without_delay = std::max(request.l0_files_without_delay, mark.l0_files);
  ask(std::move(request));
}

void Reducer::give_advice(Decision decision) {
  judge_kpis(decision);
  decision.status = DecisionStatus::advised;
  state.advice = decision;
  state.candidate.reset();
  state.last_noop_reason.clear();
  state.next_search_s = now() + std::max(kAdviceRestS, policy.cooldown_s);
  record(decision);
  alert(Alert::Severity::info, "advice",
        "decision " + std::to_string(decision.id) + " advises " + decision.explanation);
}

}  // namespace lsmtuned::controller
