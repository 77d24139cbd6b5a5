#include "model/ledger/ledger.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "model/eighty_percent.h"
#include "model/ledger/demand.h"
#include "model/stall.h"
#include "model/tree.h"

namespace lsmtuned::model {
namespace {

constexpr std::size_t kBounds = static_cast<std::size_t>(Bound::none);
constexpr double kNoBound = std::numeric_limits<double>::infinity();

struct Resources {
  double write_bandwidth = 0;
  double read_bandwidth = 0;
  double mix_exponent = 1;
  double limiter = 0;
  double cores = 0;
  double job_speed = 0;
  double compaction_slots = 1;
  double l0_lane = 1;  // sigma(s)
  double flush_speed = 0;
  double flush_lanes = 1;
  double foreground = 0;
};

using BoundArray = std::array<double, kBounds>;

double& at(BoundArray& bounds, Bound bound) {
  return bounds[static_cast<std::size_t>(bound)];
}

// Section 4's device bound: the p-norm of the write share and the read share is at most one.
double device_bound(const Demand& demand, const Resources& resources) {
  const double writes =
      resources.write_bandwidth > 0 ? demand.written / resources.write_bandwidth : 0;
  const double reads = resources.read_bandwidth > 0 ? demand.read / resources.read_bandwidth : 0;
  const double larger = std::max(writes, reads);
  if (!(larger > 0)) return kNoBound;
  const double p = resources.mix_exponent;
  return 1 / (larger * std::pow(std::pow(writes / larger, p) + std::pow(reads / larger, p), 1 / p));
}

BoundArray bounds_for(const Demand& demand, const Resources& resources,
                      const Calibration& calibration) {
  BoundArray bounds;
  bounds.fill(kNoBound);
  at(bounds, Bound::device) = device_bound(demand, resources);
  const double limited = demand.written - calibration.wal_bytes_per_user_byte;
  if (resources.limiter > 0 && limited > 0)
    at(bounds, Bound::limiter) = resources.limiter / limited;
  if (resources.cores > 0 && demand.cpu_seconds > 0) {
    at(bounds, Bound::cpu) = resources.cores / demand.cpu_seconds;
  }
  if (resources.job_speed > 0 && demand.read > 0) {
    at(bounds, Bound::slots) = resources.compaction_slots * resources.job_speed / demand.read;
  }
  if (resources.job_speed > 0 && demand.base_read > 0) {
    at(bounds, Bound::l0_lane) = resources.l0_lane * resources.job_speed / demand.base_read;
  }
  if (resources.flush_speed > 0) {
    at(bounds, Bound::flush) =
        resources.flush_lanes * resources.flush_speed / calibration.flush_bytes_per_user_byte;
  }
  if (resources.foreground > 0) at(bounds, Bound::foreground) = resources.foreground;
  return bounds;
}

double lowest(const BoundArray& bounds) {
  return *std::min_element(bounds.begin(), bounds.end());
}

double knob_or_default(const KnobValues& values, Knob knob) {
  return values.get_or(knob, info(knob).rocksdb_default);
}

Resources resources_of(const ModelInput& input, const Calibration& calibration) {
  const KnobValues& database = input.settings.database;
  Resources resources;
  resources.write_bandwidth = calibration.write_bandwidth;
  resources.read_bandwidth = calibration.read_bandwidth;
  resources.mix_exponent = std::clamp(calibration.mix_exponent, 1.0, 16.0);
  resources.limiter = database.get_or(Knob::rate_limiter_bytes_per_second, 0);
  const double jobs = std::max(1.0, knob_or_default(database, Knob::max_background_jobs));
  const double parts = std::max(1.0, knob_or_default(database, Knob::max_subcompactions));
  resources.compaction_slots = compaction_slots(jobs, input.saturated);
  // Only the L0 job splits, and it cannot use more cores than there are.
  resources.l0_lane = std::pow(std::min(parts, std::max(1.0, input.cpu_cores)),
                               std::clamp(calibration.l0_speed_up_exponent, 0.0, 1.0));
  const double families = std::max<double>(1, static_cast<double>(input.settings.families.size()));
  resources.flush_lanes = std::min(flush_slots(jobs), families);
  // One core stays with the foreground; jobs that cannot run cannot use theirs.
  resources.cores =
      std::min(std::max(calibration.background_cores, input.cpu_cores - 1),
               resources.compaction_slots + resources.l0_lane - 1 + resources.flush_lanes);
  resources.job_speed = calibration.job_bytes_per_second;
  resources.flush_speed = calibration.flush_bytes_per_second;
  resources.foreground = calibration.foreground_bytes_per_second;
  return resources;
}

// The highest rate whose own demand still fits every bound. With a horizon the demand depends on
// the rate through what levels absorb. Scanned from above on a grid that does not depend on the
// bounds, then halved: whatever fits a slower device fits a faster one too, so the answer can only
// rise with bandwidth, even where several rates meet their bound.
double solve(const TreePlan& tree, const Resources& resources, const Calibration& calibration) {
  constexpr double kStep = 0.5;  // of ln S
  constexpr int kMostSteps = 60;
  constexpr int kHalvings = 13;  // to 6e-5 of S
  const auto fits = [&](double log_rate) {
    const double rate = std::exp(log_rate);
    return lowest(bounds_for(demand_at(tree, calibration, rate), resources, calibration)) >= rate;
  };
  // No tree asks for less than its WAL and its flushes.
  Demand least;
  least.written = calibration.wal_bytes_per_user_byte + calibration.flush_bytes_per_user_byte;
  const double ceiling = lowest(bounds_for(least, resources, calibration));
  constexpr double kFastest = 1e15;
  double low = std::ceil(std::log(std::min(ceiling, kFastest)) / kStep) * kStep;
  for (int i = 0; i < kMostSteps; ++i) {
    low -= kStep;
    if (fits(low)) break;
  }
  double width = kStep;
  for (int i = 0; i < kHalvings; ++i) {
    width /= 2;
    if (fits(low + width)) low += width;
  }
  return std::exp(low);
}

std::string refusal(const ModelInput& input, const Calibration& calibration) {
  const FamilyFacts& facts = input.family.facts;
  const std::string family = "column family " + input.family.name + ": ";
  if (facts.style != CompactionStyle::level) return family + "its compaction style is not level";
  if (facts.disable_auto_compactions) return family + "automatic compactions are disabled";
  if (input.settings.families.find(input.family.name) == input.settings.families.end()) {
    return family + "the settings do not hold it";
  }
  const std::array<double, 13> constants = {calibration.flush_bytes_per_user_byte,
                                            calibration.wal_bytes_per_user_byte,
                                            calibration.memtable_fill,
                                            calibration.record_bytes,
                                            calibration.write_bandwidth,
                                            calibration.read_bandwidth,
                                            calibration.job_bytes_per_second,
                                            calibration.flush_bytes_per_second,
                                            calibration.foreground_bytes_per_second,
                                            calibration.distinct_keys,
                                            calibration.cpu_seconds_per_byte,
                                            calibration.cpu_seconds_per_record,
                                            calibration.background_cores};
  for (const double value : constants) {
    if (!std::isfinite(value) || value < 0) {
      return "the calibration holds a value that is negative or not finite";
    }
  }
  if (!(calibration.flush_bytes_per_user_byte > 0) || !(calibration.memtable_fill > 0) ||
      !std::isfinite(calibration.log_residual) ||
      !std::isfinite(calibration.l0_speed_up_exponent)) {
    return "the calibration holds an impossible flush ratio, memtable fill, residual or speed-up";
  }
  if (!std::isfinite(input.horizon_s) || input.horizon_s < 0) return "the horizon is not a time";
  return {};
}

// What predict() and ranked_bounds() share: the rate that the horizon allows, and each bound there.
struct Solution {
  TreePlan tree;
  Demand demand;
  BoundArray bounds{};
  double rate = 0;  // with a horizon; 0: settled
};

Result<Solution> solution_of(const ModelInput& input, const Calibration& calibration) {
  if (std::string reason = refusal(input, calibration); !reason.empty()) {
    return Error{std::move(reason), "the byte ledger covers leveled compaction only"};
  }
  const Resources resources = resources_of(input, calibration);
  if (!(resources.write_bandwidth > 0 || resources.read_bandwidth > 0 || resources.limiter > 0 ||
        resources.job_speed > 0 || resources.flush_speed > 0 || resources.foreground > 0)) {
    // The CPU constants are priors: on their own they say nothing about this machine.
    return Error{
        "no limit of this target is known yet: neither device, limiter, job speed nor "
        "foreground",
        "let it run under load, or set an I/O limit that can be read"};
  }
  const KnobValues& settings = input.settings.families.at(input.family.name);
  Solution solution;
  solution.tree = plan_tree(input, calibration, settings, resources.compaction_slots <= 1);
  if (solution.tree.horizon_s > 0) solution.rate = solve(solution.tree, resources, calibration);
  solution.demand = demand_at(solution.tree, calibration, solution.rate);
  solution.bounds = bounds_for(solution.demand, resources, calibration);
  return solution;
}

double with_residual(double rate, const Calibration& calibration) {
  return rate * std::exp(std::clamp(calibration.log_residual, -3.0, 3.0));
}

}  // namespace

const char* to_text(Bound bound) {
  switch (bound) {
    case Bound::device:
      return "device";
    case Bound::wal_device:
      return "WAL device";
    case Bound::limiter:
      return "rate limiter";
    case Bound::cpu:
      return "background CPU";
    case Bound::slots:
      return "compaction slots";
    case Bound::l0_lane:
      return "L0 compaction";
    case Bound::flush:
      return "flush";
    case Bound::foreground:
      return "foreground";
    case Bound::none:
      return "none";
  }
  return "unknown";
}

Result<std::vector<BoundValue>> ranked_bounds(const ModelInput& input,
                                              const Calibration& calibration) {
  const auto solution = solution_of(input, calibration);
  if (!solution) return solution.error();
  std::vector<BoundValue> ranked;
  for (std::size_t i = 0; i < kBounds; ++i) {
    if (std::isfinite(solution->bounds[i]))
      ranked.push_back({static_cast<Bound>(i), with_residual(solution->bounds[i], calibration)});
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const BoundValue& a, const BoundValue& b) {
    return a.put_bytes_per_s < b.put_bytes_per_s;
  });
  return ranked;
}

Result<Prediction> predict(const ModelInput& input, const Calibration& calibration) {
  const auto solution = solution_of(input, calibration);
  if (!solution) return solution.error();
  const auto& [tree, demand, bounds, rate] = *solution;
  const KnobValues& settings = input.settings.families.at(input.family.name);

  Prediction prediction;
  const auto first = std::min_element(bounds.begin(), bounds.end());
  prediction.bound = static_cast<Bound>(first - bounds.begin());
  double second = kNoBound;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (i == static_cast<std::size_t>(prediction.bound) || !(bounds[i] < second)) continue;
    second = bounds[i];
    prediction.runner_up = static_cast<Bound>(i);
  }
  const double model_rate = tree.horizon_s > 0 ? std::min(rate, *first) : *first;
  prediction.put_bytes_per_s = with_residual(model_rate, calibration);
  const double spread = std::exp(kEightyPercent * std::clamp(calibration.relative_error, 0.0, 2.0));
  prediction.low_bytes_per_s = prediction.put_bytes_per_s / spread;
  prediction.high_bytes_per_s = prediction.put_bytes_per_s * spread;
  prediction.horizon_s = tree.horizon_s;
  prediction.write_amplification = demand.written;
  prediction.read_amplification = demand.read;
  prediction.l0_files = demand.l0_files;

  // Levels as they stand when an L0 -> base job has just ended.
  std::vector<double> after(input.family.levels.size(), 0.0);
  const std::size_t base =
      level_targets(level_bytes_of(input.family), settings, input.family.facts).base_level;
  after.resize(std::max(after.size(), base + demand.levels), 0.0);
  after[0] = demand.waiting_files * tree.flush_file_bytes;
  prediction.space_bytes = demand.l0_files * tree.flush_file_bytes / 2;
  for (std::size_t i = 0; i < demand.levels; ++i) {
    after[base + i] = demand.level_bytes[i] + (i == 0 ? demand.base_growth : 0);
    prediction.space_bytes += demand.level_bytes[i];
  }
  prediction.pending_bytes =
      pending_bytes(after, demand.waiting_files, settings, input.family.facts);
  if (!std::isfinite(prediction.put_bytes_per_s) || !std::isfinite(prediction.pending_bytes)) {
    return Error{"the byte ledger found no finite rate for these settings", ""};
  }
  return prediction;
}

double device_utilisation_v4(double put_bytes_per_s, double device_bytes_per_s) {
  if (!(device_bytes_per_s > 0) || !(put_bytes_per_s > 0)) return 0;
  return put_bytes_per_s / device_bytes_per_s;
}

}  // namespace lsmtuned::model
