#include "model/simulator/device.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

namespace lsmtuned::model::simulator {
namespace {

constexpr double kApart = 8;  // from this exponent on reads and writes are limited apart
constexpr double kFree = std::numeric_limits<double>::infinity();

enum Limit : std::size_t { kWrite, kRead, kLimiter, kCores, kLimitCount };

double demand(const Stream& stream, std::size_t limit) {
  switch (limit) {
    case kWrite:
      return stream.write_bytes;
    case kRead:
      return stream.read_bytes;
    case kLimiter:
      return stream.limited ? stream.write_bytes : 0;
    default:
      return stream.cpu_seconds;
  }
}

// The largest step t with ((w + a t)/W)^p + ((r + b t)/R)^p <= 1; w, r, a, b as shares of W and R.
double mixed_step(double w, double a, double r, double b, double p) {
  if (a <= 0 && b <= 0) return kFree;
  if (p == 1) return std::max(0.0, (1 - w - r) / (a + b));
  if (w == 0 && r == 0) return std::pow(std::pow(a, p) + std::pow(b, p), -1 / p);
  double low = 0;
  double high = kFree;
  if (a > 0) high = std::min(high, (1 - w) / a);
  if (b > 0) high = std::min(high, (1 - r) / b);
  for (int i = 0; i < 40 && high > 0; ++i) {
    const double t = (low + high) / 2;
    const bool fits = std::pow(w + a * t, p) + std::pow(r + b * t, p) <= 1;
    (fits ? low : high) = t;
  }
  return low;
}

// Growth of a stream per unit of time-in-common: its weight over the device time of its work.
double growth(const Stream& stream, const DeviceLimits& limits) {
  const double device_s =
      std::max(stream.write_bytes / limits.write, stream.read_bytes / limits.read);
  return stream.weight / std::max(device_s, 1e-12);
}

class Filling {
 public:
  Filling(const DeviceLimits& limits, std::vector<Stream>& streams)
      : limits_(limits), streams_(streams), mixed_(limits.mix_exponent < kApart) {
    capacity_ = {limits.write, limits.read, limits.limiter, limits.cores};
    for (Stream& stream : streams_) {
      stream.speed = 0;
      held_.push_back(stream.max_speed <= 0);
    }
  }

  void run() {
    for (std::size_t round = 0; round < streams_.size() + kLimitCount; ++round) {
      slope_ = {};
      bool growing = false;
      for (std::size_t i = 0; i < streams_.size(); ++i) {
        if (held_[i]) continue;
        growing = true;
        const double g = growth(streams_[i], limits_);
        for (std::size_t l = 0; l < kLimitCount; ++l) slope_[l] += g * demand(streams_[i], l);
      }
      if (!growing) return;
      step();
    }
  }

 private:
  void step() {
    std::array<double, kLimitCount> reach{};
    double t = kFree;
    for (std::size_t l = 0; l < kLimitCount; ++l) {
      reach[l] = slope_[l] > 0 ? std::max(0.0, capacity_[l] - used_[l]) / slope_[l] : kFree;
    }
    if (mixed_) {
      reach[kWrite] = reach[kRead] = mixed_step(
          used_[kWrite] / limits_.write, slope_[kWrite] / limits_.write,
          used_[kRead] / limits_.read, slope_[kRead] / limits_.read, limits_.mix_exponent);
    }
    for (const double r : reach) t = std::min(t, r);
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (!held_[i]) t = std::min(t, own_step(streams_[i]));
    }
    if (t == kFree) t = 0;  // nothing limits them: no work at all
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      if (held_[i]) continue;
      Stream& stream = streams_[i];
      const bool own = own_step(stream) <= t;
      stream.speed = own ? stream.max_speed : stream.speed + growth(stream, limits_) * t;
      held_[i] = own;
      for (std::size_t l = 0; l < kLimitCount && !held_[i]; ++l) {
        held_[i] = reach[l] <= t && demand(stream, l) > 0;
      }
    }
    for (std::size_t l = 0; l < kLimitCount; ++l) used_[l] += slope_[l] * t;
  }

  double own_step(const Stream& stream) const {
    return (stream.max_speed - stream.speed) / growth(stream, limits_);
  }

  const DeviceLimits& limits_;
  std::vector<Stream>& streams_;
  bool mixed_;
  std::array<double, kLimitCount> capacity_{};
  std::array<double, kLimitCount> used_{};
  std::array<double, kLimitCount> slope_{};
  std::vector<bool> held_;
};

}  // namespace

void share_device(const DeviceLimits& limits, std::vector<Stream>& streams) {
  if (streams.empty()) return;
  if (streams.size() == 1 && limits.mix_exponent >= kApart) {  // the common case, without a search
    Stream& only = streams.front();
    double speed = only.max_speed;
    if (only.write_bytes > 0) speed = std::min(speed, limits.write / only.write_bytes);
    if (only.read_bytes > 0) speed = std::min(speed, limits.read / only.read_bytes);
    if (only.limited && only.write_bytes > 0) {
      speed = std::min(speed, limits.limiter / only.write_bytes);
    }
    if (only.cpu_seconds > 0) speed = std::min(speed, limits.cores / only.cpu_seconds);
    only.speed = speed;
    return;
  }
  Filling(limits, streams).run();
}

}  // namespace lsmtuned::model::simulator
