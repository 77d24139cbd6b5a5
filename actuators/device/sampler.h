// Samples the device behind a database directory: disk statistics, pressure, process I/O, limits.
//
// Reads /proc and /sys only (paths replaceable for tests). A missing source leaves its fields at
// zero and is said once by `missing()`. Blocking but short; called on a worker. Thread rules: one
// sampler, one thread at a time.
#pragma once

#include <string>
#include <vector>

#include "model/result.h"
#include "model/snapshot.h"

namespace lsmtuned::actuators {

struct KernelPaths {
  std::string proc = "/proc";
  std::string sys = "/sys";
};

class DeviceSampler {
 public:
  // `pid` of the database process; 0 when unknown (then no process I/O, system-wide pressure).
  DeviceSampler(std::string database_path, int pid, KernelPaths paths = {});

  Result<model::DeviceSample> sample();
  const std::vector<std::string>& missing() const { return missing_; }

 private:
  std::string database_path_;
  int pid_;
  KernelPaths paths_;
  std::vector<std::string> missing_;
};

}  // namespace lsmtuned::actuators
