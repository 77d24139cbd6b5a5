#include "actuators/testing/faulty_target.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

namespace lsmtuned::actuators::testing {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

Error not_connected() {
  return {"the database is not connected (injected)", ""};
}

asio::awaitable<void> wait(asio::any_io_executor executor, milliseconds delay) {
  asio::steady_timer timer(executor, delay);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

FaultyTarget::FaultyTarget(asio::any_io_executor executor, std::shared_ptr<Target> wrapped,
                           FaultyOptions options)
    : executor_(std::move(executor)), wrapped_(std::move(wrapped)), options_(std::move(options)) {}

void FaultyTarget::arm(Fault fault, int times) {
  if (fault == Fault::disconnect) {
    disconnected_ = true;
    ++injected_[fault];
    return;
  }
  armed_[fault] += times;
}

void FaultyTarget::arm_randomly(std::uint64_t seed, double share) {
  random_state_ = seed;
  random_share_ = share;
}

void FaultyTarget::heal() {
  armed_.clear();
  random_share_ = 0;
  disconnected_ = false;
}

int FaultyTarget::injected(Fault fault) const {
  const auto found = injected_.find(fault);
  return found == injected_.end() ? 0 : found->second;
}

bool FaultyTarget::strikes(Fault fault) {
  auto& left = armed_[fault];
  bool hit = left > 0;
  if (hit) --left;
  if (!hit && random_share_ > 0) {
    random_state_ = random_state_ * 6364136223846793005u + 1442695040888963407u;
    hit = static_cast<double>(random_state_ >> 11) * 0x1.0p-53 < random_share_;
  }
  if (hit) ++injected_[fault];
  return hit;
}

void FaultyTarget::shift_counters(model::Snapshot& snapshot) {
  if (strikes(Fault::counter_reset))
    subtract_ = std::make_unique<model::DatabaseCounters>(snapshot.counters);
  if (!subtract_) return;
  auto& now = snapshot.counters;
  const auto& from = *subtract_;
  now.user_bytes -= from.user_bytes;
  now.batch_bytes -= from.batch_bytes;
  now.keys_written -= from.keys_written;
  now.wal_bytes -= from.wal_bytes;
  now.flush_write_bytes -= from.flush_write_bytes;
  now.compaction_read_bytes -= from.compaction_read_bytes;
  now.compaction_write_bytes -= from.compaction_write_bytes;
  now.stall_seconds -= from.stall_seconds;
  now.block_cache_hits -= from.block_cache_hits;
  now.block_cache_misses -= from.block_cache_misses;
  now.reads -= from.reads;
}

asio::awaitable<Result<model::Snapshot>> FaultyTarget::observe(milliseconds deadline) {
  const auto self = shared_from_this();
  if (!connected()) co_return not_connected();
  if (strikes(Fault::lost_sample)) co_return Error{"no observation (injected)", ""};
  if (strikes(Fault::late_sample)) co_await wait(executor_, options_.delay);
  if (options_.on_foreign_write && strikes(Fault::foreign_write)) options_.on_foreign_write();
  auto snapshot = co_await wrapped_->observe(deadline);
  if (!snapshot) co_return snapshot;
  shift_counters(*snapshot);
  if (strikes(Fault::clock_jump)) snapshot->time_s += options_.jump_s;
  co_return snapshot;
}

asio::awaitable<Result<Attachment>> FaultyTarget::attachment(milliseconds deadline) {
  const auto self = shared_from_this();
  if (!connected()) co_return not_connected();
  co_return co_await wrapped_->attachment(deadline);
}

asio::awaitable<ApplyReport> FaultyTarget::change(Call call, LateResult late) {
  const auto self = shared_from_this();
  if (!connected()) co_return ApplyReport{ApplyStatus::not_sent, {}, not_connected().what};
  if (strikes(Fault::failing_apply))
    co_return ApplyReport{ApplyStatus::failed, {}, "IO error: No space left on device (injected)"};
  const bool late_ok = strikes(Fault::pending_late_ok);
  if (!late_ok && !strikes(Fault::pending_late_fail)) co_return co_await call();
  ApplyReport report{ApplyStatus::failed, {}, "Incomplete: (injected)"};
  if (late_ok) report = co_await call();
  asio::co_spawn(
      executor_,
      [self, late = std::move(late), report]() -> asio::awaitable<void> {
        co_await wait(self->executor_, self->options_.delay);
        if (late) late(report);
      },
      asio::detached);
  co_return ApplyReport{ApplyStatus::pending, {}, "the call has not returned (injected)"};
}

asio::awaitable<ApplyReport> FaultyTarget::apply(model::ChangeSet changes, bool is_revert,
                                                 milliseconds deadline, LateResult late) {
  return change([wrapped = wrapped_, changes = std::move(changes), is_revert, deadline,
                 late] { return wrapped->apply(changes, is_revert, deadline, late); },
                late);
}

asio::awaitable<ApplyReport> FaultyTarget::restore(bool clear_delay, milliseconds deadline,
                                                   LateResult late) {
  return change([wrapped = wrapped_, clear_delay, deadline,
                 late] { return wrapped->restore(clear_delay, deadline, late); },
                late);
}

asio::awaitable<Result<void>> FaultyTarget::adopt(model::ChangeSet foreign, milliseconds deadline) {
  const auto self = shared_from_this();
  if (!connected()) co_return not_connected();
  co_return co_await wrapped_->adopt(std::move(foreign), deadline);
}

void FaultyTarget::heartbeat(milliseconds lease) {
  if (connected()) wrapped_->heartbeat(lease);
}

asio::awaitable<Result<void>> FaultyTarget::keep_without_lease(milliseconds deadline) {
  const auto self = shared_from_this();
  if (!connected()) co_return not_connected();
  co_return co_await wrapped_->keep_without_lease(deadline);
}

}  // namespace lsmtuned::actuators::testing
