// Two small helpers for coroutines on the daemon's event loop: wait for a signal, and run a
// blocking function on a worker.
//
// Thread rules: a LoopSignal is used on one executor and has one waiter at a time. on_worker() runs
// the function on the pool and resumes the caller on its own executor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <type_traits>
#include <utility>

namespace lsmtuned::daemon {

class LoopSignal {
 public:
  explicit LoopSignal(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  void set() {
    set_ = true;
    timer_.cancel();
  }
  void reset() { set_ = false; }
  bool is_set() const { return set_; }

  boost::asio::awaitable<void> wait() {
    while (!set_) {
      timer_.expires_at(std::chrono::steady_clock::time_point::max());
      co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
  }
  // True when the signal was set before the time passed.
  boost::asio::awaitable<bool> wait_for(std::chrono::milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!set_ && std::chrono::steady_clock::now() < end) {
      timer_.expires_at(end);
      co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    }
    co_return set_;
  }

 private:
  boost::asio::steady_timer timer_;
  bool set_ = false;
};

template <class Function>
boost::asio::awaitable<std::invoke_result_t<Function&>> on_worker(boost::asio::thread_pool& pool,
                                                                  Function function) {
  using Value = std::invoke_result_t<Function&>;
  auto work = [function = std::move(function)]() mutable -> boost::asio::awaitable<Value> {
    co_return function();
  };
  auto started =
      boost::asio::co_spawn(pool.get_executor(), std::move(work), boost::asio::use_awaitable);
  co_return co_await std::move(started);
}

}  // namespace lsmtuned::daemon
