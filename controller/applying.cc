#include "controller/reducer.h"

namespace lsmtuned::controller {
namespace {
constexpr double kNotSentRetryS = 2;  // the same candidate again: stops are short
constexpr double kSearchRetryS = 10;  // where there is none left
}  // namespace

void Reducer::on(const ApplyFinished& finished) {
  // Answers to calls we no longer wait for (a lost target, a doubled event) change nothing here:
  // TargetFound brings the truth.
  if (!state.outstanding || state.outstanding->decision_id != finished.decision_id ||
      state.outstanding->is_revert != finished.is_revert)
    return;
  if (finished.status == ApplyStatus::pending) {
    if (!state.outstanding->pending)
      alert(Alert::Severity::warning, "call_pending",
            "an options call has not returned by its deadline; waiting for it");
    state.outstanding->pending = true;
    return;
  }
  state.outstanding.reset();
  // The database side makes one call after another: earlier ones are over, and the first newer
  // snapshot shows whether one of them landed.
  if (finished.status == ApplyStatus::ok && !state.persistent.may_land.empty())
    state.late_calls_over_at_s = now();
  if (finished.is_revert) {
    revert_returned(finished);
  } else {
    apply_returned(finished);
  }
}

void Reducer::apply_returned(const ApplyFinished& finished) {
  if (state.phase != Phase::applying || !state.trial) return;
  Decision& decision = state.trial->decision;
  state.expected_since_s = now();
  switch (finished.status) {
    case ApplyStatus::ok: {
      decision.status = DecisionStatus::applied;
      if (state.expected) state.expected = model::with_changes(*state.expected, decision.changes);
      state.persistent.open_trial = decision;
      state.trial->applied_at_s = now();
      forget_window();
      record(decision);
      move_to(Phase::settling);  // advance() reverts at once if the trial was called off meanwhile
      return;
    }
    case ApplyStatus::not_sent:
      state.next_search_s = now() + kSearchRetryS;
      if (auto& again = state.trial->candidate; again && again->may_wait(now()) && !call_off()) {
        state.candidate = std::move(again);
        state.candidate->not_before_s = now() + kNotSentRetryS;
        state.candidate->waits_for = "not sent: " + finished.error;
      }
      end(decision, DecisionStatus::refused, "not sent: " + finished.error);
      state.trial.reset();
      state.persistent.open_trial.reset();
      move_to(Phase::steady);
      ++state.noops;
      return;
    case ApplyStatus::failed:
      alert(Alert::Severity::warning, "apply_failed", "the options call failed: " + finished.error);
      remember_failed(decision.changes);
      learned(decision, false);
      if (decision.kind == DecisionKind::reapply) state.persistent.reapply.clear();
      if (finished.applied.empty()) {
        end(decision, DecisionStatus::failed, finished.error + "; nothing changed");
        state.trial.reset();
        state.persistent.open_trial.reset();
        move_to(Phase::cooldown);
        return;
      }
      if (state.expected) state.expected = model::with_changes(*state.expected, finished.applied);
      {
        Decision failed = decision;
        failed.evidence = finished.error + "; took effect: " + model::describe(finished.applied);
        count_revert();
        revert_values(std::move(failed), model::reversed(finished.applied), DecisionStatus::failed);
      }
      return;
    case ApplyStatus::pending:
      return;
  }
}

}  // namespace lsmtuned::controller
