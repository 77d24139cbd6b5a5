// The agent's poll thread: talks to the daemon (docs/protocol.md), answers observations itself,
// hands changes to the workers, watches deadlines and leases.
//
// Connects and connects again for ever, with pauses growing from 0.2 s to 5 s. Everything it knows
// arrives through an inbox, so that opening and closing a database never waits for the socket.
// Thread rules: public members from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "actuators/agent/attached.h"
#include "actuators/agent/changes.h"

namespace lsmtuned::agent {

class PollLoop {
 public:
  struct Settings {
    std::string socket;
    std::string daemon_user;
    bool log_to_stderr = false;
  };

  explicit PollLoop(Settings settings);  // throws std::system_error when no thread is to be had
  ~PollLoop();                           // tells the daemon what is closed, then ends the thread
  PollLoop(const PollLoop&) = delete;
  PollLoop& operator=(const PollLoop&) = delete;

  void opened(std::shared_ptr<Attached> attached);
  void closed(std::uint64_t number);
  void completed(std::uint64_t number, std::uint64_t job, Outcome outcome);

  // Asks the thread to end; true when it did within the time. For process exit.
  bool end_within(std::chrono::milliseconds patience);

 private:
  struct Inbox;

  void wake() const;

  const Settings settings_;
  std::unique_ptr<Inbox> inbox_;
  int wake_descriptor_ = -1;
  std::thread thread_;
};

}  // namespace lsmtuned::agent
