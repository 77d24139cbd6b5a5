// The controller's state for one target, and its phases.
//
// A pure value: step() takes one and returns the next. Nothing here knows a clock, a socket or a
// file; the daemon persists the parts named in PersistentState. Thread rules: plain values.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/policy.h"
#include "controller/decision.h"
#include "controller/search.h"
#include "controller/strategy/memory.h"
#include "controller/turn.h"
#include "controller/window.h"
#include "model/estimate/calibrate.h"
#include "model/estimate/slower_device.h"
#include "model/snapshot.h"
#include "model/watch/workload_class.h"

namespace lsmtuned::controller {

enum class Phase {
  observing,  // learning; no change yet (also observe mode)
  steady,     // free to look for a better setting
  applying,   // a change was sent, or is about to be; includes "sent, not returned"
  settling,   // jobs older than the call are still running
  verifying,  // collecting evidence over whole L0 -> base cycles
  cooldown,   // quiet time after a trial
  reverting,  // a revert was sent, or is about to be
  frozen,     // by an operator or a window
  safe,       // bad data, lost target, rollback storm: until an operator acts or data is good again
};
inline constexpr int kPhaseCount = 9;
const char* to_text(Phase phase);

// What the last kept change replaced, to be judged beside it for as long as it is in force.
struct KeptChange {
  std::uint64_t decision_id = 0;
  model::ChangeSet changes;
  double loaded_bytes_per_s_before = 0;  // loaded_rate() under the settings that it replaced
  double put_size_bytes = 0;
  double write_bandwidth = 0;  // of the device, as known then
  bool operator==(const KeptChange&) const = default;
};

// Survives restarts of the daemon. The daemon stores it after every step that changes it and hands
// it back at start. A freeze and the rollback-storm latch live here.
struct PersistentState {
  // RocksDB's own identity of the database this belongs to; set by the daemon, which starts afresh
  // (ids, freeze, mode and storm latch apart) when another database is found under the same name.
  std::string database_id;
  std::uint64_t next_decision_id = 1;
  bool frozen_by_operator = false;
  std::string frozen_by;       // who
  bool storm_latched = false;  // too many reverts: safe until an operator acts
  std::optional<config::Mode> mode_override;
  model::Settings baseline;  // of `incarnation`
  std::uint64_t incarnation = 0;
  model::ChangeSet kept;  // settings kept by trials, relative to the baseline
  std::optional<KeptChange> last_kept;
  std::vector<double> revert_wall_times_s;  // within the last hour
  model::Calibration calibration;
  bool calibrated = false;
  // ln of what saturated spans took over what the model said: what it leaves out here. Predictions
  // are scaled by it; ratios of predictions, which the search goes by, do not depend on it.
  double prediction_bias = 0;
  // A decision whose values may be in force without a verdict: a trial that has not ended, or a
  // restore (kind revert) that has not returned. After a crash of the daemon, TargetFound ends it.
  std::optional<Decision> open_trial;
  // Of calls that never answered (connection lost, daemon dead): where such a value appears in this
  // incarnation it is ours, without a verdict.
  model::ChangeSet may_land;
  // Kept settings to apply again after a restart of the database, until they are.
  model::ChangeSet reapply;
  // Knobs someone else changed in this incarnation (family, knob): left alone from then on.
  std::vector<std::pair<std::string, model::Knob>> foreign;
  ProbeMemory probe;
  bool operator==(const PersistentState&) const;
};

// How long a proposal may wait for a moment in which it can be sent. A database that stalls is
// delayed or stopped for most of a cycle of several L0 compactions; an operator wants an answer.
inline constexpr double kCandidateWaitS = 300;
// After so long a second one is looked for, which can be sent while writes are delayed.
inline constexpr double kLookForClearingS = 60;
inline constexpr double kOperatorWaitS = 60;

// A proposal that waits for such a moment.
struct WaitingCandidate {
  Proposal proposal;
  double found_at_s = 0;
  double not_before_s = 0;    // after a call that could not be sent
  std::string initiator;      // an operator's own proposal; empty: the strategy's
  std::string waits_for;      // what keeps it from being sent
  bool looked_again = false;  // for one that need not wait
  bool may_wait(double now_s) const {
    return now_s - found_at_s < (initiator.empty() ? kCandidateWaitS : kOperatorWaitS);
  }
};

struct Trial {
  Decision decision;
  double applied_at_s = 0;
  double settled_at_s = 0;
  std::optional<model::Snapshot> at_settle;      // first snapshot of the verification window
  TrialBaseline before;                          // what verification compares with
  bool device_changed = false;                   // what it shows is the device, not the change
  bool read_back = false;                        // a snapshot has shown the values that were sent
  std::optional<double> drained_l0_compactions;  // count when jobs older than the call had ended
  std::vector<Mark> marks;                       // since at_settle, bounded
  std::optional<Mark> followed;                  // the last one since the call
  double behind_bytes = 0;  // written less since the call than at the loaded rate before
  std::optional<WaitingCandidate> candidate;  // tried again if the call could not be sent
};

// A column family in which a search found nothing; the next one is about another.
struct FamilyRest {
  std::string family;
  double until_s = 0;
};

// Put rates under load when the last search was asked for.
struct SearchedAt {
  double loaded_bytes_per_s = 0;
  double latest_bytes_per_s = 0;  // over the last two cycles; 0: not known
};

// A span whose put rate is compared with what was predicted at its start.
struct ComparedSpan {
  model::Snapshot from;
  model::Calibration calibration;  // as it was then
};

// How right one model was lately, over spans in which writers stalled: what it predicted at the
// start of each of the load that they offered, beside what was put.
struct ModelAccuracy {
  std::string model;    // id, as `lsmtunectl models` lists it
  double accuracy = 0;  // rolling mean of 1 - |predicted / measured - 1|, at least 0 each
  int spans = 0;
  double predicted_bytes_per_s = 0;  // in the last span
  double measured_bytes_per_s = 0;
};
// Below it a model is said to be wrong here.
inline constexpr double kLowAccuracy = 0.5;

// An options call that was sent and has not returned. At most one.
struct OutstandingCall {
  std::uint64_t decision_id = 0;
  bool is_revert = false;
  bool pending = false;  // its deadline passed; it is still inside RocksDB
  double sent_at_s = 0;
};

// What goes on in the phase reverting.
struct RevertInProgress {
  Decision decision;  // recorded with `final_status` once the values are back
  DecisionStatus final_status = DecisionStatus::reverted;
  std::optional<Decision> trial;  // a trial that a restore ends, recorded beside it
  model::ChangeSet changes;       // old: our value; new: the value to return to
  model::ChangeSet stays;      // the part whose old values would not be valid beside others' values
  bool restore = false;        // the whole baseline, by the database side's own hand
  bool awaits_record = false;  // its intent went out in the same step as the call
  bool returned = false;       // the call returned OK; waiting for read-back
  double returned_at_s = 0;
  int attempts = 0;
  double next_attempt_s = 0;
};

struct State {
  std::string target;
  Phase phase = Phase::observing;
  config::Policy policy;
  PersistentState persistent;
  double cpu_cores = 1;

  bool attached = false;
  double attached_since_s = 0;
  double phase_since_s = 0;
  std::optional<model::Snapshot> last;  // last accepted snapshot
  double last_accepted_at_s = 0;        // event time of it
  std::deque<model::Snapshot> recent;   // thinned, covers the measuring window
  std::optional<Trial> trial;           // in applying, settling, verifying, reverting
  std::optional<OutstandingCall> outstanding;
  std::optional<RevertInProgress> revert;  // exactly in reverting
  std::optional<WaitingCandidate> candidate;
  std::optional<Decision> advice;                // the latest, in advise mode
  std::optional<std::string> restore_wanted_by;  // an operator's revert that waits for a call
  std::optional<model::Settings> expected;       // what the database should report
  double expected_since_s = 0;                   // older snapshots are not compared with it
  std::optional<model::Snapshot> calibration_from;
  model::DeviceWatch device_watch;
  // A later call than those of persistent.may_land returned then: they are over.
  std::optional<double> late_calls_over_at_s;
  double next_reapply_s = 0;  // settings kept before a restart are not applied again before this
  bool search_running = false;
  bool discard_search = false;  // the running search is of another open, policy or device
  bool stopping = false;        // the daemon is: nothing new is begun
  double search_started_s = 0;
  double next_search_s = 0;
  std::string search_family;  // that the last search was about
  std::vector<FamilyRest> family_rests;
  std::optional<Turn> turn;         // empty: the only database, free to act
  int fruitless_searches = 0;       // in a row, at much the same put rate: each doubles the pause
  int reverted_trials = 0;          // in a row: each doubles the wait for the next
  double rests_until_s = 0;         // after a reverted trial nothing is looked for before
  double rests_at_bytes_per_s = 0;  // put rate before that trial: a move from it ends the rest
  SearchedAt searched;
  std::vector<FailedCandidate> failed;
  std::vector<std::pair<std::string, model::Knob>> foreign;  // as persistent.foreign
  double last_foreign_record_s = 0;
  model::LessonCounts lessons;  // what became of the calibration's intervals
  double prediction_error = 0;  // rolling |ln measured/predicted|, bias taken out
  bool prediction_error_known = false;
  bool prediction_error_settled = false;      // of spans as long as a trial
  std::optional<ComparedSpan> compared;       // runs now, to be compared with its prediction
  std::vector<ModelAccuracy> model_accuracy;  // of those that can answer
  double models_compared_at_s = 0;
  int bad_snapshots = 0;      // consecutive refused ones
  bool safe_latched = false;  // until an operator acts; beside persistent.storm_latched
  std::optional<model::Snapshot> last_refused;
  std::string safe_reason;       // clears itself when good data returns
  std::string last_noop_reason;  // a no-op is recorded when its reason changes
  double next_noop_record_s = 0;
  std::optional<model::Prediction> current_prediction;  // at the present settings, trial's horizon
  std::optional<model::Prediction> current_settled;     // the same, without growing debt
  double predicted_at_s = 0;
  WindowMeasure current_measure;  // over `recent`
  double loaded_bytes_per_s = 0;  // put in it under load (under_load)
  double latest_bytes_per_s = 0;  // the same over the last two cycles; 0: not known
  model::WorkloadWatch workload;  // which class of load this is
  RulesMemory rules;
  std::uint64_t noops = 0;
  std::uint64_t snapshots_refused = 0;
  std::deque<Decision> final_records;  // last few, until a failed write of one can be told
  std::vector<Decision> unrecorded;    // final records that failed to be written: tried again
  double next_record_retry_s = 0;
};

// The policy with the operator's mode override applied, and memory within the share of the turn.
config::Policy effective_policy(const State& state);

// Candidates that are not to be tried now. What failed under another class of load says nothing of
// this one.
std::vector<FailedCandidate> failed_here(const State& state, double now_s);

}  // namespace lsmtuned::controller
