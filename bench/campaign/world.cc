#include "bench/campaign/world.h"

#include <algorithm>
#include <cmath>

#include "model/units.h"

namespace lsmtuned::campaign {
namespace {

using model::Knob;

}  // namespace

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
  if (scenario_.load_kind == "step" && due > 1) watch(ChangeKind::load_step, t_);
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
  if (!(factor < before && factor < 0.3)) return;
  std::size_t first = due - 1;
  while (first > 0 && device[first - 1].factor > device[first].factor) --first;
  watch(ChangeKind::degradation, device[first].from_s);
}

void World::happen() {
  const auto& faults = scenario_.faults;
  while (next_fault_ < faults.size() && faults[next_fault_].at_s <= t_)
    happen(faults[next_fault_++]);
  foreign_write();
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
      foreign_due_ = fault.value;
      return;
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

// The same absolute value for the twin; knobs whose orderings it cannot break. While writes are
// stopped somebody else's call waits, as ours would.
void World::foreign_write() {
  if (!foreign_due_ || plant_->write_stopped()) return;
  const double value = *foreign_due_;
  foreign_due_.reset();
  constexpr Knob kKnobs[] = {Knob::write_buffer_size, Knob::max_bytes_for_level_base,
                             Knob::max_background_jobs};
  const auto which = std::min<std::size_t>(2, static_cast<std::size_t>(3 * value));
  const Knob knob = kKnobs[which];
  const bool family = model::info(knob).scope == model::KnobScope::family;
  const std::string place = family ? kFamily : "";
  const double first = scenario_.problem.settings.get_or(knob, model::info(knob).rocksdb_default);
  const double wanted = knob == Knob::max_background_jobs ? first + 1 : 2 * first;
  const double present = plant_->settings().get(place, knob).value_or(wanted);
  if (present == wanted) return;
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

}  // namespace lsmtuned::campaign
