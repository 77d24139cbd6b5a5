// An in-memory plant behind the Target interface, in virtual time: what the daemon's loop is tested
// against when no database is wanted.
//
// Behaves as an agent target does: baseline, lease (in virtual time, time with writes stopped not
// counted), step-aside for foreign values, refusal while writes are stopped. The clock is handed in
// and must not go back; the plant catches up with it at every call. Calls complete at once. Thread
// rules: as Target.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "actuators/target.h"
#include "actuators/testing/plant.h"

namespace lsmtuned::actuators::testing {

struct PlantTargetOptions {
  std::string name = "plant";
  std::string path = "/plant";
  std::string database_id = "plant-1";
  PlantOptions plant;
  double lease_s = 10;
  std::function<double()> clock_s;           // virtual time; required
  std::function<void()> lease_expired = {};  // the plant restored its baseline by itself
};

class PlantTarget final : public Target {
 public:
  explicit PlantTarget(PlantTargetOptions options);

  const TargetInfo& info() const override { return info_; }
  bool connected() const override { return connected_; }
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

  // Things that happen to a database.
  void change_from_outside(const model::ChangeSet& changes);
  void set_connected(bool connected) { connected_ = connected; }
  void reopen();  // closed and opened again: new incarnation, first settings, counters from zero
  // The plant, caught up with the clock.
  Plant& plant();
  std::uint64_t options_calls() const { return options_calls_; }  // changes that reached it

 private:
  void catch_up();
  ApplyReport restore_ours(bool clear_delay);
  void remember(const model::KnobChange& change);

  PlantTargetOptions options_;
  TargetInfo info_;
  std::unique_ptr<Plant> plant_;
  double time_s_;
  bool connected_ = true;
  model::Settings baseline_;
  model::Settings ours_;
  bool leased_ = false;
  double lease_left_s_ = 0;
  double lease_s_;
  std::uint64_t options_calls_ = 0;
};

}  // namespace lsmtuned::actuators::testing
