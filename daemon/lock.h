// One daemon per state directory: an flock on <state_directory>/lsmtuned.lock, which holds the pid
// of its owner. The kernel releases it when the process ends, however it ends.
#pragma once

#include <string>

#include "model/result.h"

namespace lsmtuned::daemon {

class InstanceLock {
 public:
  // Creates the directory where it is missing. Error: held by another process (names its pid), or
  // the file cannot be opened.
  static Result<InstanceLock> acquire(const std::string& state_directory);

  InstanceLock(InstanceLock&& other) noexcept;
  InstanceLock& operator=(InstanceLock&& other) noexcept;
  InstanceLock(const InstanceLock&) = delete;
  InstanceLock& operator=(const InstanceLock&) = delete;
  ~InstanceLock();

 private:
  explicit InstanceLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace lsmtuned::daemon
