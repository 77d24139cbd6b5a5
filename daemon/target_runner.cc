#include "daemon/target_runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "controller/search.h"
#include "controller/step.h"
#include "daemon/log.h"
#include "model/estimate/calibrate.h"

namespace lsmtuned::daemon {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxQueued = 256;
constexpr std::size_t kMaxAlerts = 20;
constexpr double kCalibrationSaveInterval_s = 60;
constexpr double kHandOverDeadline_s = 2;
// A search that takes longer than this is said; the evaluation cap bounds it.
constexpr double kLongSearch_s = 10;

// FNV-1a: one seed a target, the same after every restart, so that a search can be replayed.
std::uint64_t seed_of(const std::string& name) {
  std::uint64_t hash = 14695981039346656037ull;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ull;
  }
  return hash;
}

// The part whose loss a restart would notice at once. Calibration changes with every poll, grows
// slowly, and is saved at intervals, so that the tuner does not write to disk all the time.
controller::PersistentState without_calibration(controller::PersistentState state) {
  state.calibration = {};
  state.calibrated = false;
  return state;
}

controller::ApplyStatus converted(actuators::ApplyStatus status) {
  switch (status) {
    case actuators::ApplyStatus::ok:
      return controller::ApplyStatus::ok;
    case actuators::ApplyStatus::pending:
      return controller::ApplyStatus::pending;
    case actuators::ApplyStatus::failed:
      return controller::ApplyStatus::failed;
    case actuators::ApplyStatus::not_sent:
      return controller::ApplyStatus::not_sent;
  }
  return controller::ApplyStatus::failed;
}

template <class Alternative>
bool holds(const auto& payload) {
  return std::holds_alternative<Alternative>(payload);
}

}  // namespace

TargetRunner::TargetRunner(RunnerServices services, std::string name, config::Policy policy,
                           double sample_interval_s)
    : services_(std::move(services)),
      name_(std::move(name)),
      sample_interval_s_(sample_interval_s),
      queue_filled_(services_.executor),
      tick_timer_(services_.executor),
      poll_timer_(services_.executor),
      calls_changed_(services_.executor) {
  state_.target = name_;
  state_.policy = std::move(policy);
  if (!services_.record_events.empty())
    event_log_ =
        std::make_shared<EventLog>(services_.record_events, name_, services_.record_events_bytes);
}

void TargetRunner::start() {
  services_.metrics->target_seen(name_);
  spawn(pump(), "the event queue");
}

void TargetRunner::stop() {
  stopping_ = true;
  ++generation_;
  queue_filled_.set();
  calls_changed_.set();
  tick_timer_.cancel();
  poll_timer_.cancel();
  for (Item& item : queue_) {
    if (!item.completion) continue;
    item.completion->refusal = "the daemon is stopping";
    item.completion->finished.set();
  }
  queue_.clear();
}

void TargetRunner::spawn(asio::awaitable<void> work, const char* what) {
  auto self = shared_from_this();
  asio::co_spawn(services_.executor, std::move(work),
                 [self, what](const std::exception_ptr& failure) {
                   if (!failure) return;
                   try {
                     std::rethrow_exception(failure);
                   } catch (const std::exception& error) {
                     spdlog::critical("{}: {} ended: {}", self->name_, what, error.what());
                   }
                 });
}

asio::awaitable<void> TargetRunner::sleep(asio::steady_timer& timer, double seconds) {
  if (stopping_) co_return;
  timer.expires_after(services_.clock->real(seconds));
  co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

// ---- events -------------------------------------------------------------------------------------

bool TargetRunner::enqueue(Payload payload, std::shared_ptr<Completion> completion) {
  if (stopping_) return false;
  const bool is_tick = holds<controller::Tick>(payload);
  if (is_tick && !queue_.empty()) return true;  // the next event brings the time with it
  // Answers and losses must never be dropped; what can be asked again is.
  const bool may_drop = is_tick || holds<controller::OperatorCommand>(payload) ||
                        holds<controller::SnapshotArrived>(payload) ||
                        holds<controller::SnapshotFailed>(payload);
  if (may_drop && queue_.size() >= kMaxQueued) return false;
  queue_.push_back(Item{std::move(payload), std::move(completion)});
  queue_filled_.set();
  return true;
}

asio::awaitable<std::string> TargetRunner::process(Payload payload) {
  auto completion = std::make_shared<Completion>(services_.executor);
  if (!enqueue(std::move(payload), completion)) {
    co_return stopping_ ? "the daemon is stopping" : "too many events are waiting; try again";
  }
  co_await completion->finished.wait();
  co_return completion->refusal;
}

asio::awaitable<void> TargetRunner::load_state() {
  struct Loaded {
    std::string error;
    std::optional<controller::PersistentState> state;
    std::optional<controller::Decision> last;
  };
  while (!stopping_) {
    auto read = [history = services_.history, name = name_] {
      Loaded loaded;
      auto state = history->load_state(name);
      if (!state) {
        loaded.error = state.error().text();
        return loaded;
      }
      loaded.state = *state;
      auto newest = history->decisions(name, 0, 1);
      if (!newest) {
        loaded.error = newest.error().text();
      } else if (!newest->empty()) {
        loaded.last = newest->front();
      }
      return loaded;
    };
    Loaded loaded = co_await on_worker(*services_.records, std::move(read));
    if (loaded.error.empty()) {
      controller::PersistentState persistent;
      if (loaded.state) persistent = *loaded.state;
      // An id is never used twice, even where the state was lost and the decisions were not.
      if (loaded.last)
        persistent.next_decision_id = std::max(persistent.next_decision_id, loaded.last->id + 1);
      saved_ = persistent;
      last_decision_ = loaded.last;
      const config::Policy policy = state_.policy;
      state_ = controller::initial_state(name_, policy, persistent, services_.cpu_cores,
                                         services_.clock->now_s());
      loaded_ = true;
      co_return;
    }
    spdlog::error("{}: the history cannot be read, so the target is not controlled: {}", name_,
                  loaded.error);
    services_.metrics->history_error();
    co_await sleep(tick_timer_, 10);
  }
}

asio::awaitable<void> TargetRunner::pump() {
  auto self = shared_from_this();
  co_await load_state();
  spawn(tick(), "the clock");
  while (!stopping_) {
    if (queue_.empty()) {
      queue_filled_.reset();
      co_await queue_filled_.wait();
      continue;
    }
    Item item = std::move(queue_.front());
    queue_.pop_front();
    co_await handle(std::move(item));
  }
}

asio::awaitable<void> TargetRunner::tick() {
  auto self = shared_from_this();
  while (!stopping_) {
    co_await sleep(tick_timer_, 1);
    controller::Tick now;
    enqueue(now);
  }
}

// A target is its path and the database's own id: what was learned on, and kept for, another
// database at this path must not be used on this one. What the operator ordered stays.
void TargetRunner::note_identity() {
  if (!target_ || target_->info().database_id.empty()) return;
  const std::string& id = target_->info().database_id;
  controller::PersistentState& known = state_.persistent;
  if (known.database_id == id) return;
  session_is_over_ = true;
  if (known.database_id.empty()) {
    known.database_id = id;
    return;
  }
  spdlog::warn("{}: another database is at this path now (id {}, before {}): starting afresh",
               name_, id, known.database_id);
  controller::PersistentState fresh;
  fresh.database_id = id;
  fresh.next_decision_id = known.next_decision_id;
  fresh.frozen_by_operator = known.frozen_by_operator;
  fresh.frozen_by = known.frozen_by;
  fresh.storm_latched = known.storm_latched;
  fresh.revert_wall_times_s = known.revert_wall_times_s;
  fresh.mode_override = known.mode_override;
  fresh.open_trial = known.open_trial;  // the controller ends it: its database is gone
  const config::Policy policy = state_.policy;
  std::deque<controller::Decision> final_records = std::move(state_.final_records);
  std::vector<controller::Decision> unrecorded = std::move(state_.unrecorded);
  state_ = controller::initial_state(name_, policy, std::move(fresh), services_.cpu_cores,
                                     services_.clock->now_s());
  state_.final_records = std::move(final_records);
  state_.unrecorded = std::move(unrecorded);
}

// Before the event that the session is to begin with.
void TargetRunner::begin_recording() {
  if (!event_log_) return;
  const bool wished = event_log_->take_state_wish();
  if (!std::exchange(session_is_over_, false) && !wished) return;
  asio::post(*services_.records, [log = event_log_, state = state_] { log->begin(state); });
}

void TargetRunner::record_step(controller::Event event, const controller::StepResult& result) {
  if (!event_log_) return;
  asio::post(*services_.records,
             [log = event_log_, event = std::move(event), effects = result.effects,
              refusal = result.refusal] { log->append(event, effects, refusal); });
}

asio::awaitable<void> TargetRunner::handle(Item item) {
  const bool is_record_failure = holds<controller::RecordFailed>(item.payload);
  if (holds<controller::TargetFound>(item.payload)) note_identity();
  controller::Event event;
  event.now_s = services_.clock->now_s();
  event.wall_s = services_.clock->wall_s();
  event.local_minute_of_day = services_.clock->local_minute_of_day();
  event.seed = seed_of(name_);
  event.payload = std::move(item.payload);

  const controller::Phase before = state_.phase;
  begin_recording();
  controller::StepResult result = controller::step(std::move(state_), event);
  state_ = std::move(result.state);
  if (state_.phase != before)
    spdlog::info("{}: {} -> {}", name_, controller::to_text(before),
                 controller::to_text(state_.phase));

  record_step(std::move(event), result);
  std::string problem = result.refusal;
  const bool saved = co_await save_state(!result.effects.empty());
  if (!saved && item.completion && problem.empty())
    problem = "in force, but not on disk: the history cannot be written, a restart forgets it";
  co_await carry_out(std::move(result.effects), saved, is_record_failure, problem);
  if (item.completion) {
    item.completion->refusal = std::move(problem);
    item.completion->finished.set();
  }
}

// ---- persistence --------------------------------------------------------------------------------

void TargetRunner::history_failed(const std::string& what, const Error& error) {
  services_.metrics->history_error();
  // Said once a failure, not once a poll.
  if (!history_is_failing_)
    spdlog::error("{}: {} could not be written: {}", name_, what, error.text());
  history_is_failing_ = true;
}

asio::awaitable<bool> TargetRunner::save_state(bool with_effects) {
  if (state_.persistent == saved_) co_return true;
  const double now = services_.clock->now_s();
  const bool only_calibration =
      without_calibration(state_.persistent) == without_calibration(saved_);
  if (only_calibration && !with_effects && now - saved_at_s_ < kCalibrationSaveInterval_s)
    co_return true;
  controller::PersistentState wanted = state_.persistent;
  auto write = [history = services_.history, name = name_, wanted] {
    return history->save_state(name, wanted);
  };
  const Result<void> written = co_await on_worker(*services_.records, std::move(write));
  if (!written) {
    history_failed("the state", written.error());
    co_return false;
  }
  saved_ = std::move(wanted);
  saved_at_s_ = now;
  history_is_failing_ = false;
  co_return true;
}

asio::awaitable<std::string> TargetRunner::record(controller::Decision decision) {
  auto write = [history = services_.history, decision] { return history->record(decision); };
  const Result<void> written = co_await on_worker(*services_.records, std::move(write));
  if (!written) {
    history_failed("decision " + std::to_string(decision.id), written.error());
    co_return written.error().text();
  }
  history_is_failing_ = false;
  services_.metrics->decision(decision);
  const auto level =
      decision.kind == controller::DecisionKind::noop ? spdlog::level::debug : spdlog::level::info;
  spdlog::log(level, "{}", decision_line(decision));
  last_decision_ = std::move(decision);
  co_return std::string();
}

// ---- effects ------------------------------------------------------------------------------------

asio::awaitable<void> TargetRunner::carry_out(std::vector<controller::Effect> effects,
                                              bool state_is_saved, bool handling_record_failure,
                                              std::string& problem) {
  for (controller::Effect& effect : effects) {
    if (auto* decision = std::get_if<controller::RecordDecision>(&effect)) {
      const std::uint64_t id = decision->decision.id;
      const bool intent = decision->decision.status == controller::DecisionStatus::intended &&
                          decision->decision.kind != controller::DecisionKind::revert;
      std::string error = "the controller's state could not be saved";
      if (state_is_saved || !intent) error = co_await record(std::move(decision->decision));
      if (error.empty()) continue;
      // Intent before action: what follows in this step is not carried out. While a failed record
      // is being dealt with, the rest goes on: it only makes things safer, and must not loop.
      if (handling_record_failure) continue;
      if (problem.empty()) problem = "the decision could not be recorded: " + error;
      controller::RecordFailed failed;
      failed.decision_id = id;
      failed.error = std::move(error);
      queue_.push_front(Item{std::move(failed), nullptr});
      queue_filled_.set();
      co_return;
    }
    if (auto* change = std::get_if<controller::ApplyChanges>(&effect)) {
      ++calls_outstanding_;
      spawn(apply(std::move(*change)), "applying");
    } else if (auto* all = std::get_if<controller::RestoreBaseline>(&effect)) {
      ++calls_outstanding_;
      spawn(restore(*all), "restoring");
    } else if (auto* wanted = std::get_if<controller::RequestSearch>(&effect)) {
      spawn(run_search(std::move(*wanted)), "the search");
    } else if (auto* foreign = std::get_if<controller::AdoptBaseline>(&effect)) {
      co_await adopt(std::move(*foreign));
    } else if (auto* alert = std::get_if<controller::Alert>(&effect)) {
      raise(std::move(*alert));
    }
  }
}

void TargetRunner::raise(controller::Alert alert) {
  using Severity = controller::Alert::Severity;
  if (alert.severity == Severity::critical)
    spdlog::critical("{}: {}: {}", name_, alert.code, alert.text);
  else if (alert.severity == Severity::warning)
    spdlog::warn("{}: {}: {}", name_, alert.code, alert.text);
  else
    spdlog::info("{}: {}: {}", name_, alert.code, alert.text);
  alerts_.push_back(RaisedAlert{services_.clock->wall_s(), std::move(alert)});
  if (alerts_.size() > kMaxAlerts) alerts_.pop_front();
}

void TargetRunner::feed_apply(std::uint64_t decision_id, bool is_revert,
                              actuators::ApplyReport report) {
  if (report.status != actuators::ApplyStatus::ok)
    spdlog::warn("{}: decision {}: {}: {}", name_, decision_id,
                 is_revert ? "reverting" : "applying", report.error);
  controller::ApplyFinished finished;
  finished.decision_id = decision_id;
  finished.is_revert = is_revert;
  finished.status = converted(report.status);
  finished.applied = std::move(report.applied);
  finished.error = std::move(report.error);
  enqueue(std::move(finished));
}

asio::awaitable<void> TargetRunner::apply(controller::ApplyChanges effect) {
  auto self = shared_from_this();
  auto target = target_;
  actuators::ApplyReport report;
  if (!target || !target->connected()) {
    report.status = actuators::ApplyStatus::not_sent;
    report.error = "the database is not attached";
  } else {
    actuators::Target::LateResult late = [self, id = effect.decision_id,
                                          revert = effect.is_revert](actuators::ApplyReport later) {
      self->feed_apply(id, revert, std::move(later));
    };
    const auto deadline = services_.clock->real(effect.deadline_s);
    report = co_await target->apply(std::move(effect.changes), effect.is_revert, deadline,
                                    std::move(late));
  }
  --calls_outstanding_;
  feed_apply(effect.decision_id, effect.is_revert, std::move(report));
  calls_changed_.set();
}

asio::awaitable<void> TargetRunner::restore(controller::RestoreBaseline effect) {
  auto self = shared_from_this();
  auto target = target_;
  actuators::ApplyReport report;
  if (!target || !target->connected()) {
    report.status = actuators::ApplyStatus::not_sent;
    report.error = "the database is not attached";
  } else {
    actuators::Target::LateResult late = [self,
                                          id = effect.decision_id](actuators::ApplyReport later) {
      self->feed_apply(id, true, std::move(later));
    };
    const auto deadline = services_.clock->real(effect.deadline_s);
    report = co_await target->restore(deadline, std::move(late));
  }
  --calls_outstanding_;
  feed_apply(effect.decision_id, true, std::move(report));
  calls_changed_.set();
}

asio::awaitable<void> TargetRunner::adopt(controller::AdoptBaseline effect) {
  auto target = target_;
  if (!target || !target->connected()) co_return;
  const auto deadline = services_.clock->real(kHandOverDeadline_s);
  const Result<void> adopted = co_await target->adopt(std::move(effect.foreign), deadline);
  if (!adopted)
    spdlog::warn("{}: the database side did not take over a changed baseline: {}", name_,
                 adopted.error().text());
}

asio::awaitable<void> TargetRunner::run_search(controller::RequestSearch effect) {
  auto self = shared_from_this();
  const std::uint64_t generation = generation_;
  const auto started = std::chrono::steady_clock::now();
  auto work = [request = std::move(effect.request)] { return controller::search(request); };
  controller::SearchFinished finished;
  finished.result = co_await on_worker(*services_.searches, std::move(work));
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  services_.metrics->search(name_, seconds, finished.result.evaluations);
  if (seconds > kLongSearch_s)
    spdlog::warn("{}: a search took {:.1f} s for {} evaluations; lower search_evaluations", name_,
                 seconds, finished.result.evaluations);
  if (generation != generation_) {
    finished.result = {};
    finished.result.error = kLostDuringSearch;
  }
  enqueue(std::move(finished));
}

// ---- the database -------------------------------------------------------------------------------

void TargetRunner::attach(std::shared_ptr<actuators::Target> target) {
  if (stopping_) return;
  if (target_) detach("another instance of the database took its place");
  ++generation_;
  target_ = std::move(target);
  latest_.reset();
  latest_interval_ = {};
  sample_base_.reset();
  last_failure_.clear();
  last_poll_s_ = services_.clock->now_s();
  const actuators::TargetInfo& info = target_->info();
  spdlog::info("{}: attached: {}, RocksDB {}, pid {}, statistics {}", name_, info.path,
               info.rocksdb_version, info.pid, info.statistics);
  spawn(poll(target_, generation_), "polling");
}

void TargetRunner::detach(const std::string& reason) {
  if (!target_) return;
  ++generation_;
  target_.reset();
  last_poll_s_ = 0;
  spdlog::info("{}: lost: {}", name_, reason);
  controller::TargetLost lost;
  lost.reason = reason;
  enqueue(std::move(lost));
}

void TargetRunner::lease_expired() {
  services_.metrics->lease_expired(name_);
  controller::Alert alert;
  alert.severity = controller::Alert::Severity::warning;
  alert.code = "lease-expired";
  alert.text = "the database side restored the baseline: heartbeats had stopped";
  raise(std::move(alert));
  // What is in force changed without us: the controller starts over from what the database holds.
  if (!target_ || stopping_) return;
  ++generation_;
  spawn(poll(target_, generation_), "polling");
}

void TargetRunner::change_policy(config::Policy policy) {
  controller::PolicyChanged changed;
  changed.policy = std::move(policy);
  enqueue(std::move(changed));
}

asio::awaitable<std::string> TargetRunner::command(controller::OperatorCommand command) {
  auto self = shared_from_this();
  std::string refusal = co_await process(std::move(command));
  co_return refusal;
}

double TargetRunner::observe_deadline_s() const {
  // Several observations must fit into one lease, or a slow one would end it.
  return std::clamp(state_.policy.lease_s / 3, 0.5, 5.0);
}

// The lease runs on the database side's own clock.
void TargetRunner::heartbeat(actuators::Target& target) {
  target.heartbeat(
      std::chrono::milliseconds(static_cast<std::int64_t>(state_.policy.lease_s * 1000)));
}

asio::awaitable<bool> TargetRunner::found(std::shared_ptr<actuators::Target> target,
                                          std::uint64_t generation) {
  bool said = false;
  while (current(generation)) {
    heartbeat(*target);
    const auto deadline = services_.clock->real(kHandOverDeadline_s);
    Result<actuators::Attachment> held = co_await target->attachment(deadline);
    if (!current(generation)) co_return false;
    if (held) {
      controller::TargetFound event;
      event.incarnation = target->info().incarnation;
      event.baseline = std::move(held->baseline);
      event.tuned_by_us = std::move(held->ours);
      co_await process(std::move(event));
      co_return current(generation);
    }
    if (!said) spdlog::warn("{}: the baseline is not known yet: {}", name_, held.error().text());
    said = true;
    last_failure_ = held.error().text();
    last_poll_s_ = services_.clock->now_s();
    co_await sleep(poll_timer_, 1);
  }
  co_return false;
}

asio::awaitable<void> TargetRunner::poll(std::shared_ptr<actuators::Target> target,
                                         std::uint64_t generation) {
  auto self = shared_from_this();
  const bool known = co_await found(target, generation);
  if (!known) co_return;
  const actuators::TargetInfo& info = target->info();
  auto sampler =
      std::make_shared<actuators::DeviceSampler>(info.path, info.pid, services_.kernel_paths);
  bool sources_said = false;
  next_sample_s_ = services_.clock->now_s() + sample_interval_s_;
  while (current(generation)) {
    const double started = services_.clock->now_s();
    heartbeat(*target);
    co_await observe_once(target, sampler, generation);
    if (!current(generation)) break;
    last_poll_s_ = services_.clock->now_s();
    if (!sources_said) {
      sources_said = true;
      for (const std::string& missing : sampler->missing())
        spdlog::info("{}: not sampled: {}", name_, missing);
    }
    co_await rest(target, generation, started + state_.policy.poll_interval_s);
  }
}

// Sleeps until the next poll; renews the lease on the way where polls are far apart.
asio::awaitable<void> TargetRunner::rest(std::shared_ptr<actuators::Target> target,
                                         std::uint64_t generation, double until_s) {
  while (current(generation)) {
    const double left = until_s - services_.clock->now_s();
    if (left <= 0) co_return;
    const double slice = std::min(left, std::max(0.1, state_.policy.lease_s / 3));
    co_await sleep(poll_timer_, slice);
    if (slice < left && current(generation)) {
      heartbeat(*target);
      last_poll_s_ = services_.clock->now_s();
    }
  }
}

asio::awaitable<void> TargetRunner::observe_once(std::shared_ptr<actuators::Target> target,
                                                 std::shared_ptr<actuators::DeviceSampler> sampler,
                                                 std::uint64_t generation) {
  const double started = services_.clock->now_s();
  const auto deadline = services_.clock->real(observe_deadline_s());
  Result<model::Snapshot> observed = co_await target->observe(deadline);
  if (!current(generation)) co_return;
  const double arrived = services_.clock->now_s();
  services_.metrics->poll(name_, arrived - started, observed.has_value());
  if (!observed) {
    if (last_failure_.empty())
      spdlog::warn("{}: observation failed: {}", name_, observed.error().text());
    last_failure_ = observed.error().text();
    controller::SnapshotFailed failed;
    failed.reason = last_failure_;
    co_await process(std::move(failed));
    co_return;
  }
  last_failure_.clear();
  model::Snapshot snapshot = std::move(*observed);
  auto sample = [sampler] { return sampler->sample(); };
  Result<model::DeviceSample> device = co_await on_worker(*services_.samplers, std::move(sample));
  if (!current(generation)) co_return;
  snapshot.target = name_;
  snapshot.incarnation = target->info().incarnation;
  snapshot.time_s = arrived;
  snapshot.wall_time_s = services_.clock->wall_s();
  if (device) snapshot.device = std::move(*device);

  const bool follows = latest_ && latest_->incarnation == snapshot.incarnation;
  latest_interval_ = follows ? model::measure(*latest_, snapshot) : model::Interval{};
  latest_ = snapshot;
  controller::SnapshotArrived event;
  event.snapshot = std::move(snapshot);
  co_await process(std::move(event));
  if (!current(generation)) co_return;
  services_.metrics->update(state_, *latest_, latest_interval_);
  if (services_.clock->now_s() >= next_sample_s_) {
    next_sample_s_ = services_.clock->now_s() + sample_interval_s_;
    model::Snapshot kept = *latest_;
    co_await keep_sample(std::move(kept));
  }
}

asio::awaitable<void> TargetRunner::keep_sample(model::Snapshot snapshot) {
  model::Interval interval;
  if (sample_base_) interval = model::measure(*sample_base_, snapshot);
  SampleRow row;
  row.target = name_;
  row.wall_time_s = snapshot.wall_time_s;
  row.phase = controller::to_text(state_.phase);
  row.put_bytes_per_s = interval.put_bytes_per_s;
  row.put_ops_per_s = interval.put_ops_per_s;
  row.stall_share = interval.stall_share;
  if (state_.current_prediction)
    row.predicted_put_bytes_per_s = state_.current_prediction->put_bytes_per_s;
  for (const model::FamilySnapshot& family : snapshot.families) {
    if (!family.levels.empty()) row.l0_files = std::max(row.l0_files, family.levels[0].files);
    row.pending_bytes += family.pending_compaction_bytes;
    for (const model::LevelStats& level : family.levels) row.tree_bytes += level.size_bytes;
  }
  row.write_amplification = interval.write_amplification;
  row.device_write_bytes_per_s = interval.device_write_bytes_per_s;
  row.device_read_bytes_per_s = interval.device_read_bytes_per_s;
  sample_base_ = std::move(snapshot);
  if (!interval.valid) co_return;
  auto write = [history = services_.history, row] { return history->add_sample(row); };
  const Result<void> written = co_await on_worker(*services_.records, std::move(write));
  if (!written) history_failed("a sample", written.error());
}

// ---- health and the end -------------------------------------------------------------------------

bool TargetRunner::made_progress() const {
  if (!target_ || stopping_) return true;
  const double allowed = state_.policy.poll_interval_s + observe_deadline_s() + 10;
  return services_.clock->now_s() - last_poll_s_ <= allowed;
}

bool TargetRunner::in_trial() const {
  using controller::Phase;
  return state_.phase == Phase::applying || state_.phase == Phase::settling ||
         state_.phase == Phase::verifying || state_.phase == Phase::reverting;
}

asio::awaitable<void> TargetRunner::shut_down(std::chrono::steady_clock::time_point deadline) {
  using std::chrono::steady_clock;
  auto self = shared_from_this();
  const auto until = [](steady_clock::time_point end) {
    return std::max(
        std::chrono::milliseconds(1),
        std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_clock::now()));
  };
  if (!loaded_ || !target_) co_return;
  // The last fifth is for the hand-over itself.
  const auto enough = deadline - until(deadline) / 5;
  asio::steady_timer pause(services_.executor);
  while (steady_clock::now() < enough && target_) {
    // Said again after each answer: a call that was under way can only now be undone.
    auto completion = std::make_shared<Completion>(services_.executor);
    controller::Shutdown event;
    if (!enqueue(event, completion)) co_return;
    const bool processed = co_await completion->finished.wait_for(until(enough));
    if (!processed) spdlog::error("{}: the controller did not take the shutdown in time", name_);
    if (calls_outstanding_ > 0) {
      calls_changed_.reset();
      co_await calls_changed_.wait_for(until(enough));
      continue;
    }
    if (!in_trial()) break;
    pause.expires_after(std::chrono::milliseconds(100));
    co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  auto target = target_;
  if (!target || !target->connected()) co_return;
  if (state_.policy.on_exit == config::ExitPolicy::keep) {
    if (in_trial()) {
      spdlog::error("{}: a trial could not be ended in time; its lease restores the baseline",
                    name_);
      co_return;
    }
    const Result<void> kept = co_await target->keep_without_lease(until(deadline));
    if (!kept)
      spdlog::error("{}: the tuned values could not be left without a lease: {}", name_,
                    kept.error().text());
    co_return;
  }
  // The controller has asked for the baseline where it had changed something; asking once more
  // costs nothing when there is nothing of ours left, and covers a state that was lost.
  const actuators::ApplyReport report = co_await target->restore(until(deadline), [](auto) {});
  if (report.status != actuators::ApplyStatus::ok)
    spdlog::error("{}: the baseline is not confirmed ({}); the lease restores it", name_,
                  report.error);
}

}  // namespace lsmtuned::daemon
