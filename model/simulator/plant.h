// The tree simulator as a plant: a simulated database that runs on, takes options calls as RocksDB
// 7.8.3 takes them, and shows what a snapshot of a real one would show.
//
// The same engine as simulate(), stepped. One column family, level style, static level targets.
// Changes have RocksDB's side effects (docs/rocksdb-surprises.md): a family call recalculates stall
// conditions, so each one while delayed costs a fifth of the rate; a database call resets the
// adapted rate; a job that runs already puts the old limits back as it ends; a smaller write buffer
// closes the active memtable at once. What it leaves out: time that the call itself takes, latency
// histograms, block cache. Bytes, seconds. Deterministic. Thread rules: one thread a plant.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "model/result.h"
#include "model/settings.h"
#include "model/simulator/problem.h"
#include "model/simulator/simulate.h"
#include "model/snapshot.h"
#include "model/stall.h"

namespace lsmtuned::model::simulator {

class PlantEngine;

class Plant {
 public:
  struct Options {
    Problem problem;  // horizon_s does not matter
    SimulationLayer layer = SimulationLayer::files;
    std::uint64_t seed = 1;
    std::string family = "default";
  };
  // Errors: an invalid problem, dynamic level bytes.
  static Result<Plant> open(Options options);
  Plant(Plant&&) noexcept;
  Plant& operator=(Plant&&) noexcept;
  ~Plant();

  // Errors: more events than the engine allows for one call. The plant is of no use afterwards.
  Result<void> advance(double seconds);

  // Options calls that returned OK: at most one of the family and one of the database. Unchanged
  // values count as calls, too.
  void change(const ChangeSet& changes);
  void set_offered(double user_bytes_per_s);  // 0: nobody writes; infinite: a saturating writer
  void set_device(double write_bytes_per_s, double read_bytes_per_s);

  bool write_stopped() const;
  StallCondition stall_condition() const;
  double user_bytes() const;  // accepted since open
  double now_s() const;
  const Settings& settings() const;
  TreeShape tree() const;
  // All but target, incarnation, clocks of the daemon and the device's name and limits.
  Snapshot snapshot() const;

 private:
  explicit Plant(Options options);
  void apply_problem();

  Options options_;
  Settings settings_;
  bool idle_ = false;
  std::unique_ptr<PlantEngine> engine_;
};

}  // namespace lsmtuned::model::simulator
