#include "actuators/agent/worker.h"

#include <exception>
#include <utility>

#include "actuators/agent/thread.h"

namespace lsmtuned::agent {
namespace {

constexpr std::size_t kMostQueued = 4;

Outcome execute(Database& database, const Job& job) {
  try {
    if (job.kind == Job::Kind::restore) return restore(database, job.clear_delay);
    return change(database, job.set, job.kind == Job::Kind::revert);
  } catch (const std::exception& problem) {
    return {"failed", {}, problem.what()};
  }
}

}  // namespace

Worker::Worker(Database& database, Done done) : database_(database), done_(std::move(done)) {}

Worker::~Worker() {
  stop();
}

std::string Worker::submit(Job job) {
  const std::scoped_lock lock(mutex_);
  if (stopping_) return "database is closing";
  const bool busy = running_ || !queue_.empty();
  if (busy && job.kind == Job::Kind::change)
    return "another options call of this database is in progress";
  if (queue_.size() >= kMostQueued) return "too many options calls of this database are waiting";
  if (!thread_.joinable()) {
    try {
      thread_ = start_thread("lsmtuned-opts", [this] { run(); });
    } catch (const std::exception& problem) {
      return std::string("no thread to be had: ") + problem.what();
    }
  }
  queue_.push_back(std::move(job));
  wake_.notify_one();
  return {};
}

void Worker::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  const std::scoped_lock lock(mutex_);
  stopping_ = false;
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    const Job job = std::move(queue_.front());
    queue_.pop_front();
    running_ = true;
    lock.unlock();
    Outcome outcome = execute(database_, job);
    lock.lock();
    running_ = false;
    lock.unlock();
    // After running_ is false: whoever hears of the end may submit the next change at once.
    done_(job.id, std::move(outcome));
    lock.lock();
  }
}

}  // namespace lsmtuned::agent
