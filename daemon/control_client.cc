#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <system_error>

#include "actuators/wire/frame.h"
#include "actuators/wire/json.h"
#include "daemon/control_protocol.h"

namespace lsmtuned::daemon {
namespace {

using Clock = std::chrono::steady_clock;

class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

Error unreachable(const std::string& path, int error) {
  std::string remedy;
  if (error == ENOENT || error == ECONNREFUSED)
    remedy =
        "no daemon there: start it (systemctl start lsmtuned), or name its socket with --socket";
  else if (error == EACCES)
    remedy = "run as root or join the socket's group";
  return Error{path + ": " + std::generic_category().message(error), remedy};
}

Error too_late(const std::string& path) {
  return Error{path + ": no answer in time",
               "is the daemon busy or stopped? a longer --timeout helps"};
}

// Waits until the socket is ready or the time is up. Error: time is up, or poll failed.
Result<void> wait(const Descriptor& socket, short events, Clock::time_point end,
                  const std::string& path) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return too_late(path);
    pollfd entry{socket.get(), events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<long long>(left, 1 << 30)));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return unreachable(path, errno);
  }
}

Result<void> send_all(const Descriptor& socket, const std::string& bytes, Clock::time_point end,
                      const std::string& path) {
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const Result<void> ready = wait(socket, POLLOUT, end, path);
    if (!ready) return ready.error();
    const auto size =
        ::send(socket.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return unreachable(path, errno);
    }
    sent += static_cast<std::size_t>(size);
  }
  return {};
}

}  // namespace

Result<boost::json::object> call_daemon(const std::string& socket_path,
                                        const boost::json::object& request, double deadline_s) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.empty() || socket_path.size() >= sizeof address.sun_path)
    return Error{"\"" + socket_path + "\" is no socket path", "it has 1 to 107 characters"};
  std::memcpy(address.sun_path, socket_path.data(), socket_path.size());
  const Result<std::string> frame = wire::to_frame(request);
  if (!frame) return frame.error();

  const auto end =
      Clock::now() + std::chrono::microseconds(static_cast<long long>(deadline_s * 1e6));
  // Connecting to a unix socket ends at once, or waits only for room in the daemon's backlog.
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return unreachable(socket_path, errno);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return unreachable(socket_path, errno);
  const Result<void> sent = send_all(socket, *frame, end, socket_path);
  if (!sent) return sent.error();

  wire::FrameDecoder decoder;
  std::array<char, 16384> buffer{};
  while (true) {
    const Result<void> ready = wait(socket, POLLIN, end, socket_path);
    if (!ready) return ready.error();
    const auto size = ::recv(socket.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return unreachable(socket_path, errno);
    }
    if (size == 0)
      return Error{socket_path + ": the daemon closed the connection", "its log says why"};
    decoder.feed(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
    auto payload = decoder.next();
    if (!payload) return payload.error();
    if (*payload) return wire::parse_payload(**payload);
  }
}

}  // namespace lsmtuned::daemon
