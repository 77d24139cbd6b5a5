#include "daemon/control_server.h"

#include <pwd.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <chrono>
#include <exception>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "actuators/wire/frame.h"
#include "actuators/wire/json.h"

namespace lsmtuned::daemon {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using Socket = asio::local::stream_protocol::socket;

constexpr std::size_t kMaxConnections = 32;
constexpr std::chrono::seconds kDeadline{10};

std::string user_name(uid_t uid) {
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return found->pw_name;
  return "uid " + std::to_string(uid);
}

Result<std::string> peer_user(Socket& socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
    return Error{"SO_PEERCRED: " + std::generic_category().message(errno), ""};
  return {Result<std::string>::in_place_value, user_name(credentials.uid)};
}

bool somebody_listens(const std::string& path) {
  asio::io_context context;
  Socket probe(context);
  boost::system::error_code code;
  probe.connect(asio::local::stream_protocol::endpoint(path), code);
  return !code;
}

}  // namespace

struct ControlServer::Impl : std::enable_shared_from_this<ControlServer::Impl> {
  Impl(asio::any_io_executor runs_on, std::string path, Handler calls)
      : executor(std::move(runs_on)),
        socket_path(std::move(path)),
        handler(std::move(calls)),
        acceptor(executor),
        pause(executor) {}

  asio::any_io_executor executor;
  std::string socket_path;
  Handler handler;
  asio::local::stream_protocol::acceptor acceptor;
  asio::steady_timer pause;
  std::set<Socket*> connections;
  bool bound = false;
  bool stopped = false;

  asio::awaitable<void> accept() {
    auto self = shared_from_this();
    while (!stopped) {
      auto [code, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
      if (stopped) co_return;
      if (code) {
        // Out of descriptors, say: waiting beats spinning.
        spdlog::warn("control socket: accept: {}", code.message());
        pause.expires_after(std::chrono::seconds(1));
        co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
        continue;
      }
      if (connections.size() >= kMaxConnections) {
        spdlog::warn("control socket: more than {} connections; one was closed", kMaxConnections);
        continue;
      }
      auto connection = std::make_shared<Socket>(std::move(socket));
      connections.insert(connection.get());
      asio::co_spawn(executor, serve(connection),
                     [self, connection](const std::exception_ptr& failure) {
                       self->connections.erase(connection.get());
                       if (!failure) return;
                       try {
                         std::rethrow_exception(failure);
                       } catch (const std::exception& error) {
                         spdlog::error("control socket: a connection ended: {}", error.what());
                       }
                     });
    }
  }

  asio::awaitable<void> serve(std::shared_ptr<Socket> socket) {
    auto self = shared_from_this();
    const Result<std::string> user = peer_user(*socket);
    if (!user) {
      spdlog::warn("control socket: {}", user.error().text());
      co_return;
    }
    // The timer closes the socket: whatever waits on it then ends.
    asio::steady_timer deadline(executor);
    wire::FrameDecoder decoder;
    std::vector<char> buffer(16384);
    while (!stopped) {
      arm(deadline, socket);
      std::optional<std::string> payload;
      while (!payload) {
        auto next = decoder.next();
        if (!next) {
          co_await refuse(*socket, next.error());
          co_return;
        }
        payload = std::move(*next);
        if (payload) break;
        auto [code, size] = co_await socket->async_read_some(asio::buffer(buffer),
                                                             asio::as_tuple(asio::use_awaitable));
        if (code) co_return;
        decoder.feed(std::string_view(buffer.data(), size));
      }
      Result<json::object> request = wire::parse_payload(*payload);
      if (!request) {
        co_await refuse(*socket, request.error());
        co_return;
      }
      // The handler has deadlines of its own; the peer's patience is its own affair.
      deadline.cancel();
      json::object answer = co_await handler(std::move(*request), *user);
      arm(deadline, socket);
      const bool sent = co_await send(*socket, answer);
      if (!sent) co_return;
    }
  }

  void arm(asio::steady_timer& deadline, const std::shared_ptr<Socket>& socket) {
    deadline.expires_after(kDeadline);
    deadline.async_wait([weak = std::weak_ptr<Socket>(socket)](boost::system::error_code code) {
      if (code) return;
      if (auto alive = weak.lock()) {
        boost::system::error_code ignored;
        alive->close(ignored);
      }
    });
  }

  asio::awaitable<void> refuse(Socket& socket, const Error& error) {
    spdlog::warn("control socket: {}; connection closed", error.text());
    const json::object answer{
        {"ok", false}, {"code", "garbage"}, {"error", error.what}, {"remedy", error.remedy}};
    co_await send(socket, answer);
  }

  asio::awaitable<bool> send(Socket& socket, const json::object& answer) {
    Result<std::string> frame = wire::to_frame(answer);
    if (!frame) {
      const json::object shorter{{"ok", false},
                                 {"code", "too-long"},
                                 {"error", "the answer is over 1 MiB"},
                                 {"remedy", "ask for less: a smaller --limit or a shorter time"}};
      frame = wire::to_frame(shorter);
    }
    if (!frame) co_return false;
    const std::string bytes = std::move(*frame);
    auto [code, size] = co_await asio::async_write(socket, asio::buffer(bytes),
                                                   asio::as_tuple(asio::use_awaitable));
    co_return !code && size == bytes.size();
  }
};

ControlServer::ControlServer(asio::any_io_executor executor, std::string socket_path,
                             Handler handler)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(socket_path),
                                   std::move(handler))) {}

ControlServer::~ControlServer() {
  stop();
}

Result<void> ControlServer::start() {
  const std::string& path = impl_->socket_path;
  const auto problem = [&](const std::string& what, const std::string& remedy) {
    return Error{"control_socket " + path + ": " + what, remedy};
  };
  if (path.empty() || path.size() >= sizeof(sockaddr_un{}.sun_path))
    return problem("a socket path has 1 to 107 characters", "choose a shorter path");
  std::error_code code;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, code);
  if (code) return problem(code.message(), "create " + parent.string());
  const auto status = std::filesystem::symlink_status(path, code);
  if (std::filesystem::exists(status)) {
    if (!std::filesystem::is_socket(status))
      return problem("a file that is no socket is in the way", "move it away");
    if (somebody_listens(path))
      return problem("another process listens there", "stop it, or choose another path");
    std::filesystem::remove(path, code);
    if (code) return problem("a stale socket cannot be removed: " + code.message(), "");
  }
  boost::system::error_code error;
  const asio::local::stream_protocol::endpoint endpoint(path);
  impl_->acceptor.open(endpoint.protocol(), error);
  if (error) return problem(error.message(), "");
  // Born with its final mode: nobody can connect in between.
  const mode_t before = ::umask(0117);
  impl_->acceptor.bind(endpoint, error);
  ::umask(before);
  if (error) return problem(error.message(), "the directory must be writable for lsmtuned's user");
  impl_->bound = true;
  impl_->acceptor.listen(kMaxConnections, error);
  if (error) return problem(error.message(), "");
  asio::co_spawn(impl_->executor, impl_->accept(), asio::detached);
  return {};
}

void ControlServer::stop() {
  if (impl_->stopped) return;
  impl_->stopped = true;
  boost::system::error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->pause.cancel();
  for (Socket* socket : impl_->connections) socket->close(ignored);
  if (impl_->bound) ::unlink(impl_->socket_path.c_str());
}

}  // namespace lsmtuned::daemon
