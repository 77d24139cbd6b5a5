// The files layer's tree: every table's key range, and RocksDB's choice of files for a compaction.
//
// Source: db/compaction/compaction_picker_level.cc and compaction_picker.cc (PickFileToCompact,
// SetupOtherInputs, TryExtendNonL0TrivialMove, TryPickL0TrivialMove) and compaction.cc
// (IsTrivialMove). Outputs are worked out when a job is picked and appear when it is installed.
// Pure; thread rules: one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/simulator/file_level.h"
#include "model/simulator/job.h"
#include "model/simulator/l0_files.h"
#include "model/simulator/levels.h"
#include "model/simulator/merge.h"
#include "model/simulator/parameters.h"

namespace lsmtuned::model::simulator {

class FilesTree {
 public:
  FilesTree(const Parameters& parameters, const TreeShape& shape, std::uint64_t seed);

  Levels& levels() { return levels_; }
  const Levels& levels() const { return levels_; }
  void add_flushed(double records);  // a new L0 file
  bool pick_base(Job& job);
  bool pick_intra_l0(Job& job);
  bool pick_deeper(std::size_t level, Job& job);
  void install(const Job& job);

  TreeShape shape() const;
  double files(std::size_t level) const;
  double records(std::size_t level) const;
  // Grows with the files looked at: what bounds a simulation of a tree that is too large.
  std::uint64_t effort() const { return effort_; }

 private:
  struct Running {  // what a job holds, found again at its end
    bool used = false;
    std::size_t output_level = 0;
    double low = 0;  // of all its inputs
    double high = 0;
    double input_low = 0;  // of its first input file below L0
    std::size_t input_files = 0;
    double output_low = 0;  // of its first input file in the output level
    std::size_t output_files = 0;
    std::vector<TableFile> outputs;
  };

  Running& begin(Job& job, std::size_t input_level, std::size_t output_level);
  void place(std::size_t level, const LevelShape& shape, std::uint64_t& random);
  bool pick_l0_trivial_move(Job& job);
  bool take_deeper(std::size_t level, std::size_t index, Job& job);
  void take_trivial_move(std::size_t level, FileSpan span, Job& job);
  FileSpan extended_move(std::size_t level, std::size_t index) const;
  FileSpan widened(std::size_t level, FileSpan upper, FileSpan lower) const;
  bool moves_trivially(std::size_t level, FileSpan span) const;
  bool output_taken(std::size_t output_level, double low, double high) const;
  void hold(std::size_t level, FileSpan span, Job& job);
  void merge_into(Running& running, std::span<const TableFile> upper, FileSpan lower, Job& job);
  FileSpan held(std::size_t level, double low, std::size_t count, std::uint32_t job) const;
  void swap_files(std::size_t level, FileSpan span, std::span<const TableFile> files);
  void refresh(std::size_t level, double low, double high);

  const Parameters& parameters_;
  Levels levels_;
  L0Files l0_;
  std::vector<FileLevel> below_;  // by level; index 0 unused
  std::vector<Running> running_;  // index is job id - 1
  std::size_t running_count_ = 0;
  Merger merger_;
  std::vector<std::size_t> picked_;
  std::vector<TableFile> upper_;
  double sequential_at_ = 0;          // where the next sequential record goes
  double records_per_key_space_ = 0;  // sequential keys only
  std::uint64_t effort_ = 0;
};

}  // namespace lsmtuned::model::simulator
