// The agent's side of the protocol, carried out in this process on a database that is ours.
//
// Uses the agent's own parts (actuators/agent: what is read, how a change is carried out, what the
// baseline is), so that both kinds of target behave alike. Thread rules: as AgentConnection; the
// lease has a thread of its own, options calls another.
#pragma once

#include <rocksdb/db.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/json.hpp>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "actuators/agent/database.h"
#include "actuators/agent/lease.h"
#include "actuators/agent/worker.h"
#include "actuators/agent_target.h"

namespace lsmtuned::actuators {

// A database with the handles it was opened with; closes in the right order.
struct OpenDatabase {
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;

  OpenDatabase() = default;
  ~OpenDatabase();
  OpenDatabase(const OpenDatabase&) = delete;
  OpenDatabase& operator=(const OpenDatabase&) = delete;
};

class EmbeddedConnection final : public AgentConnection,
                                 public std::enable_shared_from_this<EmbeddedConnection> {
 public:
  EmbeddedConnection(boost::asio::any_io_executor executor, boost::asio::thread_pool& workers,
                     std::unique_ptr<OpenDatabase> open, const agent::Options& options);
  ~EmbeddedConnection() override;
  EmbeddedConnection(const EmbeddedConnection&) = delete;
  EmbeddedConnection& operator=(const EmbeddedConnection&) = delete;

  // *database* of docs/protocol.md.
  boost::json::object description() const;
  // Starts the lease's watch. `expired` gets the read-back values, on the executor.
  void watch_lease(std::function<void(boost::json::value)> expired);

  boost::asio::awaitable<RequestOutcome> request(boost::json::object message,
                                                 std::chrono::milliseconds deadline,
                                                 Afterwards afterwards) override;
  void send(const boost::json::object& message) override;

 private:
  struct Call {
    explicit Call(const boost::asio::any_io_executor& executor) : timer(executor) {}
    boost::asio::steady_timer timer;
    bool asked = true;  // request() has not got its outcome yet
    RequestOutcome outcome;
    Afterwards afterwards;
  };
  static constexpr std::uint64_t kLeaseJob = 0;

  RequestOutcome at_once(const boost::json::object& message, const std::string& type);
  void start_observation(const std::shared_ptr<Call>& call);
  // Empty, or why the call was not taken.
  std::string start_options_call(const boost::json::object& message, const std::string& type,
                                 const std::shared_ptr<Call>& call);
  void finish(const std::shared_ptr<Call>& call, RequestOutcome outcome);
  void on_done(std::uint64_t job, agent::Outcome outcome);  // on the worker's thread
  void on_lease_job(const agent::Outcome& outcome);         // on the worker's thread
  void watch(const std::stop_token& stop);                  // the lease's thread

  boost::asio::any_io_executor executor_;
  boost::asio::thread_pool& workers_;
  std::unique_ptr<OpenDatabase> open_;
  int observing_ = 0;
  std::uint64_t next_job_ = kLeaseJob + 1;
  std::map<std::uint64_t, std::shared_ptr<Call>> calls_;
  std::function<void(boost::json::value)> expired_;

  std::mutex mutex_;  // the lease
  std::condition_variable_any wake_;
  agent::Lease lease_;
  double lease_s_ = 10;

  std::unique_ptr<agent::Database> database_;
  std::unique_ptr<agent::Worker> worker_;
  std::jthread watcher_;
};

}  // namespace lsmtuned::actuators
