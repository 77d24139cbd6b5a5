// TargetRunner: the control loop of one target.
//
// Polls the attached database, feeds events into controller::step one after another, and carries
// out the effects in order. Heartbeats are sent by the polling loop alone, which waits for each
// snapshot to be fully processed: when any part of the loop hangs, the lease runs out and the
// database side restores its baseline.
//
// The runner outlives its database: when the database comes back, its state is still here. Thread
// rules: everything on the one executor handed in (single-threaded); blocking work on the pools.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actuators/device/sampler.h"
#include "actuators/target.h"
#include "controller/events.h"
#include "controller/state.h"
#include "daemon/clock.h"
#include "daemon/event_log.h"
#include "daemon/history.h"
#include "daemon/loop_signal.h"
#include "daemon/metrics.h"
#include "daemon/watch.h"

namespace lsmtuned::daemon {

// What all runners share. Everything outlives them.
struct RunnerServices {
  boost::asio::any_io_executor executor;
  boost::asio::thread_pool* records = nullptr;   // one thread: history
  boost::asio::thread_pool* samplers = nullptr;  // one thread: /proc and /sys
  boost::asio::thread_pool* searches = nullptr;
  History* history = nullptr;
  Metrics* metrics = nullptr;
  const Clock* clock = nullptr;
  double cpu_cores = 1;
  actuators::KernelPaths kernel_paths;
  std::string record_events;  // folder of event logs; empty: none
  double record_events_bytes = 0;
};

// An alert as kept for people.
struct RaisedAlert {
  double wall_time_s = 0;
  controller::Alert alert;
};

class TargetRunner : public std::enable_shared_from_this<TargetRunner> {
 public:
  TargetRunner(RunnerServices services, std::string name, config::Policy policy,
               double sample_interval_s);

  void start();  // loads the state, then processes events until stop()
  void stop();   // every coroutine of the runner ends soon after

  // The database is there: polling starts. A later one takes the place of an earlier one.
  void attach(std::shared_ptr<actuators::Target> target);
  void detach(const std::string& reason);
  // The database side restored the baseline by itself.
  void lease_expired();

  void change_policy(config::Policy policy);
  // What the arbiter grants; what was said already is not passed on.
  void give_turn(controller::Turn turn);
  void change_sample_interval(double seconds) { sample_interval_s_ = seconds; }

  // Empty when taken (and recorded), else why not. Returns after the effects were carried out.
  boost::asio::awaitable<std::string> command(controller::OperatorCommand command);

  // Feeds Shutdown, waits for what it started, and hands over by policy: `keep` ends the lease with
  // the values in force, `revert` restores. The deadline is in real time.
  boost::asio::awaitable<void> shut_down(std::chrono::steady_clock::time_point deadline);

  // Whether the loop went round recently enough, by its own poll interval and deadlines.
  bool made_progress() const;

  const std::string& name() const { return name_; }
  bool loaded() const { return loaded_; }
  const controller::State& state() const { return state_; }
  // The newest snapshot as observed, refused ones included; null before the first.
  const model::Snapshot* latest() const { return latest_ ? &*latest_ : nullptr; }
  const model::Interval& latest_interval() const { return latest_interval_; }
  const std::shared_ptr<actuators::Target>& target() const { return target_; }
  const std::deque<RaisedAlert>& alerts() const { return alerts_; }
  const std::optional<controller::Decision>& last_decision() const { return last_decision_; }
  double last_poll_s() const { return last_poll_s_; }
  const std::string& last_failure() const { return last_failure_; }
  bool freeze_file_present() const { return freeze_file_present_; }
  const TargetWatch& watch() const { return watch_; }

 private:
  // For calls that the database side answers from memory.
  static constexpr double kHandOverDeadline_s = 2;

  using Payload = decltype(controller::Event::payload);
  struct Completion {
    explicit Completion(const boost::asio::any_io_executor& executor) : finished(executor) {}
    LoopSignal finished;
    std::string refusal;
  };
  struct Item {
    Payload payload;
    std::shared_ptr<Completion> completion;  // may be null
  };

  bool enqueue(Payload payload, std::shared_ptr<Completion> completion = nullptr);
  boost::asio::awaitable<std::string> process(Payload payload);
  boost::asio::awaitable<void> load_state();
  boost::asio::awaitable<void> pump();
  boost::asio::awaitable<void> tick();
  boost::asio::awaitable<void> handle(Item item);
  void note_identity();
  void begin_recording();
  void record_step(controller::Event event, const controller::StepResult& result);
  boost::asio::awaitable<bool> save_state(bool with_effects);
  boost::asio::awaitable<void> carry_out(std::vector<controller::Effect> effects,
                                         bool state_is_saved, bool handling_record_failure,
                                         std::string& problem);
  boost::asio::awaitable<std::string> record(controller::Decision decision);

  boost::asio::awaitable<void> poll(std::shared_ptr<actuators::Target> target,
                                    std::uint64_t generation);
  boost::asio::awaitable<bool> found(std::shared_ptr<actuators::Target> target,
                                     std::uint64_t generation);
  boost::asio::awaitable<void> look_at_freeze_file();
  boost::asio::awaitable<void> observe_once(std::shared_ptr<actuators::Target> target,
                                            std::shared_ptr<actuators::DeviceSampler> sampler,
                                            std::uint64_t generation);
  boost::asio::awaitable<void> rest(std::shared_ptr<actuators::Target> target,
                                    std::uint64_t generation, double until_s);
  boost::asio::awaitable<void> keep_sample(model::Snapshot snapshot);
  std::shared_ptr<actuators::Target> target_of(std::uint64_t open) const;
  boost::asio::awaitable<void> apply(controller::ApplyChanges effect, std::uint64_t open);
  boost::asio::awaitable<void> restore(controller::RestoreBaseline effect, std::uint64_t open);
  boost::asio::awaitable<void> adopt(controller::AdoptBaseline effect, std::uint64_t open);
  boost::asio::awaitable<void> run_search(controller::RequestSearch effect);

  void spawn(boost::asio::awaitable<void> work, const char* what);
  boost::asio::awaitable<void> sleep(boost::asio::steady_timer& timer, double seconds);
  void heartbeat(actuators::Target& target);
  void feed_apply(std::uint64_t decision_id, bool is_revert, actuators::ApplyReport report);
  void raise(controller::Alert alert);
  void history_failed(const std::string& what, const Error& error);
  double observe_deadline_s() const;
  bool in_trial() const;
  bool current(std::uint64_t generation) const { return !stopping_ && generation == generation_; }

  RunnerServices services_;
  std::string name_;
  double sample_interval_s_;
  controller::State state_;
  bool loaded_ = false;
  bool stopping_ = false;

  std::deque<Item> queue_;
  LoopSignal queue_filled_;
  boost::asio::steady_timer tick_timer_;
  boost::asio::steady_timer poll_timer_;
  LoopSignal calls_changed_;  // an apply or restore ended
  int calls_outstanding_ = 0;

  std::shared_ptr<actuators::Target> target_;
  std::optional<controller::Turn> turn_given_;
  bool freeze_file_present_ = false;
  std::uint64_t generation_ = 0;  // new with every attach and detach
  std::optional<model::Snapshot> latest_;
  model::Interval latest_interval_;
  std::optional<model::Snapshot> sample_base_;
  TargetWatch watch_;
  double next_sample_s_ = 0;
  double last_poll_s_ = 0;    // when the loop last went round; 0 while detached
  std::string last_failure_;  // of the last poll; empty when it was fine

  std::shared_ptr<EventLog> event_log_;  // null: nothing is recorded
  bool session_is_over_ = true;          // the state changed by more than events

  controller::PersistentState saved_;
  double saved_at_s_ = 0;
  bool history_is_failing_ = false;
  std::deque<RaisedAlert> alerts_;
  std::optional<controller::Decision> last_decision_;
};

}  // namespace lsmtuned::daemon
