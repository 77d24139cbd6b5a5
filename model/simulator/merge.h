// Merge geometry: which files a compaction of these inputs writes.
//
// The inputs' range is cut at every bound of inputs and grandparents (the output's next level). In
// each piece records per key space are d = 1 - prod(1 - d_i) of K over the inputs that cover it
// (their sum when every key is new). Outputs close as RocksDB 7.8 closes them
// (db/compaction/compaction_outputs.cc, ShouldStopBefore): at 2 x target size (1 x without
// grandparents), at a grandparent bound once target x (50 + min(5 x bounds crossed, 40)) % is
// reached or the overlapped grandparents with the file exceed max_compaction_bytes, and where a gap
// in the inputs skips grandparents of an eighth of the target. One sweep over sorted bounds. Pure;
// thread rules: one Merger a thread.
#pragma once

#include <span>
#include <vector>

#include "model/simulator/table_file.h"

namespace lsmtuned::model::simulator {

struct MergeLimits {
  double target_bytes = 0;
  double max_compaction_bytes = 0;
  double bytes_per_record = 0;
  double inverse_distinct_keys = 0;  // 0: every key is new
  bool split = true;                 // false: one output (L0)
};

class Merger {
 public:
  // `upper` may overlap each other (L0, or the few files picked from a level); `lower` and
  // `grandparents` are sorted and disjoint. Outputs are appended to `out`, sorted and disjoint.
  void merge(std::span<const TableFile> upper, std::span<const TableFile> lower,
             std::span<const TableFile> grandparents, const MergeLimits& limits,
             std::vector<TableFile>& out);

 private:
  struct Bound {
    double at = 0;
    double density = 0;     // records per key space of the file that starts or ends
    double log_absent = 0;  // ln(1 - density / K)
    bool start = false;
  };
  class Output;

  void list_bounds(std::span<const TableFile> upper, const MergeLimits& limits);

  std::vector<Bound> bounds_;  // of `upper`, sorted
};

}  // namespace lsmtuned::model::simulator
