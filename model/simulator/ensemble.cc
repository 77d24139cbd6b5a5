#include "model/simulator/ensemble.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/simulator/parameters.h"
#include "model/simulator/random.h"

namespace lsmtuned::model::simulator {
namespace {

Problem jittered(Problem problem, double deviation, std::uint64_t& random) {
  const auto factor = [&] { return std::exp(deviation * next_normal(random)); };
  TreeConstants& constants = problem.constants;
  const double user = problem.workload.key_bytes + problem.workload.value_bytes;
  const double device = factor();
  problem.device.write_bytes_per_s *= device;
  problem.device.read_bytes_per_s *= device;
  const double e = factor();
  // Every file of the measured tree keeps its bytes; only what is written from now on changes.
  constants.file_bytes_per_record =
      e * (constants.file_bytes_per_record > 0 ? constants.file_bytes_per_record
                                               : user + kFileBytesOverUser);
  problem.workload.distinct_keys *= factor();
  constants.memtable_bytes_per_record =
      factor() *
      (constants.memtable_bytes_per_record > 0 ? constants.memtable_bytes_per_record : user + 40);
  constants.flush_weight = std::clamp(constants.flush_weight * factor(), 0.01, 0.99);
  return problem;
}

constexpr double Simulation::*kAveraged[] = {
    &Simulation::put_bytes_per_s,
    &Simulation::settled_put_bytes_per_s,
    &Simulation::worst_stall_s,
    &Simulation::write_amplification,
    &Simulation::read_amplification,
    &Simulation::space_amplification,
    &Simulation::l0_files_mean,
    &Simulation::l0_files_max,
    &Simulation::pending_bytes_mean,
    &Simulation::pending_bytes_max,
    &Simulation::pending_bytes_end,
    &Simulation::pending_bytes_cycle_end,
    &Simulation::flushes,
    &Simulation::l0_compactions,
    &Simulation::intra_l0_compactions,
    &Simulation::deeper_compactions,
    &Simulation::trivial_moves,
    &Simulation::device_busy_share,
};
constexpr double StallShares::*kAveragedShares[] = {
    &StallShares::memtable_stop,  &StallShares::l0_stop,  &StallShares::pending_stop,
    &StallShares::memtable_delay, &StallShares::l0_delay, &StallShares::pending_delay,
};
constexpr double SimulationSample::*kAveragedSamples[] = {
    &SimulationSample::put_bytes_per_s,    &SimulationSample::l0_files,
    &SimulationSample::pending_bytes,      &SimulationSample::immutable_memtables,
    &SimulationSample::delayed_write_rate,
};

// mean += (member - mean) / count, number by number.
void include(Simulation& mean, const Simulation& member, double count) {
  const auto mix = [count](double& into, double value) { into += (value - into) / count; };
  for (const auto number : kAveraged) mix(mean.*number, member.*number);
  for (const auto share : kAveragedShares) mix(mean.stalls.*share, member.stalls.*share);
  const std::size_t samples = std::min(mean.series.size(), member.series.size());
  mean.series.resize(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    for (const auto number : kAveragedSamples) {
      mix(mean.series[i].*number, member.series[i].*number);
    }
  }
}

// Linear between order statistics.
double percentile(const std::vector<double>& sorted, double share) {
  const double at = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - std::floor(at)) * (sorted[above] - sorted[below]);
}

}  // namespace

Result<Simulation> simulate_ensemble(const Problem& problem, const SimulationOptions& options,
                                     const SimulateOne& simulate_one) {
  std::uint64_t random = options.seed;
  SimulationOptions one = options;
  one.members = 1;
  Result<Simulation> mean = simulate_one(problem, one);
  if (!mean) return mean;
  std::vector<double> rates{mean->put_bytes_per_s};
  one.record_events = false;
  for (std::uint32_t member = 1; member < options.members; ++member) {
    ++one.seed;
    const auto result = simulate_one(jittered(problem, options.jitter, random), one);
    if (!result) return result;
    const double work = mean->work + result->work;
    include(*mean, *result, member + 1.0);
    mean->work = work;
    rates.push_back(result->put_bytes_per_s);
  }
  std::sort(rates.begin(), rates.end());
  mean->low_bytes_per_s = percentile(rates, 0.1);
  mean->high_bytes_per_s = percentile(rates, 0.9);
  return mean;
}

}  // namespace lsmtuned::model::simulator
