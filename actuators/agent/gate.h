// Lets many readers use a database until it closes: shared use, one closing, and a closing that can
// be told how long to wait.
//
// A reader that finds the gate closed must not touch the database any more; one that is inside
// checks closing() between reads, so that closing waits for one read only. Thread rules: any
// thread; close() may be called again after a time-out.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace lsmtuned::agent {

class Gate {
 public:
  class Use {
   public:
    explicit Use(Gate& gate) : gate_(gate), inside_(gate.enter()) {}
    ~Use() {
      if (inside_) gate_.leave();
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    explicit operator bool() const { return inside_; }

   private:
    Gate& gate_;
    bool inside_;
  };

  bool closing() const { return closing_.load(std::memory_order_acquire); }

  // Refuses newcomers and waits for those inside. False when someone was still inside at the end.
  bool close(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    closing_.store(true, std::memory_order_release);
    return empty_.wait_for(lock, patience, [this] { return inside_ == 0; });
  }
  void close_and_wait() {
    std::unique_lock lock(mutex_);
    closing_.store(true, std::memory_order_release);
    empty_.wait(lock, [this] { return inside_ == 0; });
  }
  void reopen() {
    const std::scoped_lock lock(mutex_);
    closing_.store(false, std::memory_order_release);
  }

 private:
  bool enter() {
    const std::scoped_lock lock(mutex_);
    if (closing()) return false;
    ++inside_;
    return true;
  }
  void leave() {
    const std::scoped_lock lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable empty_;
  int inside_ = 0;
  std::atomic<bool> closing_{false};
};

}  // namespace lsmtuned::agent
