// Drives the controller as the daemon would, against a toy database, and checks after every step
// what must always hold. Shared by unit tests and by the scenario runner.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "controller/step.h"
#include "controller/testing/always.h"

namespace lsmtuned::controller::testing {

// A database that accepts `rate` and completes an L0 -> base compaction every `cycle_s`.
struct Plant {
  double rate = 10.0 * 1024 * 1024;  // user bytes/s
  double stall = 0.3;                // share of time
  double cycle_s = 2;
  double put_bytes = 1000;
  double reads_per_s = 0;
  double pending = 0;           // RocksDB's estimate
  bool pending_drains = false;  // within a cycle, to nothing until the next one ends
  double pending_growth = 0;    // bytes/s on top, from the last change of settings
  double l0_files = 10;
  double immutables = 0;
  double running_compactions = 1;
  double device_rate = 0;                  // bytes/s it writes; it reads as much; 0: not counted
  double flush_rate = 50.0 * 1024 * 1024;  // bytes/s of one flush while it runs
  double job_age_s = 0;                    // oldest running job
  bool delayed = false;
  bool stopped = false;
  std::string second_family;  // beside "default", where it is named
  double second_l0_files = 0;
  double second_share = 0.1;  // of the flushed bytes
};

struct Answer {
  ApplyStatus status = ApplyStatus::ok;
  bool partial = false;      // failed: the first change took effect
  bool ineffective = false;  // ok, but the database keeps the old value
};

class Driver {
 public:
  explicit Driver(config::Policy policy = base_policy(), PersistentState persistent = {});
  static config::Policy base_policy();
  static model::Settings base_settings();

  void feed(decltype(Event::payload) payload);
  void attach();  // with what the database side holds
  void lose();
  void poll(int times = 1);
  bool poll_until(Phase phase, int at_most);
  void wait(int seconds);  // ticks only
  void command(OperatorCommand::Kind kind, std::uint64_t id = 0,
               config::Mode mode = config::Mode::observe);
  // An operator's own proposal.
  void propose(model::Knob knob, double value);
  bool call_pending() const { return held_.has_value(); }
  void finish_call(ApplyStatus status);  // of a call that was left pending
  void land_call();  // of one that was out when target or daemon went: it takes effect after all
  // Without telling. `persisted`: opened with the OPTIONS file that holds what was in force.
  void restart_database(bool persisted = false);
  void restart_daemon(bool lease_restored);
  model::Snapshot snapshot() const;
  // What the next searches find: this change of the default family. `value` 0: nothing.
  void candidate(model::Knob knob, double value, double gain = 0.3, double probability = 0.95);
  const Plant& in_force() const { return tuned() ? tuned_plant : plant; }
  bool tuned() const { return settings != baseline; }
  const Decision& decision(DecisionKind kind) const;  // the latest of that kind
  int sent(bool reverts) const { return reverts ? reverts_sent : changes_sent; }

  State state;
  Plant plant;
  Plant tuned_plant;         // while the settings differ from the baseline
  model::Settings settings;  // in force
  model::Settings baseline;  // held by the database side
  double now = 1000;
  double wall = 1.7e9;
  double minute = 720;
  bool freeze_file_present = false;
  std::deque<Answer> answers;  // of the next calls; ok when empty
  int failing_records = 0;
  int failing_polls = 0;
  bool hold_search = false;  // do not answer searches
  bool real_search = false;  // over the model, not what candidate() said
  int searches = 0;
  // After every step: the state before it, the event and what came of it.
  std::function<void(const State&, const Event&, const StepResult&)> on_step;

  std::map<std::uint64_t, Decision> history;  // as the disk would have it
  std::vector<std::string> alerts;
  std::vector<std::string> broken;  // rules broken so far, in words
  std::string refusal;
  std::set<std::pair<Phase, Phase>> moves;

 private:
  void carry_out(const std::vector<Effect>& effects);
  void call(std::uint64_t id, const model::ChangeSet& changes, bool is_revert);
  void advance_counters(double seconds);

  model::KnobChange wanted_;
  double gain_ = 0;
  double probability_ = 0;
  model::DatabaseCounters counters_;
  double device_bytes_ = 0;  // each way
  double cycle_phase_ = 0;
  double debt_ = 0;
  double flush_seconds_ = 0;
  double l0_compactions_ = 0;
  std::uint64_t incarnation_ = 1;
  double opened_at_ = 0;
  AlwaysChecks always_;
  struct Held {
    std::uint64_t id;
    model::ChangeSet changes;
    bool is_revert;
  };
  std::optional<Held> held_;     // pending
  std::optional<Held> landing_;  // nobody waits for it any more
  int outstanding_ = 0;
  int changes_sent = 0;
  int reverts_sent = 0;
};

}  // namespace lsmtuned::controller::testing
