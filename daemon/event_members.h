// The members of what the controller is fed and of its whole state, each named once for writing and
// reading. See codec_form.h; a test counts the members of every struct here.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "config/policy.h"
#include "controller/events.h"
#include "controller/state.h"
#include "daemon/codec_form.h"
#include "daemon/codec_members.h"
#include "daemon/snapshot_members.h"

namespace lsmtuned::daemon::form {

// ---- words --------------------------------------------------------------------------------------

template <class E, E last>
struct NamedWords {  // of an enumeration with a to_text() beside it
  static constexpr E kLast = last;
  static const char* text(E value) { return to_text(value); }
};
template <>
struct Words<config::Objective> : NamedWords<config::Objective, config::Objective::efficiency> {};
template <>
struct Words<config::Strategy> : NamedWords<config::Strategy, config::Strategy::probe> {};
template <>
struct Words<config::ExitPolicy> : NamedWords<config::ExitPolicy, config::ExitPolicy::revert> {};
template <>
struct Words<model::WorkloadClass>
    : NamedWords<model::WorkloadClass, model::WorkloadClass::read_mostly> {};
template <>
struct Words<controller::Phase> : NamedWords<controller::Phase, controller::Phase::safe> {};
template <>
struct Words<controller::ApplyStatus> {
  static constexpr controller::ApplyStatus kLast = controller::ApplyStatus::not_sent;
  static const char* text(controller::ApplyStatus status);
};
template <>
struct Words<controller::OperatorCommand::Kind> {
  using Kind = controller::OperatorCommand::Kind;
  static constexpr Kind kLast = Kind::try_changes;
  static const char* text(Kind kind);
};
template <>
struct Words<controller::Alert::Severity> {
  using Severity = controller::Alert::Severity;
  static constexpr Severity kLast = Severity::critical;
  static const char* text(Severity severity);
};

// ---- values that are no records -----------------------------------------------------------------

using FreezeWindow = std::pair<std::string, std::string>;
template <class Visitor, Of<FreezeWindow> T>
void members(Visitor& visit, T& w) {
  visit("from", w.first);
  visit("to", w.second);
}

using KnobBounds = std::map<model::Knob, std::pair<double, double>>;
template <>
struct Form<KnobBounds> {
  static json::value write(const KnobBounds& bounds, Style style);
  static Fault read(const json::value& value, KnobBounds& out, Style style);
};

// ---- policy -------------------------------------------------------------------------------------

template <class Visitor, Of<config::Policy> T>
void members(Visitor& visit, T& p) {
  visit("mode", p.mode);
  visit("objective", p.objective);
  visit("strategy", p.strategy);
  visit("verify", p.verify);
  visit("rules_period_s", p.rules_period_s);
  visit("on_exit", p.on_exit);
  visit("reapply_after_restart", p.reapply_after_restart);
  visit("clear_delay_on_revert", p.clear_delay_on_revert);
  visit("memory_budget_bytes", p.memory_budget_bytes);
  visit("max_space_amplification", p.max_space_amplification);
  visit("max_levels", p.max_levels);
  visit("max_device_share", p.max_device_share);
  visit("max_l0_files", p.max_l0_files);
  visit("max_debt_growth_share", p.max_debt_growth_share);
  visit.required("knobs", p.knobs);
  visit("bounds", p.bounds);
  visit("poll_interval_s", p.poll_interval_s);
  visit("observation_s", p.observation_s);
  visit("lease_s", p.lease_s);
  visit("apply_deadline_s", p.apply_deadline_s);
  visit("cooldown_s", p.cooldown_s);
  visit("minimum_gain", p.minimum_gain);
  visit("minimum_probability", p.minimum_probability);
  visit("trust_gate_error", p.trust_gate_error);
  visit("reverts_per_hour_limit", p.reverts_per_hour_limit);
  visit("trust_region_factor", p.trust_region_factor);
  visit("trial_min_cycles", p.trial_min_cycles);
  visit("trial_min_s", p.trial_min_s);
  visit("trial_max_s", p.trial_max_s);
  visit("settle_max_s", p.settle_max_s);
  visit("failed_memory_s", p.failed_memory_s);
  visit("search_evaluations", p.search_evaluations);
  visit("freeze_windows", p.freeze_windows);
  visit("freeze_file", p.freeze_file);
  visit("workload_phases", p.workload_phases);
  visit("watch", p.watch);
}

// ---- the controller's state ---------------------------------------------------------------------

template <class Visitor, Of<controller::SearchResult> T>
void members(Visitor& visit, T& r) {
  visit("error", r.error);
  visit("best", r.best);
  visit("current", r.current);
  visit("predicted", r.predicted);
  visit("predicted_settled", r.predicted_settled);
  visit("objective_gain", r.objective_gain);
  visit("probability_of_gain", r.probability_of_gain);
  visit("considered", r.considered);
  visit("evaluations", r.evaluations);
}

template <class Visitor, Of<controller::Mark> T>
void members(Visitor& visit, T& m) {
  visit("time_s", m.time_s);
  visit("user_bytes", m.user_bytes);
  visit("keys", m.keys);
  visit("reads", m.reads);
  visit("stall_s", m.stall_s);
  visit("written_bytes", m.written_bytes);
  visit("l0_compactions", m.l0_compactions);
  visit("pending_bytes", m.pending_bytes);
  visit("l0_files", m.l0_files);
  visit("memory_bytes", m.memory_bytes);
  visit("stopped", m.stopped);
}

template <class Visitor, Of<controller::Estimate> T>
void members(Visitor& visit, T& e) {
  visit("mean", e.mean);
  visit("standard_error", e.standard_error);
  visit("cycles", e.cycles);
}

template <class Visitor, Of<controller::TrialBaseline> T>
void members(Visitor& visit, T& b) {
  visit("rate", b.rate);
  visit("merit", b.merit);
  visit("loaded_bytes_per_s", b.loaded_bytes_per_s);
  visit("cycle_s", b.cycle_s);
  visit("stall_share", b.stall_share);
  visit("stopped_share", b.stopped_share);
  visit("put_size_bytes", b.put_size_bytes);
  visit("read_share", b.read_share);
  visit("pending_cycle_end_bytes", b.pending_cycle_end_bytes);
  visit("tree_bytes", b.tree_bytes);
  visit("foreseen_debt_bytes", b.foreseen_debt_bytes);
}

template <class Visitor, Of<controller::Forecast> T>
void members(Visitor& visit, T& f) {
  visit("current", f.current);
  visit("predicted", f.predicted);
  visit("predicted_settled", f.predicted_settled);
}

template <class Visitor, Of<controller::Proposal> T>
void members(Visitor& visit, T& p) {
  visit("changes", p.changes);
  visit("reason", p.reason);
  visit("explanation", p.explanation);
  visit("forecast", p.forecast);
  visit("considered", p.considered);
}

template <class Visitor, Of<controller::WaitingCandidate> T>
void members(Visitor& visit, T& c) {
  visit("proposal", c.proposal);
  visit("found_at_s", c.found_at_s);
  visit("not_before_s", c.not_before_s);
  visit("initiator", c.initiator);
  visit("waits_for", c.waits_for);
  visit("looked_again", c.looked_again);
}

template <class Visitor, Of<controller::Trial> T>
void members(Visitor& visit, T& t) {
  visit("decision", t.decision);
  visit("applied_at_s", t.applied_at_s);
  visit("settled_at_s", t.settled_at_s);
  visit("at_settle", t.at_settle);
  visit("before", t.before);
  visit("read_back", t.read_back);
  visit("drained_l0_compactions", t.drained_l0_compactions);
  visit("marks", t.marks);
  visit("followed", t.followed);
  visit("behind_bytes", t.behind_bytes);
  visit("candidate", t.candidate);
  visit("device_changed", t.device_changed);
}

template <class Visitor, Of<controller::OutstandingCall> T>
void members(Visitor& visit, T& c) {
  visit("decision_id", c.decision_id);
  visit("is_revert", c.is_revert);
  visit("pending", c.pending);
  visit("sent_at_s", c.sent_at_s);
}

template <class Visitor, Of<controller::RevertInProgress> T>
void members(Visitor& visit, T& r) {
  visit("decision", r.decision);
  visit("final_status", r.final_status);
  visit("trial", r.trial);
  visit("changes", r.changes);
  visit("stays", r.stays);
  visit("restore", r.restore);
  visit("awaits_record", r.awaits_record);
  visit("returned", r.returned);
  visit("returned_at_s", r.returned_at_s);
  visit("attempts", r.attempts);
  visit("next_attempt_s", r.next_attempt_s);
}

template <class Visitor, Of<controller::FailedCandidate> T>
void members(Visitor& visit, T& f) {
  visit("changes", f.changes);
  visit("until_s", f.until_s);
  visit("workload", f.workload);
}
template <class Visitor, Of<model::WorkloadWatch> T>
void members(Visitor& visit, T& w) {
  visit("seconds", w.seconds);
  visit("keys_written", w.keys_written);
  visit("reads", w.reads);
  visit("keys_in", w.keys_in);
  visit("keys_dropped", w.keys_dropped);
  visit("moved_bytes", w.moved_bytes);
  visit("rewritten_bytes", w.rewritten_bytes);
  visit("workload", w.workload);
  visit("other", w.other);
  visit("other_since_s", w.other_since_s);
}

template <class Visitor, Of<controller::SearchedAt> T>
void members(Visitor& visit, T& s) {
  visit("loaded_bytes_per_s", s.loaded_bytes_per_s);
  visit("latest_bytes_per_s", s.latest_bytes_per_s);
}

template <class Visitor, Of<controller::FamilyRest> T>
void members(Visitor& visit, T& r) {
  visit("family", r.family);
  visit("until_s", r.until_s);
}

template <class Visitor, Of<controller::Turn> T>
void members(Visitor& visit, T& t) {
  visit("may_change", t.may_change);
  visit("memory_budget_bytes", t.memory_budget_bytes);
  visit("waits_for", t.waits_for);
}

template <class Visitor, Of<controller::RulesMark> T>
void members(Visitor& visit, T& m) {
  visit("time_s", m.time_s);
  visit("batch_bytes", m.batch_bytes);
  visit("flush_bytes", m.flush_bytes);
  visit("flush_seconds", m.flush_seconds);
}

template <class Visitor, Of<controller::RulesReading> T>
void members(Visitor& visit, T& r) {
  visit("fill_bytes_per_s", r.fill_bytes_per_s);
  visit("mean_fill_bytes_per_s", r.mean_fill_bytes_per_s);
  visit("flush_bytes_per_s", r.flush_bytes_per_s);
  visit("immutable_memtables", r.immutable_memtables);
  visit("pending_ratio", r.pending_ratio);
  visit("l0_ratio", r.l0_ratio);
  visit("idle_periods", r.idle_periods);
}

template <class Visitor, Of<controller::RulesMemory> T>
void members(Visitor& visit, T& m) {
  visit("from", m.from);
  visit("fills_bytes_per_s", m.fills_bytes_per_s);
  visit("reading", m.reading);
  visit("flush_bytes_per_s", m.flush_bytes_per_s);
  visit("idle_periods", m.idle_periods);
}

template <class Visitor, Of<model::DeviceWatch> T>
void members(Visitor& visit, T& w) {
  visit("from", w.from);
  visit("whole", w.whole);
  visit("held_back", w.held_back);
  visit("usual_low", w.usual_low);
  visit("lowest", w.lowest);
  visit("lowest_of_streak", w.lowest_of_streak);
  visit("spans", w.spans);
  visit("low_spans", w.low_spans);
  visit("log_fallen", w.log_fallen);
  visit("lowest_above", w.lowest_above);
}

template <class Visitor, Of<model::LessonCounts> T>
void members(Visitor& visit, T& c) {
  visit("by_outcome", c.by_outcome);
  visit("observations", c.observations);
  visit("outliers", c.outliers);
}

template <class Visitor, Of<controller::ComparedSpan> T>
void members(Visitor& visit, T& s) {
  visit("from", s.from);
  visit("calibration", s.calibration);
}

template <class Visitor, Of<controller::ModelAccuracy> T>
void members(Visitor& visit, T& a) {
  visit("model", a.model);
  visit("accuracy", a.accuracy);
  visit("spans", a.spans);
  visit("predicted_bytes_per_s", a.predicted_bytes_per_s);
  visit("measured_bytes_per_s", a.measured_bytes_per_s);
}

template <class Visitor, Of<controller::State> T>
void members(Visitor& visit, T& s) {
  visit("target", s.target);
  visit("phase", s.phase);
  visit("policy", s.policy);
  visit("persistent", s.persistent);
  visit("cpu_cores", s.cpu_cores);
  visit("attached", s.attached);
  visit("attached_since_s", s.attached_since_s);
  visit("phase_since_s", s.phase_since_s);
  visit("last", s.last);
  visit("last_accepted_at_s", s.last_accepted_at_s);
  visit("recent", s.recent);
  visit("trial", s.trial);
  visit("outstanding", s.outstanding);
  visit("revert", s.revert);
  visit("candidate", s.candidate);
  visit("advice", s.advice);
  visit("restore_wanted_by", s.restore_wanted_by);
  visit("expected", s.expected);
  visit("expected_since_s", s.expected_since_s);
  visit("late_calls_over_at_s", s.late_calls_over_at_s);
  visit("calibration_from", s.calibration_from);
  visit("device_watch", s.device_watch);
  visit("stopping", s.stopping);
  visit("next_reapply_s", s.next_reapply_s);
  visit("search_running", s.search_running);
  visit("discard_search", s.discard_search);
  visit("search_started_s", s.search_started_s);
  visit("next_search_s", s.next_search_s);
  visit("search_family", s.search_family);
  visit("family_rests", s.family_rests);
  visit("turn", s.turn);
  visit("fruitless_searches", s.fruitless_searches);
  visit("reverted_trials", s.reverted_trials);
  visit("rests_until_s", s.rests_until_s);
  visit("rests_at_bytes_per_s", s.rests_at_bytes_per_s);
  visit("searched", s.searched);
  visit("failed", s.failed);
  visit("foreign", s.foreign);
  visit("last_foreign_record_s", s.last_foreign_record_s);
  visit("lessons", s.lessons);
  visit("prediction_error", s.prediction_error);
  visit("prediction_error_known", s.prediction_error_known);
  visit("prediction_error_settled", s.prediction_error_settled);
  visit("compared", s.compared);
  visit("model_accuracy", s.model_accuracy);
  visit("models_compared_at_s", s.models_compared_at_s);
  visit("bad_snapshots", s.bad_snapshots);
  visit("last_refused", s.last_refused);
  visit("safe_reason", s.safe_reason);
  visit("safe_latched", s.safe_latched);
  visit("last_noop_reason", s.last_noop_reason);
  visit("next_noop_record_s", s.next_noop_record_s);
  visit("current_prediction", s.current_prediction);
  visit("current_settled", s.current_settled);
  visit("predicted_at_s", s.predicted_at_s);
  visit("current_measure", s.current_measure);
  visit("loaded_bytes_per_s", s.loaded_bytes_per_s);
  visit("latest_bytes_per_s", s.latest_bytes_per_s);
  visit("workload", s.workload);
  visit("rules", s.rules);
  visit("noops", s.noops);
  visit("snapshots_refused", s.snapshots_refused);
  visit("final_records", s.final_records);
  visit("unrecorded", s.unrecorded);
  visit("next_record_retry_s", s.next_record_retry_s);
}

// ---- events -------------------------------------------------------------------------------------

template <class Visitor, Of<controller::SnapshotArrived> T>
void members(Visitor& visit, T& e) {
  visit.required("snapshot", e.snapshot);
}
template <class Visitor, Of<controller::SnapshotFailed> T>
void members(Visitor& visit, T& e) {
  visit("reason", e.reason);
}
template <class Visitor, Of<controller::TargetFound> T>
void members(Visitor& visit, T& e) {
  DecimalText incarnation{e.incarnation};
  visit("incarnation", incarnation);
  visit("baseline", e.baseline);
  visit("tuned_by_us", e.tuned_by_us);
}
template <class Visitor, Of<controller::TargetLost> T>
void members(Visitor& visit, T& e) {
  visit("reason", e.reason);
}
template <class Visitor, Of<controller::SearchFinished> T>
void members(Visitor& visit, T& e) {
  visit.required("result", e.result);
}
template <class Visitor, Of<controller::ApplyFinished> T>
void members(Visitor& visit, T& e) {
  visit.required("decision_id", e.decision_id);
  visit("is_revert", e.is_revert);
  visit.required("status", e.status);
  visit("applied", e.applied);
  visit("error", e.error);
}
template <class Visitor, Of<controller::RecordFailed> T>
void members(Visitor& visit, T& e) {
  visit.required("decision_id", e.decision_id);
  visit("error", e.error);
}
template <class Visitor, Of<controller::PolicyChanged> T>
void members(Visitor& visit, T& e) {
  visit.required("policy", e.policy);
}
template <class Visitor, Of<controller::OperatorCommand> T>
void members(Visitor& visit, T& e) {
  visit.required("command", e.kind);
  visit("by", e.by);
  visit("decision_id", e.decision_id);
  visit("mode", e.mode);
  visit("changes", e.changes);
}
template <class Visitor, Of<controller::Tick> T>
void members(Visitor&, T&) {}
template <class Visitor, Of<controller::Shutdown> T>
void members(Visitor&, T&) {}
template <class Visitor, Of<controller::TurnGiven> T>
void members(Visitor& visit, T& e) {
  visit.required("turn", e.turn);
}

// ---- effects, as they are compared --------------------------------------------------------------

template <class Visitor, Of<controller::RecordDecision> T>
void members(Visitor& visit, T& e) {
  visit.required("decision", e.decision);
}
template <class Visitor, Of<controller::ApplyChanges> T>
void members(Visitor& visit, T& e) {
  visit.required("decision_id", e.decision_id);
  visit("changes", e.changes);
  visit("deadline_s", e.deadline_s);
  visit("is_revert", e.is_revert);
}
template <class Visitor, Of<controller::AdoptBaseline> T>
void members(Visitor& visit, T& e) {
  visit("foreign", e.foreign);
}
template <class Visitor, Of<controller::RestoreBaseline> T>
void members(Visitor& visit, T& e) {
  visit.required("decision_id", e.decision_id);
  visit("deadline_s", e.deadline_s);
  visit("clear_delay", e.clear_delay);
}
template <class Visitor, Of<controller::Alert> T>
void members(Visitor& visit, T& e) {
  visit("severity", e.severity);
  visit("code", e.code);
  visit("text", e.text);
}

}  // namespace lsmtuned::daemon::form
