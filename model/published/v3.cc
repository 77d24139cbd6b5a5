#include "model/published/v3.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/published/device.h"

namespace lsmtuned::model::published {

double stall_probability(double l0_files, double sensitivity_per_file, double threshold_files) {
  const double x = sensitivity_per_file * (l0_files - threshold_files);
  return std::clamp(1 / (1 + std::exp(-x)), 0.0, 1.0);
}

double effective_concurrency(double concurrency_level, const Concurrency& scaling) {
  const double x = scaling.steepness * (concurrency_level - scaling.middle);
  return scaling.least + (scaling.most - scaling.least) / (1 + std::exp(-x));
}

double level_capacity(double capacity_factor, double effective_concurrency,
                      double mixed_mib_per_s) {
  return capacity_factor * effective_concurrency * mixed_mib_per_s;
}

double next_backlog(double backlog_mib, double demand_mib_per_s, double allocated_mib_per_s,
                    double step_s) {
  return std::max(0.0, backlog_mib + (demand_mib_per_s - allocated_mib_per_s) * step_s);
}

OverTime constant(double value) {
  return [value](double) { return value; };
}

OverTime stepwise(std::vector<TimedValue> series) {
  return [series = std::move(series)](double time_s) {
    const auto after =
        std::upper_bound(series.begin(), series.end(), time_s,
                         [](double time, const TimedValue& at) { return time < at.from_s; });
    return after == series.begin() ? series.front().value : std::prev(after)->value;
  };
}

V3Result simulate_v3(const V3Problem& problem) {
  V3Result result;
  result.backlog.resize(problem.levels.size());
  const double step = problem.step_s;
  double l0_files = problem.l0_files;
  double sum = 0;
  for (std::uint64_t i = 0; i < problem.steps; ++i) {
    const double time = static_cast<double>(i) * step;
    const double stalled = stall_probability(l0_files, problem.stall_sensitivity_per_file,
                                             problem.stall_threshold_files);
    const double put = (1 - stalled) * problem.offered_mib_per_s(time);

    const double read_share = problem.read_share(time);
    const double mixed =
        harmonic_bandwidth(read_share, problem.read_mib_per_s, problem.write_mib_per_s);
    const double concurrency = problem.concurrency_level(time);
    const bool from_log = problem.mode == V3Mode::log_driven;
    const double all_writes = from_log ? problem.write_amplification(time) * put : 0;
    const double all_reads = from_log ? problem.read_amplification(time) * put : 0;
    double l0_drained = 0;
    for (std::size_t l = 0; l < problem.levels.size(); ++l) {
      const V3Level& level = problem.levels[l];
      V3Backlog& backlog = result.backlog[l];
      const double writes =
          from_log ? level.write_share(time) * all_writes : level.write_factor * put;
      const double reads = from_log ? level.read_share(time) * all_reads : level.read_factor * put;
      const double capacity = level_capacity(
          level.capacity_factor, effective_concurrency(concurrency, level.concurrency), mixed);
      const double written =
          std::min(writes + backlog.write_mib / step, (1 - read_share) * capacity);
      const double read = std::min(reads + backlog.read_mib / step, read_share * capacity);
      backlog.write_mib = next_backlog(backlog.write_mib, writes, written, step);
      backlog.read_mib = next_backlog(backlog.read_mib, reads, read, step);
      if (l == 0) l0_drained = written;
    }
    l0_files = std::max(0.0, l0_files + (put - l0_drained) / problem.l0_file_mib * step);

    sum += put;
    result.final_mib_per_s = put;
    result.final_stall_probability = stalled;
    result.final_mixed_bandwidth_mib_per_s = mixed;
    if (problem.sample_every_steps > 0 && i % problem.sample_every_steps == 0) {
      result.series.push_back({time, put, stalled, l0_files});
    }
  }
  result.final_l0_files = l0_files;
  if (problem.steps > 0) result.mean_mib_per_s = sum / static_cast<double>(problem.steps);
  return result;
}

}  // namespace lsmtuned::model::published
