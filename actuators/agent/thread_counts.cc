#include "actuators/agent/thread_counts.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include <bit>
#include <new>

namespace lsmtuned::agent::thread_row {
namespace {

constexpr std::uint32_t kWordBits = 64;

// Nothing here has a destructor: threads may end, and count, after those of static objects ran.
constinit std::atomic<std::uint64_t> taken[kOwnedRows / kWordBits];  // a bit for each owned row
constinit std::atomic<std::uint32_t> highest_taken{0};

std::uint64_t bit_of(std::uint32_t row) {
  return std::uint64_t{1} << ((row - 1) % kWordBits);
}
std::uint32_t word_of(std::uint32_t row) {
  return (row - 1) / kWordBits;
}
bool owned(std::uint32_t row) {
  return row != 0 && row != kShared;
}

struct GivesBack {
  ~GivesBack() {
    const std::uint32_t row = current;
    current = kShared;  // what other destructors of this thread still count
    // Release: the next owner goes on from what this one stored.
    if (owned(row)) taken[word_of(row)].fetch_and(~bit_of(row), std::memory_order_release);
  }
};

void raise_highest(std::uint32_t row) {
  std::uint32_t known = highest_taken.load(std::memory_order_relaxed);
  while (known < row &&
         !highest_taken.compare_exchange_weak(known, row, std::memory_order_relaxed)) {
  }
}

// A forked child has one thread; the rows of those that it does not have are free.
void only_this_thread_is_left() {
  for (std::uint32_t word = 0; word < kOwnedRows / kWordBits; ++word)
    taken[word].store(owned(current) && word_of(current) == word ? bit_of(current) : 0,
                      std::memory_order_relaxed);
}
// Where this fails for want of memory such rows stay taken, and the child shares a little sooner.
[[maybe_unused]] const int fork_hook = pthread_atfork(nullptr, nullptr, &only_this_thread_is_left);

}  // namespace

constinit thread_local std::uint32_t current __attribute__((tls_model("initial-exec"))) = 0;

void take() noexcept {
  current = kShared;
  for (std::uint32_t word = 0; word < kOwnedRows / kWordBits; ++word) {
    std::uint64_t bits = taken[word].load(std::memory_order_relaxed);
    while (~bits != 0) {
      const auto free = static_cast<std::uint32_t>(std::countr_one(bits));
      if (!taken[word].compare_exchange_weak(bits, bits | std::uint64_t{1} << free,
                                             std::memory_order_acquire, std::memory_order_relaxed))
        continue;
      const std::uint32_t row = word * kWordBits + free + 1;
      raise_highest(row);
      // The C library keeps our code loaded until this destructor has run.
      thread_local const GivesBack gives_back __attribute__((tls_model("initial-exec")));
      current = row;
      return;
    }
  }
}

std::uint32_t shared() noexcept {
  const int core = sched_getcpu();
  return kOwnedRows + 1 + (core < 0 ? 0 : static_cast<std::uint32_t>(core) % kSharedRows);
}

std::uint32_t highest() noexcept {
  return highest_taken.load(std::memory_order_relaxed);
}

std::uint32_t owned_now() noexcept {
  std::uint32_t count = 0;
  for (const auto& word : taken)
    count += static_cast<std::uint32_t>(std::popcount(word.load(std::memory_order_relaxed)));
  return count;
}

std::uint64_t* map_zeroed(std::size_t bytes) {
  void* const pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::uint64_t*>(pages);
}

void unmap(std::uint64_t* cells, std::size_t bytes) noexcept {
  munmap(cells, bytes);
}

}  // namespace lsmtuned::agent::thread_row
