// The event log of one target: everything the controller is fed, for `lsmtunectl replay`.
//
// JSON Lines. A session begins with a line of the controller's whole state; each line after it is
// one event with the effects that the controller answered. A session begins when the daemon starts
// and with every file. A full file (half of the limit) is renamed to .1, replacing the one before.
// Lines survive kill -9 of the daemon, not of the machine; a last line that was torn by it is cut
// off when the log goes on. When the disk fails, the log stops, says so once, and begins a new
// session a minute later. Thread rules: begin() and append() on one worker; take_state_wish() from
// any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "controller/events.h"
#include "controller/state.h"
#include "model/result.h"

namespace lsmtuned::daemon {

inline constexpr int kEventLogFormat = 1;

// What the daemon feeds when the database went away under a search: no search's own answer.
inline constexpr const char* kLostDuringSearch = "the database was lost while the search ran";

class EventLog {
 public:
  EventLog(std::string folder, const std::string& target, double limit_bytes);
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // Whether begin() has to come before the next append(): at the start, when the file is full, and
  // some time after a failure. True once each time: the caller then sees to it.
  bool take_state_wish();

  void begin(const controller::State& state);
  void append(const controller::Event& event, const std::vector<controller::Effect>& effects,
              const std::string& refusal);

  const std::string& path() const { return path_; }
  // <folder>/<target>.jsonl, with '/' and '%' of the name as %2F and %25.
  static std::string path_for(const std::string& folder, const std::string& target);

 private:
  Result<void> open();
  Result<void> write_line(std::string line);
  void stop(const Error& error);
  void close_file();

  std::string folder_;
  std::string path_;
  std::uint64_t rotate_at_bytes_;
  int file_ = -1;
  std::uint64_t size_bytes_ = 0;  // whole lines
  std::atomic<bool> wants_state_{true};
  std::atomic<std::chrono::steady_clock::time_point> not_before_{};
  bool failing_ = false;
  bool rotation_due_ = false;
};

}  // namespace lsmtuned::daemon
