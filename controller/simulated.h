// Predictions by the tree simulator, in the form that the ledger gives and decisions store.
//
// Three models work together (model-proposal.md, simulator-notes.md): the ledger prunes, the
// byte-total layer searches, the file layer decides. Where the simulator refuses a target (a style
// or a tree that it does not model) the ledger stays alone, and predictions carry its name.
// Bytes, seconds. Pure and deterministic; thread rules: one thread an object.
#pragma once

#include <cstdint>
#include <string>

#include "config/policy.h"
#include "model/ledger/ledger.h"
#include "model/result.h"
#include "model/simulator/simulate.h"

namespace lsmtuned::controller {

// From the present on: a trial, judged after it has settled, and what remains when postponed debt
// has come due. Seconds.
struct Horizons {
  double settle_s = 0;
  double trial_s = 0;
  double settled_from_s = 0;
  double settled_s = 0;

  Horizons scaled(double factor) const {
    return {factor * settle_s, factor * trial_s, factor * settled_from_s, factor * settled_s};
  }
};
Horizons horizons_of(const config::Policy& policy);

class SimulatedModel {
 public:
  // From the tree of `snapshot` as it stands. `family` limits writes most. `offered_bytes_per_s` is
  // what writers would write if nothing held them back; 0: a saturating writer.
  SimulatedModel(const model::Snapshot& snapshot, const std::string& family,
                 const model::Calibration& calibration, double cpu_cores,
                 double offered_bytes_per_s);

  const std::string& refusal() const { return refusal_; }  // empty: it can be used

  struct Run {
    model::SimulationLayer layer = model::SimulationLayer::totals;
    std::uint32_t members = 1;
    double warmup_s = 0;
    double horizon_s = 0;
  };
  // `ledger` gives what a simulation does not: which bound binds, and how badly parameters are
  // known; the interval joins that with the ensemble's spread. Every run uses the same random
  // numbers, so that candidates differ by their settings only. `work`, where given, grows by what
  // the simulation took (model::Simulation::work).
  Result<model::Prediction> predict(const model::Settings& settings, const Run& run,
                                    const model::Prediction& ledger, double* work = nullptr) const;

  struct Both {
    model::Prediction trial;
    model::Prediction settled;
  };
  // Byte totals over both horizons, one run. `ledger` as above.
  Result<Both> predict_both(const model::Settings& settings, const Horizons& horizons,
                            const Both& ledger, double* work) const;

 private:
  model::Problem problem_with(const model::Settings& settings) const;

  std::string family_;
  model::Problem problem_;
  std::string refusal_;
};

SimulatedModel::Run trial_run(const Horizons& horizons, model::SimulationLayer layer,
                              std::uint32_t members);
SimulatedModel::Run settled_run(const Horizons& horizons);

// What the present settings take of `offered_bytes_per_s`, S_max where that is 0: by the simulator
// where it can be used, else the ledger's own.
Result<model::Prediction> predict_present(const model::Snapshot& snapshot,
                                          const std::string& family,
                                          const model::Calibration& calibration, double cpu_cores,
                                          const SimulatedModel::Run& run,
                                          double offered_bytes_per_s = 0);

}  // namespace lsmtuned::controller
