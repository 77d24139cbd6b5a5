// The search: settings with the best predicted objective that every guard would allow.
//
// Pure and deterministic: NLopt with a fixed seed and an evaluation cap, integers by rounding and
// checking neighbours. The byte ledger prunes, a simulation of byte totals searches, a simulation
// of files decides (controller/score.h). Runs on a worker of the daemon; takes at most
// policy.search_evaluations model evaluations. Never throws; NLopt failures are reported in
// `error`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/policy.h"
#include "controller/decision.h"
#include "model/ledger/ledger.h"
#include "model/snapshot.h"
#include "model/watch/workload_class.h"

namespace lsmtuned::controller {

struct FailedCandidate {
  model::ChangeSet changes;
  double until_s = 0;                                             // monotonic clock of events
  model::WorkloadClass workload = model::WorkloadClass::unknown;  // that it failed under
};

struct SearchRequest {
  std::uint64_t seed = 0;
  model::Snapshot snapshot;
  model::Calibration calibration;
  config::Policy policy;
  double cpu_cores = 1;
  double probability_needed = 0.8;
  double stall_share = 0;  // measured: says how much more is offered than is taken
  // The load that candidates are simulated under, user bytes: what is offered and some headroom; 0:
  // a saturating writer.
  double offered_bytes_per_s = 0;
  // L0 files at which candidates must not delay, where their triggers may be set so; 0: any.
  double l0_files_without_delay = 0;
  std::string family;                   // whose knobs may move; empty: the one that limits writes
  bool database_knobs = true;           // whether those of the whole database may
  std::vector<FailedCandidate> failed;  // not proposed again, nor near them
  std::vector<std::pair<std::string, model::Knob>>
      foreign;  // knobs someone else owns (family, knob)
};

struct SearchResult {
  std::string error;      // empty when a search ran
  model::ChangeSet best;  // empty: nothing better than the present settings
  model::Prediction current;
  model::Prediction predicted;          // of `best`, over the trial's horizon
  model::Prediction predicted_settled;  // of `best`, settled
  double objective_gain = 0;            // relative, of the policy's objective over both horizons
  double probability_of_gain = 0;       // that objective_gain >= minimum_gain
  std::vector<Considered> considered;   // the best and the instructive, at most 8
  int evaluations = 0;
};

// The family that a request is about; null: the snapshot has none.
const model::FamilySnapshot* family_of(const SearchRequest& request);

SearchResult search(const SearchRequest& request);

}  // namespace lsmtuned::controller
