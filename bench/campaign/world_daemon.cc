#include "bench/campaign/world.h"

#include <algorithm>
#include <cmath>
#include <ctime>

#include "controller/search_method.h"
#include "model/delayed_rate.h"
#include "model/units.h"

namespace lsmtuned::campaign {
namespace {

using controller::ApplyStatus;
using controller::DecisionKind;
using controller::Phase;
using model::Knob;

constexpr double kLongestHang = 40;

double cpu_seconds() {  // of this thread
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

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
  // What is predicted for display only would take a third of the time.
  if (state_.current_prediction && story_ == nullptr) state_.predicted_at_s = now_;
  if (story_ == nullptr) state_.models_compared_at_s = now_;
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
      if (decision.kind == DecisionKind::noop && decision.reason == "device_fell")
        fall_noted_at_s_ = t_;
      if (story_ != nullptr)
        tell("decision " + std::to_string(decision.id) + " " + controller::to_text(decision.kind) +
             " " + controller::to_text(decision.status) + " [" + decision.reason + "] " +
             decision.explanation + (decision.evidence.empty() ? "" : " | ") + decision.evidence);
    } else if (const auto* apply = std::get_if<controller::ApplyChanges>(&effect)) {
      call(apply->decision_id, apply->changes, apply->is_revert, apply->deadline_s);
    } else if (const auto* restore = std::get_if<controller::RestoreBaseline>(&effect)) {
      model::ChangeSet back = model::reversed(ours());
      if (restore->clear_delay)
        if (const auto again = model::delayed_rate_again(plant_->settings(), back))
          back.push_back(*again);
      call(restore->decision_id, back, true, restore->deadline_s);
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
    made.accepted_bytes = accepted();
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
  const bool writers_went_on = !plant_->write_stopped() || accepted() > call.accepted_bytes;
  if (!std::isfinite(call.returns_at) && writers_went_on) call.returns_at = now_;
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

}  // namespace lsmtuned::campaign
