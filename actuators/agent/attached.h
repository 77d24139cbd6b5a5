// A database in the care of the poll thread, with its worker and lease.
//
// `lease` and `restore_*` belong to the poll thread alone.
#pragma once

#include <memory>
#include <utility>

#include "actuators/agent/database.h"
#include "actuators/agent/lease.h"
#include "actuators/agent/worker.h"

namespace lsmtuned::agent {

struct Attached {
  Attached(rocksdb::DB* root, std::uint64_t number, const Options& options, Worker::Done done)
      : database(root, number, options), worker(database, std::move(done)) {}

  Database database;
  Worker worker;  // after the database: destroyed, and so joined, first

  Lease lease;
  bool restoring = false;                       // a restore for the lease is queued or running
  bool restore_failed = false;                  // said once
  Lease::Clock::time_point restore_not_before;  // pause after a restore that failed
};

}  // namespace lsmtuned::agent
