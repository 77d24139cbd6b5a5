#include "model/estimate/slower_device.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "model/estimate/filter.h"
#include "model/estimate/limits.h"
#include "model/estimate/measure.h"

namespace lsmtuned::model {
namespace {

constexpr double kSpanS = 30;
constexpr double kLongestSpanS = 60;  // by the poll that ends it
constexpr double kFallShare = 0.6;
constexpr int kLowSpansOfAFall = 3;
constexpr int kSpansOfATime = 4;
constexpr double kHeldBackShare = 0.2;  // of time stalled, where no delay is seen at a poll
constexpr double kDeviation = 0.15;     // of ln u after a fall: of three spans, not of cycles

bool compacts(const Snapshot& snapshot) {
  return snapshot.device && !snapshot.device->name.empty() &&
         snapshot.state.running_compactions > 0;
}

// A stall in progress is not in the counters yet.
bool held_back_now(const Snapshot& snapshot) {
  return snapshot.state.write_stopped || snapshot.state.delayed_write_rate > 0;
}

bool one_span(const Snapshot& from, const Snapshot& snapshot) {
  return from.incarnation == snapshot.incarnation && from.device &&
         from.device->name == snapshot.device->name &&
         from.device->write_bytes <= snapshot.device->write_bytes &&
         from.device->read_bytes <= snapshot.device->read_bytes && snapshot.time_s > from.time_s &&
         snapshot.time_s - from.time_s <= kLongestSpanS;
}

// Settings under which jobs ask less of the device: fewer of them, a lower rate, more to compute.
bool asks_less(const Settings& before, const Settings& now) {
  const auto fell = [&](const KnobValues& then, const KnobValues& later, Knob knob) {
    const auto a = then.get(knob);
    const auto b = later.get(knob);
    return a && b && *b < *a;
  };
  if (fell(before.database, now.database, Knob::max_background_jobs) ||
      fell(before.database, now.database, Knob::max_subcompactions) ||
      fell(before.database, now.database, Knob::rate_limiter_bytes_per_second))
    return true;
  return std::any_of(now.families.begin(), now.families.end(), [&](const auto& family) {
    const KnobValues* then = before.of_family(family.first);
    return then != nullptr && fell(*then, family.second, Knob::first_compressed_level);
  });
}

void begin_span(DeviceWatch& watch, const Snapshot& snapshot) {
  watch.from = snapshot;
  watch.whole = true;
  watch.held_back = held_back_now(snapshot);
}

void count_as_usual(DeviceWatch& watch, double carried) {
  watch.lowest = watch.spans == 0 ? carried : std::min(watch.lowest, carried);
  ++watch.spans;
}

// A dip that went by itself belongs to what is usual.
void end_streak(DeviceWatch& watch) {
  if (watch.low_spans > 0) count_as_usual(watch, watch.lowest_of_streak);
  watch.low_spans = 0;
}

// By how much ln u really moved; nothing where u was never learned.
std::optional<double> move(Calibration& calibration, double by, bool limit_known) {
  Belief belief = belief_of(calibration);
  const auto u = static_cast<std::size_t>(Parameter::utilisation);
  if (!belief.known[u]) return std::nullopt;
  const ParameterRange range = range_of(Parameter::utilisation, limit_known);
  const double before = belief.mean(static_cast<int>(u));
  const double value = std::clamp(before + by, range.low, range.high);
  begin(belief, Parameter::utilisation, value, kDeviation * kDeviation);
  store(belief, calibration);
  return value - before;
}

// A span that carries so much shows what the device can, held back or not.
bool rises(DeviceWatch& watch, Calibration& calibration, double carried, bool limit_known) {
  if (!(watch.usual_low > 0) || !(watch.log_fallen > 0) ||
      !(carried * kFallShare > watch.usual_low)) {
    watch.lowest_above = 0;
    return false;
  }
  const double before = std::exchange(watch.lowest_above, carried);
  if (!(before > 0)) return false;
  const double shown = std::min(before, carried);
  const double by = std::min(watch.log_fallen, std::log(shown / watch.usual_low));
  watch.log_fallen -= by;
  watch.lowest_above = 0;
  watch.usual_low = shown;
  watch.spans = watch.low_spans = 0;
  return move(calibration, by, limit_known).has_value();
}

}  // namespace

DeviceChange watch_device(DeviceWatch& watch, Calibration& calibration, const Snapshot& snapshot) {
  if (watch.from && asks_less(watch.from->settings, snapshot.settings)) {
    watch.whole = false;
    watch.usual_low = 0;
    watch.spans = watch.low_spans = 0;
  }
  if (!compacts(snapshot)) {
    watch.whole = false;
    return DeviceChange::none;
  }
  if (!watch.from || !watch.whole || !one_span(*watch.from, snapshot)) {
    begin_span(watch, snapshot);
    return DeviceChange::none;
  }
  watch.held_back = watch.held_back && held_back_now(snapshot);
  const Interval interval = measure(*watch.from, snapshot);
  if (interval.valid && interval.seconds < kSpanS) return DeviceChange::none;
  const bool held_back = watch.held_back || interval.stall_share > kHeldBackShare;
  begin_span(watch, snapshot);
  if (!interval.valid) return DeviceChange::none;
  const double carried = carried_bytes_per_s(calibration, interval.device_write_bytes_per_s,
                                             interval.device_read_bytes_per_s);
  const bool limit_known = snapshot.device->write_limit_bytes_per_s > 0;
  if (!(carried > 0) || !std::isfinite(carried)) return DeviceChange::none;
  if (rises(watch, calibration, carried, limit_known)) return DeviceChange::recovered;
  if (!held_back) return DeviceChange::none;
  if (!(carried < kFallShare * watch.usual_low)) {
    end_streak(watch);
    count_as_usual(watch, carried);
    return DeviceChange::none;
  }
  watch.lowest_of_streak =
      watch.low_spans == 0 ? carried : std::min(watch.lowest_of_streak, carried);
  if (++watch.low_spans < kLowSpansOfAFall) return DeviceChange::none;
  const auto moved = move(calibration, std::log(carried / watch.usual_low), limit_known);
  watch.log_fallen -= moved.value_or(0);
  watch.usual_low = carried;
  watch.spans = watch.low_spans = 0;
  return moved ? DeviceChange::fell : DeviceChange::none;
}

void end_of_lesson(DeviceWatch& watch) {
  if (watch.spans < kSpansOfATime || watch.low_spans > 0) return;
  watch.usual_low = watch.lowest;
  watch.spans = 0;
}

}  // namespace lsmtuned::model
