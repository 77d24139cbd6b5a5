// Wraps any Target and injects what goes wrong in the field, one fault at a time or at random by a
// seed. Every real backend is tested beside it.
//
// Faults are armed for the next calls: arm(fault, times). Virtual waiting uses the executor's own
// timers, so tests choose short delays. Thread rules: as Target.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "actuators/target.h"

namespace lsmtuned::actuators::testing {

enum class Fault {
  lost_sample,        // observe answers with an error
  late_sample,        // observe answers after `delay`
  failing_apply,      // apply and restore fail without reaching the target
  pending_late_ok,    // pending at once; the change happens, and the good news come after `delay`
  pending_late_fail,  // pending at once; nothing happens, and the bad news come after `delay`
  disconnect,         // not connected, all calls refused; lasts until heal()
  counter_reset,      // counters start from zero under the same incarnation (statistics reset)
  clock_jump,         // the snapshot's time lies `jump_s` before or after the truth
  foreign_write,      // before observing, someone else changes a knob (see on_foreign_write)
};
inline constexpr int kFaultCount = 9;

struct FaultyOptions {
  std::chrono::milliseconds delay{20};
  double jump_s = -3600;
  // Carries out a foreign write on the wrapped target; needed for Fault::foreign_write.
  std::function<void()> on_foreign_write = {};
};

class FaultyTarget final : public Target, public std::enable_shared_from_this<FaultyTarget> {
 public:
  FaultyTarget(boost::asio::any_io_executor executor, std::shared_ptr<Target> wrapped,
               FaultyOptions options = {});

  void arm(Fault fault, int times = 1);
  // Every call draws a fault with probability `share`, the same ones for the same seed.
  void arm_randomly(std::uint64_t seed, double share);
  void heal();  // no fault is armed any more
  int injected(Fault fault) const;

  const TargetInfo& info() const override { return wrapped_->info(); }
  bool connected() const override { return !disconnected_ && wrapped_->connected(); }
  boost::asio::awaitable<Result<model::Snapshot>> observe(
      std::chrono::milliseconds deadline) override;
  boost::asio::awaitable<Result<Attachment>> attachment(
      std::chrono::milliseconds deadline) override;
  boost::asio::awaitable<ApplyReport> apply(model::ChangeSet changes, bool is_revert,
                                            std::chrono::milliseconds deadline,
                                            LateResult late) override;
  boost::asio::awaitable<ApplyReport> restore(bool clear_delay, std::chrono::milliseconds deadline,
                                              LateResult late) override;
  boost::asio::awaitable<Result<void>> adopt(model::ChangeSet foreign,
                                             std::chrono::milliseconds deadline) override;
  void heartbeat(std::chrono::milliseconds lease) override;
  boost::asio::awaitable<Result<void>> keep_without_lease(
      std::chrono::milliseconds deadline) override;

 private:
  bool strikes(Fault fault);
  void shift_counters(model::Snapshot& snapshot);
  // The wrapped call of an apply or restore, and what is made of it.
  using Call = std::function<boost::asio::awaitable<ApplyReport>()>;
  boost::asio::awaitable<ApplyReport> change(Call call, LateResult late);

  boost::asio::any_io_executor executor_;
  std::shared_ptr<Target> wrapped_;
  FaultyOptions options_;
  std::map<Fault, int> armed_;
  std::map<Fault, int> injected_;
  std::uint64_t random_state_ = 0;
  double random_share_ = 0;
  bool disconnected_ = false;
  std::unique_ptr<model::DatabaseCounters> subtract_;
};

}  // namespace lsmtuned::actuators::testing
