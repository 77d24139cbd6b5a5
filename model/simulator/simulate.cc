#include "model/simulator/simulate.h"

#include <cmath>
#include <utility>

#include "model/simulator/engine.h"
#include "model/simulator/ensemble.h"
#include "model/simulator/files_tree.h"
#include "model/simulator/totals_tree.h"

namespace lsmtuned::model {
namespace {

constexpr std::uint32_t kMostMembers = 4096;

std::string faults_of(const Problem& problem, const SimulationOptions& options) {
  std::vector<std::string> faults = problem.check();
  const auto refuse = [&](bool bad, const char* what) {
    if (bad) faults.emplace_back(what);
  };
  refuse(!std::isfinite(options.warmup_s) || options.warmup_s < 0,
         "options.warmup_s: not a finite number of at least 0");
  refuse(!std::isfinite(options.sample_every_s) || options.sample_every_s < 0,
         "options.sample_every_s: not a finite number of at least 0");
  refuse(options.sample_every_s > 0 && options.sample_every_s * 1e6 < problem.horizon_s,
         "options.sample_every_s: more than a million samples over the horizon");
  refuse(!std::isfinite(options.jitter) || options.jitter < 0 || options.jitter > 0.5,
         "options.jitter: not between 0 and 0.5");
  refuse(options.members < 1 || options.members > kMostMembers,
         "options.members: not between 1 and 4096");
  std::string text;
  for (const std::string& fault : faults) text += (text.empty() ? "" : "; ") + fault;
  return text;
}

template <class Tree>
Result<Simulation> run(const simulator::Parameters& parameters, const Problem& problem,
                       const SimulationOptions& options) {
  simulator::Engine<Tree> engine(parameters, problem.tree, options.seed,
                                 {parameters, options, problem.horizon_s});
  if (const auto ran = engine.run(); !ran) return ran.error();
  Simulation out = std::move(engine.watcher()).result();
  out.tree = engine.shape();
  out.space_amplification = engine.space_amplification();
  return out;
}

Result<Simulation> simulate_one(const Problem& problem, const SimulationOptions& options) {
  const simulator::Parameters parameters = simulator::make_parameters(problem);
  return options.layer == SimulationLayer::totals
             ? run<simulator::TotalsTree>(parameters, problem, options)
             : run<simulator::FilesTree>(parameters, problem, options);
}

}  // namespace

Result<Simulation> simulate(const Problem& problem, const SimulationOptions& options) {
  const std::string faults = faults_of(problem, options);
  if (!faults.empty())
    return Error{faults, "correct the problem; docs/simulator.md lists its fields"};
  if (options.members == 1) return simulate_one(problem, options);
  return simulator::simulate_ensemble(problem, options, simulate_one);
}

}  // namespace lsmtuned::model
