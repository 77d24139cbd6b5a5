// Runs this test program again as a child that opens a database, sets options and writes: for
// values that abort the process or hang its writers for ever.
//
// Linux only. Thread rules: none of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace lsmtuned::facts {

struct ChildResult {
  enum class End { exited, signalled, hung };  // hung: silent for the whole patience; killed
  End end = End::exited;
  int code = 0;        // exit code or signal number
  std::string output;  // standard output and standard error
  bool said(const std::string& text) const { return output.find(text) != std::string::npos; }
};

// What the child does: open (`min_merge` and the sizes below), SetOptions(`options`, "a=1;b=2"),
// print "set: <status>", put 200 values of 4 KiB, print "written", flush, print "closed".
struct ChildTask {
  std::string options;
  int min_merge = 1;
  std::uint64_t open_write_buffer_size = 64U << 10;
  std::uint64_t arena_block_size = 0;  // 0: RocksDB's choice
};
// `silence`: the child counts as hung when it prints nothing for so long.
ChildResult run_child(const ChildTask& task, std::chrono::milliseconds silence);

// SetDBOptions max_background_jobs to `jobs`, then to 2; prints "threads A B C" (before, after
// each).
ChildResult run_thread_child(int jobs);

// Entry of the child; -1 when the arguments are not a child's.
int child_main(int argc, char** argv);

}  // namespace lsmtuned::facts
