#include "controller/guard.h"
#include "controller/reducer.h"

namespace lsmtuned::controller {

void Reducer::on(const OperatorCommand& command) {
  auto& persistent = state.persistent;
  switch (command.kind) {
    case OperatorCommand::Kind::freeze:
      if (persistent.frozen_by_operator) {
        refusal = "already frozen by " + persistent.frozen_by;
        return;
      }
      persistent.frozen_by_operator = true;
      persistent.frozen_by = command.by;
      drop_candidate("frozen", "frozen by " + command.by);
      alert(Alert::Severity::info, "frozen", "frozen by " + command.by);
      return;
    case OperatorCommand::Kind::thaw:
    case OperatorCommand::Kind::clear_safe: {
      const bool thaw = command.kind == OperatorCommand::Kind::thaw;
      if (!storm() && !(thaw && persistent.frozen_by_operator)) {
        refusal = thaw ? "neither frozen by an operator nor held by a rollback storm"
                       : "nothing is latched; bad data clears by itself";
        return;
      }
      if (thaw) {
        persistent.frozen_by_operator = false;
        persistent.frozen_by.clear();
      }
      if (storm()) persistent.revert_wall_times_s.clear();
      persistent.storm_latched = false;
      state.safe_latched = false;
      alert(Alert::Severity::info, "thawed", (thaw ? "thawed by " : "cleared by ") + command.by);
      return;
    }
    case OperatorCommand::Kind::set_mode:
      persistent.mode_override = command.mode;
      policy.mode = command.mode;
      if (command.mode != config::Mode::advise) state.advice.reset();
      if (command.mode == config::Mode::observe)
        drop_candidate("mode", "the mode became observe by " + command.by);
      alert(Alert::Severity::info, "mode",
            std::string("mode ") + config::to_text(command.mode) + " by " + command.by);
      return;
    case OperatorCommand::Kind::revert:
      order_revert(command.by);
      return;
    case OperatorCommand::Kind::apply:
    case OperatorCommand::Kind::try_changes:
      if (state.stopping) {
        refusal = "the daemon stops";
      } else if (command.kind == OperatorCommand::Kind::apply) {
        apply_advice(command);
      } else {
        try_changes(command);
      }
      return;
  }
}

void Reducer::order_revert(const std::string& by) {
  auto& persistent = state.persistent;
  const bool under_way =
      state.restore_wanted_by || (state.revert && state.revert->restore) ||
      (persistent.open_trial && persistent.open_trial->kind == DecisionKind::revert &&
       persistent.open_trial->reason == "operator");
  if (under_way) {
    refusal = "a revert is under way";
  } else if (!state.attached && (persistent.open_trial || nothing_kept())) {
    refusal = "the database is not attached; its lease restores the baseline";
  } else if (nothing_kept() && !state.trial) {
    refusal = "nothing of ours is in force";
  } else if (!state.attached) {
    // Carried out where it is found again as it was; after a restart nothing comes back.
    Decision decision = new_decision(DecisionKind::revert);
    decision.reason = "operator";
    decision.initiator = by;
    decision.changes = model::reversed(persistent.kept);
    decision.explanation = "back to the baseline, once the database is found again: " +
                           model::describe(decision.changes);
    decision.status = DecisionStatus::intended;
    record(decision);
    persistent.open_trial = std::move(decision);
    persistent.reapply.clear();
  } else if (persistent.kept.empty() && !state.trial) {
    Decision decision = new_decision(DecisionKind::revert);
    decision.reason = "operator";
    decision.initiator = by;
    decision.explanation = "what was kept before the restart is not applied again: " +
                           model::describe(std::exchange(persistent.reapply, {}));
    end(decision, DecisionStatus::reverted, "nothing of it was in force");
  } else if (state.phase == Phase::settling || state.phase == Phase::verifying) {
    want_restore(by);  // it ends the trial itself, in one call
  } else {
    state.restore_wanted_by = by;
  }
}

bool Reducer::nothing_kept() const {
  return state.persistent.kept.empty() && state.persistent.reapply.empty();
}

void Reducer::apply_advice(const OperatorCommand& command) {
  if (!state.advice || state.advice->id != command.decision_id) {
    refusal = state.advice
                  ? "decision " + std::to_string(command.decision_id) +
                        " is not the latest advice, which is " + std::to_string(state.advice->id)
                  : "there is no advice to apply";
    return;
  }
  if (!state.attached || !state.last || mode() == config::Mode::observe ||
      state.phase != Phase::steady || state.outstanding) {
    refusal = std::string("not possible in phase ") + to_text(state.phase) + ", mode " +
              config::to_text(mode());
    return;
  }
  if (state.turn && !state.turn->may_change) {
    refusal = "another database comes first: " + state.turn->waits_for;
    return;
  }
  const auto verdict =
      check_changes(*state.last, state.advice->changes, policy, state.cpu_cores, state.foreign);
  if (verdict.gate != Gate::open) {
    refusal = verdict.explanation;
    return;
  }
  Decision decision = *state.advice;
  decision.initiator = "apply by " + command.by;
  start_apply(std::move(decision));
}

// A trial of an operator's own proposal: the same guards, records, verification and revert.
void Reducer::try_changes(const OperatorCommand& command) {
  if (!state.attached || !state.last || state.phase != Phase::steady || state.outstanding) {
    refusal = std::string("a trial can begin in phase steady only; this is ") +
              to_text(state.phase) + ", mode " + config::to_text(mode());
    return;
  }
  if (state.turn && !state.turn->may_change) {
    refusal = "another database comes first: " + state.turn->waits_for;
    return;
  }
  if (!state.persistent.reapply.empty()) {
    refusal = "what was kept before the database restarted comes back first";
    return;
  }
  Proposal proposal;
  for (model::KnobChange change : command.changes) {
    const auto present = state.last->settings.get(change.family, change.knob);
    if (!present) {
      refusal = "the database does not report " + std::string(model::info(change.knob).option) +
                (change.family.empty() ? "" : " of the family " + change.family);
      return;
    }
    if (*present == change.new_value) continue;
    change.old_value = *present;
    proposal.changes.push_back(change);
  }
  if (proposal.changes.empty()) {
    refusal = "these values are in force already";
    return;
  }
  const auto verdict =
      check_changes(*state.last, proposal.changes, policy, state.cpu_cores, state.foreign);
  if (verdict.gate == Gate::closed) {
    refusal = verdict.explanation;
    return;
  }
  proposal.reason = "operator";
  proposal.explanation = model::describe(proposal.changes) + ": proposed by " + command.by;
  if (state.search_running) state.discard_search = true;
  drop_candidate("replaced", "another was proposed by " + command.by);
  state.candidate =
      WaitingCandidate{std::move(proposal), now(), 0, "try by " + command.by, {}, false};
  try_candidate();
}

}  // namespace lsmtuned::controller
