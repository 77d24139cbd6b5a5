#include "actuators/agent/poll_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "actuators/agent/poll_inbox.h"
#include "actuators/agent/session.h"
#include "actuators/agent/thread.h"

namespace lsmtuned::agent {

struct PollLoop::Inbox : PollInbox {};

PollLoop::PollLoop(Settings settings)
    : settings_(std::move(settings)),
      inbox_(std::make_unique<Inbox>()),
      wake_descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (wake_descriptor_ < 0)
    throw std::system_error(errno, std::generic_category(), "lsmtuned agent: eventfd");
  try {
    thread_ = start_thread("lsmtuned-poll", [this] {
      Session session(*inbox_, wake_descriptor_, settings_.socket, settings_.daemon_user,
                      settings_.log_to_stderr);
      session.run();
      inbox_->ended();
    });
  } catch (...) {
    ::close(wake_descriptor_);
    throw;
  }
}

PollLoop::~PollLoop() {
  inbox_->stop();
  wake();
  thread_.join();
  ::close(wake_descriptor_);
}

void PollLoop::wake() const {
  const std::uint64_t one = 1;
  // Fails only when a wake-up is already pending.
  const ssize_t ignored = ::write(wake_descriptor_, &one, sizeof one);
  static_cast<void>(ignored);
}

void PollLoop::opened(std::shared_ptr<Attached> attached) {
  inbox_->post({PollEvent::Kind::opened, attached->database.number(), std::move(attached), 0, {}});
  wake();
}

void PollLoop::closed(std::uint64_t number) {
  inbox_->post({PollEvent::Kind::closed, number, nullptr, 0, {}});
  wake();
}

void PollLoop::completed(std::uint64_t number, std::uint64_t job, Outcome outcome) {
  inbox_->post({PollEvent::Kind::completed, number, nullptr, job, std::move(outcome)});
  wake();
}

bool PollLoop::end_within(std::chrono::milliseconds patience) {
  inbox_->stop();
  wake();
  return inbox_->wait_ended(patience);
}

}  // namespace lsmtuned::agent
