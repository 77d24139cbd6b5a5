// A small HTTP server for /metrics and /health (Beast), on the executor handed in.
//
// Bounded: request line and headers 8 KiB, 5 s per request, 64 connections (beyond: 503). A HEAD is
// handed on as a GET and answered without the body; the query is left out of the path. After
// stop() returned (any thread) the handler is not called again; open connections end on the
// executor. The handler runs one call at a time.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "model/result.h"

namespace lsmtuned::daemon {

struct HttpReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

class HttpServer {
 public:
  using Handler = std::function<HttpReply(const std::string& method, const std::string& path)>;
  HttpServer(const boost::asio::any_io_executor& executor, std::string listen, Handler handler);
  ~HttpServer();
  Result<void> start();  // error: address in use, not parseable; names the key metrics_listen
  unsigned short port() const;  // the one bound (useful with port 0)
  void stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace lsmtuned::daemon
