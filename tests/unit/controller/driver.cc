#include "driver.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lsmtuned::controller::testing {

using model::Knob;

config::Policy Driver::base_policy() {
  config::Policy policy;
  policy.mode = config::Mode::tune;
  policy.knobs.clear();
  for (const auto& about : model::all_knobs()) policy.knobs.push_back(about.knob);
  policy.memory_budget_bytes = 1e9;
  policy.observation_s = 5;
  policy.cooldown_s = 10;
  policy.trial_min_s = 8;
  policy.trial_max_s = 120;
  policy.settle_max_s = 30;
  policy.reverts_per_hour_limit = 100;
  // The toy database does not follow the model: scenarios about trust set the gate themselves.
  policy.trust_gate_error = 1e6;
  return policy;
}

model::Settings Driver::base_settings() {
  model::Settings settings;
  for (const auto& about : model::all_knobs()) {
    if (about.scope == model::KnobScope::limiter) continue;
    settings.set("default", about.knob, about.rocksdb_default);
  }
  settings.set("default", Knob::write_buffer_size, 4.0 * 1024 * 1024);
  settings.set("default", Knob::level0_file_num_compaction_trigger, 4);
  settings.set("default", Knob::level0_slowdown_writes_trigger, 20);
  settings.set("default", Knob::level0_stop_writes_trigger, 36);
  settings.set("default", Knob::max_background_jobs, 2);
  settings.set("default", Knob::max_subcompactions, 1);
  settings.set("default", Knob::delayed_write_rate, 16.0 * 1024 * 1024);
  settings.set("default", Knob::target_file_size_base, 8.0 * 1024 * 1024);
  settings.set("default", Knob::max_compaction_bytes, 200.0 * 1024 * 1024);
  settings.set("default", Knob::max_bytes_for_level_base, 64.0 * 1024 * 1024);
  return settings;
}

Driver::Driver(config::Policy policy, PersistentState persistent)
    : state(initial_state("main", std::move(policy), std::move(persistent), 2, 1000)),
      settings(base_settings()),
      baseline(settings) {
  tuned_plant.rate = 13.0 * 1024 * 1024;
}

model::Snapshot Driver::snapshot() const {
  const Plant& p = in_force();
  model::Snapshot snapshot;
  snapshot.target = "main";
  snapshot.incarnation = incarnation_;
  snapshot.time_s = now;
  snapshot.wall_time_s = wall;
  snapshot.database_uptime_s = now - opened_at_;
  snapshot.settings = settings;
  model::FamilySnapshot family;
  family.name = "default";
  family.levels.resize(7);
  family.levels[0].files = p.l0_files;
  family.levels[0].size_bytes = p.l0_files * 4e6;
  family.levels[0].write_bytes = counters_.flush_write_bytes;
  family.levels[0].compaction_seconds = flush_seconds_;
  family.immutable_memtables = p.immutables;
  family.levels[1].files = 8;
  family.levels[1].size_bytes = 6e7;
  family.levels[2].files = 50;
  family.levels[2].size_bytes = 5e8;
  family.sst_bytes = 6e8;
  family.live_data_bytes = 5.5e8;
  family.pending_compaction_bytes = p.pending_drains && cycle_phase_ > 0.4 ? 0 : p.pending + debt_;
  snapshot.families.push_back(family);
  if (!p.second_family.empty()) {
    family.name = p.second_family;
    family.levels[0].files = p.second_l0_files;
    family.levels[0].write_bytes *= p.second_share;
    snapshot.families.push_back(family);
    snapshot.settings.families[family.name] = settings.families.at("default");
  }
  snapshot.counters = counters_;
  snapshot.device.emplace();  // its limit is what the model predicts from
  snapshot.device->name = "7:0";
  snapshot.device->write_limit_bytes_per_s = 100e6;
  snapshot.device->write_bytes = snapshot.device->read_bytes = device_bytes_;
  snapshot.state.delayed_write_rate = p.delayed ? 16e6 : 0;
  snapshot.state.write_stopped = p.stopped;
  snapshot.state.running_compactions = p.running_compactions;
  snapshot.state.oldest_running_job_s = p.job_age_s;
  snapshot.state.l0_compactions_completed = static_cast<std::uint64_t>(l0_compactions_);
  return snapshot;
}

void Driver::advance_counters(double seconds) {
  const Plant& p = in_force();
  now += seconds;
  wall += seconds;
  device_bytes_ += p.device_rate * seconds;
  if (p.stopped) return;
  counters_.user_bytes += p.rate * seconds;
  counters_.batch_bytes += 1.02 * p.rate * seconds;
  counters_.keys_written += p.rate * seconds / p.put_bytes;
  counters_.reads += p.reads_per_s * seconds;
  counters_.wal_bytes += p.rate * seconds;
  counters_.flush_write_bytes += p.rate * seconds;
  flush_seconds_ += p.rate * seconds / p.flush_rate;
  counters_.compaction_write_bytes += 5 * p.rate * seconds;
  counters_.compaction_read_bytes += 5 * p.rate * seconds;
  counters_.stall_seconds += p.stall * seconds;
  debt_ += p.pending_growth * seconds;
  cycle_phase_ += seconds / p.cycle_s;
  while (cycle_phase_ >= 1) {
    cycle_phase_ -= 1;
    l0_compactions_ += 1;
  }
}

void Driver::feed(decltype(Event::payload) payload) {
  Event event;
  event.now_s = now;
  event.wall_s = wall;
  event.local_minute_of_day = minute;
  event.freeze_file_present = freeze_file_present;
  event.seed = 7;
  event.payload = std::move(payload);
  const State before = state;
  always_.begin(before);
  StepResult result = step(std::move(state), event);
  if (on_step) on_step(before, event, result);
  state = std::move(result.state);
  refusal = result.refusal;
  if (before.phase != state.phase) moves.insert({before.phase, state.phase});
  for (auto& words : always_.end(state, result.effects)) broken.push_back(std::move(words));
  carry_out(result.effects);
}

void Driver::carry_out(const std::vector<Effect>& effects) {
  for (const auto& effect : effects) {
    if (const auto* record = std::get_if<RecordDecision>(&effect)) {
      if (failing_records > 0) {
        --failing_records;
        always_.record_failed(record->decision);
        feed(RecordFailed{record->decision.id, "disk full"});
        return;
      }
      history[record->decision.id] = record->decision;
      always_.recorded(record->decision);
    } else if (const auto* apply = std::get_if<ApplyChanges>(&effect)) {
      call(apply->decision_id, apply->changes, apply->is_revert);
    } else if (const auto* restore = std::get_if<RestoreBaseline>(&effect)) {
      call(restore->decision_id, model::difference(settings, baseline), true);
    } else if (const auto* adopt = std::get_if<AdoptBaseline>(&effect)) {
      baseline = model::with_changes(baseline, adopt->foreign);
    } else if (const auto* alert = std::get_if<Alert>(&effect)) {
      alerts.push_back(alert->code);
    } else if (const auto* wanted = std::get_if<RequestSearch>(&effect)) {
      ++searches;
      if (hold_search) continue;
      if (real_search) {
        feed(SearchFinished{search(wanted->request)});
        continue;
      }
      SearchResult result;
      result.evaluations = 1;
      const auto old = settings.get(wanted_.family, wanted_.knob);
      if (wanted_.new_value > 0 && old && *old != wanted_.new_value) {
        result.best = {{wanted_.family, wanted_.knob, *old, wanted_.new_value}};
        result.current.put_bytes_per_s = plant.rate;
        result.predicted.put_bytes_per_s = plant.rate * (1 + gain_);
        result.predicted_settled = result.predicted;
        result.objective_gain = gain_;
        result.probability_of_gain = probability_;
      }
      feed(SearchFinished{result});
    }
  }
}

void Driver::call(std::uint64_t id, const model::ChangeSet& changes, bool is_revert) {
  if (outstanding_ > 0) broken.emplace_back("two calls at once");
  ++outstanding_;
  ++(is_revert ? reverts_sent : changes_sent);
  Answer answer;
  if (!answers.empty()) {
    answer = answers.front();
    answers.pop_front();
  }
  ApplyFinished finished{id, is_revert, answer.status, {}, ""};
  switch (answer.status) {
    case ApplyStatus::ok:
      if (!answer.ineffective) settings = model::with_changes(settings, changes);
      finished.applied = changes;
      debt_ = 0;
      break;
    case ApplyStatus::pending:
      held_ = Held{id, changes, is_revert};
      feed(finished);
      return;
    case ApplyStatus::failed:
      finished.error = "SetOptions: Invalid argument";
      if (answer.partial && !changes.empty()) {
        finished.applied = {changes.front()};
        settings = model::with_changes(settings, finished.applied);
      }
      break;
    case ApplyStatus::not_sent:
      finished.error = "writes are stopped";
      break;
  }
  --outstanding_;
  feed(finished);
}

void Driver::finish_call(ApplyStatus status) {
  if (!held_) {
    broken.emplace_back("the script finishes a call that is not pending");
    return;
  }
  const Held held = *held_;
  held_.reset();
  --outstanding_;
  ApplyFinished finished{held.id, held.is_revert, status, {}, ""};
  if (status == ApplyStatus::ok) {
    settings = model::with_changes(settings, held.changes);
    finished.applied = held.changes;
  }
  feed(finished);
}

void Driver::attach() {
  feed(TargetFound{incarnation_, baseline, model::difference(baseline, settings)});
}

void Driver::land_call() {
  if (!landing_) {
    broken.emplace_back("the script lets a call take effect that is not out");
    return;
  }
  settings = model::with_changes(settings, std::exchange(landing_, std::nullopt)->changes);
}

void Driver::lose() {
  outstanding_ = 0;
  if (held_) landing_ = std::exchange(held_, std::nullopt);
  feed(TargetLost{"connection closed"});
}

void Driver::poll(int times) {
  for (int i = 0; i < times; ++i) {
    advance_counters(1);
    if (failing_polls > 0) {
      --failing_polls;
      feed(SnapshotFailed{"timed out"});
    } else {
      feed(SnapshotArrived{snapshot()});
    }
    feed(Tick{});
  }
}

bool Driver::poll_until(Phase phase, int at_most) {
  for (int i = 0; i < at_most && state.phase != phase; ++i) poll();
  return state.phase == phase;
}

void Driver::wait(int seconds) {
  for (int i = 0; i < seconds; ++i) {
    now += 1;
    wall += 1;
    feed(Tick{});
  }
}

void Driver::command(OperatorCommand::Kind kind, std::uint64_t id, config::Mode mode) {
  feed(OperatorCommand{kind, "ann", id, mode, {}});
}

void Driver::propose(Knob knob, double value) {
  OperatorCommand command;
  command.kind = OperatorCommand::Kind::try_changes;
  command.by = "ann";
  const bool family = model::info(knob).scope == model::KnobScope::family;
  command.changes = {{family ? "default" : "", knob, 0, value}};
  feed(command);
}

void Driver::candidate(Knob knob, double value, double gain, double probability) {
  wanted_ = {model::info(knob).scope == model::KnobScope::family ? "default" : "", knob, 0, value};
  gain_ = gain;
  probability_ = probability;
}

void Driver::restart_database(bool persisted) {
  ++incarnation_;
  (persisted ? baseline : settings) = persisted ? settings : baseline;
  counters_ = {};
  flush_seconds_ = 0;
  l0_compactions_ = 0;
  opened_at_ = now;
  outstanding_ = 0;
  held_.reset();
  landing_.reset();
}

void Driver::restart_daemon(bool lease_restored) {
  if (lease_restored) settings = baseline;
  PersistentState persistent = state.persistent;
  outstanding_ = 0;
  if (held_) landing_ = std::exchange(held_, std::nullopt);
  state = initial_state("main", state.policy, std::move(persistent), 2, now);
}

const Decision& Driver::decision(DecisionKind kind) const {
  static const Decision none;
  for (auto it = history.rbegin(); it != history.rend(); ++it)
    if (it->second.kind == kind) return it->second;
  return none;
}

}  // namespace lsmtuned::controller::testing
