// The daemon's side of docs/protocol.md for tests: plain blocking sockets, one agent at a time.
//
// Every wait has an end (kPatience) and then throws std::runtime_error, which fails the test with
// its text. Thread rules: one thread.
#pragma once

#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "actuators/wire/frame.h"

namespace lsmtuned::testing {

inline constexpr std::chrono::seconds kPatience{60};

class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

class TestDaemon {
 public:
  explicit TestDaemon(std::string socket_path);
  ~TestDaemon();
  TestDaemon(const TestDaemon&) = delete;
  TestDaemon& operator=(const TestDaemon&) = delete;

  // Waits for an agent and its hello, which is returned; answers nothing.
  boost::json::object accept();
  // accept() and welcome.
  boost::json::object meet(double lease_s = 60);
  bool accept_within(std::chrono::milliseconds patience);  // a connection only
  void hang_up();                                          // closes the connection to the agent

  void send(const boost::json::object& message);
  void send_bytes(std::string_view bytes);
  // The next message of the type, or with the sequence number; others are kept for later.
  boost::json::object wait_type(const std::string& type);
  boost::json::object wait_seq(std::uint64_t seq);
  std::optional<boost::json::object> poll_type(const std::string& type,
                                               std::chrono::milliseconds patience);
  bool wait_end();  // until the agent closes the connection

  std::uint64_t next_seq() { return ++seq_; }
  // Sends a request with a fresh seq and waits for its first answer.
  boost::json::object ask(boost::json::object message);
  boost::json::object observe(std::uint64_t db);
  boost::json::object apply(std::uint64_t db, const boost::json::object& set, bool revert = false,
                            double deadline_s = 30);
  boost::json::object restore(std::uint64_t db, bool clear_delay = false);
  void heartbeat(double lease_s) { send({{"type", "heartbeat"}, {"lease_s", lease_s}}); }

 private:
  template <class Match>
  std::optional<boost::json::object> wait(Match match, std::chrono::milliseconds patience);

  std::string path_;
  int listener_ = -1;
  int peer_ = -1;
  wire::FrameDecoder decoder_;
  std::deque<boost::json::object> kept_;
  std::uint64_t seq_ = 0;
};

// {"families": {family: {option: text}}}
boost::json::object family_value(const std::string& family, const std::string& option,
                                 const std::string& text);
std::string family_setting(const boost::json::object& observation, const std::string& family,
                           const std::string& option);

}  // namespace lsmtuned::testing
