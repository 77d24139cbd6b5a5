#include "daemon/target_runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "controller/step.h"
#include "daemon/log.h"
#include "daemon/unfinished.h"

namespace lsmtuned::daemon {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxQueued = 256;
constexpr double kCalibrationSaveInterval_s = 60;

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
    std::string warning;
    std::optional<controller::PersistentState> state;
    std::optional<controller::Decision> last;
  };
  while (!stopping_) {
    auto read = [history = services_.history, name = name_, wall_s = services_.clock->wall_s()] {
      Loaded loaded;
      auto state = history->load_state(name);
      if (!state) {
        loaded.error = state.error().text();
        return loaded;
      }
      loaded.state = *state;
      auto newest = history->decisions(name, 0, 1);
      if (!newest) {
        // The state knows the next id by itself.
        (loaded.state ? loaded.warning : loaded.error) = newest.error().text();
      } else if (!newest->empty()) {
        loaded.last = newest->front();
      }
      if (!loaded.error.empty()) return loaded;
      const auto ended = end_unfinished(
          *history, name, loaded.state.value_or(controller::PersistentState{}), wall_s);
      if (!ended) loaded.warning = ended.error().text();
      return loaded;
    };
    Loaded loaded = co_await on_worker(*services_.records, std::move(read));
    if (loaded.error.empty()) {
      controller::PersistentState persistent;
      if (loaded.state) persistent = *loaded.state;
      if (!loaded.warning.empty())
        spdlog::warn("{}: a decision cannot be read or ended: {}", name_, loaded.warning);
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
  const std::optional<controller::Turn> turn = state_.turn;
  std::deque<controller::Decision> final_records = std::move(state_.final_records);
  std::vector<controller::Decision> unrecorded = std::move(state_.unrecorded);
  state_ = controller::initial_state(name_, policy, std::move(fresh), services_.cpu_cores,
                                     services_.clock->now_s());
  state_.turn = turn;
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
  event.freeze_file_present = freeze_file_present_;
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
  const actuators::ApplyReport report =
      co_await target->restore(state_.policy.clear_delay_on_revert, until(deadline), [](auto) {});
  if (report.status != actuators::ApplyStatus::ok)
    spdlog::error("{}: the baseline is not confirmed ({}); the lease restores it", name_,
                  report.error);
}

}  // namespace lsmtuned::daemon
