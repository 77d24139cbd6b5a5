// The control socket: a unix socket (mode 0660) that takes one JSON request a frame and answers it.
//
// Bounded: frames of 1 MiB, nesting of 16, 32 connections (beyond: closed at once), 10 s for a
// request to arrive and for its answer to leave; garbage ends that connection only. The socket's
// mode and directory decide who may connect; the peer's user name travels with each request.
// Thread rules: everything on the executor handed in.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json.hpp>
#include <functional>
#include <memory>
#include <string>

#include "model/result.h"

namespace lsmtuned::daemon {

class ControlServer {
 public:
  using Handler = std::function<boost::asio::awaitable<boost::json::object>(
      boost::json::object request, std::string user)>;

  ControlServer(boost::asio::any_io_executor executor, std::string socket_path, Handler handler);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // Error: somebody listens there already, or the socket cannot be made; names control_socket. A
  // stale socket file is removed.
  Result<void> start();
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lsmtuned::daemon
