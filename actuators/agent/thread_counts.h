// A table of counters that many threads add to for the price of a load and a store.
//
// RocksDB's own statistics look up the core and add with a lock prefix, several times a put. Here a
// thread has a row of its own, the same in every table, and only it writes there; a reader adds the
// rows up. Rows are cumulative and outlive their threads: the
// next thread goes on from what the last one left, so nothing is lost when a thread ends. Threads
// beyond kOwnedRows, and threads so near their end that their row is given back, add atomically to
// one of kSharedRows, chosen by core: what RocksDB's own statistics do all the time.
//
// Thread rules: add() from any thread at any moment, also from destructors of thread-local and
// static objects; a signal handler that interrupts an add() may cost that count. The others from
// any thread, without locks, so a fork leaves nothing locked. A forked child goes on with copies.
// A count is seen by a reader that synchronises with the thread that added it, or soon after.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lsmtuned::agent {

inline constexpr std::uint32_t kOwnedRows = 256;
inline constexpr std::uint32_t kSharedRows = 16;

namespace thread_row {

// Row of the calling thread: 0 when it has not asked yet, 1..kOwnedRows its own, kShared for none.
//
// Initial-exec makes this one load relative to the thread pointer, where a library loaded at run
// time would otherwise call a function. The dynamic linker then takes the bytes (a dozen with those
// of thread_counts.cc) from the space that glibc keeps in every thread's static block for such
// libraries. Where that is used up dlopen() refuses the library, and the shim leaves the database
// alone and says why. constinit and no destructor: valid as long as the thread runs.
inline constexpr std::uint32_t kShared = UINT32_MAX;
extern constinit thread_local std::uint32_t current __attribute__((tls_model("initial-exec")));

// Takes a row for a thread at 0. Never 0 afterwards.
void take() noexcept;
std::uint32_t shared() noexcept;     // the shared row of the core it runs on
std::uint32_t highest() noexcept;    // highest owned row ever taken
std::uint32_t owned_now() noexcept;  // how many threads own a row

// Zeroed pages that cost memory only once they are written to. Throws std::bad_alloc.
std::uint64_t* map_zeroed(std::size_t bytes);
void unmap(std::uint64_t* cells, std::size_t bytes) noexcept;

}  // namespace thread_row

template <std::uint32_t kColumns>
class ThreadCounts {
 public:
  ThreadCounts() : cells_(thread_row::map_zeroed(kBytes)) {}
  ~ThreadCounts() { thread_row::unmap(cells_, kBytes); }
  ThreadCounts(const ThreadCounts&) = delete;
  ThreadCounts& operator=(const ThreadCounts&) = delete;

  void add(std::uint32_t column, std::uint64_t count) noexcept {
    if (thread_row::current - 1 >= kOwnedRows) [[unlikely]] {
      add_slowly(column, count);
      return;
    }
    add_as_owner(column, count);
  }

  std::uint64_t get(std::uint32_t column) const noexcept {
    const std::uint64_t base = this->base(column).load(std::memory_order_acquire);
    return sum(column) - base;
  }
  std::vector<std::uint64_t> all() const {
    std::vector<std::uint64_t> counts(kColumns);
    for (std::uint32_t column = 0; column < kColumns; ++column)
      counts[column] = -base(column).load(std::memory_order_acquire);
    each_row([&](std::size_t row) {
      for (std::uint32_t column = 0; column < kColumns; ++column)
        counts[column] += cell(row, column).load(std::memory_order_relaxed);
    });
    return counts;
  }

  // Sets the count and returns the one before. Of adds that happen meanwhile none is lost and none
  // is counted twice; of calls that happen meanwhile the last one stands.
  std::uint64_t exchange(std::uint32_t column, std::uint64_t count) noexcept {
    const auto base = this->base(column);
    std::uint64_t before = base.load(std::memory_order_acquire);
    std::uint64_t total = sum(column);
    while (!base.compare_exchange_weak(before, total - count, std::memory_order_acq_rel))
      total = sum(column);
    return total - before;
  }

 private:
  using Cell = std::atomic_ref<std::uint64_t>;

  // Two cache lines apart at least, since processors fetch lines in pairs.
  static constexpr std::size_t kStride = (std::size_t{kColumns} + 15) / 16 * 16;
  static constexpr std::size_t kRows = 1 + std::size_t{kOwnedRows} + kSharedRows;
  static constexpr std::size_t kBytes = kRows * kStride * sizeof(std::uint64_t);

  Cell cell(std::size_t row, std::uint32_t column) const noexcept {
    return Cell(cells_[row * kStride + column]);
  }
  // Row 0, which no thread has, holds what exchange() subtracts: the owners' rows only ever grow.
  // Read before the rows it is never ahead of them, since it was published after they were read.
  Cell base(std::uint32_t column) const noexcept { return cell(0, column); }

  void add_as_owner(std::uint32_t column, std::uint64_t count) noexcept {
    const Cell own = cell(thread_row::current, column);
    own.store(own.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
  }
  [[gnu::noinline]] void add_slowly(std::uint32_t column, std::uint64_t count) noexcept {
    if (thread_row::current == 0) thread_row::take();
    if (thread_row::current != thread_row::kShared) {
      add_as_owner(column, count);
    } else {
      cell(thread_row::shared(), column).fetch_add(count, std::memory_order_relaxed);
    }
  }

  std::uint64_t sum(std::uint32_t column) const noexcept {
    std::uint64_t total = 0;
    each_row([&](std::size_t row) { total += cell(row, column).load(std::memory_order_relaxed); });
    return total;
  }
  template <typename Visit>
  static void each_row(Visit visit) {
    const std::uint32_t highest = thread_row::highest();
    for (std::size_t row = 1; row <= highest; ++row) visit(row);
    for (std::size_t row = kOwnedRows + 1; row < kRows; ++row) visit(row);
  }

  std::uint64_t* const cells_;
};

}  // namespace lsmtuned::agent
