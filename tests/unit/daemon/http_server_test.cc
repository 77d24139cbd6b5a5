#include "daemon/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <rapidcheck.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace lsmtuned::daemon {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A blocking client made of plain socket calls.
class Client {
 public:
  explicit Client(unsigned short port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool connected() const { return connected_; }
  void send(const std::string& bytes) const {
    std::size_t done = 0;
    while (done < bytes.size()) {
      const auto sent = ::send(socket_, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
      if (sent <= 0) return;
      done += static_cast<std::size_t>(sent);
    }
  }
  void finish() const { ::shutdown(socket_, SHUT_WR); }

  // One whole response with a Content-Length body (without_body: an answer to HEAD).
  std::string response(bool without_body = false) {
    for (;;) {
      const auto end = buffer_.find("\r\n\r\n");
      if (end != std::string::npos) {
        const auto length = buffer_.find("Content-Length: ");
        const std::size_t body =
            without_body || length > end ? 0 : std::stoul(buffer_.substr(length + 16));
        if (buffer_.size() >= end + 4 + body) {
          std::string one = buffer_.substr(0, end + 4 + body);
          buffer_.erase(0, end + 4 + body);
          return one;
        }
      }
      if (!receive()) return std::exchange(buffer_, "");
    }
  }
  // Everything until the other side closes.
  std::string rest() {
    while (receive()) {
    }
    return std::exchange(buffer_, "");
  }
  std::string get(const std::string& path) {
    send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
    return response();
  }

 private:
  bool receive() {
    char bytes[4096];
    const auto got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got <= 0) return false;
    buffer_.append(bytes, static_cast<std::size_t>(got));
    return true;
  }
  int socket_;
  bool connected_ = false;
  std::string buffer_;
};

HttpReply reply_to(const std::string& method, const std::string& path) {
  if (path == "/metrics") return {200, "text/plain; version=0.0.4", method + " is fine\n"};
  if (path == "/broken") throw std::runtime_error("handler failed");
  return {404, "text/plain", "no such page\n"};
}

class Running {
 public:
  explicit Running(HttpServer::Handler handler = reply_to)
      : server(context.get_executor(), "127.0.0.1:0", std::move(handler)),
        work_(context.get_executor()) {
    const auto started = server.start();
    if (!started) throw std::runtime_error(started.error().text());
    thread_ = std::thread([this] { context.run(); });
  }
  ~Running() {
    server.stop();
    work_.reset();  // run() returns when the last connection has gone
    thread_.join();
  }
  boost::asio::io_context context;
  HttpServer server;

 private:
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
};

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  Running running;
  Client client(running.server.port());
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.get("/metrics");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4\r\n"));
    EXPECT_THAT(answer, HasSubstr("\r\n\r\nGET is fine\n"));
  }
  EXPECT_THAT(client.get("/metrics?name[]=x"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(client.get("/other"), StartsWith("HTTP/1.1 404"));
}

TEST(HttpServer, ClosesWhenAskedAndSpeaksOldHttp) {
  Running running;
  Client closing(running.server.port());
  closing.send("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(closing.rest(), StartsWith("HTTP/1.1 200"));
  Client old(running.server.port());
  old.send("GET /metrics HTTP/1.0\r\n\r\n");
  EXPECT_THAT(old.rest(), StartsWith("HTTP/1.0 200"));
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
  Running running;
  Client client(running.server.port());
  client.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /other HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(client.response(), StartsWith("HTTP/1.1 404"));
}

TEST(HttpServer, HeadHasTheLengthAndNoBody) {
  Running running;
  Client client(running.server.port());
  client.send("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto answer = client.response(true);
  EXPECT_THAT(answer, HasSubstr("Content-Length: 12\r\n"));
  EXPECT_THAT(answer, ::testing::EndsWith("\r\n\r\n"));
  EXPECT_THAT(client.get("/metrics"), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, PassesTheMethodOn) {
  Running running;
  Client client(running.server.port());
  client.send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_THAT(client.response(), HasSubstr("POST is fine"));
}

TEST(HttpServer, AFailingHandlerIsA500) {
  Running running;
  Client client(running.server.port());
  EXPECT_THAT(client.get("/broken"), StartsWith("HTTP/1.1 500"));
  EXPECT_THAT(client.get("/metrics"), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, RefusesWhatIsTooLarge) {
  Running running;
  Client header(running.server.port());
  header.send("GET /metrics HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n");
  EXPECT_THAT(header.rest(), StartsWith("HTTP/1.1 431"));
  Client body(running.server.port());
  body.send("POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n");
  EXPECT_THAT(body.rest(), StartsWith("HTTP/1.1 413"));
  EXPECT_THAT(Client(running.server.port()).get("/metrics"), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, ASilentClientIsCutOff) {
  Running running;
  Client client(running.server.port());
  client.send("GET /met");
  EXPECT_EQ(client.rest(), "");  // returns when the server closes; the client's own limit is 20 s
  EXPECT_THAT(Client(running.server.port()).get("/metrics"), StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, BeyondTheLimitIsToldToTryAgain) {
  Running running;
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<Client>(running.server.port()));
    ASSERT_THAT(clients.back()->get("/metrics"), StartsWith("HTTP/1.1 200"));
  }
  EXPECT_THAT(Client(running.server.port()).rest(), StartsWith("HTTP/1.1 503"));
  clients.clear();
  // The freed places come back as soon as the server has seen the clients go.
  std::string answer;
  for (int i = 0; i < 1000 && answer.rfind("HTTP/1.1 200", 0) != 0; ++i) {
    answer = Client(running.server.port()).get("/metrics");
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
}

TEST(HttpServer, GarbageNeverHarmsIt) {
  Running running;
  EXPECT_TRUE(rc::check("any bytes, then a good request", [&](const std::string& bytes) {
    Client client(running.server.port());
    RC_ASSERT(client.connected());
    const auto start = *rc::gen::element<std::string>("", "GET /metrics HTTP/1.1\r\n", "GET ",
                                                      "POST / HTTP/1.1\r\nContent-Length: ");
    client.send(start + bytes);
    client.finish();
    client.rest();
    RC_ASSERT(Client(running.server.port()).get("/metrics").rfind("HTTP/1.1 200", 0) == 0);
  }));
}

TEST(HttpServer, StopEndsOpenConnectionsAndLetsTheLoopReturn) {
  auto running = std::make_unique<Running>();
  Client idle(running->server.port());
  EXPECT_THAT(idle.get("/metrics"), StartsWith("HTTP/1.1 200"));
  Client half(running->server.port());
  half.send("GET /");
  const auto port = running->server.port();
  running.reset();
  EXPECT_EQ(idle.rest(), "");
  EXPECT_EQ(half.rest(), "");
  EXPECT_FALSE(Client(port).connected());
}

TEST(HttpServer, NoHandlerRunsAfterStop) {
  std::atomic<bool> stopped{false};
  std::atomic<bool> late{false};
  Running running([&](const std::string& method, const std::string& path) {
    if (stopped) late = true;
    return reply_to(method, path);
  });
  std::thread load([port = running.server.port()] {
    for (int i = 0; i < 200; ++i) {
      Client client(port);
      if (!client.connected()) return;
      client.get("/metrics");
    }
  });
  Client(running.server.port()).get("/metrics");
  running.server.stop();
  stopped = true;
  load.join();
  EXPECT_FALSE(late);
}

TEST(HttpServer, StartFailuresNameTheKey) {
  boost::asio::io_context context;
  for (const char* listen : {"", "9637", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http",
                             "127.0.0.1:99999", "::1:9637", "nonsense:1", "[::1:5"}) {
    HttpServer server(context.get_executor(), listen, reply_to);
    const auto started = server.start();
    ASSERT_FALSE(started) << listen;
    EXPECT_THAT(started.error().what, StartsWith("metrics_listen: "));
    EXPECT_FALSE(started.error().remedy.empty());
  }
  HttpServer first(context.get_executor(), "localhost:0", reply_to);
  ASSERT_TRUE(first.start());
  HttpServer second(context.get_executor(), "127.0.0.1:" + std::to_string(first.port()), reply_to);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().what, HasSubstr("metrics_listen: cannot listen on"));
  EXPECT_THAT(started.error().remedy, HasSubstr("another process"));
}

}  // namespace
}  // namespace lsmtuned::daemon
