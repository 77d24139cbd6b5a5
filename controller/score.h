// The value of a candidate: predicted objective less the cost of moving, and every constraint.
//
// All logarithms relative to the present settings, so that 0.05 means five per cent. S is what is
// taken of the request's offered_bytes_per_s, which for a saturating writer is S_max; the ledger
// knows S_max only.
//   throughput   half ln S over the trial's horizon + half ln S settled: settings that merely
//                postpone debt look good over minutes and bad settled, and get half the credit
//   smoothness   ln of what a trial is judged by, smoothness() of window.h, on both horizons:
//                writers who offered D = S present / (1 - stall share) stall 1 - S / D of the
//                time. Of equals, the smaller L0 batch: the longest delay lasts about as long as
//                the L0 -> base job that ends it. S may fall by 5 % at most
//   efficiency   -ln(write amplification). S may fall by 2 % at most
// Costs: 0.3 % for each knob moved, 0.2 % per e-fold of memory (a tie-break), and the compaction
// debt that the move itself creates, as a share of what the device writes within the horizon.
// Values are comparable within one layer only: present and candidate come from the same model.
// Pure and deterministic; not thread-safe (it counts and remembers).
#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "controller/search.h"
#include "controller/search_method.h"
#include "controller/simulated.h"
#include "model/invariants.h"

namespace lsmtuned::controller {

struct Scored {
  model::Settings settings;
  model::ChangeSet changes;
  model::Prediction trial;
  model::Prediction settled;
  double objective = 0;  // ln, without costs
  double value = 0;      // objective less costs; when rejected far below, by how much is missing
  std::string rejected;  // why it may not be proposed; empty if it may
};

// Refused by a limit that a smaller step of the same kind may keep: debt, cycle length, device.
bool limited_by_degree(const Scored& scored);

// Cheapest first. Each is asked only about what the one before it left.
enum class ScoreLayer : std::uint8_t { ledger, totals, files };

class Scorer {
 public:
  explicit Scorer(const SearchRequest& request, const SearchEffort& effort = {});

  const std::string& error() const { return error_; }  // the model refused the present state
  // False, and nothing changes, where the simulator refuses this target. Forgets what was seen.
  // Horizons and ensembles are sized so that so many candidates take the layer's work, where they
  // run as many events a second as the present settings.
  bool use(ScoreLayer layer, int candidates);
  // The layer's work is used up, or all but used up.
  bool exhausted() const { return layer_work_ >= most_layer_work_; }
  double used() const { return layer_work_ / most_layer_work_; }  // share of the layer's work
  double work() const { return work_; }
  // As far as one simulation of byte totals reaches with so much work.
  Horizons horizons_within(double work) const;
  // The simulator refuses this target: what the ledger does not see has no prediction.
  bool ledger_alone() const { return !simulated_.refusal().empty(); }
  const Scored& present() const { return present_; }
  Scored score(const model::Settings& settings);
  int evaluations() const { return evaluations_; }  // over all layers
  // The best candidates seen, one a reason of rejection and a few allowed ones; best first.
  std::vector<Scored> instructive() const;

 private:
  void predict(Scored& scored, ScoreLayer layer);
  void simulate(Scored& scored);
  struct Owed {
    double bytes = 0;
    double limit = 0;
  };
  Owed owed(const Scored& scored) const;  // on the horizon that is nearer to its limit
  bool measure_present();
  void size_run(ScoreLayer layer, double allowed);
  double batch_bytes(const Scored& scored) const;
  double cycle_s(const Scored& scored) const;
  double device_share(const Scored& scored) const;
  double most_device_share() const;
  std::string settings_constraint(const Scored& scored) const;
  std::string constraint(const Scored& scored) const;
  double violation(const Scored& scored) const;
  double most_cycle_s() const;
  double smoothness_of(const model::Prediction& candidate, const model::Prediction& present) const;
  void remember(const Scored& scored);

  const SearchRequest& request_;
  model::FamilySnapshot family_;
  model::InvariantInputs inputs_;
  SimulatedModel simulated_;
  ScoreLayer layer_ = ScoreLayer::ledger;
  SearchEffort effort_;
  Horizons full_;      // as the policy wants them
  Horizons horizons_;  // as far as simulations of byte totals go
  Horizons files_horizons_;
  std::uint32_t members_ = 1;  // of the simulation of files
  double totals_work_per_s_ = 0;
  double work_ = 0;  // over all layers
  double layer_work_ = 0;
  double most_layer_work_ = std::numeric_limits<double>::infinity();
  std::string error_;
  Scored present_;
  double present_memory_ = 0;
  double present_pending_ = 0;
  int evaluations_ = 0;
  std::map<std::string, Scored> best_by_reason_;
  std::vector<Scored> best_allowed_;
};

}  // namespace lsmtuned::controller
