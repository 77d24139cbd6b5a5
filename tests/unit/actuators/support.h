// What the tests of this folder share: temporary directories, and running an awaitable to its end.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

namespace lsmtuned::actuators {

// Nothing takes this long unless it hangs.
inline constexpr std::chrono::seconds kForever{60};

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "lsmtuned_XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = pattern;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

inline void write_file(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// An event loop on a thread of its own, as the daemon's.
class Loop {
 public:
  Loop() : guard_(boost::asio::make_work_guard(context_)), thread_([this] { context_.run(); }) {}
  ~Loop() { finish(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Lets what is under way come to its end, then ends the thread.
  void finish() {
    guard_.reset();
    if (thread_.joinable()) thread_.join();
  }
  boost::asio::io_context::executor_type executor() { return context_.get_executor(); }

  template <class T>
  T run(boost::asio::awaitable<T> awaitable) {
    return wait(boost::asio::co_spawn(context_, std::move(awaitable), boost::asio::use_future));
  }
  template <class F>
  auto on_loop(F function) {
    // Behind a pointer: Asio would take a bare packaged_task for a completion token.
    const auto task =
        std::make_shared<std::packaged_task<decltype(function())()>>(std::move(function));
    auto result = task->get_future();
    boost::asio::post(context_, [task] { (*task)(); });
    return wait(std::move(result));
  }
  template <class T>
  static T wait(std::future<T> result) {
    if (result.wait_for(kForever) != std::future_status::ready)
      throw std::runtime_error("nothing came back");
    return result.get();
  }

 private:
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
};

// Polls until `condition` holds; false when it never does.
inline bool eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kForever;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

}  // namespace lsmtuned::actuators
