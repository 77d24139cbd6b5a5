#include "actuators/testing/plant_target.h"

#include <algorithm>
#include <utility>

#include "model/delayed_rate.h"

namespace lsmtuned::actuators::testing {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

Error not_connected() {
  return {"the plant is not connected", ""};
}

double seconds_of(milliseconds time) {
  return static_cast<double>(time.count()) / 1000.0;
}

const std::string& scope_name(const std::string& family, model::Knob knob) {
  static const std::string kDatabase;
  return model::info(knob).scope == model::KnobScope::family ? family : kDatabase;
}

void clear_value(model::Settings& settings, const std::string& family, model::Knob knob) {
  if (model::info(knob).scope != model::KnobScope::family)
    settings.database.clear(knob);
  else if (const auto found = settings.families.find(family); found != settings.families.end())
    found->second.clear(knob);
}

model::ChangeSet changes_of(const model::Settings& values, const model::Settings& from) {
  model::ChangeSet changes;
  const auto add = [&](const std::string& family, const model::KnobValues& knobs) {
    for (const auto& info : model::all_knobs())
      if (const auto value = knobs.get(info.knob))
        changes.push_back(
            {family, info.knob, from.get(family, info.knob).value_or(*value), *value});
  };
  add("", values.database);
  for (const auto& [family, knobs] : values.families) add(family, knobs);
  return changes;
}

}  // namespace

PlantTarget::PlantTarget(PlantTargetOptions options)
    : options_(std::move(options)),
      plant_(std::make_unique<Plant>(options_.plant)),
      time_s_(options_.clock_s()),
      baseline_(plant_->settings()),
      lease_s_(options_.lease_s) {
  info_.name = options_.name;
  info_.kind = "plant";
  info_.path = options_.path;
  info_.database_id = options_.database_id;
  info_.incarnation = 1;
  info_.rocksdb_version = "7.8.3";
  info_.executable = "plant";
  info_.statistics = "latency";
  info_.rate_limiter =
      plant_->settings().get("", model::Knob::rate_limiter_bytes_per_second).has_value();
}

// In pieces, so that a lease that runs out in a long gap is honoured at its time and not at the
// end.
void PlantTarget::catch_up() {
  constexpr double kPieceS = 0.25;
  const double now = options_.clock_s();
  while (time_s_ < now) {
    const double piece = std::min(kPieceS, now - time_s_);
    plant_->advance(piece);
    time_s_ += piece;
    if (!leased_ || plant_->write_stopped()) continue;
    lease_left_s_ -= piece;
    if (lease_left_s_ > 0) continue;
    leased_ = false;
    restore_ours(false);
    if (options_.lease_expired) options_.lease_expired();
  }
}

Plant& PlantTarget::plant() {
  catch_up();
  return *plant_;
}

asio::awaitable<Result<model::Snapshot>> PlantTarget::observe(milliseconds) {
  catch_up();
  if (!connected_) co_return not_connected();
  auto snapshot = plant_->snapshot();
  snapshot.target = info_.name;
  snapshot.incarnation = info_.incarnation;
  snapshot.time_s = time_s_;
  snapshot.wall_time_s = 1.7e9 + time_s_;
  co_return snapshot;
}

asio::awaitable<Result<Attachment>> PlantTarget::attachment(milliseconds) {
  catch_up();
  if (!connected_) co_return not_connected();
  co_return Attachment{baseline_, changes_of(ours_, baseline_)};
}

void PlantTarget::remember(const model::KnobChange& change) {
  const std::string& family = scope_name(change.family, change.knob);
  if (baseline_.get(family, change.knob) == change.new_value)
    clear_value(ours_, family, change.knob);
  else
    ours_.set(family, change.knob, change.new_value);
}

asio::awaitable<ApplyReport> PlantTarget::apply(model::ChangeSet changes, bool is_revert,
                                                milliseconds, LateResult) {
  catch_up();
  if (!connected_) co_return ApplyReport{ApplyStatus::not_sent, {}, not_connected().what};
  if (plant_->write_stopped() && !is_revert)
    co_return ApplyReport{ApplyStatus::not_sent, {}, "writes are stopped"};
  for (const auto& change : changes) {
    const std::string& family = scope_name(change.family, change.knob);
    const auto present = plant_->settings().get(family, change.knob);
    if (!present)
      co_return ApplyReport{
          ApplyStatus::failed,
          {},
          "no such knob here: " + change.family + " " + model::info(change.knob).option};
    // A present value that is not ours is someone else's, and so the baseline.
    if (present != ours_.get(family, change.knob)) baseline_.set(family, change.knob, *present);
  }
  plant_->change(changes);
  ++options_calls_;
  for (const auto& change : changes) remember(change);
  if (!std::exchange(leased_, true)) lease_left_s_ = lease_s_;
  co_return ApplyReport{ApplyStatus::ok, changes, ""};
}

ApplyReport PlantTarget::restore_ours(bool clear_delay) {
  model::ChangeSet back;
  for (const auto& change : changes_of(ours_, baseline_)) {
    const auto present = plant_->settings().get(change.family, change.knob);
    const auto base = baseline_.get(change.family, change.knob);
    if (present == change.new_value && base)
      back.push_back({change.family, change.knob, change.new_value, *base});
    else if (present)
      baseline_.set(change.family, change.knob, *present);
  }
  ours_ = {};
  if (!back.empty()) {
    model::ChangeSet sent = back;
    if (clear_delay)
      if (const auto again = model::delayed_rate_again(plant_->settings(), sent))
        sent.push_back(*again);
    plant_->change(sent);
    ++options_calls_;
  }
  return {ApplyStatus::ok, back, ""};
}

asio::awaitable<ApplyReport> PlantTarget::restore(bool clear_delay, milliseconds, LateResult) {
  catch_up();
  if (!connected_) co_return ApplyReport{ApplyStatus::not_sent, {}, not_connected().what};
  leased_ = false;
  co_return restore_ours(clear_delay);
}

asio::awaitable<Result<void>> PlantTarget::adopt(model::ChangeSet foreign, milliseconds) {
  catch_up();
  if (!connected_) co_return not_connected();
  for (const auto& change : foreign) {
    const std::string& family = scope_name(change.family, change.knob);
    baseline_.set(family, change.knob, change.new_value);
    clear_value(ours_, family, change.knob);
  }
  co_return Result<void>();
}

void PlantTarget::heartbeat(milliseconds lease) {
  catch_up();
  if (!connected_) return;
  lease_s_ = seconds_of(lease);
  if (leased_) lease_left_s_ = lease_s_;
}

asio::awaitable<Result<void>> PlantTarget::keep_without_lease(milliseconds) {
  catch_up();
  if (!connected_) co_return not_connected();
  leased_ = false;
  co_return Result<void>();
}

void PlantTarget::change_from_outside(const model::ChangeSet& changes) {
  catch_up();
  plant_->change(changes);
}

void PlantTarget::reopen() {
  catch_up();
  plant_ = std::make_unique<Plant>(options_.plant);
  ++info_.incarnation;
  baseline_ = plant_->settings();
  ours_ = {};
  leased_ = false;
}

}  // namespace lsmtuned::actuators::testing
