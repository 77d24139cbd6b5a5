#include "bench/campaign/world.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "controller/search_method.h"
#include "controller/step.h"
#include "controller/testing/always.h"
#include "model/invariants.h"
#include "model/simulator/plant.h"
#include "model/simulator/random.h"
#include "model/units.h"

namespace lsmtuned::campaign {
namespace {

using controller::ApplyStatus;
using controller::DecisionKind;
using controller::DecisionStatus;
using controller::Phase;
using model::Knob;

constexpr double kFirstNow = 1000;  // monotonic clock
constexpr double kFirstWall = 1.7e9;
constexpr double kLongestHang = 40;
constexpr double kStuckS = 900;  // longer in one phase of a change than any policy here allows
constexpr const char* kFamily = "default";
constexpr std::size_t kMostViolations = 5;

double cpu_seconds() {  // of this thread
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

class World {
 public:
  World(const Scenario& scenario, std::optional<config::Strategy> strategy, std::ostream* story)
      : scenario_(scenario), strategy_(strategy), story_(story), random_(scenario.seed ^ 0x5eed) {}

  Outcome play();
  void shake(double at_share) { shaken_at_ = at_share * scenario_.seconds; }

 private:
  struct Call {
    std::uint64_t id = 0;
    bool is_revert = false;
    model::ChangeSet changes;
    double effect_at = 0;  // infinite: never
    double deadline_at = 0;
    double returns_at = 0;  // infinite: when writes are no longer stopped
    ApplyStatus status = ApplyStatus::ok;
    model::ChangeSet applied;
    bool pending_said = false;
    bool in_force = false;
  };
  using Payload = decltype(controller::Event::payload);

  // The world.
  bool open(model::TreeShape tree);
  void change_load();
  void change_device();
  void happen();
  void happen(const Fault& fault);
  void foreign_write(double value);
  void restart_database();
  model::Snapshot snapshot();
  bool chance(double share) { return model::simulator::next_uniform(random_) < share; }
  double uniform(double low, double high) {
    return low + (high - low) * model::simulator::next_uniform(random_);
  }
  double accepted() const { return accepted_before_ + plant_->user_bytes(); }
  double l0_compactions() const {
    return l0_before_ + static_cast<double>(last_seen_.state.l0_compactions_completed);
  }

  // The daemon and the agent.
  void start_daemon();
  void poll();
  void feed(Payload payload);
  void drain();
  void carry_out(const std::vector<controller::Effect>& effects, bool handling_failure);
  void call(std::uint64_t id, const model::ChangeSet& changes, bool is_revert, double deadline_s);
  void take_effect(Call& call);
  void serve_calls();
  void lease_ends();
  model::ChangeSet ours() const;

  // Watching.
  void check_truth();
  void watch_answers();
  void broken(const std::string& rule);
  void tell(const std::string& words);
  void status();
  std::string learned() const;  // by the model, in words

  const Scenario& scenario_;
  std::optional<config::Strategy> strategy_;
  std::ostream* story_;
  double told_bytes_ = 0;
  double shaken_at_ = -1;
  std::uint64_t random_;
  Outcome out_;

  double t_ = 0;  // of the scenario
  double now_ = kFirstNow;
  double wall_ = kFirstWall;
  std::size_t next_load_ = 0;
  std::size_t next_device_ = 0;
  std::size_t next_fault_ = 0;

  std::optional<model::simulator::Plant> plant_;
  std::uint64_t incarnation_ = 0;
  double accepted_before_ = 0;
  double l0_before_ = 0;
  double stalls_before_ = 0;
  model::DeviceSample device_before_;  // of earlier opens
  model::DeviceSample device_true_;
  model::DeviceSample device_seen_;  // with noise
  model::DatabaseCounters counter_offset_;
  model::Snapshot last_seen_;  // the truth of this tick

  bool daemon_up_ = false;
  double daemon_down_at_ = 0;
  double daemon_back_at_ = 0;
  bool lease_over_ = false;
  controller::State state_;
  controller::PersistentState persistent_;
  controller::testing::AlwaysChecks always_{true};
  model::Settings baseline_;                             // the agent's
  std::map<std::pair<std::string, Knob>, double> ours_;  // values we sent that took effect
  std::deque<Payload> inbox_;
  std::deque<std::pair<double, model::Snapshot>> late_;
  std::optional<Call> call_;
  std::optional<controller::SearchRequest> search_;
  double lost_until_ = -1;
  double late_until_ = -1;
  double late_by_ = 0;
  double frozen_until_ = -1;
  double disk_full_until_ = -1;
  bool foreign_ = false;
  std::set<std::uint64_t> proposals_;
  std::map<std::uint64_t, DecisionStatus> outcomes_;
  Phase watched_phase_ = Phase::observing;
  double polls_in_phase_ = 0;

  struct Watched {
    Answer answer;
    double at_s = 0;
    double l0_at = 0;
    double stalls_seen = 0;
    std::uint64_t noops_at = 0;
    double calm_l0 = 0;  // count when the calm began
    double calm_since = 0;
  };
  std::vector<Watched> watched_;
  std::optional<controller::Decision> newest_;  // recorded in this tick
};

void World::tell(const std::string& words) {
  if (story_ == nullptr) return;
  char time[32];
  std::snprintf(time, sizeof time, "%7.0f s  ", t_);
  *story_ << time << words << "\n";
}

std::string World::learned() const {
  if (!daemon_up_ || !state_.current_prediction) return "";
  std::string words =
      "; predicted " + model::format_rate(state_.current_prediction->put_bytes_per_s) +
      (state_.prediction_error_known ? ", error " + model::format_percent(state_.prediction_error)
                                     : ", error unknown") +
      ", device write " + model::format_rate(state_.persistent.calibration.write_bandwidth) +
      ", read " + model::format_rate(state_.persistent.calibration.read_bandwidth) + ", lessons:";
  for (std::size_t i = 0; i < model::kLessonOutcomes; ++i)
    if (const auto count = state_.lessons.by_outcome.at(i); count > 0)
      words += std::string(" ") + model::to_text(static_cast<model::LessonOutcome>(i)) + " " +
               std::to_string(count);
  return words;
}

// Once a simulated minute.
void World::status() {
  const auto& family = last_seen_.families.front();
  tell("accepted " + model::format_rate((accepted() - told_bytes_) / 60) + ", L0 " +
       std::to_string(static_cast<int>(family.levels[0].files)) + " files, " +
       std::to_string(static_cast<int>(family.immutable_memtables)) + " immutable, pending " +
       model::format_bytes(family.pending_compaction_bytes) + ", " +
       std::to_string(static_cast<int>(last_seen_.state.running_compactions)) +
       " compactions, oldest job " + model::format_duration(last_seen_.state.oldest_running_job_s) +
       (last_seen_.state.write_stopped ? ", stopped" : "") +
       (last_seen_.state.delayed_write_rate > 0
            ? ", delayed to " + model::format_rate(last_seen_.state.delayed_write_rate)
            : "") +
       learned());
  told_bytes_ = accepted();
}

void World::broken(const std::string& rule) {
  tell("VIOLATION: " + rule);
  if (out_.violations.size() >= kMostViolations) return;
  out_.violations.push_back("at " + std::to_string(static_cast<int>(t_)) + " s: " + rule);
}

// ---- the world ----------------------------------------------------------------------------------

bool World::open(model::TreeShape tree) {
  model::simulator::Plant::Options options;
  options.problem = scenario_.problem;
  options.problem.tree = std::move(tree);
  options.layer = scenario_.layer;
  options.seed = scenario_.seed + incarnation_;
  auto plant = model::simulator::Plant::open(std::move(options));
  if (!plant) {
    out_.plant_error = plant.error().text();
    return false;
  }
  plant_.emplace(std::move(*plant));
  ++incarnation_;
  baseline_ = plant_->settings();
  ours_.clear();
  counter_offset_ = {};
  return true;
}

void World::change_load() {
  const auto& load = scenario_.load;
  std::size_t due = next_load_;
  while (due < load.size() && load[due].from_s <= t_) ++due;
  if (due == next_load_) return;
  next_load_ = due;
  const double offered = load[due - 1].offered_bytes_per_s;
  plant_->set_offered(offered);
  tell("offered load: " +
       (std::isfinite(offered) ? model::format_rate(offered) : std::string("saturating")));
  if (scenario_.load_kind == "step" && due > 1) {
    Watched watched;
    watched.answer.kind = ChangeKind::load_step;
    watched.at_s = t_;
    watched_.push_back(watched);
  }
}

void World::change_device() {
  const auto& device = scenario_.device;
  std::size_t due = next_device_;
  while (due < device.size() && device[due].from_s <= t_) ++due;
  if (due == next_device_) return;
  const double before = next_device_ == 0 ? 1 : device[next_device_ - 1].factor;
  next_device_ = due;
  const double factor = device[due - 1].factor;
  const auto& spec = scenario_.problem.device;
  plant_->set_device(factor * spec.write_bytes_per_s, factor * spec.read_bytes_per_s);
  tell("device at " + model::format_percent(factor) + " of its bandwidth");
  if (factor < before && factor < 0.3) {
    Watched watched;
    watched.answer.kind = ChangeKind::degradation;
    watched.at_s = t_;
    watched_.push_back(watched);
  }
}

void World::happen() {
  const auto& faults = scenario_.faults;
  while (next_fault_ < faults.size() && faults[next_fault_].at_s <= t_)
    happen(faults[next_fault_++]);
  if (frozen_until_ >= 0 && t_ >= frozen_until_ && daemon_up_) {
    frozen_until_ = -1;
    feed(controller::OperatorCommand{controller::OperatorCommand::Kind::thaw, "ann", 0, {}, {}});
  }
}

void World::happen(const Fault& fault) {
  tell(to_text(fault.kind));
  switch (fault.kind) {
    case FaultKind::lost_samples:
      lost_until_ = fault.until_s;
      return;
    case FaultKind::late_samples:
      late_until_ = fault.until_s;
      late_by_ = fault.value;
      return;
    case FaultKind::counter_reset:
      counter_offset_ = last_seen_.counters;
      return;
    case FaultKind::wall_jump:
      wall_ += fault.value;
      return;
    case FaultKind::suspend:
      now_ += fault.value;
      wall_ += fault.value;
      return;
    case FaultKind::daemon_restart:
      if (!daemon_up_) return;
      daemon_up_ = false;
      daemon_down_at_ = t_;
      daemon_back_at_ = t_ + fault.value;
      lease_over_ = false;
      persistent_ = state_.persistent;
      if (call_ && !call_->in_force && std::isfinite(call_->effect_at)) take_effect(*call_);
      call_.reset();
      search_.reset();
      inbox_.clear();
      late_.clear();
      return;
    case FaultKind::database_restart:
      return restart_database();
    case FaultKind::foreign_write:
      return foreign_write(fault.value);
    case FaultKind::freeze:
      if (!daemon_up_) return;
      frozen_until_ = fault.until_s;
      feed(
          controller::OperatorCommand{controller::OperatorCommand::Kind::freeze, "ann", 0, {}, {}});
      return;
    case FaultKind::operator_revert:
      if (daemon_up_)
        feed(controller::OperatorCommand{
            controller::OperatorCommand::Kind::revert, "ann", 0, {}, {}});
      return;
    case FaultKind::disk_full:
      disk_full_until_ = fault.until_s;
      return;
  }
}

// The same absolute value for the twin; knobs whose orderings it cannot break.
void World::foreign_write(double value) {
  constexpr Knob kKnobs[] = {Knob::write_buffer_size, Knob::max_bytes_for_level_base,
                             Knob::max_background_jobs};
  const auto which = std::min<std::size_t>(2, static_cast<std::size_t>(3 * value));
  const Knob knob = kKnobs[which];
  const bool family = model::info(knob).scope == model::KnobScope::family;
  const std::string place = family ? kFamily : "";
  const double first = scenario_.problem.settings.get_or(knob, model::info(knob).rocksdb_default);
  const double wanted = knob == Knob::max_background_jobs ? first + 1 : 2 * first;
  const double present = plant_->settings().get(place, knob).value_or(wanted);
  if (present == wanted || plant_->write_stopped()) return;
  foreign_ = true;
  plant_->change({{place, knob, present, wanted}});
}

void World::restart_database() {
  accepted_before_ += plant_->user_bytes();
  l0_before_ += static_cast<double>(last_seen_.state.l0_compactions_completed);
  stalls_before_ += last_seen_.counters.stall_seconds;
  device_before_ = device_true_;
  model::TreeShape tree = plant_->tree();
  tree.active_memtable_bytes = 0;  // recovered into L0; too little to matter here
  tree.immutable_memtables = 0;
  tree.delayed_write_rate = 0;
  if (!open(std::move(tree))) return;
  plant_->set_offered(scenario_.load[next_load_ - 1].offered_bytes_per_s);
  if (next_device_ > 0) {
    const double factor = scenario_.device[next_device_ - 1].factor;
    const auto& spec = scenario_.problem.device;
    plant_->set_device(factor * spec.write_bytes_per_s, factor * spec.read_bytes_per_s);
  }
  last_seen_ = plant_->snapshot();
  call_.reset();
  late_.clear();
  if (!daemon_up_) return;
  if (scenario_.seed % 2 == 0) {  // else the snapshots alone show it
    feed(controller::TargetLost{"connection closed"});
    feed(controller::TargetFound{incarnation_, baseline_, {}});
  }
}

model::Snapshot World::snapshot() {
  model::Snapshot snapshot = last_seen_;
  snapshot.target = "main";
  snapshot.incarnation = incarnation_;
  snapshot.time_s = now_;
  snapshot.wall_time_s = wall_;
  auto& c = snapshot.counters;
  const auto& from = counter_offset_;
  for (const auto member :
       {&model::DatabaseCounters::user_bytes, &model::DatabaseCounters::batch_bytes,
        &model::DatabaseCounters::keys_written, &model::DatabaseCounters::wal_bytes,
        &model::DatabaseCounters::flush_write_bytes,
        &model::DatabaseCounters::compaction_read_bytes,
        &model::DatabaseCounters::compaction_write_bytes, &model::DatabaseCounters::stall_seconds})
    c.*member -= from.*member;
  snapshot.device = device_seen_;
  snapshot.device->name = "7:0";
  if (scenario_.seen_limit_bytes_per_s > 0) {
    snapshot.device->write_limit_bytes_per_s = scenario_.seen_limit_bytes_per_s;
    snapshot.device->read_limit_bytes_per_s = 2 * scenario_.seen_limit_bytes_per_s;
  }
  return snapshot;
}

// ---- the daemon and the agent -------------------------------------------------------------------

void World::start_daemon() {
  config::Policy policy = scenario_.policy;
  policy.strategy = *strategy_;
  if (policy.strategy == config::Strategy::rules &&
      std::find(policy.knobs.begin(), policy.knobs.end(), Knob::max_background_jobs) ==
          policy.knobs.end())
    policy.knobs.push_back(Knob::max_background_jobs);  // half of the rules are about it
  state_ = controller::initial_state("main", policy, persistent_, scenario_.cpu_cores, now_);
  daemon_up_ = true;
  feed(controller::TargetFound{incarnation_, baseline_, ours()});
}

model::ChangeSet World::ours() const {
  model::ChangeSet changes;
  for (const auto& [place, value] : ours_) {
    const auto present = plant_->settings().get(place.first, place.second);
    const auto before = baseline_.get(place.first, place.second);
    if (present == value && before && *before != value)
      changes.push_back({place.first, place.second, *before, value});
  }
  return changes;
}

void World::lease_ends() {
  lease_over_ = true;
  const model::ChangeSet back = model::reversed(ours());
  if (!back.empty()) {
    tell("the lease ends: " + model::describe(back));
    plant_->change(back);
  }
  ours_.clear();
}

void World::feed(Payload payload) {
  controller::Event event;
  event.now_s = now_;
  event.wall_s = wall_;
  event.local_minute_of_day = std::fmod(wall_ / 60, 1440);
  event.seed = scenario_.seed;
  event.payload = std::move(payload);
  const Phase before = state_.phase;
  const bool handling_failure = std::holds_alternative<controller::RecordFailed>(event.payload);
  always_.begin(state_);
  const double started = cpu_seconds();
  auto result = controller::step(std::move(state_), event);
  out_.controller_cpu_s += cpu_seconds() - started;
  state_ = std::move(result.state);
  for (const auto& rule : always_.end(state_, result.effects)) broken(rule);
  if (story_ != nullptr && before != state_.phase)
    tell(std::string(controller::to_text(before)) + " -> " + controller::to_text(state_.phase));
  carry_out(result.effects, handling_failure);
}

void World::carry_out(const std::vector<controller::Effect>& effects, bool handling_failure) {
  for (const auto& effect : effects) {
    if (const auto* record = std::get_if<controller::RecordDecision>(&effect)) {
      const controller::Decision& decision = record->decision;
      if (t_ < disk_full_until_) {
        always_.record_failed(decision);
        if (handling_failure) continue;
        feed(controller::RecordFailed{decision.id, "disk full"});
        return;
      }
      always_.recorded(decision);
      outcomes_[decision.id] = decision.status;
      if (decision.kind == DecisionKind::proposal) proposals_.insert(decision.id);
      newest_ = decision;
      if (story_ != nullptr)
        tell("decision " + std::to_string(decision.id) + " " + controller::to_text(decision.kind) +
             " " + controller::to_text(decision.status) + " [" + decision.reason + "] " +
             decision.explanation + (decision.evidence.empty() ? "" : " | ") + decision.evidence);
    } else if (const auto* apply = std::get_if<controller::ApplyChanges>(&effect)) {
      call(apply->decision_id, apply->changes, apply->is_revert, apply->deadline_s);
    } else if (const auto* restore = std::get_if<controller::RestoreBaseline>(&effect)) {
      call(restore->decision_id, model::reversed(ours()), true, restore->deadline_s);
    } else if (const auto* adopt = std::get_if<controller::AdoptBaseline>(&effect)) {
      baseline_ = model::with_changes(baseline_, adopt->foreign);
      for (const auto& change : adopt->foreign) ours_.erase({change.family, change.knob});
    } else if (const auto* wanted = std::get_if<controller::RequestSearch>(&effect)) {
      search_ = wanted->request;
    } else if (const auto* alert = std::get_if<controller::Alert>(&effect)) {
      tell("alert " + alert->code + ": " + alert->text);
    }
  }
}

void World::call(std::uint64_t id, const model::ChangeSet& changes, bool is_revert,
                 double deadline_s) {
  if (call_) broken("two calls at once");
  Call made;
  made.id = id;
  made.is_revert = is_revert;
  made.changes = changes;
  made.effect_at = now_;
  made.deadline_at = now_ + deadline_s;
  made.returns_at = now_;
  if (!is_revert) ++out_.changes;
  tell(std::string(is_revert ? "revert: " : "call: ") + model::describe(changes));
  if (plant_->write_stopped()) {
    if (!is_revert) {
      inbox_.emplace_back(
          controller::ApplyFinished{id, false, ApplyStatus::not_sent, {}, "writes are stopped"});
      --out_.changes;
      return;
    }
    made.returns_at = INFINITY;  // the limits hold at once; the call returns with the writers
  } else {
    const double pick = uniform(0, 1);
    const CallFaults& faults = scenario_.calls;
    if (pick < faults.fails) {
      made.status = ApplyStatus::failed;
      made.effect_at = INFINITY;
      if (chance(0.5) && changes.size() > 1) {  // the database's own call came first
        const auto scope = model::info(changes.front().knob).scope;
        for (const auto& change : changes)
          if (model::info(change.knob).scope == scope) made.applied.push_back(change);
        if (made.applied.size() == changes.size()) made.applied.clear();
      }
    } else if (pick < faults.fails + faults.hangs) {
      made.returns_at = now_ + uniform(deadline_s, kLongestHang);
      made.effect_at = uniform(now_, made.returns_at);
      if (chance(0.2)) {
        made.status = ApplyStatus::failed;
        made.effect_at = INFINITY;
      }
    } else if (pick < faults.fails + faults.hangs + faults.ineffective) {
      made.effect_at = INFINITY;
      made.applied = changes;
    } else if (chance(faults.late)) {
      made.returns_at = now_ + scenario_.policy.poll_interval_s;
    }
  }
  call_ = std::move(made);
  serve_calls();
}

void World::take_effect(Call& call) {
  call.in_force = true;
  call.applied = call.changes;
  for (const auto& change : call.changes) {
    const std::pair place(change.family, change.knob);
    if (call.is_revert) {
      ours_.erase(place);
    } else {
      ours_[place] = change.new_value;
    }
    // What a revert returns to may be an earlier change of ours.
    if (call.is_revert && baseline_.get(change.family, change.knob) != change.new_value)
      ours_[place] = change.new_value;
  }
  if (call.changes.empty()) return;
  const auto before = plant_->stall_condition();
  plant_->change(call.changes);
  const bool seen_now = t_ >= late_until_ && call.effect_at == now_ && t_ >= lost_until_;
  const bool fresh = state_.last && state_.last->time_s == now_;
  if (!call.is_revert && seen_now && fresh && plant_->stall_condition() > before)
    broken("a change made writes " + std::string(to_text(plant_->stall_condition())) + " at once");
}

void World::serve_calls() {
  if (!call_) return;
  Call& call = *call_;
  if (!call.in_force && now_ >= call.effect_at) take_effect(call);
  if (!std::isfinite(call.returns_at) && !plant_->write_stopped()) call.returns_at = now_;
  if (now_ >= call.returns_at) {
    if (call.status == ApplyStatus::failed && !call.applied.empty()) {
      plant_->change(call.applied);
      for (const auto& change : call.applied)
        ours_[{change.family, change.knob}] = change.new_value;
    }
    controller::ApplyFinished finished{call.id, call.is_revert, call.status, call.applied, ""};
    if (call.status == ApplyStatus::failed) finished.error = "SetOptions: IO error";
    inbox_.emplace_back(std::move(finished));
    call_.reset();
  } else if (now_ >= call.deadline_at && !call.pending_said) {
    call.pending_said = true;
    inbox_.emplace_back(
        controller::ApplyFinished{call.id, call.is_revert, ApplyStatus::pending, {}, "deadline"});
  }
}

void World::drain() {
  while (!inbox_.empty()) {
    Payload next = std::move(inbox_.front());
    inbox_.pop_front();
    feed(std::move(next));
  }
}

void World::poll() {
  serve_calls();
  drain();
  if (search_) {
    const double started = cpu_seconds();
    controller::SearchMethod method;
    for (double* work :
         {&method.effort.totals_work, &method.effort.files_work, &method.effort.probability_work})
      *work *= scenario_.search_effort;
    controller::SearchFinished finished{controller::search_by(method, *search_).result};
    out_.search_cpu_s += cpu_seconds() - started;
    ++out_.searches;
    search_.reset();
    feed(std::move(finished));
    drain();
  }
  if (t_ < lost_until_ || chance(scenario_.lost_share)) {
    feed(controller::SnapshotFailed{"timed out"});
  } else if (t_ < late_until_) {
    late_.emplace_back(now_ + late_by_, snapshot());
  } else {
    late_.clear();
    feed(controller::SnapshotArrived{snapshot()});
  }
  std::optional<model::Snapshot> arrived;
  while (!late_.empty() && late_.front().first <= now_) {
    arrived = std::move(late_.front().second);
    late_.pop_front();
  }
  if (arrived) {
    arrived->time_s = now_;
    arrived->wall_time_s = wall_;
    feed(controller::SnapshotArrived{std::move(*arrived)});
  }
  drain();
  feed(controller::Tick{});
  drain();
}

// ---- watching -----------------------------------------------------------------------------------

void World::check_truth() {
  const model::Settings& settings = plant_->settings();
  const auto& family = settings.families.at(kFamily);
  const auto value = [&](Knob knob) { return family.get_or(knob, 0); };
  if (value(Knob::level0_file_num_compaction_trigger) >
          value(Knob::level0_slowdown_writes_trigger) ||
      value(Knob::level0_slowdown_writes_trigger) > value(Knob::level0_stop_writes_trigger))
    broken("L0 triggers in force are out of order");
  if (value(Knob::soft_pending_compaction_bytes_limit) >
      value(Knob::hard_pending_compaction_bytes_limit))
    broken("pending limits in force are out of order");
  if (value(Knob::max_write_buffer_number) < 2) broken("max_write_buffer_number below 2");
  if (value(Knob::write_buffer_size) < model::kMiB) broken("write_buffer_size below 1 MiB");
  if (!daemon_up_) return;

  const bool resting = state_.phase == Phase::observing || state_.phase == Phase::steady ||
                       state_.phase == Phase::cooldown;
  const bool seen = state_.last && state_.last->settings == settings && !state_.outstanding &&
                    !call_ && state_.safe_reason.empty();
  if (resting && seen && state_.persistent.incarnation == incarnation_) {
    const model::Settings explained =
        model::with_changes(state_.persistent.baseline, state_.persistent.kept);
    for (const auto& change : model::difference(explained, settings))
      if (ours_.count({change.family, change.knob}) != 0)
        broken(std::string("a value of ours that no kept decision explains: ") +
               model::describe({change}));
  }

  polls_in_phase_ = state_.phase == watched_phase_ ? polls_in_phase_ + 1 : 0;
  watched_phase_ = state_.phase;
  const double seconds = polls_in_phase_ * scenario_.policy.poll_interval_s;
  const bool changing = state_.phase == Phase::applying || state_.phase == Phase::settling ||
                        state_.phase == Phase::verifying || state_.phase == Phase::reverting;
  if (changing && seconds > kStuckS) {
    broken(std::string("stuck in ") + controller::to_text(state_.phase));
    polls_in_phase_ = 0;
  }
}

void World::watch_answers() {
  const double l0 = l0_compactions();
  const double stalls = stalls_before_ + last_seen_.counters.stall_seconds;
  for (Watched& watched : watched_) {
    if (watched.answer.answered) continue;
    if (watched.l0_at == 0 && watched.calm_since == 0) {
      watched.l0_at = watched.calm_l0 = l0;
      watched.calm_since = t_;
      watched.noops_at = state_.noops;
      watched.stalls_seen = stalls;
    }
    Answer& answer = watched.answer;
    answer.cycles = l0 - watched.l0_at;
    answer.seconds = t_ - watched.at_s;
    answer.how = daemon_up_ ? controller::to_text(state_.phase) : "daemon away";
    const auto done = [&](std::string how) {
      answer.answered = true;
      answer.how = std::move(how);
      tell("answered after " + std::to_string(static_cast<int>(answer.cycles)) + " cycles, " +
           model::format_duration(answer.seconds) + ": " + answer.how);
    };
    if (stalls > watched.stalls_seen || plant_->write_stopped()) {  // a stall: calm begins anew
      watched.stalls_seen = stalls;
      watched.calm_l0 = l0;
      watched.calm_since = t_;
    }
    const bool calm = stalls == watched.stalls_seen && !plant_->write_stopped();
    if (answer.cycles < 1) {
      watched.noops_at = state_.noops;
      continue;
    }
    if (newest_ && newest_->kind != DecisionKind::noop) {
      done(std::string("decision ") + controller::to_text(newest_->status));
    } else if (state_.noops > watched.noops_at) {
      done("no change: " + state_.last_noop_reason);
    } else if (calm && l0 - watched.calm_l0 >= 1) {
      done("writes within limits");
    }
  }
}

Outcome World::play() {
  if (!open(scenario_.problem.tree)) return out_;
  if (scenario_.remembered) {
    persistent_.calibration = *scenario_.remembered;
    persistent_.calibrated = true;
  }
  last_seen_ = plant_->snapshot();
  change_load();
  if (strategy_) start_daemon();
  const double dt = scenario_.policy.poll_interval_s;
  const double last_third = scenario_.seconds * 2 / 3;
  double accepted_then = 0;
  double stalls_then = 0;
  bool counting = false;
  while (t_ < scenario_.seconds) {
    newest_.reset();
    if (!counting && t_ >= last_third) {
      counting = true;
      accepted_then = accepted();
      stalls_then = stalls_before_ + last_seen_.counters.stall_seconds;
    }
    change_load();
    change_device();
    happen();
    const bool shaking = shaken_at_ >= 0 && t_ >= shaken_at_;
    if (shaking) plant_->set_offered(0);
    if (const auto ran = plant_->advance(dt); !ran) {
      out_.plant_error = ran.error().text();
      return out_;
    }
    if (shaking) {
      shaken_at_ = -1;
      plant_->set_offered(scenario_.load[next_load_ - 1].offered_bytes_per_s);
    }
    t_ += dt;
    now_ += dt;
    wall_ += dt;
    last_seen_ = plant_->snapshot();
    if (!strategy_) continue;
    const auto& device = *last_seen_.device;
    for (const auto member :
         {&model::DeviceSample::read_bytes, &model::DeviceSample::write_bytes,
          &model::DeviceSample::busy_seconds, &model::DeviceSample::weighted_io_seconds,
          &model::DeviceSample::pressure_some_seconds, &model::DeviceSample::process_read_bytes,
          &model::DeviceSample::process_write_bytes}) {
      const double truth = device_before_.*member + device.*member;
      const double gained = truth - device_true_.*member;
      const double noise = scenario_.noise * model::simulator::next_normal(random_);
      device_seen_.*member += std::max(0.0, gained * (1 + noise));
      device_true_.*member = truth;
    }
    device_seen_.in_flight = device.in_flight;
    if (!daemon_up_) {
      if (t_ >= daemon_back_at_) {
        start_daemon();
      } else if (!lease_over_ && t_ - daemon_down_at_ >= scenario_.policy.lease_s) {
        lease_ends();
      }
    }
    if (story_ != nullptr && std::fmod(t_, 60) < dt) status();
    if (daemon_up_) poll();
    check_truth();
    watch_answers();
  }
  out_.accepted_bytes = accepted();
  out_.last_third_bytes = accepted() - accepted_then;
  out_.stall_seconds = stalls_before_ + last_seen_.counters.stall_seconds - stalls_then;
  out_.stormed = state_.persistent.storm_latched;
  for (const std::uint64_t id : proposals_) {
    switch (outcomes_[id]) {
      case DecisionStatus::kept:
        ++out_.kept;
        break;
      case DecisionStatus::reverted:
        ++out_.reverted;
        break;
      case DecisionStatus::inconclusive:
        ++out_.inconclusive;
        break;
      case DecisionStatus::failed:
        ++out_.failed;
        break;
      default:
        break;
    }
  }
  for (const Watched& watched : watched_) out_.answers.push_back(watched.answer);
  return out_;
}

}  // namespace

Outcome play(const Scenario& scenario, std::optional<config::Strategy> strategy,
             std::ostream* story) {
  return World(scenario, strategy, story).play();
}

Outcome play_shaken(const Scenario& scenario, double at_share) {
  World world(scenario, std::nullopt, nullptr);
  world.shake(at_share);
  return world.play();
}

}  // namespace lsmtuned::campaign
