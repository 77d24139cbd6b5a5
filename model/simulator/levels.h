// What both layers know of the levels: bytes, the share of them inside running jobs, targets,
// RocksDB's scores and its pending-compaction estimate, all kept up to date as files come and go.
//
// Source: RocksDB 7.8, db/version_set.cc, ComputeCompactionScore, CalculateBaseBytes and
// EstimateCompactionBytesNeeded (the slow forms are in model/tree.h). Bytes. Pure; thread rules:
// plain values.
#pragma once

#include <array>
#include <cstddef>

#include "model/simulator/parameters.h"

namespace lsmtuned::model::simulator {

struct ScoredLevel {
  double score = 0;
  std::size_t level = 0;
};

class Levels {
 public:
  explicit Levels(const Parameters& parameters);

  void add(std::size_t level, double bytes) { bytes_[level] += bytes; }
  void remove(std::size_t level, double bytes);
  void mark_busy(std::size_t level, double bytes) { busy_[level] += bytes; }
  void unmark_busy(std::size_t level, double bytes);
  void set_l0_files(double files, double free_files) {
    l0_files_ = files;
    l0_free_files_ = free_files;
  }

  double bytes(std::size_t level) const { return bytes_[level]; }
  double total_bytes() const;
  double l0_files() const { return l0_files_; }
  double target(std::size_t level) const { return targets_[level]; }

  // After a change of the tree: new targets (dynamic levels only) and the estimate.
  void settle();
  // After a change of the parameters' targets.
  void retarget();
  // False once dynamic level bytes would give L0 another base level than at the start.
  bool base_level_stands() const { return base_level_stands_; }
  double pending_bytes() const { return pending_; }

  // Levels with a score of at least 1, highest first; RocksDB's sort is stable. Returns how many.
  std::size_t scores(std::array<ScoredLevel, kMaxLevels>& out) const;

 private:
  void set_dynamic_targets();
  void estimate_pending();
  double l0_score() const;
  double level_score(std::size_t level, double incoming) const;

  const Parameters& parameters_;
  PerLevel bytes_{};
  PerLevel busy_{};
  PerLevel targets_{};
  double l0_files_ = 0;
  double l0_free_files_ = 0;
  double pending_ = 0;
  bool base_level_stands_ = true;
};

}  // namespace lsmtuned::model::simulator
