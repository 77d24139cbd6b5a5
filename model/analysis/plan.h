// The models asked backwards: which rate, which device, how much data.
//
// "Carried" means, over the problem's horizon from its tree: at least 98 % of the offered rate is
// put, and the stall share is at most the allowed one. The ledger knows no stalls: there it means
// S_max at or above the rate. Data is asked for over an hour at least: in less, what is put does
// not reach the deeper levels. Each answer is bracketed and bisected to 1 %; its interval is the
// answer for a model that is wrong by its own 80 % interval either way. Pure.
#pragma once

#include <optional>
#include <string>

#include "model/analysis/s_max.h"
#include "model/result.h"

namespace lsmtuned::model {

struct PlanGoal {
  ModelChoice choice{OwnModel::totals, 8, 1};
  double max_stall_share = 0.01;
  double rate_bytes_per_s = 0;  // the given load; 0: the problem's offered rate
};

struct PlanAnswer {
  std::optional<double> value;  // absent: `note` says why
  double low = 0;               // 80 % interval
  double high = 0;
  std::string note;
};

struct Plan {
  double horizon_s = 0;
  double max_stall_share = 0;
  double rate_bytes_per_s = 0;  // 0: no load given, so device and size are not asked
  PlanAnswer highest_rate_bytes_per_s;
  PlanAnswer least_write_bytes_per_s;  // reads scale with it
  PlanAnswer most_data_bytes;          // below L0, levels at their targets, keys in proportion
  int evaluations = 0;
};

// Errors: an invalid problem, a style that is not modelled.
Result<Plan> plan(const Problem& problem, const PlanGoal& goal);

// The tree of a problem with so many bytes below L0, levels at their targets from above and the
// rest in the last one; distinct keys grow in proportion.
Problem with_data_bytes(const Problem& problem, double bytes);

}  // namespace lsmtuned::model
