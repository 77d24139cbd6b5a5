#include "controller/testing/always.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "controller/guard.h"
#include "model/invariants.h"
#include "model/stall.h"

namespace lsmtuned::controller::testing {
namespace {

constexpr double kRounding = 1.0 / 16;  // coarsest step of a candidate's value

bool final(DecisionStatus status) {
  return status != DecisionStatus::intended && status != DecisionStatus::applied &&
         status != DecisionStatus::advised;
}

}  // namespace

void AlwaysChecks::begin(const State& before) {
  policy_ = effective_policy(before);
  phase_ = before.phase;
  incarnation_ = before.persistent.incarnation;
  frozen_ = before.persistent.frozen_by_operator;
  storm_ = before.persistent.storm_latched;
  call_out_ = before.outstanding.has_value();
}

void AlwaysChecks::recorded(const Decision& decision) {
  if (decision.status == DecisionStatus::intended) intents_.insert(decision.id);
}

void AlwaysChecks::record_failed(const Decision& decision) {
  if (decision.kind == DecisionKind::revert) intents_.insert(decision.id);
}

std::vector<std::string> AlwaysChecks::end(const State& after, const std::vector<Effect>& effects) {
  broken_.clear();
  rule(!after.safe_latched, "a move outside the transition table was attempted");
  rule((after.phase == Phase::reverting) == after.revert.has_value(),
       "a revert in progress exists exactly in reverting");
  rule(after.recent.size() <= 600, "the measuring window is not bounded");
  rule(std::isfinite(after.current_measure.put_bytes_per_s) &&
           std::isfinite(after.current_measure.stall_share),
       "a measure is not finite");
  rule(std::isfinite(after.prediction_error), "the model error is not finite");
  const std::set<std::uint64_t> before = intents_;
  int calls = 0;
  for (const auto& effect : effects) {
    if (const auto* record = std::get_if<RecordDecision>(&effect)) {
      const Decision& decision = record->decision;
      if (decision.status == DecisionStatus::intended) intents_.insert(decision.id);
      if (!final(decision.status)) continue;
      const auto [known, fresh] = ended_.emplace(decision.id, decision.status);
      rule(fresh || known->second == decision.status, "a decision ended twice, in different ways");
    } else if (const auto* apply = std::get_if<ApplyChanges>(&effect)) {
      ++calls;
      check_change(after, *apply);
    } else if (std::holds_alternative<RestoreBaseline>(effect)) {
      ++calls;
      if (after.last)
        check_order(after, model::difference(after.last->settings, after.persistent.baseline));
    }
  }
  rule(calls <= 1, "two options calls in one step");
  rule(calls == 0 || after.outstanding.has_value(), "a call that nobody waits for was sent");
  intents_ = before;  // carried out one by one: recorded() says which reached the disk
  return std::exchange(broken_, {});
}

void AlwaysChecks::check_change(const State& after, const ApplyChanges& apply) {
  rule(intents_.count(apply.decision_id) != 0, "sent before its intent was recorded");
  rule(!apply.changes.empty(), "an empty change was sent");
  for (const auto& change : apply.changes)
    rule(std::find(after.foreign.begin(), after.foreign.end(),
                   std::pair(change.family, change.knob)) == after.foreign.end(),
         "a value that someone else owns was sent");
  if (apply.is_revert) return check_order(after, apply.changes);
  const auto& policy = policy_;
  rule(policy.mode != config::Mode::observe, "applied in observe mode");
  rule(!frozen_, "applied while frozen");
  rule(!storm_, "applied during a rollback storm");
  rule(phase_ == Phase::steady || phase_ == Phase::observing || phase_ == Phase::cooldown ||
           phase_ == Phase::frozen || phase_ == Phase::safe ||
           (phase_ == Phase::settling && !policy.verify) ||
           incarnation_ != after.persistent.incarnation,  // the restart ended the trial
       "applied during a trial");
  rule(!call_out_, "applied while a call was out");
  rule(after.safe_reason.empty(), "applied on bad data");
  if (!after.last) {
    broken_.emplace_back("applied without a snapshot");
    return;
  }
  rule(!after.last->state.write_stopped, "applied while writes were stopped");
  check_values(after, apply, policy);
}

// RocksDB aborts on triggers out of order, or holds writers for ever.
void AlwaysChecks::check_order(const State& after, const model::ChangeSet& back) {
  if (!after.last) return;
  rule(legal_revert(*after.last, back, after.cpu_cores).size() == back.size(),
       "a revert that breaks RocksDB's orderings was sent");
}

void AlwaysChecks::check_values(const State& after, const ApplyChanges& apply,
                                const config::Policy& policy) {
  const model::Snapshot& last = *after.last;
  auto inputs = model::invariant_inputs(last);
  inputs.bounds = policy.bounds;
  inputs.memory_budget_bytes = policy.memory_budget_bytes;
  inputs.cpu_cores = after.cpu_cores;
  const auto wanted = model::with_changes(last.settings, apply.changes);
  rule(model::violations(wanted, apply.changes, inputs).empty(),
       "sent settings that break an invariant");
  const bool proposal = after.trial && after.trial->decision.kind == DecisionKind::proposal;
  const bool by_steps = real_search_ && proposal && policy.strategy != config::Strategy::rules;
  const double most = policy.trust_region_factor * (1 + kRounding);
  for (const auto& change : apply.changes) {
    rule(std::find(policy.knobs.begin(), policy.knobs.end(), change.knob) != policy.knobs.end(),
         "a knob that the policy does not name was sent");
    rule(last.settings.get(change.family, change.knob) == change.old_value,
         "sent from a value that is not in force");
    if (by_steps && change.old_value > 0)
      rule(change.new_value <= most * change.old_value &&
               change.old_value <= most * change.new_value,
           "a knob left the trust region");
  }
  if (proposal && after.trial->decision.reason == "gain")
    rule(!after.prediction_error_known || after.prediction_error <= policy.trust_gate_error,
         "a proposal of the model was sent while its error was above the gate");
  for (const auto& family : last.families) {
    const auto now_there = last.settings.families.find(family.name);
    const auto then = wanted.families.find(family.name);
    if (now_there == last.settings.families.end()) continue;
    const auto was = model::stall_verdict_on_tree(family, now_there->second).condition;
    const auto will = model::stall_verdict_on_tree(family, then->second).condition;
    rule(will <= was, "sent settings that stall now");
    if (was == model::StallCondition::delayed || last.state.delayed_write_rate > 0)
      rule(will == model::StallCondition::normal, "sent while delayed without clearing it");
  }
}

}  // namespace lsmtuned::controller::testing
