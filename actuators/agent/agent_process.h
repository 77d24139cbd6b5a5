// All attached databases of this process, and the poll thread that serves them.
//
// One object for each process id: a forked child starts with a fresh one and never touches what it
// inherited, whose locks may be held by threads that no longer exist. Objects are never destroyed,
// since threads may still look at them while the process ends. Thread rules: any thread.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "actuators/agent/attached.h"
#include "actuators/agent/poll_loop.h"

namespace lsmtuned::agent {

class AgentProcess {
 public:
  static AgentProcess& instance();  // made at the first open
  static AgentProcess* existing();  // null when this process has none

  // `root` as from root_of(). Throws what allocation and thread creation throw.
  void attach(rocksdb::DB* root, const Options& options);

  // Lets go of a database; returns when nothing of ours touches it any more. Null when unknown.
  std::shared_ptr<Attached> release(rocksdb::DB* root);
  void forget(const std::shared_ptr<Attached>& released);   // it closed
  void take_up(const std::shared_ptr<Attached>& released);  // it did not close after all

 private:
  AgentProcess();
  static void at_exit();
  void leave();

  const pid_t pid_;
  std::mutex mutex_;  // databases_ and exiting_
  std::map<rocksdb::DB*, std::shared_ptr<Attached>> databases_;
  bool exiting_ = false;
  std::uint64_t next_number_ = 1;
  std::mutex poll_mutex_;  // taken after mutex_ where both are
  std::shared_ptr<PollLoop> poll_;
};

}  // namespace lsmtuned::agent
