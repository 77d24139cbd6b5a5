// A whole daemon in this process, over an in-memory plant, in time that runs faster.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "actuators/testing/plant_target.h"
#include "daemon/app.h"
#include "daemon/control_protocol.h"
#include "temp_dir.h"

namespace lsmtuned::daemon::testing {

namespace json = boost::json;

// What a test sees and steers from its own thread.
struct Switches {
  std::atomic<bool> hang_observe{false};  // never answers
  std::atomic<bool> fail_observe{false};  // answers with an error
  std::atomic<bool> late_apply{false};    // the next applies are pending, then happen
  std::atomic<bool> fail_apply{false};
  std::atomic<bool> opened_again{false};  // another open of the database answers from now on
  std::atomic<double> device_write_bytes_per_s{0};  // of the plant from now on; 0: as it was
  std::atomic<int> heartbeats{0};
  std::atomic<int> applies{0};
  std::atomic<int> restores{0};
  std::atomic<int> keeps{0};
  std::mutex mutex;
  model::Settings settings;  // as last reported by any call

  model::Settings seen() {
    const std::lock_guard lock(mutex);
    return settings;
  }
};

class SteeredTarget final : public actuators::Target {
 public:
  SteeredTarget(boost::asio::any_io_executor executor,
                std::shared_ptr<actuators::testing::PlantTarget> plant,
                std::shared_ptr<Switches> switches)
      : executor_(std::move(executor)), plant_(std::move(plant)), switches_(std::move(switches)) {
    note();
  }

  const actuators::TargetInfo& info() const override {
    if (!switches_->opened_again) return plant_->info();
    next_open_ = plant_->info();
    ++next_open_.incarnation;
    return next_open_;
  }
  bool connected() const override { return plant_->connected(); }

  boost::asio::awaitable<Result<model::Snapshot>> observe(
      std::chrono::milliseconds deadline) override {
    while (switches_->hang_observe) co_await pause(5);
    if (switches_->fail_observe) co_return Error{"told to fail", ""};
    if (const double rate = switches_->device_write_bytes_per_s; rate > 0)
      plant_->plant().set_device_write_bytes_per_s(rate);
    Result<model::Snapshot> result = co_await plant_->observe(deadline);
    note();
    co_return result;
  }
  boost::asio::awaitable<Result<actuators::Attachment>> attachment(
      std::chrono::milliseconds deadline) override {
    return plant_->attachment(deadline);
  }
  boost::asio::awaitable<actuators::ApplyReport> apply(model::ChangeSet changes, bool is_revert,
                                                       std::chrono::milliseconds deadline,
                                                       LateResult late) override {
    ++switches_->applies;
    if (switches_->fail_apply && !is_revert) {
      actuators::ApplyReport report;
      report.status = actuators::ApplyStatus::failed;
      report.error = "told to fail";
      co_return report;
    }
    if (switches_->late_apply && !is_revert) {
      auto later = [](std::shared_ptr<actuators::testing::PlantTarget> plant,
                      boost::asio::any_io_executor executor, model::ChangeSet wanted,
                      LateResult answer) -> boost::asio::awaitable<void> {
        boost::asio::steady_timer timer(executor, std::chrono::milliseconds(100));
        co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        LateResult nobody;
        actuators::ApplyReport report = co_await plant->apply(
            std::move(wanted), false, std::chrono::milliseconds(1000), std::move(nobody));
        answer(std::move(report));
      };
      boost::asio::co_spawn(executor_,
                            later(plant_, executor_, std::move(changes), std::move(late)),
                            [](const std::exception_ptr&) {});
      actuators::ApplyReport report;
      report.status = actuators::ApplyStatus::pending;
      co_return report;
    }
    actuators::ApplyReport report =
        co_await plant_->apply(std::move(changes), is_revert, deadline, std::move(late));
    note();
    co_return report;
  }
  boost::asio::awaitable<actuators::ApplyReport> restore(bool clear_delay,
                                                         std::chrono::milliseconds deadline,
                                                         LateResult late) override {
    ++switches_->restores;
    actuators::ApplyReport report =
        co_await plant_->restore(clear_delay, deadline, std::move(late));
    note();
    co_return report;
  }
  boost::asio::awaitable<Result<void>> adopt(model::ChangeSet foreign,
                                             std::chrono::milliseconds deadline) override {
    return plant_->adopt(std::move(foreign), deadline);
  }
  void heartbeat(std::chrono::milliseconds lease) override {
    ++switches_->heartbeats;
    plant_->heartbeat(lease);
  }
  boost::asio::awaitable<Result<void>> keep_without_lease(
      std::chrono::milliseconds deadline) override {
    ++switches_->keeps;
    return plant_->keep_without_lease(deadline);
  }

 private:
  boost::asio::awaitable<void> pause(int milliseconds) {
    boost::asio::steady_timer timer(executor_, std::chrono::milliseconds(milliseconds));
    co_await timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }
  void note() {
    const std::lock_guard lock(switches_->mutex);
    switches_->settings = plant_->plant().settings();
  }

  boost::asio::any_io_executor executor_;
  std::shared_ptr<actuators::testing::PlantTarget> plant_;
  mutable actuators::TargetInfo next_open_;
  std::shared_ptr<Switches> switches_;
};

class RunningApp : public ::testing::Test {
 protected:
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr double kSpeed = 15;  // a step of the loop takes many times as long
#else
  static constexpr double kSpeed = 50;
#endif

  RunningApp() {
    config_.agent_socket = temp_.file("agent.sock");
    config_.control_socket = temp_.file("control.sock");
    config_.state_directory = temp_.file("state");
    config_.metrics_listen = "";
    config_.sample_interval_s = 5;
    config::TargetConfig target;
    target.name = "plant";
    target.kind = config::TargetKind::embedded;
    target.path = "/plant";
    config::Policy& policy = target.policy;
    policy.mode = config::Mode::tune;
    policy.memory_budget_bytes = 512.0 * 1024 * 1024;
    policy.observation_s = 60;
    policy.lease_s = 100000;  // the plant's lease runs in its own fast time
    policy.cooldown_s = 20;
    policy.trial_min_cycles = 2;
    policy.trial_min_s = 30;
    policy.trial_max_s = 200;
    policy.settle_max_s = 60;
    policy.trust_region_factor = 16;
    config_.targets.push_back(target);
  }

  ~RunningApp() override {
    stop();
  }

  config::Policy& policy() {
    return config_.targets.front().policy;
  }

  void start(const std::string& config_path = "") {
    AppOptions options;
    options.config = config_;
    options.config_path = config_path;
    options.handle_signals = false;
    options.clock_speed = speed_;
    options.open_embedded = [this](boost::asio::any_io_executor executor, boost::asio::thread_pool&,
                                   const actuators::EmbeddedOptions& embedded)
        -> Result<std::shared_ptr<actuators::Target>> {
      auto& held = embedded.name == "plant" ? plant_ : other_plants_[embedded.name];
      auto& steered = embedded.name == "plant" ? switches_ : other_switches_[embedded.name];
      if (!steered) steered = std::make_shared<Switches>();
      if (!held) {
        actuators::testing::PlantTargetOptions plant;
        plant.name = embedded.name;
        plant.path = embedded.path;
        plant.database_id = database_id_;
        // More than the baseline sustains, less than good settings do: a trial has a clear result.
        plant.plant.writer_ops_per_s = 12e3;
        auto clock = std::make_shared<Clock>(speed_);
        plant.clock_s = [clock] { return clock->now_s(); };
        held = std::make_shared<actuators::testing::PlantTarget>(std::move(plant));
      }
      return std::shared_ptr<actuators::Target>(
          std::make_shared<SteeredTarget>(std::move(executor), held, steered));
    };
    if (open_history_) options.open_history = open_history_;
    auto created = App::create(std::move(options));
    ASSERT_TRUE(created) << created.error().text();
    app_ = std::move(*created);
    thread_ = std::thread([this] { app_->run(); });
  }

  void stop() {
    if (!app_) return;
    app_->request_stop();
    thread_.join();
    app_.reset();
  }

  json::object ask(const json::object& request) {
    auto answer = call_daemon(config_.control_socket, request, 20);
    if (!answer) return {{"ok", false}, {"code", "unreachable"}, {"error", answer.error().text()}};
    return std::move(*answer);
  }
  json::object status() {
    return ask({{"command", "status"}});
  }
  static std::string text(const json::object& object, const char* name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return "";
    return std::string(value->get_string().data(), value->get_string().size());
  }
  static bool ok(const json::object& answer) {
    const json::value* value = answer.if_contains("ok");
    return value != nullptr && value->is_bool() && value->get_bool();
  }

  // Generous: the sanitizers are slow and the machine is shared. Passing never waits for it.
  static bool eventually(const std::function<bool()>& condition, double seconds = 100) {
    const auto end = std::chrono::steady_clock::now() +
                     std::chrono::milliseconds(static_cast<int>(seconds * 1000));
    while (std::chrono::steady_clock::now() < end) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return condition();
  }
  bool phase_becomes(const std::string& phase) {
    return eventually([&] { return text(status(), "phase") == phase; });
  }

  double speed_ = kSpeed;
  TempDir temp_;
  config::DaemonConfig config_;
  std::shared_ptr<Switches> switches_ = std::make_shared<Switches>();
  std::shared_ptr<actuators::testing::PlantTarget> plant_;  // survives a restart of the app
  std::map<std::string, std::shared_ptr<actuators::testing::PlantTarget>> other_plants_;
  std::map<std::string, std::shared_ptr<Switches>> other_switches_;
  std::string database_id_ = "one";
  AppOptions::OpenHistory open_history_;
  std::unique_ptr<App> app_;
  std::thread thread_;
};

}  // namespace lsmtuned::daemon::testing
