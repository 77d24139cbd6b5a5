// A running AgentServer on a socket of its own, and what it told its callbacks.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "actuators/agent_server.h"
#include "fake_agent.h"
#include "support.h"

namespace lsmtuned::actuators {

constexpr std::chrono::milliseconds kLong{30000};

inline const model::ChangeSet& a_change() {
  static const model::ChangeSet kChange = {
      {"default", model::Knob::write_buffer_size, 4194304, 16777216}};
  return kChange;
}
// What an agent reports once a_change() is in force.
inline const boost::json::object& changed_values() {
  static const boost::json::object kValues = {
      {"families", {{"default", {{"write_buffer_size", "16777216"}}}}}};
  return kValues;
}

class AgentServerTest : public ::testing::Test {
 protected:
  ~AgentServerTest() override {
    if (server_) loop_.on_loop([this] { server_.reset(); });
    loop_.finish();
  }

  Result<void> start(std::vector<std::string> users = {}) {
    AgentServerOptions options;
    options.socket_path = path_;
    options.allowed_users = std::move(users);
    options.lease_s = 7;
    AgentServer::Callbacks callbacks;
    callbacks.found = [this](std::shared_ptr<Target> target) {
      const std::scoped_lock lock(mutex_);
      found_.push_back(std::move(target));
    };
    callbacks.lost = [this](const std::shared_ptr<Target>& target, const std::string& reason) {
      const std::scoped_lock lock(mutex_);
      lost_.emplace_back(target->info().path, reason);
    };
    callbacks.lease_expired = [this](const std::shared_ptr<Target>& target) {
      const std::scoped_lock lock(mutex_);
      expired_.push_back(target->info().path);
    };
    callbacks.log = [this](std::string line) {
      const std::scoped_lock lock(mutex_);
      log_.push_back(std::move(line));
    };
    return loop_.on_loop([this, &options, &callbacks] {
      server_ = std::make_unique<AgentServer>(loop_.executor(), options, callbacks);
      return server_->start();
    });
  }

  template <class T>
  std::vector<T> copy(const std::vector<T>& list) {
    const std::scoped_lock lock(mutex_);
    return list;
  }
  // Waits for the target number `index` to be found.
  std::shared_ptr<Target> target(std::size_t index = 0) {
    EXPECT_TRUE(eventually([&] { return copy(found_).size() > index; }));
    return copy(found_).at(index);
  }
  bool logged(const std::string& text) {
    return eventually([&] {
      for (const auto& line : copy(log_))
        if (line.find(text) != std::string::npos) return true;
      return false;
    });
  }
  // An agent with one database, welcomed.
  std::unique_ptr<FakeAgent> attached() {
    auto agent = std::make_unique<FakeAgent>(path_);
    agent->hello({FakeAgent::database(1, "/data/one")});
    agent->receive("welcome");
    return agent;
  }
  // Starts a call on the loop; its result is waited for later.
  template <class T>
  std::future<T> begin(boost::asio::awaitable<T> call) {
    return boost::asio::co_spawn(loop_.executor(), std::move(call), boost::asio::use_future);
  }

  TempDir directory_;
  std::string path_ = directory_ / "agent.sock";
  Loop loop_;
  std::unique_ptr<AgentServer> server_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Target>> found_;
  std::vector<std::pair<std::string, std::string>> lost_;
  std::vector<std::string> expired_;
  std::vector<std::string> log_;
};

}  // namespace lsmtuned::actuators
