// S_max of a problem by any of the project's three models, with horizon and 80 % interval.
//
// The writer is taken to saturate, whatever the problem offers. The interval joins the ensemble's
// spread with the model's own (model/accuracy.h). Binding and next bound are the ledger's also for
// the simulators, which have no bounds; `main_stall` is what a simulator says of its own.
// Rates in user bytes a second. Pure; thread rules: functions may run in parallel.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ledger/ledger.h"
#include "model/result.h"
#include "model/simulator/problem.h"
#include "model/simulator/simulate.h"

namespace lsmtuned::model {

enum class OwnModel : std::uint8_t { ledger, totals, files };
const char* to_text(OwnModel model);  // also its id
std::optional<OwnModel> own_model_from_text(std::string_view text);

struct OwnModelInfo {
  OwnModel model;
  const char* version;
  const char* principle;
  const char* needs;
  const char* can_rank;
  const char* cannot_rank;
};
const OwnModelInfo& info(OwnModel model);

struct ModelChoice {
  OwnModel model = OwnModel::files;
  std::uint32_t members = 16;  // of the simulators' ensemble
  std::uint64_t seed = 1;
};

struct SMax {
  OwnModel model{};
  double put_bytes_per_s = 0;
  double low_bytes_per_s = 0;  // 80 % interval
  double high_bytes_per_s = 0;
  bool interval_measured = false;  // false: it stands on a prior
  double horizon_s = 0;
  double settled_bytes_per_s = 0;  // simulators: last third of the horizon; ledger: settled state
  double write_amplification = 0;
  double read_amplification = 0;
  Bound bound = Bound::none;
  Bound runner_up = Bound::none;
  std::optional<double> stall_share;  // simulators only
  std::string main_stall;             // the cause with the largest share; empty: none
};

// Errors: an invalid problem, a style that is not modelled.
Result<SMax> predict_s_max(const Problem& problem, const ModelChoice& choice);

// What is put of the offered load, all of it at most, once the tree has lived under the settings
// for `warmup_s`; intervals as S_max. The ledger has no course: it answers for the settled state.
Result<SMax> predict_of_load(const Problem& problem, const ModelChoice& choice, double warmup_s);

// The gain of one predicted rate over another by the same model, with the 80 % interval of two
// independent errors. Rates above 0.
struct PredictedGain {
  double share = 0;  // after / before - 1
  double low_share = 0;
  double high_share = 0;
};
PredictedGain predicted_gain(double before, double after, OwnModel model);

// The problem under RocksDB's default settings. The rate limiter stays: it is the machine's share,
// not a setting of the tree.
Problem with_default_settings(const Problem& problem);
// Whether every knob that is there, the limiter apart, has RocksDB's default.
bool all_default(const Settings& settings);

// One run of a simulator on the problem as it is, offered rate included.
Result<Simulation> simulate_with(const Problem& problem, const ModelChoice& choice);

// The stall causes by name, in the order of StallShares.
struct NamedShare {
  const char* name;
  double share;
};
std::vector<NamedShare> by_cause(const StallShares& stalls);

}  // namespace lsmtuned::model
