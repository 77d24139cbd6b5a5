#include "daemon/app.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/thread_pool.hpp>
#include <csignal>
#include <cstdlib>
#include <map>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "actuators/agent_server.h"
#include "config/parse.h"
#include "controller/state.h"
#include "daemon/commands.h"
#include "daemon/control_server.h"
#include "daemon/databases.h"
#include "daemon/http_server.h"
#include "daemon/lock.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/notify.h"
#include "daemon/target_runner.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr double kHousekeepingInterval_s = 1;
constexpr double kHistoryInterval_s = 10;
constexpr double kPruneInterval_s = 6 * 3600;

// The lease that the agent is told at the handshake; each heartbeat then carries its target's own.
double longest_lease(const config::DaemonConfig& config) {
  double lease = config.defaults.lease_s;
  for (const config::TargetConfig& target : config.targets)
    lease = std::max(lease, target.policy.lease_s);
  return lease;
}

}  // namespace

struct App::Impl {
  explicit Impl(AppOptions given)
      : options(std::move(given)),
        config(options.config),
        clock(options.clock_speed),
        databases(config),
        signals(loop),
        housekeeping(loop),
        history_timer(loop) {}

  // Destroyed last to first: the pools end before the loop whose coroutines they answer.
  asio::io_context loop{1};
  AppOptions options;
  config::DaemonConfig config;
  Clock clock;
  std::optional<InstanceLock> lock;
  std::unique_ptr<History> history;
  Metrics metrics;
  ServiceNotifier notifier;
  Databases databases;
  std::unique_ptr<actuators::AgentServer> agents;
  std::unique_ptr<ControlServer> control;
  std::unique_ptr<HttpServer> http;
  asio::signal_set signals;
  asio::steady_timer housekeeping;
  asio::steady_timer history_timer;
  CommandServices commands;
  double next_prune_s = 0;
  double next_watchdog_s = 0;
  std::map<std::string, bool> stuck;
  bool stopping = false;
  bool handed_over = false;
  asio::thread_pool records{1};
  asio::thread_pool samplers{1};
  std::unique_ptr<asio::thread_pool> searches;
  std::unique_ptr<asio::thread_pool> embedded_calls;  // blocking calls of embedded databases

  // ---- start ------------------------------------------------------------------------------

  Result<void> open() {
    Result<InstanceLock> taken = InstanceLock::acquire(config.state_directory);
    if (!taken) return taken.error();
    lock.emplace(std::move(*taken));
    Result<std::unique_ptr<History>> opened = options.open_history(config.state_directory);
    if (!opened) return opened.error();
    history = std::move(*opened);
    for (const std::string& warning : history->warnings()) spdlog::warn("history: {}", warning);

    searches = std::make_unique<asio::thread_pool>(
        static_cast<std::size_t>(std::max(1, config.worker_threads)));
    const auto embedded = std::count_if(config.targets.begin(), config.targets.end(),
                                        [](const config::TargetConfig& target) {
                                          return target.kind == config::TargetKind::embedded;
                                        });
    // An options call can hang in a write stop: it must not keep another database's reads waiting.
    if (embedded > 0)
      embedded_calls = std::make_unique<asio::thread_pool>(static_cast<std::size_t>(3 * embedded));

    commands.runners = [this] { return databases.runners(); };
    commands.observed_only = [this](const std::string& name) {
      return databases.observed_only(name);
    };
    commands.history = history.get();
    commands.records = &records;
    commands.clock = &clock;
    commands.started_wall_s = clock.wall_s();
    control = std::make_unique<ControlServer>(
        loop.get_executor(), config.control_socket,
        [this](json::object request, std::string user) -> asio::awaitable<json::object> {
          return answer_command(commands, std::move(request), std::move(user));
        });
    const Result<void> listening = control->start();
    if (!listening) return listening.error();

    databases.start(runner_services());
    databases.expect_named();
    const Result<void> served = start_http();
    if (!served) return served.error();
    const Result<void> accepting = start_agents();
    if (!accepting) return accepting.error();
    return open_embedded();
  }

  RunnerServices runner_services() {
    RunnerServices services;
    services.executor = loop.get_executor();
    services.records = &records;
    services.samplers = &samplers;
    services.searches = searches.get();
    services.history = history.get();
    services.metrics = &metrics;
    services.clock = &clock;
    services.record_events = config.record_events;
    services.record_events_bytes = config.record_events_bytes;
    services.cpu_cores = std::max(1u, std::thread::hardware_concurrency());
    return services;
  }

  Result<void> start_http() {
    if (config.metrics_listen.empty()) return {};
    http = std::make_unique<HttpServer>(loop.get_executor(), config.metrics_listen,
                                        [this](const std::string& method, const std::string& path) {
                                          return answer_http(method, path);
                                        });
    return http->start();
  }

  Result<void> start_agents() {
    actuators::AgentServerOptions server;
    server.socket_path = config.agent_socket;
    server.socket_group = config.agent_socket_group;
    server.allowed_users = config.agent_users;
    server.lease_s = longest_lease(config);
    actuators::AgentServer::Callbacks callbacks;
    callbacks.found = [this](const std::shared_ptr<actuators::Target>& target) {
      databases.found(target);
    };
    callbacks.lost = [this](const std::shared_ptr<actuators::Target>& target,
                            const std::string& reason) { databases.lost(target, reason); };
    callbacks.lease_expired = [this](const std::shared_ptr<actuators::Target>& target) {
      databases.lease_expired(target);
    };
    callbacks.log = [](const std::string& line) { spdlog::warn("agents: {}", line); };
    agents = std::make_unique<actuators::AgentServer>(loop.get_executor(), std::move(server),
                                                      std::move(callbacks));
    return agents->start();
  }

  Result<void> open_embedded() {
    for (const config::TargetConfig& target : config.targets) {
      if (target.kind != config::TargetKind::embedded) continue;
      actuators::EmbeddedOptions embedded;
      embedded.name = target.name;
      embedded.path = target.path;
      embedded.statistics = target.statistics;
      embedded.lease_expired = [this](const std::shared_ptr<actuators::Target>& expired) {
        databases.lease_expired(expired);
      };
      auto opened = options.open_embedded(loop.get_executor(), *embedded_calls, embedded);
      if (!opened)
        return Error{"target \"" + target.name + "\": " + opened.error().what,
                     opened.error().remedy};
      databases.opened(*opened, target.name);
    }
    return {};
  }

  // ---- what others ask --------------------------------------------------------------------

  HttpReply answer_http(const std::string& method, const std::string& path) {
    HttpReply reply;
    if (method != "GET" && method != "HEAD") {
      reply.status = 405;
      reply.body = "GET or HEAD\n";
    } else if (path == "/metrics") {
      reply.content_type = "text/plain; version=0.0.4; charset=utf-8";
      reply.body = metrics.text();
    } else if (path == "/health") {
      std::string names;
      for (const auto& runner : databases.runners())
        if (!runner->made_progress()) names += (names.empty() ? "" : ", ") + runner->name();
      reply.status = names.empty() ? 200 : 503;
      reply.body = names.empty() ? "ok\n" : "no progress: " + names + "\n";
    } else {
      reply.status = 404;
      reply.body = "there are /metrics and /health\n";
    }
    return reply;
  }

  std::string status_line() const {
    std::size_t attached = 0;
    std::string first;
    for (const auto& runner : databases.runners()) {
      if (!runner->target()) continue;
      if (attached++ != 0) continue;
      first = runner->name() + " " + controller::to_text(runner->state().phase);
      if (runner->latest_interval().valid)
        first += ", puts " + model::format_rate(runner->latest_interval().put_bytes_per_s);
    }
    if (attached == 0) return "waiting for databases";
    if (attached == 1) return first;
    return std::to_string(attached) + " databases; " + first;
  }

  // The watchdog is fed only while every target's loop goes round.
  asio::awaitable<void> keep_house() {
    const double watchdog = notifier.watchdog_s();
    while (!stopping) {
      bool all_move = true;
      for (const auto& runner : databases.runners()) {
        // A history that cannot be read is told by itself, and a restart would not mend it; it
        // would end the other databases' trials.
        const bool moves = !runner->loaded() || runner->made_progress();
        bool& was_stuck = stuck[runner->name()];
        if (!moves && !was_stuck) spdlog::critical("{}: the control loop is stuck", runner->name());
        was_stuck = !moves;
        all_move = all_move && moves;
      }
      databases.keep_turns();
      const double now = clock.now_s();
      if (all_move && watchdog > 0 && now >= next_watchdog_s) {
        notifier.watchdog();
        next_watchdog_s = now + watchdog / 3;
      }
      notifier.status(status_line());
      housekeeping.expires_after(clock.real(kHousekeepingInterval_s));
      co_await housekeeping.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }

  // Apart from keep_house(): a slow disk must not starve the watchdog of a loop that is well.
  asio::awaitable<void> keep_history() {
    while (!stopping) {
      const double now = clock.now_s();
      const bool prune_now = now >= next_prune_s;
      if (prune_now) next_prune_s = now + kPruneInterval_s;
      const double oldest = clock.wall_s() - config.history_days * 86400;
      auto work = [from = history.get(), oldest, prune_now] {
        std::vector<std::string> lines;
        if (prune_now) {
          const Result<void> pruned = from->prune_older_than(oldest);
          if (!pruned) lines.push_back(pruned.error().text());
        }
        for (std::string& warning : from->warnings()) lines.push_back(std::move(warning));
        return lines;
      };
      const std::vector<std::string> lines = co_await on_worker(records, std::move(work));
      for (const std::string& line : lines) spdlog::warn("history: {}", line);
      if (stopping) co_return;
      history_timer.expires_after(clock.real(kHistoryInterval_s));
      co_await history_timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }

  // ---- reload -----------------------------------------------------------------------------

  void reload() {
    if (stopping) return;
    if (options.config_path.empty()) {
      spdlog::warn("there is no configuration file to read again");
      return;
    }
    notifier.reloading();
    config::ParseOutcome outcome = config::parse_file(options.config_path);
    for (const std::string& warning : outcome.warnings) spdlog::warn("{}", warning);
    if (!outcome.problems.empty()) {
      for (const config::Problem& problem : outcome.problems)
        spdlog::error("configuration: {}", problem.text());
      spdlog::error("the running configuration stays: {} has {} problems", options.config_path,
                    outcome.problems.size());
      notifier.ready();
      return;
    }
    for (const std::string& key : config::changes_needing_restart(config, outcome.config))
      spdlog::warn("{} has changed: it takes effect with the next restart of lsmtuned", key);
    take_over(std::move(outcome.config));
    spdlog::info("configuration read again from {}", options.config_path);
    notifier.ready();
  }

  void take_over(config::DaemonConfig wanted) {
    const config::DaemonConfig before = std::move(config);
    config = std::move(wanted);
    // What was fixed at the start stays what it is until a restart.
    config.agent_socket = before.agent_socket;
    config.agent_socket_group = before.agent_socket_group;
    config.agent_users = before.agent_users;
    config.control_socket = before.control_socket;
    config.state_directory = before.state_directory;
    config.record_events = before.record_events;
    config.record_events_bytes = before.record_events_bytes;
    config.metrics_listen = before.metrics_listen;
    config.worker_threads = before.worker_threads;
    config.log_target = before.log_target;
    if (config.log_level != before.log_level) {
      const Result<void> set = set_log_level(config.log_level);
      if (!set) spdlog::error("{}", set.error().text());
    }
    for (const config::TargetConfig& target : config.targets) {
      for (const config::TargetConfig& old : before.targets)
        if (old.name == target.name && old.statistics != target.statistics)
          spdlog::warn("{}: statistics take effect when the database is opened again", target.name);
    }
    databases.follow_configuration();
  }

  // ---- the end ----------------------------------------------------------------------------

  asio::awaitable<void> watch_signals() {
    while (!handed_over) {
      auto [code, number] = co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
      if (code) co_return;
      if (number == SIGHUP) {
        reload();
        continue;
      }
      if (stopping) {
        spdlog::warn("second signal: leaving at once; the databases' leases restore the baseline");
        spdlog::default_logger()->flush();
        std::_Exit(128 + number);
      }
      spdlog::info("signal {}: stopping", number);
      stop();
    }
  }

  void stop() {
    if (stopping) return;
    stopping = true;
    databases.close();
    notifier.stopping();
    housekeeping.cancel();
    history_timer.cancel();
    asio::co_spawn(loop, hand_over(), asio::detached);
  }

  asio::awaitable<void> hand_over() {
    const auto deadline =
        std::chrono::steady_clock::now() +
        std::chrono::milliseconds(static_cast<std::int64_t>(options.stop_deadline_s * 1000));
    auto finished = std::make_shared<LoopSignal>(loop.get_executor());
    const std::vector<std::shared_ptr<TargetRunner>> runners = databases.runners();
    auto left = std::make_shared<std::size_t>(runners.size());
    for (const auto& runner : runners) {
      asio::co_spawn(loop, runner->shut_down(deadline),
                     [finished, left, name = runner->name()](const std::exception_ptr& failure) {
                       if (failure) spdlog::error("{}: the hand-over failed", name);
                       if (--*left == 0) finished->set();
                     });
    }
    if (*left > 0) {
      const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      const bool all = co_await finished->wait_for(time);
      if (!all)
        spdlog::error("{} targets were not handed over in {} s; their leases restore the baseline",
                      *left, options.stop_deadline_s);
    }
    for (const auto& runner : runners) runner->stop();
    if (agents) agents->stop();
    if (control) control->stop();
    if (http) http->stop();
    boost::system::error_code ignored;
    signals.cancel(ignored);
    handed_over = true;
  }
};

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

App::~App() {
  // Work that is still on a pool refers to history and loop; both live until the pools are done.
  impl_->samplers.join();
  if (impl_->searches) impl_->searches->join();
  impl_->records.join();
}

Result<std::unique_ptr<App>> App::create(AppOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  const Result<void> opened = impl->open();
  if (!opened) return opened.error();
  return {Result<std::unique_ptr<App>>::in_place_value,
          std::unique_ptr<App>(new App(std::move(impl)))};
}

void App::run() {
  Impl& impl = *impl_;
  if (impl.options.handle_signals) {
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) impl.signals.add(number);
    asio::co_spawn(impl.loop, impl.watch_signals(), asio::detached);
  }
  asio::co_spawn(impl.loop, impl.keep_house(), asio::detached);
  asio::co_spawn(impl.loop, impl.keep_history(), asio::detached);
  spdlog::info("lsmtuned {} (pid {}) is ready: {} named targets, agents at {}, control at {}",
               LSMTUNED_VERSION, ::getpid(), impl.config.targets.size(), impl.config.agent_socket,
               impl.config.control_socket);
  impl.notifier.ready();
  auto keep_running = asio::make_work_guard(impl.loop);
  while (!impl.handed_over) impl.loop.run_one();
  // Every coroutine is on its way out; what still waits for a database after this is dropped.
  keep_running.reset();
  impl.loop.run_for(std::chrono::seconds(2));
  spdlog::info("lsmtuned has stopped");
}

void App::request_stop() {
  asio::post(impl_->loop, [impl = impl_.get()] { impl->stop(); });
}

void App::request_reload() {
  asio::post(impl_->loop, [impl = impl_.get()] { impl->reload(); });
}

unsigned short App::metrics_port() const {
  return impl_->http ? impl_->http->port() : 0;
}

}  // namespace lsmtuned::daemon
