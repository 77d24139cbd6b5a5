// One database of a process that runs our agent: the Target that speaks docs/protocol.md.
//
// Knows messages, not sockets: the connection it talks through is an interface (agent_server.cc
// implements it). When the connection or the database goes away the object stays valid, every call
// answers with an error and connected() is false for good. Thread rules: as Target.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "actuators/target.h"
#include "model/result.h"

namespace lsmtuned::actuators {

// How a request ended.
struct RequestOutcome {
  enum class End {
    answered,   // `answer` holds the message
    timed_out,  // no answer by the deadline
    lost,       // sent, then the connection or the database went away
    not_sent,   // never sent: no connection, or too much waits already
  };
  End end = End::not_sent;
  boost::json::object answer;
  std::string error;
};

class AgentConnection {
 public:
  virtual ~AgentConnection() = default;

  // Sends `message` with a fresh `seq` and waits for the answer with that `seq`. Where `afterwards`
  // is given, an answer that comes after the deadline, or after one with the status "pending", is
  // handed to it: once, on the executor, with `lost` when it can never come.
  using Afterwards = std::function<void(RequestOutcome)>;
  virtual boost::asio::awaitable<RequestOutcome> request(boost::json::object message,
                                                         std::chrono::milliseconds deadline,
                                                         Afterwards afterwards) = 0;
  virtual void send(const boost::json::object& message) = 0;
};

// What a *database* object of the protocol says.
struct AnnouncedDatabase {
  std::uint64_t db = 0;  // number, unique in the process
  TargetInfo info;       // name is the path; pid and executable are the connection's
  Attachment attachment;
};
Result<AnnouncedDatabase> parse_announced_database(const boost::json::value& value);

class AgentTarget : public Target, public std::enable_shared_from_this<AgentTarget> {
 public:
  AgentTarget(std::weak_ptr<AgentConnection> connection, AnnouncedDatabase database);

  const TargetInfo& info() const override { return database_.info; }
  bool connected() const override { return !connection_.expired(); }
  boost::asio::awaitable<Result<model::Snapshot>> observe(
      std::chrono::milliseconds deadline) override;
  boost::asio::awaitable<Result<Attachment>> attachment(
      std::chrono::milliseconds deadline) override;
  boost::asio::awaitable<ApplyReport> apply(model::ChangeSet changes, bool is_revert,
                                            std::chrono::milliseconds deadline,
                                            LateResult late) override;
  boost::asio::awaitable<ApplyReport> restore(bool clear_delay, std::chrono::milliseconds deadline,
                                              LateResult late) override;
  boost::asio::awaitable<Result<void>> adopt(model::ChangeSet foreign,
                                             std::chrono::milliseconds deadline) override;
  void heartbeat(std::chrono::milliseconds lease) override;
  boost::asio::awaitable<Result<void>> keep_without_lease(
      std::chrono::milliseconds deadline) override;

  // For the connection: no call reaches the agent from now on.
  void disconnect() { connection_.reset(); }
  // For the connection: the agent put its baseline back; `values` are the read-back texts.
  void on_lease_expired(const boost::json::value& values);

 private:
  // Turns the end of an `apply` or `restore` into a report and remembers what is ours now.
  // `asked` is null for a restore: then every knob the agent names counts.
  ApplyReport report_of(const RequestOutcome& outcome, const model::ChangeSet* asked);
  void remember(const model::Settings& in_force);
  boost::asio::awaitable<ApplyReport> change(boost::json::object message,
                                             std::shared_ptr<const model::ChangeSet> asked,
                                             std::chrono::milliseconds deadline, LateResult late);
  boost::asio::awaitable<Result<void>> tell(boost::json::object message,
                                            std::chrono::milliseconds deadline);
  boost::json::object message(std::string_view type) const;

  std::weak_ptr<AgentConnection> connection_;
  AnnouncedDatabase database_;
  model::Settings ours_;   // values of ours in force
  model::Settings known_;  // the last settings seen, for the old values of a restore
};

}  // namespace lsmtuned::actuators
