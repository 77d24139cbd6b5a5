#include "tests/integration/rocksdb_facts/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <rocksdb/convenience.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "tests/integration/rocksdb_facts/live_database.h"

namespace lsmtuned::facts {
namespace {

constexpr const char* kWriteFlag = "--child-writes";
constexpr const char* kThreadFlag = "--child-threads";

void say(const std::string& line) {
  std::fputs((line + "\n").c_str(), stdout);
  std::fflush(stdout);
}

int write_child(const ChildTask& task) {
  rocksdb::Options options = small_options();
  options.min_write_buffer_number_to_merge = task.min_merge;
  options.write_buffer_size = task.open_write_buffer_size;
  options.arena_block_size = task.arena_block_size;
  options.max_write_buffer_number = 6;
  LiveDatabase live(options);
  OptionTexts texts;
  const rocksdb::Status parsed = rocksdb::StringToMap(task.options, &texts);
  say("set: " + (parsed.ok() ? live.set(texts) : parsed).ToString());
  for (int i = 0; i < 200; ++i)
    if (!live.put().ok()) return 3;
  say("written");
  if (!live.db().Flush(rocksdb::FlushOptions()).ok()) return 4;
  say("closed");
  return 0;
}

long thread_count() {
  long count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/task"))
    ++count;
  return count;
}

int thread_child(const std::string& jobs) {
  LiveDatabase live(small_options());
  const long before = thread_count();
  if (!live.set_database({{"max_background_jobs", jobs}}).ok()) return 3;
  const long grown = thread_count();
  if (!live.set_database({{"max_background_jobs", "2"}}).ok()) return 4;
  ::usleep(200'000);
  say("threads " + std::to_string(before) + " " + std::to_string(grown) + " " +
      std::to_string(thread_count()));
  return 0;
}

ChildResult run(const std::vector<std::string>& arguments, std::chrono::milliseconds silence) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const TemporaryDirectory scratch;  // a killed child cannot remove its own database
  std::vector<char*> argv;
  std::string program = "/proc/self/exe";
  argv.push_back(program.data());
  std::vector<std::string> owned = arguments;
  for (std::string& argument : owned) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const std::string scratch_path = scratch.path();
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork");
  if (pid == 0) {
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    ::setenv("TMPDIR", scratch_path.c_str(), 1);
    ::execv(program.c_str(), argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  ChildResult result;
  bool hung = false;
  std::array<char, 4096> buffer{};
  while (true) {
    pollfd entry{ends[0], POLLIN, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(silence.count()));
    if (ready == 0) {
      hung = true;
      ::kill(pid, SIGKILL);
      break;
    }
    const ssize_t count = ::read(ends[0], buffer.data(), buffer.size());
    if (count <= 0) break;
    result.output.append(buffer.data(), static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (hung) {
    result.end = ChildResult::End::hung;
  } else if (WIFSIGNALED(status)) {
    result.end = ChildResult::End::signalled;
    result.code = WTERMSIG(status);
  } else {
    result.code = WEXITSTATUS(status);
  }
  return result;
}

}  // namespace

ChildResult run_child(const ChildTask& task, std::chrono::milliseconds silence) {
  return run({kWriteFlag, task.options, std::to_string(task.min_merge),
              std::to_string(task.open_write_buffer_size), std::to_string(task.arena_block_size)},
             silence);
}

ChildResult run_thread_child(int jobs) {
  return run({kThreadFlag, std::to_string(jobs)}, kPatience);
}

int child_main(int argc, char** argv) {
  if (argc == 6 && std::string_view(argv[1]) == kWriteFlag)
    return write_child({argv[2], std::atoi(argv[3]), std::strtoull(argv[4], nullptr, 10),
                        std::strtoull(argv[5], nullptr, 10)});
  if (argc == 3 && std::string_view(argv[1]) == kThreadFlag) return thread_child(argv[2]);
  return -1;
}

}  // namespace lsmtuned::facts
