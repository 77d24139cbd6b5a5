// Helpers of the event loop, the clock, and the OPTIONS fragment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>

#include "daemon/clock.h"
#include "daemon/loop_signal.h"
#include "daemon/options_fragment.h"

namespace lsmtuned::daemon {
namespace {

namespace asio = boost::asio;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(LoopSignal, WakesItsWaiterOnce) {
  asio::io_context loop;
  LoopSignal signal(loop.get_executor());
  int woken = 0;
  auto wait = [&]() -> asio::awaitable<void> {
    co_await signal.wait();
    ++woken;
  };
  asio::co_spawn(loop, wait(), asio::detached);
  loop.poll();
  EXPECT_EQ(woken, 0);
  signal.set();
  loop.restart();
  loop.run();
  EXPECT_EQ(woken, 1);
}

TEST(LoopSignal, SaysWhetherItCameInTime) {
  asio::io_context loop;
  LoopSignal never(loop.get_executor());
  LoopSignal set(loop.get_executor());
  set.set();
  bool late = true;
  bool in_time = false;
  auto wait = [&]() -> asio::awaitable<void> {
    late = co_await never.wait_for(std::chrono::milliseconds(5));
    in_time = co_await set.wait_for(std::chrono::milliseconds(1));
  };
  asio::co_spawn(loop, wait(), asio::detached);
  loop.run();
  EXPECT_FALSE(late);
  EXPECT_TRUE(in_time);
}

TEST(OnWorker, RunsThereAndResumesHere) {
  asio::io_context loop;
  asio::thread_pool pool(1);
  const auto here = std::this_thread::get_id();
  std::thread::id ran;
  std::thread::id resumed;
  int value = 0;
  auto work = [&]() -> asio::awaitable<void> {
    auto job = [&ran] {
      ran = std::this_thread::get_id();
      return 42;
    };
    value = co_await on_worker(pool, std::move(job));
    resumed = std::this_thread::get_id();
  };
  asio::co_spawn(loop, work(), asio::detached);
  loop.run();
  pool.join();
  EXPECT_EQ(value, 42);
  EXPECT_NE(ran, here);
  EXPECT_EQ(resumed, here);
}

TEST(Clock, GoesForwardAndRunsFasterWhenTold) {
  const Clock clock(1000);
  const double start = clock.now_s();
  const double wall = clock.wall_s();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  EXPECT_GE(clock.now_s() - start, 5);
  EXPECT_GE(clock.wall_s() - wall, 5);
  EXPECT_EQ(clock.real(100), std::chrono::milliseconds(100));
  EXPECT_EQ(clock.real(0), std::chrono::milliseconds(1));
  const double minute = clock.local_minute_of_day();
  EXPECT_GE(minute, 0);
  EXPECT_LT(minute, 1440);
}

TEST(OptionsFragment, HoldsKeptKnobsBySectionAndTheirDecisions) {
  using model::Knob;
  const model::ChangeSet kept = {
      {"", Knob::max_background_jobs, 2, 4},
      {"", Knob::rate_limiter_bytes_per_second, 1e6, 2e6},
      {"default", Knob::write_buffer_size, 4194304, 16777216},
      {"meta", Knob::max_bytes_for_level_multiplier, 10, 8.5},
  };
  controller::Decision one;
  one.id = 7;
  one.wall_time_s = 1795252500;
  one.changes = {{"default", Knob::write_buffer_size, 4194304, 16777216}};
  controller::Decision other;
  other.id = 8;
  other.changes = {{"default", Knob::write_buffer_size, 16777216, 4194304}};
  const std::string text = options_fragment("main", kept, {other, one}, 1795252600);
  EXPECT_THAT(text, HasSubstr("[DBOptions]\n  max_background_jobs=4\n"));
  EXPECT_THAT(text, HasSubstr("[CFOptions \"default\"]\n  write_buffer_size=16777216\n"));
  EXPECT_THAT(text, HasSubstr("[CFOptions \"meta\"]\n  max_bytes_for_level_multiplier=8.5\n"));
  EXPECT_THAT(text, HasSubstr("# decision 7, " + utc_text(1795252500)));
  EXPECT_THAT(text, Not(HasSubstr("# decision 8")));
  EXPECT_THAT(text, HasSubstr("# rate limiter (set in the program): 2000000 bytes/s"));
  EXPECT_THAT(text, Not(HasSubstr("[Version]")));
}

TEST(OptionsFragment, SaysWhatTheFirstCompressedLevelStandsFor) {
  const model::ChangeSet kept = {{"default", model::Knob::first_compressed_level, 1, 3}};
  EXPECT_THAT(options_fragment("main", kept, {}, 0),
              HasSubstr("  # compression_per_level=kNoCompression:kNoCompression:X, X being"));
}

TEST(OptionsFragment, CannotBeForgedByNames) {
  const model::ChangeSet kept = {{"a\n[DBOptions]", model::Knob::write_buffer_size, 1, 2097152}};
  const std::string text = options_fragment("x\ny", kept, {}, 0);
  EXPECT_THAT(text, Not(HasSubstr("\n[DBOptions]")));
  EXPECT_THAT(text, HasSubstr("x?y"));
  EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00Z");
  EXPECT_THAT(options_fragment("x", {}, {}, 0), HasSubstr("Nothing is kept"));
}

}  // namespace
}  // namespace lsmtuned::daemon
