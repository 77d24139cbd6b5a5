// Inside of step(): one event being worked on, and the pieces that handle it.
//
// Private to controller/. Every phase move goes through Reducer::move_to, every record through
// Reducer::record, so that the transition table and the order of effects have one home each.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/events.h"
#include "controller/guard.h"
#include "controller/state.h"
#include "controller/strategy/strategy.h"

namespace lsmtuned::controller {

// Why a running trial must not go on, whatever it measures.
struct CallOff {
  std::string reason;    // one word
  std::string evidence;  // a sentence
  bool counts = false;   // towards the rollback storm
};

struct Reducer {
  State& state;
  const Event& event;
  std::vector<Effect>& effects;
  std::string& refusal;
  config::Policy policy;  // effective

  double now() const { return event.now_s; }
  config::Mode mode() const { return policy.mode; }

  // ---- phases (phases.cc)
  void move_to(Phase to);
  bool frozen_now() const;
  bool observation_over() const;
  bool storm() const { return state.persistent.storm_latched || state.safe_latched; }
  Phase resting_phase() const;  // where to go when nothing is running
  std::optional<CallOff> call_off() const;
  void advance();  // time- and flag-driven moves, after every event
  void advance_phase();

  // ---- records (records.cc)
  Decision new_decision(DecisionKind kind);
  void record(const Decision& decision);
  void end(Decision& decision, DecisionStatus status, const std::string& evidence);  // and record
  void noop(const std::string& reason, const std::string& explanation,
            std::vector<Considered> considered = {});
  void judge_kpis(Decision& decision) const;
  void alert(Alert::Severity severity, std::string code, std::string text);
  void on(const RecordFailed& failed);
  void retry_records();

  // ---- snapshots and what is learned from them (snapshots.cc, estimator.cc)
  void on(const SnapshotArrived& arrived);
  void on(const SnapshotFailed& failed);
  void bad_data(const std::string& why);
  double longest_pause_s() const { return std::max(10.0, 5 * policy.poll_interval_s); }
  void skip_pause(const model::Snapshot& snapshot);
  void estimate(const model::Snapshot& snapshot);
  void refresh_predictions();
  void device_changed(model::DeviceChange change, double bandwidth_before);
  void end_trial_on_both_devices();
  void note_device(model::DeviceChange change, double bandwidth_before);
  model::Prediction unbiased(model::Prediction prediction) const;
  void learn_error(double measured, double predicted, double stall_share);
  void compare(const model::Snapshot& snapshot);
  void compare_every_model(const model::Snapshot& from, const std::string& family, double seconds,
                           double measured, double demand);
  void learn_from_trial(const Trial& trial, const WindowMeasure& loaded);
  void forget_window();
  bool saturated() const;
  void check_foreign(const model::Snapshot& snapshot);
  void call_may_land(const model::ChangeSet& changes);
  void stop_waiting_for_late_calls(const model::Snapshot& snapshot);
  void take_back(const model::ChangeSet& landed);

  // ---- proposals (proposal.cc)
  void consider();
  void rest_family(const std::string& family);
  double search_pause_s() const;
  void found_nothing();
  void forget_fruitless_searches();
  bool rests();
  bool budget_spent();
  View view() const;
  void ask(SearchRequest request);
  void take(Suggestion suggestion);
  void on(const SearchFinished& finished);
  void consider_reapply();
  void start_apply(Decision decision);

  // ---- what waits to be sent (candidate.cc)
  bool waits_for_turn() const;
  void wait_for_turn();
  void drop_candidate(const std::string& reason, const std::string& why);
  void forget_found();
  GuardVerdict candidate_gate() const;
  void try_candidate();
  void look_for_one_that_clears(const GuardVerdict& verdict);
  void give_advice(Decision decision);

  // ---- calls (applying.cc)
  void on(const ApplyFinished& finished);
  void apply_returned(const ApplyFinished& finished);

  // ---- trials (trial.cc)
  void follow_trial(const model::Snapshot& snapshot);
  void settle(const model::Snapshot& snapshot);
  void verify(const model::Snapshot& snapshot);
  void measure_trial(const model::Snapshot& snapshot);
  void keep_trial(const std::string& evidence);
  void abandon_trial(const std::string& evidence);  // target gone: nothing to send
  void learned(const Decision& decision, bool kept);
  std::string too_costly(const model::Snapshot& snapshot);
  void remember_failed(const model::ChangeSet& changes);

  // ---- kept settings (regret.cc)
  void remember_kept(const Decision& decision, const TrialBaseline& before);
  bool regret();

  // ---- reverts (reverting.cc)
  void revert_trial(DecisionStatus status, const std::string& reason, const std::string& evidence,
                    bool counts);
  void revert_values(Decision decision, model::ChangeSet changes, DecisionStatus final_status);
  void take_home(const std::string& reason, const std::string& why, const model::ChangeSet& back);
  void restore_baseline(Decision decision);
  void want_restore(const std::string& by);
  void leave_what_clashes();
  std::string note_what_stays(const model::ChangeSet& stays);
  void send_revert();
  void revert_returned(const ApplyFinished& finished);
  void check_reverted(const model::Snapshot& snapshot);
  void finish_revert(const std::string& note);
  int reverts_within_hour();
  void count_revert();
  void wait_longer();

  // ---- target, policy, operator (lifecycle.cc, operator.cc)
  void on(const TargetFound& found);
  void on(const TargetLost& lost);
  void restarted(std::uint64_t incarnation, const model::Settings& baseline);
  void take_home_persisted(const model::ChangeSet& tried);
  void on(const PolicyChanged& changed);
  void on(const Tick& tick);
  void on(const Shutdown& shutdown);
  void on(const TurnGiven& given);
  void on(const OperatorCommand& command);
  void order_revert(const std::string& by);
  bool nothing_kept() const;  // neither in force nor waiting to be applied again
  void apply_advice(const OperatorCommand& command);
  void try_changes(const OperatorCommand& command);
};

// "22:00".."06:00" wraps over midnight; equal ends mean the whole day. Minutes of the local day.
bool in_freeze_window(const config::Policy& policy, double local_minute_of_day);

// Folds `changes` into `kept`, which is relative to the baseline; entries that return to the
// baseline are dropped.
void merge_kept(model::ChangeSet& kept, const model::ChangeSet& changes);

}  // namespace lsmtuned::controller
