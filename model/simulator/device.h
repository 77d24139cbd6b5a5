// How running jobs and the WAL share the device, the rate limiter and the cores: weighted max-min
// fairness (water-filling) under several limits at once.
//
// A stream's work is one (a whole job) or a second of the writer at full speed; it moves at `speed`
// shares of its work a second. Bytes, seconds. Pure; thread rules: plain values.
#pragma once

#include <limits>
#include <vector>

namespace lsmtuned::model::simulator {

struct DeviceLimits {
  double write = 0;
  double read = std::numeric_limits<double>::infinity();
  // (writes/write)^p + (reads/read)^p <= 1; 8 and more: limited apart.
  double mix_exponent = 8;
  double limiter = std::numeric_limits<double>::infinity();  // streams marked `limited`
  double cores = std::numeric_limits<double>::infinity();
};

struct Stream {
  double weight = 1;
  double write_bytes = 0;  // for the whole of its work, as all below
  double read_bytes = 0;
  double cpu_seconds = 0;
  bool limited = true;  // charged to the rate limiter
  double max_speed = std::numeric_limits<double>::infinity();
  double speed = 0;  // the answer
  // Scratch of share_device().
  double growth = 0;
  bool held = false;
};

// Sets every stream's speed. Streams grow together, their writes in proportion to weight, until a
// limit or their own max_speed holds them; what one leaves goes to the others.
void share_device(const DeviceLimits& limits, std::vector<Stream>& streams);

}  // namespace lsmtuned::model::simulator
