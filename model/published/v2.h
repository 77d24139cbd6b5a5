// Published models v2 and v2.1: v1 on a mixed bandwidth, and with bounds by level and a stall duty.
//
// Source: seed 004, equations 5, 6 and 9; v2.1 is not printed there and follows the audit's
// reconstruction, the only one that gives its published error. MiB/s of user bytes.
//
// Can rank: v2 what v1 can. Cannot rank: v2's overhead factor is never published, so it is a free
// scale; v2.1's level bound does not depend on the level shares (they cancel), and it multiplies by
// a stall share that was measured under other settings. Pure; ranges as in inputs.h.
#pragma once

#include <span>
#include <vector>

#include "model/published/v1.h"

namespace lsmtuned::model::published {

// Equation 5.
double v2_rate(double mixed_mib_per_s, double write_amplification, double compression_ratio,
               double overhead);

struct LevelMerge {
  double size = 0;       // any unit, the same for all
  double frequency = 0;  // f_i
};

// Equation 6, L1 first: sum of T_i / T_1 * f_i.
double level_sum_write_amplification(std::span<const LevelMerge> levels);

struct LevelWrites {
  double written = 0;              // any unit; a level without writes bounds nothing
  double write_amplification = 0;  // W-Amp as RocksDB logs it, used as a read/write ratio
};

struct V21Inputs {
  double write_mib_per_s = 0;
  double read_mib_per_s = 0;
  double read_share = 0;
  double compression_ratio = 1;
  double write_amplification = 1;
  double wal_factor = 0;
  double stall_probability = 0;
  std::vector<LevelWrites> levels;
};

struct V21Result {
  double mixed_bandwidth_mib_per_s = 0;  // B_eff
  double write_mib_per_s = 0;            // bounds
  double read_mib_per_s = 0;             // infinite when nothing is read
  double mixed_mib_per_s = 0;
  std::vector<double> level_mib_per_s;  // infinite where nothing is written
  double feasible_mib_per_s = 0;        // the least of them
  double rate_mib_per_s = 0;            // times 1 - stall probability
};

V21Result v21_rate(const V21Inputs& inputs);

}  // namespace lsmtuned::model::published
