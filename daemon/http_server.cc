#include "daemon/http_server.h"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <charconv>
#include <chrono>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>

namespace lsmtuned::daemon {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Stream = beast::tcp_stream;

namespace {

constexpr std::size_t kHeaderLimit = 8192;
constexpr std::size_t kBodyLimit = 8192;  // requests to us have none; a small one is read off
constexpr std::size_t kConnectionLimit = 64;
constexpr std::size_t kRefusalLimit = 16;  // being told 503; beyond these a connection is closed
constexpr seconds kRequestTime{5};
constexpr seconds kRefusalTime{1};

std::optional<asio::ip::tcp::endpoint> parse_listen(const std::string& listen) {
  const auto colon = listen.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  std::string host = listen.substr(0, colon);
  const std::string port_text = listen.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return std::nullopt;  // an IPv6 address without brackets is ambiguous
  }
  if (host == "localhost") host = "127.0.0.1";
  unsigned short port = 0;
  const auto [end, failure] =
      std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
  if (failure != std::errc{} || end != port_text.data() + port_text.size()) return std::nullopt;
  error_code bad;
  const auto address = asio::ip::make_address(host, bad);
  if (bad) return std::nullopt;
  return asio::ip::tcp::endpoint(address, port);
}

http::response<http::string_body> make_response(HttpReply reply, bool keep_alive) {
  http::response<http::string_body> response;
  response.version(11);
  response.result(static_cast<unsigned>(reply.status));
  response.set(http::field::server, "lsmtuned");
  response.set(http::field::content_type, reply.content_type);
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.keep_alive(keep_alive);
  response.body() = std::move(reply.body);
  response.prepare_payload();
  return response;
}

// What a broken request is answered with; nothing for one that merely ended or ran out of time.
std::optional<int> status_for(const error_code& failure) {
  if (failure == http::error::header_limit) return 431;
  if (failure == http::error::body_limit) return 413;
  if (failure == http::error::end_of_stream || failure == http::error::partial_message) {
    return std::nullopt;
  }
  if (failure.category() == http::make_error_code(http::error::bad_method).category()) return 400;
  return std::nullopt;
}

}  // namespace

// Lives as long as the server or any of its coroutines; everything but `stop` runs on the strand.
struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(const asio::any_io_executor& executor, std::string listen_on, Handler handle)
      : strand(asio::make_strand(executor)),
        acceptor(strand),
        pause(strand),
        listen(std::move(listen_on)),
        handler(std::move(handle)) {}

  asio::any_io_executor strand;
  asio::ip::tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::string listen;
  Handler handler;
  unsigned short port = 0;
  std::unordered_set<Stream*> sessions;
  std::size_t refusals = 0;

  // Held while the handler runs, so that none runs once stop() has returned. Recursive: a handler
  // may stop the server.
  std::recursive_mutex handler_lock;
  bool stopping = false;

  // The handler's reply; nothing once stopping.
  std::optional<HttpReply> answer(const std::string& method, const std::string& path) {
    const std::lock_guard lock(handler_lock);
    if (stopping) return std::nullopt;
    try {
      return handler(method, path);
    } catch (const std::exception& failure) {
      return HttpReply{500, "text/plain; charset=utf-8", std::string(failure.what()) + "\n"};
    }
  }

  asio::awaitable<void> accept_loop() {
    const auto self = shared_from_this();
    for (;;) {
      error_code failure;
      auto socket =
          co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
      if (!acceptor.is_open()) co_return;
      if (failure) {  // out of file descriptors, most likely: wait for some to come back
        pause.expires_after(milliseconds(200));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        continue;
      }
      if (sessions.size() < kConnectionLimit) {
        asio::co_spawn(strand, session(Stream(std::move(socket))), asio::detached);
      } else if (refusals < kRefusalLimit) {
        asio::co_spawn(strand, refuse(Stream(std::move(socket))), asio::detached);
      }
    }
  }

  asio::awaitable<void> session(Stream stream) {
    const auto self = shared_from_this();
    sessions.insert(&stream);
    beast::flat_buffer buffer(kHeaderLimit + kBodyLimit);
    bool keep_alive = true;
    while (keep_alive && acceptor.is_open()) {
      keep_alive = co_await one_request(stream, buffer);
    }
    sessions.erase(&stream);
    error_code ignored;
    stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

  // Whether the connection may carry another request.
  asio::awaitable<bool> one_request(Stream& stream, beast::flat_buffer& buffer) {
    error_code failure;
    stream.expires_after(kRequestTime);
    http::request_parser<http::string_body> parser;
    parser.header_limit(kHeaderLimit);
    parser.body_limit(kBodyLimit);
    co_await http::async_read(stream, buffer, parser,
                              asio::redirect_error(asio::use_awaitable, failure));
    if (failure) {
      if (const auto status = status_for(failure)) {
        auto response =
            make_response({*status, "text/plain; charset=utf-8", "bad request\n"}, false);
        co_await http::async_write(stream, response,
                                   asio::redirect_error(asio::use_awaitable, failure));
      }
      co_return false;
    }
    const auto& request = parser.get();
    std::string path(request.target());
    path.resize(std::min(path.size(), path.find_first_of("?#")));
    const bool head = request.method() == http::verb::head;
    auto reply = answer(head ? "GET" : std::string(request.method_string()), path);
    if (!reply) co_return false;
    const bool keep_alive = request.keep_alive();
    auto response = make_response(std::move(*reply), keep_alive);
    response.version(request.version());
    if (head) response.body().clear();  // the length stays that of the body left out
    http::response_serializer<http::string_body> serializer(response);
    serializer.split(head);
    if (head) {
      co_await http::async_write_header(stream, serializer,
                                        asio::redirect_error(asio::use_awaitable, failure));
    } else {
      co_await http::async_write(stream, serializer,
                                 asio::redirect_error(asio::use_awaitable, failure));
    }
    co_return keep_alive && !failure;
  }

  asio::awaitable<void> refuse(Stream stream) {
    const auto self = shared_from_this();
    ++refusals;
    error_code ignored;
    stream.expires_after(kRefusalTime);
    auto response = make_response(
        {503, "text/plain; charset=utf-8", "too many connections: try again\n"}, false);
    co_await http::async_write(stream, response,
                               asio::redirect_error(asio::use_awaitable, ignored));
    --refusals;
    stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

  void close_all() {
    error_code ignored;
    acceptor.close(ignored);
    pause.cancel();
    for (auto* stream : sessions) stream->cancel();
  }
};

HttpServer::HttpServer(const asio::any_io_executor& executor, std::string listen, Handler handler)
    : impl_(std::make_shared<Impl>(executor, std::move(listen), std::move(handler))) {}

HttpServer::~HttpServer() {
  stop();
}

Result<void> HttpServer::start() {
  const auto endpoint = parse_listen(impl_->listen);
  if (!endpoint) {
    return Error{"metrics_listen: \"" + impl_->listen + "\" is not an address and port",
                 "for example \"127.0.0.1:9637\" or \"[::1]:9637\"; empty for no listener"};
  }
  error_code failure;
  auto& acceptor = impl_->acceptor;
  acceptor.open(endpoint->protocol(), failure);
  if (!failure) acceptor.set_option(asio::socket_base::reuse_address(true), failure);
  if (!failure) acceptor.bind(*endpoint, failure);
  if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (!failure) impl_->port = acceptor.local_endpoint(failure).port();
  if (failure) {
    error_code ignored;
    acceptor.close(ignored);
    return Error{"metrics_listen: cannot listen on " + impl_->listen + ": " + failure.message(),
                 failure == asio::error::address_in_use
                     ? "another process (a second lsmtuned?) has the port: choose another"
                     : "use an address of this machine and a port the user may bind"};
  }
  asio::co_spawn(impl_->strand, impl_->accept_loop(), asio::detached);
  return {};
}

unsigned short HttpServer::port() const {
  return impl_->port;
}

void HttpServer::stop() {
  {
    const std::lock_guard lock(impl_->handler_lock);
    if (impl_->stopping) return;
    impl_->stopping = true;
  }
  asio::post(impl_->strand, [impl = impl_] { impl->close_all(); });
}

}  // namespace lsmtuned::daemon
