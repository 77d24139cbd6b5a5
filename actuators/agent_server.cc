#include "actuators/agent_server.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "actuators/agent_session.h"

namespace lsmtuned::actuators {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Protocol = asio::local::stream_protocol;

constexpr std::size_t kMaxConnections = 256;

std::string errno_text(int number) {
  return std::strerror(number);
}

std::optional<unsigned> number_of(const std::string& name) {
  unsigned number = 0;
  const char* end = name.data() + name.size();
  const auto [rest, failure] = std::from_chars(name.data(), end, number);
  if (failure != std::errc() || rest != end) return std::nullopt;
  return number;
}

// By name, or by number for a user that has no name here.
std::optional<uid_t> user_id(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> buffer(16384);
  if (getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr)
    return entry.pw_uid;
  return number_of(name);
}

std::optional<gid_t> group_id(const std::string& name) {
  group entry{};
  group* found = nullptr;
  std::vector<char> buffer(65536);
  if (getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr)
    return entry.gr_gid;
  return number_of(name);
}

// Removes a socket file that a daemon left behind. Nothing else is ever removed.
Result<void> remove_stale(const std::string& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode))
    return Error{path + " exists and is not a socket", "choose another path or move the file away"};
  const int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) return Error{"no socket to probe " + path + " with: " + errno_text(errno), ""};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int failed = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  const int why = failed == 0 ? 0 : errno;
  ::close(probe);
  if (why == ENOENT) return {};
  if (why != ECONNREFUSED)
    return Error{"another process listens on " + path +
                     (why == 0 ? std::string() : " (" + errno_text(why) + ")"),
                 "stop the other daemon, or give this one another socket path"};
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    return Error{"the stale socket " + path + " cannot be removed: " + errno_text(errno),
                 "remove it, or let the daemon's user write to its directory"};
  return {};
}

}  // namespace

struct AgentServer::Impl : std::enable_shared_from_this<AgentServer::Impl> {
  Impl(asio::any_io_executor executor_in, AgentServerOptions options_in, Callbacks callbacks_in)
      : executor(std::move(executor_in)),
        options(std::move(options_in)),
        callbacks(std::make_shared<const Callbacks>(std::move(callbacks_in))),
        acceptor(executor),
        pause(executor) {}

  Result<void> start();
  void stop();
  Result<void> bind_socket();
  asio::awaitable<void> accept_all();
  void admit(Protocol::socket socket);
  void log(const std::string& text) const {
    if (callbacks->log) callbacks->log(text);
  }

  asio::any_io_executor executor;
  AgentServerOptions options;
  std::shared_ptr<const Callbacks> callbacks;
  Protocol::acceptor acceptor;
  asio::steady_timer pause;
  std::vector<uid_t> allowed;
  std::map<AgentSession*, std::shared_ptr<AgentSession>> sessions;
  bool stopped = false;
  bool said_full = false;
  dev_t socket_device = 0;
  ino_t socket_inode = 0;
};

Result<void> AgentServer::Impl::start() {
  for (const auto& name : options.allowed_users) {
    const auto user = user_id(name);
    if (!user)
      return Error{"agent_users names \"" + name + "\", which is no user of this machine",
                   "create the user or correct the name"};
    allowed.push_back(*user);
  }
  if (auto bound = bind_socket(); !bound) return bound;
  asio::co_spawn(
      executor, [self = shared_from_this()] { return self->accept_all(); }, asio::detached);
  return {};
}

Result<void> AgentServer::Impl::bind_socket() {
  const std::string& path = options.socket_path;
  if (path.empty() || path.size() >= sizeof(sockaddr_un::sun_path))
    return Error{"the socket path \"" + path + "\" is empty or longer than 107 bytes",
                 "choose a shorter path"};
  const auto directory = std::filesystem::path(path).parent_path();
  std::error_code no_directory;
  if (!directory.empty() && !std::filesystem::is_directory(directory, no_directory))
    return Error{"the directory of the agent socket, " + directory.string() + ", does not exist",
                 "create it (systemd: RuntimeDirectory=lsmtuned)"};
  if (auto removed = remove_stale(path); !removed) return removed;

  error_code error;
  acceptor.open(Protocol(), error);
  if (!error) acceptor.bind(Protocol::endpoint(path), error);
  if (error)
    return Error{"the agent socket " + path + " cannot be made: " + error.message(),
                 "let the daemon's user write to its directory"};
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) {
    socket_device = status.st_dev;
    socket_inode = status.st_ino;
  }
  // Nobody can connect before listen(), so mode and group are right from the first connection on.
  if (!options.socket_group.empty()) {
    const auto group = group_id(options.socket_group);
    if (!group)
      return Error{"socket_group \"" + options.socket_group + "\" is no group of this machine",
                   "create the group or correct the name"};
    if (chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0)
      return Error{"the group of " + path + " cannot be set to " + options.socket_group + ": " +
                       errno_text(errno),
                   "make the daemon's user a member of that group"};
  }
  if (chmod(path.c_str(), 0660) != 0)
    return Error{"the mode of " + path + " cannot be set: " + errno_text(errno), ""};
  acceptor.listen(Protocol::acceptor::max_listen_connections, error);
  if (error) return Error{"cannot listen on " + path + ": " + error.message(), ""};
  return {};
}

asio::awaitable<void> AgentServer::Impl::accept_all() {
  const auto self = shared_from_this();
  bool said_failure = false;
  while (!stopped) {
    error_code error;
    auto socket = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (stopped) co_return;
    if (!error) {
      said_failure = false;
      admit(std::move(socket));
      continue;
    }
    // Out of descriptors or memory: the listener stays, agents retry, we look again in a second.
    if (!std::exchange(said_failure, true))
      log("agent connections cannot be accepted: " + error.message());
    pause.expires_after(std::chrono::seconds(1));
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
  }
}

void AgentServer::Impl::admit(Protocol::socket socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return log("an agent's credentials cannot be read: " + errno_text(errno));
  if (!allowed.empty() && std::ranges::find(allowed, credentials.uid) == allowed.end())
    return log("process " + std::to_string(credentials.pid) + " of user " +
               std::to_string(credentials.uid) + " is not among agent_users; connection closed");
  if (sessions.size() >= kMaxConnections) {
    if (!std::exchange(said_full, true))
      log("more than " + std::to_string(kMaxConnections) + " agents; further ones are turned away");
    return;
  }
  said_full = false;
  auto session = std::make_shared<AgentSession>(
      std::move(socket), PeerCredentials{credentials.pid, credentials.uid}, options.lease_s,
      callbacks, [weak = weak_from_this()](AgentSession* over) {
        if (const auto self = weak.lock()) self->sessions.erase(over);
      });
  sessions.emplace(session.get(), session);
  asio::co_spawn(
      executor, [session] { return session->run(); }, asio::detached);
}

void AgentServer::Impl::stop() {
  if (std::exchange(stopped, true)) return;
  error_code ignored;
  pause.cancel();
  const bool listening = acceptor.is_open();
  acceptor.close(ignored);
  struct stat status {};
  if (listening && lstat(options.socket_path.c_str(), &status) == 0 &&
      status.st_dev == socket_device && status.st_ino == socket_inode)
    unlink(options.socket_path.c_str());
  // From here on nobody is called back: the daemon may be gone when the last handlers run.
  for (const auto& [key, session] : std::exchange(sessions, {})) session->abandon();
}

AgentServer::AgentServer(asio::any_io_executor executor, AgentServerOptions options,
                         Callbacks callbacks)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(options), std::move(callbacks))) {
}

AgentServer::~AgentServer() {
  stop();
}

Result<void> AgentServer::start() {
  return impl_->start();
}

void AgentServer::stop() {
  impl_->stop();
}

}  // namespace lsmtuned::actuators
