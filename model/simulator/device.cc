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

// Growth of a stream per unit of time-in-common: by its turns at writing; a stream that only reads,
// or only computes, by that.
double growth(const Stream& stream, const DeviceLimits& limits) {
  double work_s = stream.write_bytes / limits.write;
  if (work_s <= 0) work_s = stream.read_bytes / limits.read;
  if (work_s <= 0) work_s = stream.cpu_seconds;
  return stream.weight / std::max(work_s, 1e-12);
}

class Filling {
 public:
  Filling(const DeviceLimits& limits, std::vector<Stream>& streams)
      : limits_(limits),
        streams_(streams),
        mixed_(limits.mix_exponent < kApart),
        capacity_{limits.write, limits.read, limits.limiter, limits.cores} {}

  void run() {
    for (Stream& stream : streams_) {
      stream.speed = 0;
      stream.growth = growth(stream, limits_);
      stream.held = stream.max_speed <= 0;
    }
    for (std::size_t round = 0; round < streams_.size() + kLimitCount; ++round) {
      if (!step()) return;
    }
  }

 private:
  bool step() {
    std::array<double, kLimitCount> slope{};  // of the streams that still grow
    bool growing = false;
    for (const Stream& stream : streams_) {
      if (stream.held) continue;
      growing = true;
      for (std::size_t l = 0; l < kLimitCount; ++l) slope[l] += stream.growth * demand(stream, l);
    }
    if (!growing) return false;
    std::array<double, kLimitCount> reach{};
    for (std::size_t l = 0; l < kLimitCount; ++l) {
      reach[l] = slope[l] > 0 ? std::max(0.0, capacity_[l] - used_[l]) / slope[l] : kFree;
    }
    if (mixed_) {
      reach[kWrite] = reach[kRead] = mixed_step(
          used_[kWrite] / limits_.write, slope[kWrite] / limits_.write, used_[kRead] / limits_.read,
          slope[kRead] / limits_.read, limits_.mix_exponent);
    }
    double t = *std::min_element(reach.begin(), reach.end());
    for (const Stream& stream : streams_) {
      if (!stream.held) t = std::min(t, own_step(stream));
    }
    if (t == kFree) return false;
    for (std::size_t l = 0; l < kLimitCount; ++l) used_[l] += slope[l] * t;
    for (Stream& stream : streams_) {
      if (stream.held) continue;
      const bool own = own_step(stream) <= t;
      stream.speed = own ? stream.max_speed : stream.speed + stream.growth * t;
      stream.held = own;
      for (std::size_t l = 0; l < kLimitCount && !stream.held; ++l) {
        stream.held = reach[l] <= t && demand(stream, l) > 0;
      }
    }
    return true;
  }

  static double own_step(const Stream& stream) {
    return (stream.max_speed - stream.speed) / stream.growth;
  }

  const DeviceLimits& limits_;
  std::vector<Stream>& streams_;
  bool mixed_;
  std::array<double, kLimitCount> capacity_{};
  std::array<double, kLimitCount> used_{};
};

// The common case, without a search: reads and writes limited apart, and the write limit holds
// every stream before anything else does. False: something else binds too.
bool share_writes_only(const DeviceLimits& limits, std::vector<Stream>& streams) {
  if (limits.mix_exponent < kApart) return false;
  double weights = 0;
  for (const Stream& stream : streams) {
    if (stream.write_bytes <= 0) return false;
    weights += stream.weight;
  }
  const double write_per_weight = limits.write / weights;
  double read = 0;
  double limited = 0;
  double cores = 0;
  for (Stream& stream : streams) {
    const double written = write_per_weight * stream.weight;
    stream.speed = written / stream.write_bytes;
    if (stream.speed > stream.max_speed) return false;
    read += stream.speed * stream.read_bytes;
    cores += stream.speed * stream.cpu_seconds;
    if (stream.limited) limited += written;
  }
  return read <= limits.read && limited <= limits.limiter && cores <= limits.cores;
}

}  // namespace

void share_device(const DeviceLimits& limits, std::vector<Stream>& streams) {
  if (streams.empty()) return;
  if (share_writes_only(limits, streams)) return;
  Filling(limits, streams).run();
}

}  // namespace lsmtuned::model::simulator
