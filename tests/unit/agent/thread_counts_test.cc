// Counts that many threads add to: nothing lost, nothing doubled, whatever threads do.
#include "actuators/agent/thread_counts.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace lsmtuned::agent {
namespace {

using Counts = ThreadCounts<5>;

template <typename Body>
void in_threads(int threads, Body body) {
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) running.emplace_back(body, thread);
  for (std::thread& thread : running) thread.join();
}

TEST(ThreadCounts, TotalsAreExactAndReadersNeverSeeThemShrink) {
  constexpr int kThreads = 8;
  constexpr std::uint64_t kAdds = 200000;
  Counts counts;
  std::atomic<bool> done{false};
  std::thread reader([&] {
    std::uint64_t before = 0;
    while (!done.load()) {
      const std::uint64_t now = counts.get(1);
      EXPECT_GE(now, before);
      before = now;
    }
  });
  in_threads(kThreads, [&](int) {
    for (std::uint64_t i = 0; i < kAdds; ++i) {
      counts.add(1, 1);
      counts.add(2, i);
    }
  });
  done = true;
  reader.join();
  EXPECT_EQ(counts.get(1), kThreads * kAdds);
  EXPECT_EQ(counts.get(2), kThreads * (kAdds * (kAdds - 1) / 2));
  EXPECT_EQ(counts.get(3), 0u);
  EXPECT_EQ(counts.all(), (std::vector<std::uint64_t>{0, counts.get(1), counts.get(2), 0, 0}));
}

TEST(ThreadCounts, TenThousandShortThreadsLeaveTheirCountsAndGiveTheirRowsBack) {
  constexpr int kRounds = 1250;
  constexpr int kThreads = 8;
  Counts counts;
  counts.add(0, 1);
  const std::uint32_t owned_before = thread_row::owned_now();
  for (int round = 0; round < kRounds; ++round)
    in_threads(kThreads, [&](int thread) {
      counts.add(0, 1);
      counts.add(1, static_cast<std::uint64_t>(thread));
    });
  EXPECT_EQ(counts.get(0), 1u + kRounds * kThreads);
  EXPECT_EQ(counts.get(1), kRounds * (kThreads * (kThreads - 1) / 2));
  EXPECT_EQ(thread_row::owned_now(), owned_before);
}

TEST(ThreadCounts, ThreadsBeyondTheTableShareRows) {
  constexpr int kThreads = static_cast<int>(kOwnedRows) + 40;
  constexpr std::uint64_t kAdds = 500;
  Counts counts;
  std::atomic<int> sharing{0};
  std::barrier all_have_asked(kThreads);
  in_threads(kThreads, [&](int) {
    counts.add(4, 1);
    all_have_asked.arrive_and_wait();
    if (thread_row::current == thread_row::kShared) ++sharing;
    for (std::uint64_t i = 1; i < kAdds; ++i) counts.add(4, 1);
  });
  EXPECT_GE(sharing.load(), 40);
  EXPECT_EQ(counts.get(4), kThreads * kAdds);
  // Those that come later find rows of their own again.
  in_threads(1, [&](int) {
    counts.add(4, 1);
    EXPECT_NE(thread_row::current, thread_row::kShared);
  });
}

TEST(ThreadCounts, TablesAreApart) {
  Counts one;
  Counts other;
  in_threads(4, [&](int) {
    for (int i = 0; i < 1000; ++i) {
      one.add(0, 1);
      other.add(0, 2);
    }
  });
  EXPECT_EQ(one.get(0), 4000u);
  EXPECT_EQ(other.get(0), 8000u);
  one.exchange(0, 0);
  EXPECT_EQ(other.get(0), 8000u);
}

TEST(ThreadCounts, ATableStartsAtZeroWhereAnotherOneWas) {
  for (int round = 0; round < 3; ++round) {
    auto counts = std::make_unique<Counts>();
    counts->add(0, 7);
    EXPECT_EQ(counts->get(0), 7u);
  }
}

TEST(ThreadCounts, ExchangeSetsWhateverOwnersHold) {
  Counts counts;
  in_threads(3, [&](int) { counts.add(0, 10); });
  EXPECT_EQ(counts.exchange(0, 0), 30u);
  EXPECT_EQ(counts.get(0), 0u);
  counts.add(0, 4);
  EXPECT_EQ(counts.exchange(0, 1000), 4u);
  EXPECT_EQ(counts.get(0), 1000u);
  counts.add(0, 1);
  EXPECT_EQ(counts.all()[0], 1001u);
}

TEST(ThreadCounts, ExchangesThatRaceTakeEveryAddOnce) {
  constexpr std::uint64_t kAdds = 100000;
  Counts counts;
  std::atomic<std::uint64_t> taken{0};
  in_threads(6, [&](int thread) {
    for (std::uint64_t i = 0; i < kAdds; ++i) {
      if (thread < 4) {
        counts.add(0, 1);
      } else if (i % 50 == 0) {
        taken += counts.exchange(0, 0);
      }
    }
  });
  EXPECT_EQ(taken + counts.exchange(0, 0), 4 * kAdds);
}

// A thread-local object made before the thread's first count is destroyed after the row is given
// back, and may count then; destructors of POSIX thread keys run later still.
TEST(ThreadCounts, WhatAThreadCountsWhileItEndsIsKept) {
  static Counts* counts = nullptr;
  struct CountsAtItsEnd {
    ~CountsAtItsEnd() {
      EXPECT_EQ(thread_row::current, thread_row::kShared);
      counts->add(0, 100);
    }
  };
  Counts table;
  counts = &table;
  pthread_key_t key{};
  ASSERT_EQ(pthread_key_create(&key, [](void*) { counts->add(0, 10000); }), 0);
  const std::uint32_t owned_before = thread_row::owned_now();
  in_threads(1, [&](int) {
    thread_local const CountsAtItsEnd late;
    [[maybe_unused]] const void* made = &late;
    pthread_setspecific(key, &table);
    counts->add(0, 1);
  });
  EXPECT_EQ(table.get(0), 10101u);
  EXPECT_EQ(thread_row::owned_now(), owned_before);
  pthread_key_delete(key);
}

TEST(ThreadCounts, ATableMayGoBeforeTheThreadsThatUsedIt) {
  auto counts = std::make_unique<Counts>();
  std::barrier step(2);
  std::thread thread([&] {
    counts->add(0, 1);
    step.arrive_and_wait();  // the table goes
    step.arrive_and_wait();
  });
  step.arrive_and_wait();
  counts.reset();
  step.arrive_and_wait();
  thread.join();
  Counts next;
  next.add(0, 1);
  EXPECT_EQ(next.get(0), 1u);
}

int exit_status_of_child(int (*body)(Counts&), Counts& counts) {
  const pid_t child = fork();
  if (child == 0) _exit(body(counts));
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ThreadCounts, AForkedChildCountsItsOwnCopyAndFreesTheRowsOfThreadsItDoesNotHave) {
  Counts counts;
  counts.add(0, 5);
  std::barrier all(9);
  std::vector<std::thread> others;
  for (int thread = 0; thread < 8; ++thread)
    others.emplace_back([&] {
      counts.add(0, 1);
      all.arrive_and_wait();
      all.arrive_and_wait();
    });
  all.arrive_and_wait();
  EXPECT_GE(thread_row::owned_now(), 9u);
  const auto body = [](Counts& inherited) {
    if (inherited.get(0) != 13 || thread_row::owned_now() != 1) return 1;
    inherited.add(0, 1);
    Counts fresh;
    fresh.add(0, 3);
    return inherited.get(0) == 14 && fresh.get(0) == 3 ? 0 : 2;
  };
  EXPECT_EQ(exit_status_of_child(body, counts), 0);
  EXPECT_EQ(counts.get(0), 13u);
  all.arrive_and_wait();
  for (std::thread& thread : others) thread.join();
}

}  // namespace
}  // namespace lsmtuned::agent
