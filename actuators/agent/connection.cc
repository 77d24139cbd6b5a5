#include "actuators/agent/connection.h"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

namespace lsmtuned::agent {
namespace {

constexpr std::size_t kReadBytes = 65536;

std::atomic<int> descriptor_for_child{-1};

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

bool is_user(uid_t uid, const std::string& name) {
  if (name.empty()) return false;
  std::vector<char> space(16384);
  passwd entry{};
  passwd* found = nullptr;
  return getpwnam_r(name.c_str(), &entry, space.data(), space.size(), &found) == 0 &&
         found != nullptr && found->pw_uid == uid;
}

}  // namespace

Connection::Connection(int descriptor) : descriptor_(descriptor) {
  descriptor_for_child.store(descriptor);
}

Connection::~Connection() {
  int mine = descriptor_;
  descriptor_for_child.compare_exchange_strong(mine, -1);  // before the number means another file
  ::close(descriptor_);
}

void Connection::close_in_child() {
  const int descriptor = descriptor_for_child.exchange(-1);
  if (descriptor >= 0) ::close(descriptor);
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path,
                                                     const std::string& daemon_user) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Error{path + ": not a usable socket path", "it must have 1 to 107 bytes"};
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return Error{"socket: " + errno_text(errno), ""};
  std::unique_ptr<Connection> connection(new Connection(descriptor));
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return Error{path + ": " + errno_text(errno),
                 "is lsmtuned running, and may this user connect?"};
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return Error{path + ": peer credentials: " + errno_text(errno), ""};
  if (peer.uid != 0 && peer.uid != geteuid() && !is_user(peer.uid, daemon_user))
    return Error{path + ": answered by user " + std::to_string(peer.uid) +
                     ", who is neither root nor this user",
                 "name the daemon's user in LSMTUNED_DAEMON_USER"};
  return {Result<std::unique_ptr<Connection>>::in_place_value, std::move(connection)};
}

Result<void> Connection::send(const std::string& frame) {
  if (unsent_.size() - sent_ + frame.size() > kMostUnsent)
    return Error{"the daemon does not read what it asked for", ""};
  unsent_.append(frame);
  return write();
}

Result<void> Connection::write() {
  while (has_unsent()) {
    const ssize_t written =
        ::send(descriptor_, unsent_.data() + sent_, unsent_.size() - sent_, MSG_NOSIGNAL);
    if (written < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      return Error{"send: " + errno_text(errno), ""};
    }
    sent_ += static_cast<std::size_t>(written);
  }
  if (sent_ == unsent_.size()) unsent_.clear();
  if (sent_ > kReadBytes || unsent_.empty()) {
    unsent_.erase(0, sent_);
    sent_ = 0;
  }
  return {};
}

Result<void> Connection::read() {
  std::array<char, kReadBytes> bytes;
  const ssize_t count = ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  if (count > 0) {
    decoder_.feed(std::string_view(bytes.data(), static_cast<std::size_t>(count)));
    return {};
  }
  if (count < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) return {};
  return Error{count == 0 ? "the daemon closed the connection" : "recv: " + errno_text(errno), ""};
}

}  // namespace lsmtuned::agent
