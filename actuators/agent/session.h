// The poll thread's work: connection, handshake, requests, deadlines, leases.
//
// Whatever the daemon sends, the host goes on: bad frames end the connection with one log line,
// requests that make no sense are answered with an error. Thread rules: everything on one thread;
// the inbox is how others reach it.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "actuators/agent/attached.h"
#include "actuators/agent/connection.h"
#include "actuators/agent/poll_inbox.h"

namespace lsmtuned::agent {

class Session {
 public:
  Session(PollInbox& inbox, int wake_descriptor, std::string socket, std::string daemon_user,
          bool log_to_stderr);
  void run();  // until the inbox says stop; never throws

 private:
  using Clock = std::chrono::steady_clock;
  enum class Kind { apply, restore, lease };
  struct Request {  // handed to a worker and not answered for good yet
    Kind kind;
    std::uint64_t number;
    std::uint64_t seq;
    std::uint64_t connection;  // answers go to the connection that asked, or nowhere
    Clock::time_point deadline;
    bool pending_sent;
  };

  void turn();
  void wait();
  void drain_inbox();
  void connect_when_due();
  void disconnect(const std::string& why);
  void receive();
  void send(const boost::json::object& message);
  void hello();

  void on_frame(const std::string& payload);
  void on_welcome(const boost::json::object& message);
  void on_heartbeat(const boost::json::object& message);
  void on_request(const std::string& type, const boost::json::object& message);
  void on_observe(Attached& attached, std::uint64_t seq);
  void on_apply(Attached& attached, std::uint64_t seq, const boost::json::object& message);
  void on_restore(Attached& attached, std::uint64_t seq, const boost::json::object& message);
  void on_completed(PollEvent& event);
  void submit(Attached& attached, std::uint64_t seq, Kind kind, Job job,
              Clock::time_point deadline);
  void applied(const Request& request, const Outcome& outcome);
  bool read_lease(const boost::json::object& message);

  void check_deadlines();
  void check_leases();
  void lease_restored(Attached& attached, const Outcome& outcome);

  std::shared_ptr<Attached> find(std::uint64_t number) const;
  bool welcomed() const { return connection_ != nullptr && welcomed_; }
  void say(const std::string& line);  // once while it stays the same

  PollInbox& inbox_;
  const int wake_descriptor_;
  const std::string socket_;
  const std::string daemon_user_;
  const bool log_to_stderr_;

  std::map<std::uint64_t, std::shared_ptr<Attached>> databases_;
  std::map<std::uint64_t, Request> requests_;  // by job
  std::uint64_t next_job_ = 1;

  std::unique_ptr<Connection> connection_;
  std::uint64_t connection_number_ = 0;
  bool welcomed_ = false;
  Clock::time_point connected_at_;
  Clock::time_point next_attempt_;
  std::chrono::milliseconds pause_;
  double lease_s_ = 0;
  std::string last_said_;
};

}  // namespace lsmtuned::agent
