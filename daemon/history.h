// History: the durable record of baselines, intents, decisions, controller state and samples.
//
// SQLite with synchronous=FULL in <state_directory>/history.sqlite; JSON Lines
// (<state_directory>/decisions.jsonl) is derived from it and can be rebuilt. Survives kill -9 at
// any instruction: a call that returned is on disk, whole. Blocking: call on a worker. Errors
// (disk full, corruption) are values; nothing recorded before is lost. A corrupt file is moved
// aside with a clear message, never deleted. Thread rules: one History, calls serialised inside.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/decision.h"
#include "controller/state.h"
#include "model/estimate/calibrate.h"
#include "model/result.h"

namespace lsmtuned::daemon {

// A thinned sample kept for reports: one row per sample_interval.
struct SampleRow {
  std::string target;
  double wall_time_s = 0;
  std::string phase;
  double put_bytes_per_s = 0;
  double put_ops_per_s = 0;
  double stall_share = 0;
  double predicted_put_bytes_per_s = 0;  // S_max at the settings then in force; 0 unknown
  double l0_files = 0;
  double pending_bytes = 0;
  double tree_bytes = 0;
  double write_amplification = 0;
  double device_write_bytes_per_s = 0;
  double device_read_bytes_per_s = 0;
};

class History {
 public:
  static Result<std::unique_ptr<History>> open(const std::string& state_directory);
  virtual ~History() = default;

  // Inserts or replaces by (target, id); durable when it returns.
  virtual Result<void> record(const controller::Decision& decision) = 0;
  virtual Result<void> save_state(const std::string& target,
                                  const controller::PersistentState& state) = 0;
  virtual Result<std::optional<controller::PersistentState>> load_state(
      const std::string& target) = 0;
  virtual Result<void> add_sample(const SampleRow& sample) = 0;

  virtual Result<std::optional<controller::Decision>> find(const std::string& target,
                                                           std::uint64_t id) = 0;
  // Newest first, by cursor: ids below `before_id` (0: from the newest).
  virtual Result<std::vector<controller::Decision>> decisions(const std::string& target,
                                                              std::uint64_t before_id,
                                                              int limit) = 0;
  virtual Result<std::vector<SampleRow>> samples(const std::string& target, double from_wall_s,
                                                 double to_wall_s) = 0;
  // Decisions intended or applied and not ended, oldest first: what a crash left in the middle. An
  // advised one is not among them: nothing was sent.
  virtual Result<std::vector<controller::Decision>> unfinished(const std::string& target) = 0;
  // Removes samples and finished decisions taken before that time; of each target the newest 100
  // decisions stay, and unfinished ones always do.
  virtual Result<void> prune_older_than(double wall_time_s) = 0;

  // Messages for the operator since the last call: a file moved aside, a JSON Lines file repaired
  // or not written. What they tell of has been dealt with or is tried again by itself.
  virtual std::vector<std::string> warnings() { return {}; }
};

}  // namespace lsmtuned::daemon
