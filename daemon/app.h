// App: the daemon. Owns the event loop, the workers, persistence, the sockets, and one
// TargetRunner a target.
//
// create() takes the instance lock and opens everything that can fail; run() serves until a signal
// or request_stop(). Thread rules: create(), run() and the destructor on one thread;
// request_stop() and request_reload() from any.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actuators/embedded_target.h"
#include "config/policy.h"
#include "daemon/clock.h"
#include "daemon/history.h"
#include "model/result.h"

namespace lsmtuned::daemon {

struct AppOptions {
  config::DaemonConfig config;
  std::string config_path;  // read again on SIGHUP; empty: a reload is refused
  bool handle_signals = true;
  double clock_speed = 1;       // tests only
  double stop_deadline_s = 10;  // real time for all targets together

  // How an embedded database is opened, and how history is; replaced by tests.
  using OpenEmbedded = std::function<Result<std::shared_ptr<actuators::Target>>(
      boost::asio::any_io_executor, boost::asio::thread_pool&, const actuators::EmbeddedOptions&)>;
  OpenEmbedded open_embedded = actuators::open_embedded_target;
  using OpenHistory = std::function<Result<std::unique_ptr<History>>(const std::string&)>;
  OpenHistory open_history = [](const std::string& directory) { return History::open(directory); };
};

class App {
 public:
  static Result<std::unique_ptr<App>> create(AppOptions options);
  ~App();
  App(const App&) = delete;
  App& operator=(const App&) = delete;

  void run();
  void request_stop();                  // as SIGTERM
  void request_reload();                // as SIGHUP
  unsigned short metrics_port() const;  // 0 without a listener

 private:
  struct Impl;
  explicit App(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace lsmtuned::daemon
