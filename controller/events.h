// Events into the controller and effects out of it. See controller/step.h.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "config/policy.h"
#include "controller/decision.h"
#include "controller/search.h"
#include "controller/state.h"
#include "model/snapshot.h"

namespace lsmtuned::controller {

// ---- events -------------------------------------------------------------------------------------

struct SnapshotArrived {
  model::Snapshot snapshot;
};
struct SnapshotFailed {  // the poll failed or timed out
  std::string reason;
};
// The target appeared (start of daemon, attach, restart of the database).
struct TargetFound {
  std::uint64_t incarnation = 0;
  model::Settings baseline;      // as the agent holds it: values before our first change
  model::ChangeSet tuned_by_us;  // what the agent says is ours right now (a lease that survived)
};
struct TargetLost {
  std::string reason;
};
struct SearchFinished {
  SearchResult result;
};
enum class ApplyStatus {
  ok,        // every call returned OK
  pending,   // deadline passed; the call is still inside RocksDB. A later ApplyFinished follows
  failed,    // at least one call failed; `applied` says which knobs took effect
  not_sent,  // refused before sending (stopped, lost connection); nothing changed
};
struct ApplyFinished {
  std::uint64_t decision_id = 0;
  bool is_revert = false;
  ApplyStatus status = ApplyStatus::ok;
  model::ChangeSet applied;
  std::string error;
};
// The durable write of an effect failed (disk full): the effects after it were not carried out.
struct RecordFailed {
  std::uint64_t decision_id = 0;
  std::string error;
};
struct PolicyChanged {
  config::Policy policy;
};
struct Tick {};
struct OperatorCommand {
  enum class Kind { freeze, thaw, revert, apply, set_mode, clear_safe, try_changes } kind{};
  std::string by;                             // user name or uid, for the record
  std::uint64_t decision_id = 0;              // apply
  config::Mode mode = config::Mode::observe;  // set_mode
  model::ChangeSet changes;                   // try_changes; old values are filled in
};
// From the arbiter of several databases (controller/arbitration.h).
struct TurnGiven {
  Turn turn;
};
// The daemon is stopping: revert or keep, by policy.
struct Shutdown {};

struct Event {
  double now_s = 0;                // monotonic
  double wall_s = 0;               // Unix time
  double local_minute_of_day = 0;  // for freeze windows, 0..1440
  bool freeze_file_present = false;
  std::uint64_t seed = 0;
  std::variant<SnapshotArrived, SnapshotFailed, TargetFound, TargetLost, SearchFinished,
               ApplyFinished, RecordFailed, PolicyChanged, Tick, OperatorCommand, Shutdown,
               TurnGiven>
      payload;
};

// ---- effects, carried out by the daemon in order
// -------------------------------------------------

// Insert or replace this decision in history, durably, before the next effect of the same step.
struct RecordDecision {
  Decision decision;
};
// Send these changes. Answered by ApplyFinished. `is_revert` exempts from the "no call while
// delayed" rule; during a stop the actuator queues it first. In a revert, a delayed_write_rate
// whose new value is its old one is set again: RocksDB then forgets how far it had lowered the
// rate.
struct ApplyChanges {
  std::uint64_t decision_id = 0;
  model::ChangeSet changes;
  double deadline_s = 5;
  bool is_revert = false;
};
struct RequestSearch {
  SearchRequest request;
};
// Tell the agent that these values now belong to someone else (or to the baseline): its lease must
// not restore over them.
struct AdoptBaseline {
  model::ChangeSet foreign;  // new_value becomes the baseline of the knob
};
// Restore the whole baseline by the agent's own hand (revert command, shutdown with `revert`).
// `clear_delay`: RocksDB also forgets how far it had lowered the rate of delayed writers.
struct RestoreBaseline {
  std::uint64_t decision_id = 0;
  double deadline_s = 5;
  bool clear_delay = false;
};
struct Alert {
  enum class Severity { info, warning, critical } severity{};
  std::string code;  // stable word
  std::string text;
};

using Effect = std::variant<RecordDecision, ApplyChanges, RequestSearch, AdoptBaseline,
                            RestoreBaseline, Alert>;

struct StepResult {
  State state;
  std::vector<Effect> effects;
  std::string refusal;  // non-empty: the operator command was not taken, and why
};

}  // namespace lsmtuned::controller
