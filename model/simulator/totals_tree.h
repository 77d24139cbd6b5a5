// The totals layer's tree: one record total a level, files only as counts.
//
// L0 to base merges everything, as in the files layer. A deeper job takes one average file and
// o_l x (S_next / S_l) times as many bytes of the next level. Pure; thread rules: one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/simulator/job.h"
#include "model/simulator/l0_files.h"
#include "model/simulator/levels.h"
#include "model/simulator/parameters.h"

namespace lsmtuned::model::simulator {

class TotalsTree {
 public:
  TotalsTree(const Parameters& parameters, const TreeShape& shape, std::uint64_t seed);

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
  struct Running {
    bool used = false;
    double input_records = 0;   // leave the input level
    double output_records = 0;  // leave the output level, to come back merged
    double input_files = 0;
    double output_files = 0;
    double merged_records = 0;
  };
  struct Level {
    double records = 0;
    double busy_records = 0;
    double files = 0;
    double busy_files = 0;
  };

  Running& begin(Job& job, std::size_t input_level, std::size_t output_level);
  void hold(std::size_t level, double records, double files, Job& job);
  void release(std::size_t level, double records, double files);
  double bytes_of(std::size_t level, double records) const;
  double merged_l0_density() const;  // of the picked files, as a share of all keys

  const Parameters& parameters_;
  Levels levels_;
  L0Files l0_;
  std::vector<Level> below_;
  std::vector<Running> running_;
  std::vector<std::size_t> picked_;
  std::uint64_t effort_ = 0;
};

}  // namespace lsmtuned::model::simulator
