#include "daemon/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

extern char** environ;

namespace lsmtuned::daemon {
namespace {

using Clock = std::chrono::steady_clock;

std::string error_text(int code) {
  return std::generic_category().message(code);
}

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  bool open() { return ::pipe2(ends.data(), O_CLOEXEC) == 0; }
  void close_end(std::size_t which) {
    if (ends[which] >= 0) ::close(ends[which]);
    ends[which] = -1;
  }
};

// posix_spawn's two structures, released together.
struct SpawnPlan {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnPlan(const Pipe& out, const Pipe& err) {
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err.ends[1], 2);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Reads what is there, and closes our end after the last of it.
void take(Pipe& pipe, std::string& text) {
  std::array<char, 65536> buffer;
  const ssize_t count = ::read(pipe.ends[0], buffer.data(), buffer.size());
  if (count > 0)
    text.append(buffer.data(), static_cast<std::size_t>(count));
  else if (count == 0 || errno != EINTR)
    pipe.close_end(0);
}

}  // namespace

Result<ChildOutput> run_child(const std::vector<std::string>& arguments, double deadline_s,
                              std::size_t most_bytes) {
  const std::string& program = arguments.front();
  Pipe out;
  Pipe err;
  if (!out.open() || !err.open()) return Error{program + ": pipe: " + error_text(errno), ""};
  std::vector<char*> argv;
  for (const std::string& argument : arguments)
    argv.push_back(const_cast<char*>(argument.c_str()));  // posix_spawn does not write to them
  argv.push_back(nullptr);
  const SpawnPlan plan(out, err);
  pid_t pid = 0;
  const int failed =
      ::posix_spawnp(&pid, program.c_str(), &plan.actions, &plan.attributes, argv.data(), environ);
  if (failed != 0) return Error{program + ": " + error_text(failed), ""};
  out.close_end(1);
  err.close_end(1);

  ChildOutput result;
  const auto end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                      std::chrono::duration<double>(deadline_s));
  const auto give_up = [&](const std::string& why) {
    ::kill(-pid, SIGKILL);
    wait_for(pid);
    return Error{program + ": " + why, ""};
  };
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) return give_up("did not end in time");
    std::array<pollfd, 2> streams{pollfd{out.ends[0], POLLIN, 0}, pollfd{err.ends[0], POLLIN, 0}};
    const int ready =
        ::poll(streams.data(), streams.size(), static_cast<int>(std::min<long long>(left, 1000)));
    if (ready < 0 && errno != EINTR) return give_up("poll: " + error_text(errno));
    if (ready <= 0) continue;
    if (streams[0].revents != 0) take(out, result.out);
    if (streams[1].revents != 0) take(err, result.errors);
    if (std::max(result.out.size(), result.errors.size()) > most_bytes)
      return give_up("printed more than " + std::to_string(most_bytes) + " bytes");
  }
  result.exit_code = wait_for(pid);
  return result;
}

}  // namespace lsmtuned::daemon
