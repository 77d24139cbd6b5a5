// What other threads tell the poll thread. Bounded by what it reports: two events for each open of
// a database, one for each job of a worker. Thread rules: any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "actuators/agent/attached.h"
#include "actuators/agent/changes.h"

namespace lsmtuned::agent {

struct PollEvent {
  enum class Kind { opened, closed, completed };
  Kind kind;
  std::uint64_t number;
  std::shared_ptr<Attached> attached;  // opened
  std::uint64_t job;                   // completed
  Outcome outcome;                     // completed
};

class PollInbox {
 public:
  void post(PollEvent event) {
    const std::scoped_lock lock(mutex_);
    events_.push_back(std::move(event));
  }
  std::vector<PollEvent> take() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(events_, {});
  }
  void stop() {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  bool stopping() {
    const std::scoped_lock lock(mutex_);
    return stopping_;
  }
  void ended() {
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  bool wait_ended(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [this] { return ended_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<PollEvent> events_;
  bool stopping_ = false;
  bool ended_ = false;
};

}  // namespace lsmtuned::agent
