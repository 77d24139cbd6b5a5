#include "model/simulator/simulate.h"

#include <cmath>
#include <optional>
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
Result<Simulation> run_on(simulator::Engine<Tree>& engine) {
  if (const auto ran = engine.run(); !ran) return ran.error();
  Simulation out = std::move(engine.watcher()).result();
  out.work = engine.work();
  out.tree = engine.shape();
  out.space_amplification = engine.space_amplification();
  return out;
}

template <class Tree>
Result<Simulation> run(const simulator::Parameters& parameters, const Problem& problem,
                       const SimulationOptions& options) {
  simulator::Engine<Tree> engine(parameters, problem.tree, options.seed,
                                 {parameters, options, problem.horizon_s});
  return run_on(engine);
}

Result<Simulation> simulate_one(const Problem& problem, const SimulationOptions& options) {
  const simulator::Parameters parameters = simulator::make_parameters(problem);
  return options.layer == SimulationLayer::totals
             ? run<simulator::TotalsTree>(parameters, problem, options)
             : run<simulator::FilesTree>(parameters, problem, options);
}

template <class Tree>
Result<std::vector<Simulation>> run_windows(const Problem& problem, SimulationOptions options,
                                            const std::vector<SimulationWindow>& windows) {
  const simulator::Parameters parameters = simulator::make_parameters(problem);
  std::optional<simulator::Engine<Tree>> engine;
  std::vector<Simulation> means;
  for (const SimulationWindow& window : windows) {
    options.warmup_s = window.begin_s;
    simulator::Recorder recorder(parameters, options, window.length_s);
    if (engine) {
      engine->watcher() = std::move(recorder);
    } else {
      engine.emplace(parameters, problem.tree, options.seed, std::move(recorder));
    }
    auto mean = run_on(*engine);
    if (!mean) return mean.error();
    means.push_back(std::move(*mean));
  }
  return means;
}

bool in_order(const std::vector<SimulationWindow>& windows) {
  double from_s = 0;
  for (const SimulationWindow& window : windows) {
    if (!std::isfinite(window.begin_s) || !(window.begin_s >= from_s) ||
        !std::isfinite(window.length_s) || !(window.length_s > 0))
      return false;
    from_s = window.begin_s + window.length_s;
  }
  return !windows.empty();
}

}  // namespace

Result<Simulation> simulate(const Problem& problem, const SimulationOptions& options) {
  const std::string faults = faults_of(problem, options);
  if (!faults.empty())
    return Error{faults, "correct the problem; docs/simulator.md lists its fields"};
  if (options.members == 1) return simulate_one(problem, options);
  return simulator::simulate_ensemble(problem, options, simulate_one);
}

Result<std::vector<Simulation>> simulate_windows(const Problem& problem,
                                                 const SimulationOptions& options,
                                                 const std::vector<SimulationWindow>& windows) {
  if (!in_order(windows))
    return Error{"windows overlap, are empty or do not ascend", "state them in their order"};
  SimulationOptions first = options;
  first.warmup_s = windows.front().begin_s;
  Problem over = problem;
  over.horizon_s = windows.back().begin_s + windows.back().length_s - first.warmup_s;
  std::string faults = faults_of(over, first);
  if (options.members != 1) faults += (faults.empty() ? "" : "; ") + std::string("one member only");
  if (!faults.empty())
    return Error{faults, "correct the problem; docs/simulator.md lists its fields"};
  return options.layer == SimulationLayer::totals
             ? run_windows<simulator::TotalsTree>(over, first, windows)
             : run_windows<simulator::FilesTree>(over, first, windows);
}

}  // namespace lsmtuned::model
