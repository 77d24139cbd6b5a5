// One agent's connection, from its handshake to its end: frames, requests, databases.
//
// Any input ends in one of two ways: it is understood, or the connection is closed with one log
// line. Memory is bounded: frames by wire/frame.h, databases by kMaxDatabases, what waits to be
// sent by kMaxOutboundBytes, what waits for an answer by kMaxRequests. Thread rules: everything on
// the executor handed in.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "actuators/agent_server.h"
#include "actuators/agent_target.h"
#include "actuators/wire/frame.h"

namespace lsmtuned::actuators {

// The other end as the kernel vouches for it.
struct PeerCredentials {
  int pid = 0;
  unsigned uid = 0;
};

class AgentSession final : public AgentConnection,
                           public std::enable_shared_from_this<AgentSession> {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;
  static constexpr std::size_t kMaxDatabases = 64;
  static constexpr std::size_t kMaxOutboundBytes = 4 * wire::kMaxFrameBytes;
  static constexpr std::size_t kMaxRequests = 1024;
  static constexpr std::chrono::seconds kHandshakeTimeout{5};

  // `ended` is called once when the connection is over.
  AgentSession(Socket socket, PeerCredentials peer, double lease_s,
               std::shared_ptr<const AgentServer::Callbacks> callbacks,
               std::function<void(AgentSession*)> ended);

  boost::asio::awaitable<void> run();
  // Says why to the log (unless empty) and lets go of the databases. Safe to call twice.
  void close(const std::string& reason);
  // close() without a word to anyone: the server is stopping.
  void abandon();

  boost::asio::awaitable<RequestOutcome> request(boost::json::object message,
                                                 std::chrono::milliseconds deadline,
                                                 Afterwards afterwards) override;
  void send(const boost::json::object& message) override;

 private:
  struct Waiting {
    explicit Waiting(const boost::asio::any_io_executor& executor) : timer(executor) {}
    boost::asio::steady_timer timer;
    std::uint64_t db = 0;
    bool asked = true;  // request() has not got its outcome yet
    RequestOutcome outcome;
    Afterwards afterwards;
  };

  boost::asio::awaitable<void> expect_hello();
  boost::asio::awaitable<void> write_all();
  void send_frame(std::string frame);
  void on_frame(const std::string& payload);
  void on_hello(const boost::json::object& message);
  void on_answer(const boost::json::object& message);
  void on_lease_expired(const boost::json::object& message);
  void on_closed(std::uint64_t db, const std::string& reason);
  void on_database(const boost::json::value& value);
  void finish(const std::shared_ptr<Waiting>& waiting, RequestOutcome outcome);
  void fail_waiting(const std::function<bool(const Waiting&)>& which, const std::string& error);
  // Sends an error to the agent, then ends the connection once it is written.
  void refuse(const std::string& reason);
  void release(const std::string& reason, bool tell);
  void log(const std::string& text) const;
  std::string name() const;

  Socket socket_;
  PeerCredentials peer_;
  double lease_s_;
  std::shared_ptr<const AgentServer::Callbacks> callbacks_;
  std::function<void(AgentSession*)> ended_;
  boost::asio::steady_timer handshake_timer_;
  wire::FrameDecoder decoder_;
  std::array<char, 65536> received_{};
  std::deque<std::string> outbound_;
  std::size_t outbound_bytes_ = 0;
  bool writing_ = false;
  bool welcomed_ = false;
  bool refused_ = false;  // the reason is on its way to the agent; what it sends is ignored
  bool closed_ = false;
  bool said_too_many_ = false;
  std::string executable_;
  std::uint64_t next_seq_ = 1;
  std::map<std::uint64_t, std::shared_ptr<Waiting>> waiting_;
  std::map<std::uint64_t, std::shared_ptr<AgentTarget>> databases_;
};

}  // namespace lsmtuned::actuators
