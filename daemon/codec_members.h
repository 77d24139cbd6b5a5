// The members of what is kept on disk, each named once for writing and reading. See codec_form.h.
#pragma once

#include <string>
#include <utility>

#include "controller/decision.h"
#include "controller/state.h"
#include "daemon/codec_form.h"

namespace lsmtuned::daemon::form {

using controller::Considered;
using controller::Decision;
using controller::DecisionKind;
using controller::DecisionStatus;
using controller::Kpi;
using controller::KpiJudgement;
using controller::Kpis;
using controller::PersistentState;
using controller::ProbeDirection;
using controller::ProbeGroup;
using controller::ProbeMemory;
using controller::WindowMeasure;
using model::Calibration;
using model::KnobChange;
using model::Prediction;
using model::Uncertainty;

template <class Visitor, Of<ProbeGroup> T>
void members(Visitor& visit, T& g) {
  visit("direction", g.direction);
  visit("step_octaves", g.step_octaves);
  visit("up_failed_until_wall_s", g.up_failed_until_wall_s);
  visit("down_failed_until_wall_s", g.down_failed_until_wall_s);
}

template <class Visitor, Of<ProbeMemory> T>
void members(Visitor& visit, T& p) {
  visit("group", p.group);
  visit("buffers", p.buffers);
  visit("triggers", p.triggers);
  visit("jobs", p.jobs);
}

template <class Visitor, Of<WindowMeasure> T>
void members(Visitor& visit, T& m) {
  visit("seconds", m.seconds);
  visit("put_bytes_per_s", m.put_bytes_per_s);
  visit("put_ops_per_s", m.put_ops_per_s);
  visit("stall_share", m.stall_share);
  visit("worst_stall_s", m.worst_stall_s);
  visit("put_p99_s", m.put_p99_s);
  visit("write_amplification", m.write_amplification);
  visit("pending_bytes_cycle_end", m.pending_bytes_cycle_end);
  visit("l0_files_mean", m.l0_files_mean);
  visit("l0_compactions", m.l0_compactions);
  visit("standard_error", m.standard_error);
  visit("memory_bytes", m.memory_bytes);
}

template <class Visitor, Of<Kpi> T>
void members(Visitor& visit, T& k) {
  visit("before", k.before);
  visit("predicted", k.predicted);
  visit("after", k.after);
  visit("judgement", k.judgement);
}

template <class Visitor, Of<Kpis> T>
void members(Visitor& visit, T& k) {
  visit("put_rate", k.put_rate);
  visit("write_bandwidth_use", k.write_bandwidth_use);
  visit("compaction_efficiency", k.compaction_efficiency);
  visit("stability", k.stability);
  visit("resource_use", k.resource_use);
}

template <class Visitor, Of<Prediction> T>
void members(Visitor& visit, T& p) {
  visit("put_bytes_per_s", p.put_bytes_per_s);
  visit("low_bytes_per_s", p.low_bytes_per_s);
  visit("high_bytes_per_s", p.high_bytes_per_s);
  visit("horizon_s", p.horizon_s);
  visit("write_amplification", p.write_amplification);
  visit("read_amplification", p.read_amplification);
  visit("l0_files", p.l0_files);
  visit("pending_bytes", p.pending_bytes);
  visit("space_bytes", p.space_bytes);
  visit("bound", p.bound);
  visit("runner_up", p.runner_up);
  visit("model", p.model);
}

template <class Visitor, Of<Uncertainty> T>
void members(Visitor& visit, T& u) {
  visit("reference_write_bandwidth", u.reference_write_bandwidth);
  visit("covariance", u.covariance);
  visit("outlier_streaks", u.outlier_streaks);
  visit("overlap_variance", u.overlap_variance);
  visit("cpu_covariance", u.cpu_covariance);
  visit("error_variance", u.error_variance);
  visit("coverage_log_scale", u.coverage_log_scale);
  visit("predictions", u.predictions);
  visit("predictions_covered", u.predictions_covered);
  visit("gain_error", u.gain_error);
  visit("trials", u.trials);
}

template <class Visitor, Of<Calibration> T>
void members(Visitor& visit, T& c) {
  visit("flush_bytes_per_user_byte", c.flush_bytes_per_user_byte);
  visit("wal_bytes_per_user_byte", c.wal_bytes_per_user_byte);
  visit("memtable_fill", c.memtable_fill);
  visit("overlap", c.overlap);
  visit("moved_share", c.moved_share);
  visit("drop_share", c.drop_share);
  visit("level_compression", c.level_compression);
  visit("record_bytes", c.record_bytes);
  visit("distinct_keys", c.distinct_keys);
  visit("cpu_seconds_per_byte", c.cpu_seconds_per_byte);
  visit("cpu_seconds_per_record", c.cpu_seconds_per_record);
  visit("background_cores", c.background_cores);
  visit("write_bandwidth", c.write_bandwidth);
  visit("read_bandwidth", c.read_bandwidth);
  visit("mix_exponent", c.mix_exponent);
  visit("job_bytes_per_second", c.job_bytes_per_second);
  visit("l0_speed_up_exponent", c.l0_speed_up_exponent);
  visit("flush_bytes_per_second", c.flush_bytes_per_second);
  visit("foreground_bytes_per_second", c.foreground_bytes_per_second);
  visit("log_residual", c.log_residual);
  visit("relative_error", c.relative_error);
  visit("evidence_seconds", c.evidence_seconds);
  visit("evidence_l0_compactions", c.evidence_l0_compactions);
  visit("uncertainty", c.uncertainty);
}

template <class Visitor, Of<model::published::PhaseThresholds> T>
void members(Visitor& visit, T& t) {
  visit("middle_from_minutes", t.middle_from_minutes);
  visit("final_from_minutes", t.final_from_minutes);
  visit("initial_above_variation", t.initial_above_variation);
  visit("middle_above_variation", t.middle_above_variation);
  visit("rising_above_slope", t.rising_above_slope);
  visit("final_from_write_amplification", t.final_from_write_amplification);
  visit("rate_window", t.rate_window);
  visit("amplification_window", t.amplification_window);
}

template <class Visitor, Of<model::WatchRule> T>
void members(Visitor& visit, T& r) {
  visit("fall", r.fall);
  visit("use_deviation", r.use_deviation);
  visit("hold_s", r.hold_s);
  visit("span_s", r.span_s);
}

template <class Visitor, Of<KnobChange> T>
void members(Visitor& visit, T& c) {
  visit("family", c.family);
  visit.required("option", c.knob);
  visit.required("old", c.old_value);
  visit.required("new", c.new_value);
}

template <class Visitor, Of<Considered> T>
void members(Visitor& visit, T& c) {
  visit("changes", c.changes);
  visit("predicted_put_bytes_per_s", c.predicted_put_bytes_per_s);
  visit("verdict", c.verdict);
}

template <class Visitor, Of<Decision> T>
void members(Visitor& visit, T& d) {
  visit.required("id", d.id);
  visit.required("target", d.target);
  DecimalText incarnation{d.incarnation};
  visit("incarnation", incarnation);
  visit.required("kind", d.kind);
  visit.required("status", d.status);
  visit("wall_time_s", d.wall_time_s);
  visit("ended_wall_time_s", d.ended_wall_time_s);
  visit("initiator", d.initiator);
  visit("reason", d.reason);
  visit("explanation", d.explanation);
  visit("before", d.before);
  visit("changes", d.changes);
  visit("predicted_before", d.predicted_before);
  visit("predicted_after", d.predicted_after);
  visit("predicted_settled", d.predicted_settled);
  visit("measured_before", d.measured_before);
  visit("measured_after", d.measured_after);
  visit("kpis", d.kpis);
  visit("workload", d.workload);
  visit("short_trial", d.short_trial);
  visit("evidence", d.evidence);
  visit("considered", d.considered);
}

template <class Visitor, Of<controller::KeptChange> T>
void members(Visitor& visit, T& k) {
  DecimalText id{k.decision_id};
  visit("decision_id", id);
  visit("changes", k.changes);
  visit("loaded_bytes_per_s_before", k.loaded_bytes_per_s_before);
  visit("put_size_bytes", k.put_size_bytes);
  visit("write_bandwidth", k.write_bandwidth);
}

template <class Visitor, Of<PersistentState> T>
void members(Visitor& visit, T& s) {
  visit("database_id", s.database_id);
  visit("next_decision_id", s.next_decision_id);
  visit("frozen_by_operator", s.frozen_by_operator);
  visit("frozen_by", s.frozen_by);
  visit("storm_latched", s.storm_latched);
  visit("mode_override", s.mode_override);
  visit("baseline", s.baseline);
  DecimalText incarnation{s.incarnation};
  visit("incarnation", incarnation);
  visit("kept", s.kept);
  visit("last_kept", s.last_kept);
  visit("revert_wall_times_s", s.revert_wall_times_s);
  visit("calibration", s.calibration);
  visit("calibrated", s.calibrated);
  visit("prediction_bias", s.prediction_bias);
  visit("open_trial", s.open_trial);
  visit("may_land", s.may_land);
  visit("reapply", s.reapply);
  visit("foreign", s.foreign);
  visit("probe", s.probe);
}

using FamilyKnob = std::pair<std::string, model::Knob>;
template <class Visitor, Of<FamilyKnob> T>
void members(Visitor& visit, T& k) {
  visit("family", k.first);
  visit.required("option", k.second);
}

// ---- words --------------------------------------------------------------------------------------

template <>
struct Words<DecisionKind> {
  static constexpr DecisionKind kLast = DecisionKind::revert;
  static const char* text(DecisionKind kind) { return controller::to_text(kind); }
};
template <>
struct Words<DecisionStatus> {
  static constexpr DecisionStatus kLast = DecisionStatus::noted;
  static const char* text(DecisionStatus status) { return controller::to_text(status); }
};
template <>
struct Words<KpiJudgement> {
  static constexpr KpiJudgement kLast = KpiJudgement::worse;
  static const char* text(KpiJudgement judgement) { return controller::to_text(judgement); }
};
template <>
struct Words<model::Bound> {
  static constexpr model::Bound kLast = model::Bound::none;
  static const char* text(model::Bound bound) { return model::to_text(bound); }
};
template <>
struct Words<config::Mode> {
  static constexpr config::Mode kLast = config::Mode::tune;
  static const char* text(config::Mode mode) { return config::to_text(mode); }
};
template <>
struct Words<ProbeDirection> {
  static constexpr ProbeDirection kLast = ProbeDirection::down;
  static const char* text(ProbeDirection direction) { return controller::to_text(direction); }
};

}  // namespace lsmtuned::daemon::form
