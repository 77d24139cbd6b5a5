#include "tests/integration/agent/test_daemon.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "actuators/wire/json.h"

namespace lsmtuned::testing {
namespace {

using Clock = std::chrono::steady_clock;

bool readable(int descriptor, Clock::time_point until) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    pollfd waiting{descriptor, POLLIN, 0};
    const int ready = poll(&waiting, 1, left < 0 ? 0 : static_cast<int>(left));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "lsmtuned-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp: " + name);
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TestDaemon::TestDaemon(std::string socket_path) : path_(std::move(socket_path)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path_.size() >= sizeof address.sun_path) throw std::runtime_error("socket path too long");
  std::memcpy(address.sun_path, path_.c_str(), path_.size());
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener_, 8) != 0)
    throw std::runtime_error("bind " + path_ + ": " + std::strerror(errno));
}

TestDaemon::~TestDaemon() {
  hang_up();
  close(listener_);
  unlink(path_.c_str());
}

void TestDaemon::hang_up() {
  if (peer_ >= 0) close(peer_);
  peer_ = -1;
  decoder_ = wire::FrameDecoder();
  kept_.clear();
}

bool TestDaemon::accept_within(std::chrono::milliseconds patience) {
  hang_up();
  if (!readable(listener_, Clock::now() + patience)) return false;
  peer_ = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  return peer_ >= 0;
}

boost::json::object TestDaemon::accept() {
  if (!accept_within(kPatience)) throw std::runtime_error("no agent came");
  return wait_type("hello");
}

boost::json::object TestDaemon::meet(double lease_s) {
  boost::json::object hello = accept();
  send({{"type", "welcome"}, {"protocol", 1}, {"daemon", "test"}, {"lease_s", lease_s}});
  return hello;
}

void TestDaemon::send(const boost::json::object& message) {
  send_bytes(wire::to_frame(message).value());
}

void TestDaemon::send_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(peer_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return;  // the agent hung up, which the test sees when it reads
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

template <class Match>
std::optional<boost::json::object> TestDaemon::wait(Match match,
                                                    std::chrono::milliseconds patience) {
  for (auto kept = kept_.begin(); kept != kept_.end(); ++kept) {
    if (!match(*kept)) continue;
    boost::json::object found = std::move(*kept);
    kept_.erase(kept);
    return found;
  }
  const Clock::time_point until = Clock::now() + patience;
  while (true) {
    const auto frame = decoder_.next();
    if (!frame) throw std::runtime_error(frame.error().text());
    if (frame->has_value()) {
      boost::json::object message = wire::parse_payload(**frame).value();
      if (match(message)) return message;
      kept_.push_back(std::move(message));
      continue;
    }
    if (!readable(peer_, until)) return std::nullopt;
    std::array<char, 65536> bytes;
    const ssize_t count = recv(peer_, bytes.data(), bytes.size(), 0);
    if (count <= 0) throw std::runtime_error("the agent hung up");
    decoder_.feed({bytes.data(), static_cast<std::size_t>(count)});
  }
}

std::optional<boost::json::object> TestDaemon::poll_type(const std::string& type,
                                                         std::chrono::milliseconds patience) {
  return wait(
      [&](const boost::json::object& message) {
        return wire::text_member(message, "type") == type;
      },
      patience);
}

boost::json::object TestDaemon::wait_type(const std::string& type) {
  auto message = poll_type(type, kPatience);
  if (!message) throw std::runtime_error("no " + type + " came");
  return std::move(*message);
}

boost::json::object TestDaemon::wait_seq(std::uint64_t seq) {
  auto message = wait(
      [&](const boost::json::object& candidate) {
        return wire::count_member(candidate, "seq") == seq;
      },
      kPatience);
  if (!message) throw std::runtime_error("no answer to " + std::to_string(seq));
  return std::move(*message);
}

bool TestDaemon::wait_end() {
  const Clock::time_point until = Clock::now() + kPatience;
  std::array<char, 65536> bytes;
  while (readable(peer_, until))
    if (recv(peer_, bytes.data(), bytes.size(), 0) <= 0) return true;
  return false;
}

boost::json::object TestDaemon::ask(boost::json::object message) {
  const std::uint64_t seq = next_seq();
  message["seq"] = seq;
  send(message);
  return wait_seq(seq);
}

boost::json::object TestDaemon::observe(std::uint64_t db) {
  return ask({{"type", "observe"}, {"db", db}});
}

boost::json::object TestDaemon::apply(std::uint64_t db, const boost::json::object& set, bool revert,
                                      double deadline_s) {
  return ask({{"type", "apply"},
              {"db", db},
              {"set", set},
              {"revert", revert},
              {"deadline_s", deadline_s}});
}

boost::json::object TestDaemon::restore(std::uint64_t db, bool clear_delay) {
  return ask({{"type", "restore"}, {"db", db}, {"deadline_s", 30}, {"clear_delay", clear_delay}});
}

boost::json::object family_value(const std::string& family, const std::string& option,
                                 const std::string& text) {
  boost::json::object texts;
  texts[option] = text;
  boost::json::object families;
  families[family] = std::move(texts);
  boost::json::object values;
  values["families"] = std::move(families);
  return values;
}

std::string family_setting(const boost::json::object& observation, const std::string& family,
                           const std::string& option) {
  const auto& text = observation.at("settings").at("families").at(family).at(option).as_string();
  return {text.data(), text.size()};
}

}  // namespace lsmtuned::testing
