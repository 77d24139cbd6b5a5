// Accepts agents on the daemon's unix socket and turns each of their databases into a Target.
//
// Checks peer credentials, speaks the handshake, survives garbage (one log line, connection ended).
// Thread rules: everything runs on the executor handed in; callbacks are called on it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actuators/target.h"
#include "model/result.h"

namespace lsmtuned::actuators {

struct AgentServerOptions {
  std::string socket_path;
  std::string socket_group;                // empty: unchanged
  std::vector<std::string> allowed_users;  // empty: any
  double lease_s = 10;
};

class AgentServer {
 public:
  struct Callbacks {
    // A database appeared. `named` is not known here: the daemon maps path + database id to a
    // configured target.
    std::function<void(std::shared_ptr<Target>)> found;
    // Closed, process gone, or connection lost. The Target stays valid but not connected().
    std::function<void(std::shared_ptr<Target>, std::string reason)> lost;
    // The agent restored the baseline by itself.
    std::function<void(std::shared_ptr<Target>)> lease_expired;
    std::function<void(std::string)> log;  // one line, for a person
  };

  AgentServer(boost::asio::any_io_executor executor, AgentServerOptions options,
              Callbacks callbacks);
  ~AgentServer();
  AgentServer(const AgentServer&) = delete;
  AgentServer& operator=(const AgentServer&) = delete;

  // Binds the socket (mode 0660; a stale socket file is removed after checking that nobody
  // listens) and starts accepting.
  Result<void> start();
  void stop();  // closes listener and connections; agents keep their lease

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lsmtuned::actuators
