// Target: one attached database, as the daemon sees it. Observe, apply, restore; awaitable.
//
// Implementations: agent_target.h (a process with our agent), embedded_target.h (a RocksDB the
// daemon opens itself), testing/plant_target.h (an in-memory plant) and testing/faulty_target.h
// (wraps any other and injects faults). All calls are made on, and complete on, the executor the
// daemon handed to the constructor; blocking work happens on worker threads handed in beside it.
// Thread rules: one strand; at most one apply or restore outstanding; observe may overlap it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "model/result.h"
#include "model/settings.h"
#include "model/snapshot.h"

namespace lsmtuned::actuators {

struct TargetInfo {
  std::string name;               // [[target]] name, or the canonical path for an unnamed one
  std::string kind;               // "agent", "embedded", "plant"
  std::string path;               // canonical database directory
  std::string database_id;        // RocksDB's own identity
  std::uint64_t incarnation = 0;  // new with every open; from the agent (start time and counter)
  std::string rocksdb_version;
  std::string executable;
  int pid = 0;
  std::string
      statistics;  // "none", "counters", "tickers", "latency", "host" (the program brought its own)
  bool rate_limiter = false;
};

enum class ApplyStatus {
  ok,
  pending,  // the deadline passed with the call still inside RocksDB; `late` will be called
  failed,
  not_sent,  // refused before RocksDB was called: writes stopped, connection gone, queue busy
};
struct ApplyReport {
  ApplyStatus status = ApplyStatus::ok;
  model::ChangeSet applied;  // what took effect, by read-back
  std::string error;
};

struct Attachment {  // what the database side holds for us at this moment
  model::Settings baseline;
  model::ChangeSet ours;  // values of ours in force (a lease that outlived a daemon)
};

class Target {
 public:
  virtual ~Target() = default;
  virtual const TargetInfo& info() const = 0;
  virtual bool connected() const = 0;

  virtual boost::asio::awaitable<Result<model::Snapshot>> observe(
      std::chrono::milliseconds deadline) = 0;

  // What the other side holds; answered from its hello, and again after a reconnect.
  virtual boost::asio::awaitable<Result<Attachment>> attachment(
      std::chrono::milliseconds deadline) = 0;

  // At most one options call per column family and one for the database. Not sent while writes are
  // stopped unless `is_revert` (then queued first by the other side). When the deadline passes the
  // report says pending and `late` is called once, on the executor, when the call returns.
  using LateResult = std::function<void(ApplyReport)>;
  virtual boost::asio::awaitable<ApplyReport> apply(model::ChangeSet changes, bool is_revert,
                                                    std::chrono::milliseconds deadline,
                                                    LateResult late) = 0;

  // Puts back the baseline of every knob whose present value is ours. `clear_delay`: with it goes
  // what RocksDB remembers of a lowered rate of delayed writers.
  virtual boost::asio::awaitable<ApplyReport> restore(bool clear_delay,
                                                      std::chrono::milliseconds deadline,
                                                      LateResult late) = 0;

  // These knobs now belong to someone else: their present value becomes the baseline.
  virtual boost::asio::awaitable<Result<void>> adopt(model::ChangeSet foreign,
                                                     std::chrono::milliseconds deadline) = 0;

  // Renews the lease. Called by the control loop, never by a timer of its own, so that a hung loop
  // lets the lease run out.
  virtual void heartbeat(std::chrono::milliseconds lease) = 0;

  // Planned stop with on_exit = keep: tuned values stay in force without a lease.
  virtual boost::asio::awaitable<Result<void>> keep_without_lease(
      std::chrono::milliseconds deadline) = 0;
};

}  // namespace lsmtuned::actuators
