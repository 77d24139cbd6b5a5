#include "bench/campaign/play.h"

#include <algorithm>
#include <cmath>

#include "bench/campaign/world.h"

namespace lsmtuned::campaign {
namespace {

using controller::DecisionStatus;

constexpr int kFewestCycles = 3;

// A saturating writer on a device that stays as it is.
bool even(const Scenario& scenario, double from_s) {
  bool saturating = false;
  for (const LoadPhase& phase : scenario.load) {
    const bool all = !std::isfinite(phase.offered_bytes_per_s);
    if (phase.from_s > from_s && all != saturating) return false;
    if (phase.from_s <= from_s) saturating = all;
  }
  for (const DevicePhase& phase : scenario.device)
    if (phase.from_s > from_s) return false;
  return saturating;
}

struct CycleEnds {
  double first_s = 0;
  double last_s = 0;
  double first_bytes = 0;
  double last_bytes = 0;
  int count = 0;

  void end(double t, double bytes) {
    if (count++ == 0) {
      first_s = t;
      first_bytes = bytes;
    }
    last_s = t;
    last_bytes = bytes;
  }
  double rate() const {
    return count > kFewestCycles ? (last_bytes - first_bytes) / (last_s - first_s) : 0;
  }
};

}  // namespace

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
  CycleEnds cycles;
  double cycles_seen = 0;
  model::Settings counted_under;
  bool changed = false;
  while (t_ < scenario_.seconds) {
    newest_.reset();
    if (!counting && t_ >= last_third) {
      counting = true;
      counted_under = plant_->settings();
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
    if (counting && plant_->settings() != counted_under) changed = true;
    if (counting && l0_compactions() > cycles_seen) cycles.end(t_, accepted());
    cycles_seen = l0_compactions();
    if (story_ != nullptr && std::fmod(t_, 60) < dt) status();
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
    if (daemon_up_) poll();
    check_truth();
    watch_answers();
  }
  out_.accepted_bytes = accepted();
  out_.cycles = cycles.count;
  out_.last_third_bytes = accepted() - accepted_then;
  if (!changed && even(scenario_, last_third)) out_.whole_cycles_bytes_per_s = cycles.rate();
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

Outcome play(const Scenario& scenario, std::optional<config::Strategy> strategy,
             std::ostream* story) {
  return World(scenario, strategy, story).play();
}

double gain_over(const Outcome& other, const Outcome& outcome) {
  if (outcome.whole_cycles_bytes_per_s > 0 && other.whole_cycles_bytes_per_s > 0)
    return outcome.whole_cycles_bytes_per_s / other.whole_cycles_bytes_per_s - 1;
  return other.last_third_bytes > 0 ? outcome.last_third_bytes / other.last_third_bytes - 1 : 0;
}

Outcome play_shaken(const Scenario& scenario, double at_share) {
  World world(scenario, std::nullopt, nullptr);
  world.shake(at_share);
  return world.play();
}

}  // namespace lsmtuned::campaign
