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
    double t = kFree;
    bool growing = false;
    for (const Stream& stream : streams_) {
      if (stream.held) continue;
      growing = true;
      slope[kWrite] += stream.growth * stream.write_bytes;
      slope[kRead] += stream.growth * stream.read_bytes;
      if (stream.limited) slope[kLimiter] += stream.growth * stream.write_bytes;
      slope[kCores] += stream.growth * stream.cpu_seconds;
      t = std::min(t, own_step(stream));
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
    for (const double limit : reach) t = std::min(t, limit);
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

// What streams grow by: writes, or the reads of those that write nothing.
bool writes(const Stream& stream) {
  return stream.write_bytes > 0;
}

struct Filled {         // bytes per weight
  double ended = 0;     // where the capacity did; infinite: it did not
  double last_cap = 0;  // where the last of the streams was held by its own max_speed
};
// Fills `capacity` with the `bytes` of all streams that write, or of all that do not.
Filled fill(std::vector<Stream>& streams, bool writers, double Stream::*bytes, double capacity) {
  Filled filled;
  for (Stream& stream : streams) {
    if (writes(stream) == writers) stream.held = false;
  }
  double left = capacity;
  for (;;) {
    double weights = 0;
    for (const Stream& stream : streams) {
      if (writes(stream) == writers && !stream.held) weights += stream.weight;
    }
    if (weights <= 0) {
      filled.ended = kFree;
      return filled;
    }
    filled.ended = left / weights;
    bool capped = false;
    for (Stream& stream : streams) {
      if (writes(stream) != writers || stream.held) continue;
      stream.speed = filled.ended * stream.weight / stream.*bytes;
      if (stream.speed <= stream.max_speed) continue;
      stream.speed = stream.max_speed;
      stream.held = capped = true;
      filled.last_cap = std::max(filled.last_cap, stream.speed * stream.*bytes / stream.weight);
    }
    if (!capped) return filled;
    left = capacity;
    for (const Stream& stream : streams) {
      if (writes(stream) == writers && stream.held) left -= stream.speed * stream.*bytes;
    }
    left = std::max(0.0, left);
  }
}

// The common case, which costs least: reads and writes limited apart, and a stream held by nothing
// but the limit of what it grows by or its own max_speed. False: something else binds too.
bool share_apart(const DeviceLimits& limits, std::vector<Stream>& streams) {
  if (limits.mix_exponent < kApart) return false;
  for (const Stream& stream : streams) {
    if (!writes(stream) && (stream.read_bytes <= 0 || stream.cpu_seconds > 0)) return false;
  }
  const Filled written = fill(streams, true, &Stream::write_bytes, limits.write);
  double read = 0;
  double limited = 0;
  double cores = 0;
  bool readers = false;
  for (const Stream& stream : streams) {
    if (!writes(stream)) {
      readers = true;
      continue;
    }
    read += stream.speed * stream.read_bytes;
    cores += stream.speed * stream.cpu_seconds;
    if (stream.limited) limited += stream.speed * stream.write_bytes;
  }
  if (read > limits.read || limited > limits.limiter || cores > limits.cores) return false;
  if (!readers) return true;
  // Reads must not have ended while a stream that writes still grew.
  const double grown = written.ended < kFree ? written.ended : written.last_cap;
  const Filled rest = fill(streams, false, &Stream::read_bytes, limits.read - read);
  return rest.ended == kFree || rest.ended / limits.read >= grown / limits.write;
}

}  // namespace

void share_device(const DeviceLimits& limits, std::vector<Stream>& streams) {
  if (streams.empty()) return;
  if (share_apart(limits, streams)) return;
  Filling(limits, streams).run();
}

}  // namespace lsmtuned::model::simulator
