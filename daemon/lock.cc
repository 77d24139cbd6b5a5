#include "daemon/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

namespace lsmtuned::daemon {
namespace {

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

std::string owner_of(int descriptor) {
  std::array<char, 32> text{};
  const auto size = ::pread(descriptor, text.data(), text.size() - 1, 0);
  if (size <= 0) return "unknown";
  std::string pid(text.data(), static_cast<std::size_t>(size));
  while (!pid.empty() && (pid.back() == '\n' || pid.back() == ' ')) pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

}  // namespace

Result<InstanceLock> InstanceLock::acquire(const std::string& state_directory) {
  std::error_code code;
  std::filesystem::create_directories(state_directory, code);
  if (code)
    return Error{"state_directory " + state_directory + ": " + code.message(),
                 "create it, owned by the user that runs lsmtuned"};
  const std::string path = state_directory + "/lsmtuned.lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0)
    return Error{path + ": " + errno_text(errno),
                 "state_directory must be writable for the user that runs lsmtuned"};
  InstanceLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    if (error != EWOULDBLOCK) return Error{path + ": flock: " + errno_text(error), ""};
    return Error{"another lsmtuned (pid " + owner_of(descriptor) + ") holds " + path,
                 "stop it, or give this one another state_directory"};
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size()))
    return Error{path + ": " + errno_text(errno), "is the file system full or read-only?"};
  return lock;
}

InstanceLock::InstanceLock(InstanceLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

InstanceLock& InstanceLock::operator=(InstanceLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

InstanceLock::~InstanceLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace lsmtuned::daemon
