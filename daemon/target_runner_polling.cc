// TargetRunner: the attached database, from its snapshots to the events and samples they become.
#include "daemon/target_runner.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "controller/arbitration.h"
#include "model/estimate/calibrate.h"

namespace lsmtuned::daemon {
namespace {

namespace asio = boost::asio;

}  // namespace

void TargetRunner::attach(std::shared_ptr<actuators::Target> target) {
  if (stopping_) return;
  if (target_) detach("another instance of the database took its place");
  ++generation_;
  target_ = std::move(target);
  latest_.reset();
  latest_interval_ = {};
  sample_base_.reset();
  watch_.begin_anew();
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

void TargetRunner::give_turn(controller::Turn turn) {
  if (!controller::worth_telling(turn_given_, turn)) return;
  turn_given_ = turn;
  controller::TurnGiven given;
  given.turn = std::move(turn);
  enqueue(std::move(given));
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
    co_await look_at_freeze_file();
    if (!current(generation)) break;
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

// What cannot be looked at may be there.
asio::awaitable<void> TargetRunner::look_at_freeze_file() {
  const std::string file = state_.policy.freeze_file;
  bool there = false;
  if (!file.empty()) {
    auto look = [file] {
      std::error_code error;
      return std::filesystem::exists(file, error) || error;
    };
    there = co_await on_worker(*services_.samplers, std::move(look));
  }
  if (there != freeze_file_present_)
    spdlog::info("{}: {} {}", name_, file, there ? "is there: frozen" : "is gone");
  freeze_file_present_ = there;
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
  WatchNews news = watch_.sample(state_, sample_base_ ? &*sample_base_ : nullptr, snapshot);
  for (const std::string& line : news.lines) spdlog::info("{}: {}", name_, line);
  for (controller::Alert& alert : news.alerts) raise(std::move(alert));
  services_.metrics->watched(name_, watch_);
  sample_base_ = std::move(snapshot);
  if (!interval.valid) co_return;
  auto write = [history = services_.history, row] { return history->add_sample(row); };
  const Result<void> written = co_await on_worker(*services_.records, std::move(write));
  if (!written) history_failed("a sample", written.error());
}

}  // namespace lsmtuned::daemon
