// The agent's end of the unix socket: connects, checks the peer, moves frames; never blocks.
//
// Errors end the connection and say why. Memory is bounded: frames by the decoder, what the daemon
// does not read by kMostUnsent. Thread rules: one thread, except close_in_child().
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "actuators/wire/frame.h"
#include "model/result.h"

namespace lsmtuned::agent {

class Connection {
 public:
  static constexpr std::size_t kMostUnsent = 4u << 20;

  // Connects now or fails; a unix socket has nothing to wait for. The peer must be root, this user,
  // or `daemon_user` (a name, may be empty).
  static Result<std::unique_ptr<Connection>> open(const std::string& path,
                                                  const std::string& daemon_user);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int descriptor() const { return descriptor_; }
  bool has_unsent() const { return sent_ < unsent_.size(); }

  Result<void> send(const std::string& frame);  // queues and writes what can be written
  Result<void> write();                         // writes what can be written
  Result<void> read();                          // reads once; error also at the end of the stream
  Result<std::optional<std::string>> next() { return decoder_.next(); }

  // In a forked child: closes the inherited descriptor, so that the daemon sees the parent end.
  static void close_in_child();

 private:
  explicit Connection(int descriptor);

  int descriptor_;
  wire::FrameDecoder decoder_;
  std::string unsent_;
  std::size_t sent_ = 0;
};

}  // namespace lsmtuned::agent
