// One play while it lasts: the plant, what the daemon and the agent do between it and the
// controller, and the watching. Private to the campaign; play.h is its face.
//
// world.cc: plant, load, device, faults. world_daemon.cc: daemon and agent. world_watch.cc: checks.
// play.cc: the ticks. One thread a world.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bench/campaign/play.h"
#include "bench/campaign/scenario.h"
#include "controller/step.h"
#include "controller/testing/always.h"
#include "model/simulator/plant.h"
#include "model/simulator/random.h"

namespace lsmtuned::campaign {

inline constexpr const char* kFamily = "default";

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
    double returns_at = 0;      // infinite: when writes are no longer stopped
    double accepted_bytes = 0;  // by then
    controller::ApplyStatus status = controller::ApplyStatus::ok;
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
  void watch(ChangeKind kind, double fall_began_s);
  void happen(const Fault& fault);
  void foreign_write();
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

  double t_ = 0;       // of the scenario
  double now_ = 1000;  // monotonic clock
  double wall_ = 1.7e9;
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
  model::Settings baseline_;                                    // the agent's
  std::map<std::pair<std::string, model::Knob>, double> ours_;  // values we sent that took effect
  std::deque<Payload> inbox_;
  std::deque<std::pair<double, model::Snapshot>> late_;
  std::optional<Call> call_;
  std::optional<controller::SearchRequest> search_;
  double lost_until_ = -1;
  double late_until_ = -1;
  double late_by_ = 0;
  double frozen_until_ = -1;
  double disk_full_until_ = -1;
  std::optional<double> foreign_due_;
  bool foreign_ = false;
  std::set<std::uint64_t> proposals_;
  std::map<std::uint64_t, controller::DecisionStatus> outcomes_;
  controller::Phase watched_phase_ = controller::Phase::observing;
  double polls_in_phase_ = 0;

  struct Watched {
    Answer answer;
    double fall_began_s = 0;  // a step: when it was
    double at_s = 0;
    double l0_at = 0;
    double stalls_seen = 0;
    std::uint64_t noops_at = 0;
    double calm_l0 = 0;  // count when the calm began
    double calm_since = 0;
  };
  std::vector<Watched> watched_;
  std::optional<controller::Decision> newest_;  // recorded in this tick
  double fall_noted_at_s_ = -1;  // when the controller last said that the device fell
};

}  // namespace lsmtuned::campaign
