#include "actuators/agent/agent_process.h"

#include <pthread.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "actuators/agent/connection.h"
#include "actuators/agent/environment.h"

namespace lsmtuned::agent {
namespace {

// How long a process that ends waits for what is running, for each database.
constexpr std::chrono::milliseconds kPatienceAtExit{500};

std::atomic<AgentProcess*> current{nullptr};
std::atomic<bool> hooks_registered{false};  // inherited by children, like the hooks themselves

}  // namespace

AgentProcess::AgentProcess() : pid_(getpid()) {
  if (hooks_registered.exchange(true)) return;
  std::atexit(&AgentProcess::at_exit);
  pthread_atfork(nullptr, nullptr, &Connection::close_in_child);
}

AgentProcess* AgentProcess::existing() {
  AgentProcess* const found = current.load(std::memory_order_acquire);
  return found != nullptr && found->pid_ == getpid() ? found : nullptr;
}

AgentProcess& AgentProcess::instance() {
  AgentProcess* found = current.load(std::memory_order_acquire);
  if (found != nullptr && found->pid_ == getpid()) return *found;
  std::unique_ptr<AgentProcess> fresh(new AgentProcess);
  if (current.compare_exchange_strong(found, fresh.get(), std::memory_order_acq_rel))
    return *fresh.release();
  return *found;  // another thread was first
}

void AgentProcess::attach(rocksdb::DB* root, const Options& options) {
  std::uint64_t number = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (exiting_ || databases_.contains(root)) return;
    number = next_number_++;
  }
  auto attached = std::make_shared<Attached>(root, number, options,
                                             [this, number](std::uint64_t job, Outcome outcome) {
                                               const std::scoped_lock lock(poll_mutex_);
                                               if (poll_ != nullptr)
                                                 poll_->completed(number, job, std::move(outcome));
                                             });
  {
    const std::scoped_lock lock(mutex_, poll_mutex_);
    if (poll_ == nullptr)
      poll_ = std::make_shared<PollLoop>(
          PollLoop::Settings{options.socket.empty() ? kDefaultSocket : options.socket,
                             daemon_user(), options.log_to_stderr});
    databases_[root] = attached;
    poll_->opened(attached);
  }
  attached->database.log("attached to " + attached->database.path() + ", statistics " +
                         attached->database.parts().level);
}

std::shared_ptr<Attached> AgentProcess::release(rocksdb::DB* root) {
  std::shared_ptr<Attached> attached;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = databases_.find(root);
    if (found == databases_.end()) return nullptr;
    attached = std::move(found->second);
    databases_.erase(found);
  }
  // Without our locks: another database may open or close while this one waits.
  attached->database.close();
  attached->worker.stop();
  return attached;
}

void AgentProcess::take_up(const std::shared_ptr<Attached>& released) {
  const std::scoped_lock lock(mutex_);
  released->database.gate().reopen();
  databases_[released->database.root()] = released;
}

void AgentProcess::forget(const std::shared_ptr<Attached>& released) {
  std::shared_ptr<PollLoop> idle;
  {
    const std::scoped_lock lock(mutex_, poll_mutex_);
    if (poll_ == nullptr) return;
    poll_->closed(released->database.number());
    if (databases_.empty()) idle = std::move(poll_);
  }
  // The thread ends here, outside the locks that its workers' results take.
  idle.reset();
}

void AgentProcess::at_exit() {
  if (AgentProcess* const process = existing()) process->leave();
}

void AgentProcess::leave() {
  std::vector<std::shared_ptr<Attached>> open;
  {
    // A thread that is stuck with the lock must not keep the process from ending.
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock.owns_lock()) return;
    exiting_ = true;
    for (const auto& [root, attached] : databases_) open.push_back(attached);
  }
  for (const auto& attached : open) attached->database.close_for_exit(kPatienceAtExit);
  std::shared_ptr<PollLoop> poll;
  {
    const std::unique_lock lock(poll_mutex_, std::try_to_lock);
    if (lock.owns_lock()) poll = poll_;
  }
  if (poll != nullptr) poll->end_within(kPatienceAtExit);
}

}  // namespace lsmtuned::agent
