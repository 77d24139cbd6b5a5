// The thread on which options calls of one database run, since they can hang during a write stop.
//
// Started by the first job, so that a database that is only watched costs no thread. At most one
// job runs; behind it only reverts and restores may queue, and few. Results go to `done`, called on
// the worker's thread. Thread rules: submit and cancel from one thread; stop from any other.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "actuators/agent/changes.h"
#include "actuators/agent/database.h"

namespace lsmtuned::agent {

struct Job {
  enum class Kind { change, revert, restore };
  std::uint64_t id = 0;
  Kind kind = Kind::change;
  Values set;                // not for restore
  bool clear_delay = false;  // restore
};

class Worker {
 public:
  using Done = std::function<void(std::uint64_t job, Outcome outcome)>;

  Worker(Database& database, Done done);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Empty, or why the job was not taken.
  std::string submit(Job job);
  // Forgets what is queued and waits for what runs. Jobs may be submitted again afterwards.
  void stop();

 private:
  void run();

  Database& database_;
  const Done done_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  bool running_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lsmtuned::agent
