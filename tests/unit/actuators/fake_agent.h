// An agent of the tests' own: a plain socket and the messages that a test wants to send.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "actuators/wire/frame.h"
#include "actuators/wire/json.h"

namespace lsmtuned::actuators {

class FakeAgent {
 public:
  explicit FakeAgent(const std::string& path) : socket_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    connected_ =
        connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }
  ~FakeAgent() { disconnect(); }
  FakeAgent(const FakeAgent&) = delete;
  FakeAgent& operator=(const FakeAgent&) = delete;

  bool connected() const { return connected_; }
  void disconnect() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }
  // The peer may have closed the connection already; then the rest goes nowhere.
  void send_bytes(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void send(const boost::json::object& message) { send_bytes(wire::to_frame(message).value()); }

  // The next message, or nothing when the daemon closed the connection.
  std::optional<boost::json::object> receive() {
    while (true) {
      if (auto frame = decoder_.next().value()) return wire::parse_payload(*frame).value();
      pollfd waiting{socket_, POLLIN, 0};
      if (poll(&waiting, 1, 60000) <= 0) {
        ADD_FAILURE() << "the daemon neither answered nor closed";
        return std::nullopt;
      }
      char bytes[65536];
      const auto size = recv(socket_, bytes, sizeof(bytes), 0);
      if (size <= 0) return std::nullopt;
      decoder_.feed({bytes, static_cast<std::size_t>(size)});
    }
  }
  // The next message of a type; others are passed over.
  boost::json::object receive(std::string_view type) {
    while (auto message = receive())
      if (wire::text_member(*message, "type") == type) return *message;
    ADD_FAILURE() << "no message of type " << type;
    return {};
  }
  bool closed_by_daemon() {
    while (receive()) {
    }
    return true;
  }

  static boost::json::object database(int number, const std::string& path) {
    return {
        {"db", number},
        {"incarnation", "1234567890123456789"},
        {"path", path},
        {"database_id", "id-" + std::to_string(number)},
        {"rocksdb", "7.8.3"},
        {"statistics", "counters"},
        {"rate_limiter", false},
        {"families", {{{"name", "default"}, {"id", 0}}}},
        {"baseline",
         {{"database", {{"max_background_jobs", "2"}}},
          {"families",
           {{"default", {{"write_buffer_size", "4194304"}, {"max_write_buffer_number", "2"}}}}}}},
        {"ours", boost::json::object()}};
  }
  void hello(boost::json::array databases, int protocol = wire::kProtocolVersion) {
    send({{"type", "hello"},
          {"protocol", protocol},
          {"agent", "0.1.0"},
          {"pid", 4242},
          {"executable", "/usr/bin/fake"},
          {"rocksdb", "7.8.3"},
          {"databases", std::move(databases)}});
  }

 private:
  int socket_;
  bool connected_ = false;
  wire::FrameDecoder decoder_;
};

}  // namespace lsmtuned::actuators
