// Bytes that the tree writes and reads for one user byte, from settings and shape.
//
// model-proposal.md section 3, with N* at the L0 stall equilibrium when saturated, and with levels
// that fill or drain over a horizon. Internal to the ledger. Bytes, seconds. Pure.
#pragma once

#include <array>
#include <cstddef>

#include "model/ledger/ledger.h"

namespace lsmtuned::model {

inline constexpr std::size_t kMostLevels = 16;

// What settings and the present tree fix before any rate is known. Level arrays start at the base
// level (the one that L0 compacts into).
struct TreePlan {
  double flush_file_bytes = 0;   // f0
  double buffer_user_bytes = 0;  // user bytes in one flush
  double trigger = 4;
  double slowdown = 20;
  double stop = 36;
  double calm_files = 4;  // N* without backlog
  double l0_bytes = 0;    // present
  double data_bytes = 0;  // D, live file bytes below L0
  bool one_slot = true;   // a single compaction at a time, even under pressure
  bool saturated = true;
  double horizon_s = 0;
  bool l0_settled = false;  // else L0 fills up from its present count over the horizon
  std::size_t levels = 1;
  std::array<double, kMostLevels> target{};
  std::array<double, kMostLevels> present{};
};

struct Demand {
  double written = 0;        // w, per user byte
  double read = 0;           // r
  double base_read = 0;      // r_1
  double cpu_seconds = 0;    // background CPU per user byte
  double l0_files = 0;       // N*
  double leaked_files = 0;   // arrive while the L0 -> base job runs
  double waiting_files = 0;  // in L0 when that job ends: what came in, and what it left room for
  double base_drained_share = 1;  // of what enters the base level, passed on within the horizon
  double base_growth = 0;         // what one L0 -> base job adds to the base level, bytes
  std::size_t levels = 1;         // in use
  std::array<double, kMostLevels> level_bytes{};  // at the end of the horizon, or settled
};

TreePlan plan_tree(const ModelInput& input, const Calibration& calibration,
                   const KnobValues& family_settings, bool one_slot);

// `put_bytes_per_s` matters with a horizon only: how much of the traffic levels absorb.
Demand demand_at(const TreePlan& tree, const Calibration& calibration, double put_bytes_per_s);

}  // namespace lsmtuned::model
