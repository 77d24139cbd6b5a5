#include "bench/campaign/scenario.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/estimate/calibrate.h"
#include "model/invariants.h"
#include "model/simulator/compression.h"
#include "model/simulator/random.h"
#include "model/tree.h"
#include "model/units.h"

namespace lsmtuned::campaign {
namespace {

using model::kKiB;
using model::kMiB;
using model::Knob;

constexpr double kSmallestFile = 2 * kMiB;
constexpr double kCycles = 45;        // of the starting settings under a saturating writer
constexpr double kAlternations = 22;  // of a load that comes and goes
constexpr double kLongestS = 8 * 3600;
constexpr double kLowestBandwidth = 0.26;  // of a degraded device
constexpr double kSaturating = std::numeric_limits<double>::infinity();

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 0xd1342543de82ef95U + 1) {}
  double uniform(double low, double high) {
    return low + (high - low) * model::simulator::next_uniform(state_);
  }
  double log_uniform(double low, double high) {
    return std::exp(uniform(std::log(low), std::log(high)));
  }
  bool chance(double share) { return uniform(0, 1) < share; }
  template <class T>
  T one_of(std::initializer_list<T> values) {
    const auto at = static_cast<std::size_t>(uniform(0, static_cast<double>(values.size())));
    return *(values.begin() + std::min(at, values.size() - 1));
  }

 private:
  std::uint64_t state_;
};

double whole(double value, double step) {
  return std::max(step, std::round(value / step) * step);
}

void set_sizes(model::KnobValues& s, double buffer, double base, double file) {
  s.set(Knob::write_buffer_size, whole(buffer, kMiB));
  s.set(Knob::max_bytes_for_level_base, whole(base, kMiB));
  s.set(Knob::target_file_size_base, whole(file, 256 * kKiB));
  s.set(Knob::max_compaction_bytes, 25 * *s.get(Knob::target_file_size_base));
}

void set_triggers(model::KnobValues& s, double trigger, double slowdown, double stop) {
  s.set(Knob::level0_file_num_compaction_trigger, trigger);
  s.set(Knob::level0_slowdown_writes_trigger, slowdown);
  s.set(Knob::level0_stop_writes_trigger, stop);
}

// Sizes in seconds of the device's writes, so that a cycle takes seconds to a minute whatever the
// device: a scenario on a fast device with large buffers is the same one in larger numbers.
void choose_settings(Dice& dice, double device, Scenario& scenario) {
  model::KnobValues& s = scenario.problem.settings;
  for (const auto& about : model::all_knobs())
    if (about.scope != model::KnobScope::limiter) s.set(about.knob, about.rocksdb_default);
  s.set(Knob::max_write_buffer_number, dice.one_of({2.0, 2.0, 3.0, 4.0}));
  s.set(Knob::max_background_jobs, dice.one_of({2.0, 2.0, 3.0, 4.0}));
  const double kind = dice.uniform(0, 1);
  if (kind < 0.45) {
    scenario.start = "defaults";  // RocksDB's 64, 256 and 64 MiB, scaled
    const double buffer = dice.one_of({0.06, 0.12, 0.25, 0.5}) * device;
    set_sizes(s, buffer, 4 * buffer, std::max(kSmallestFile, buffer));
    set_triggers(s, 4, 20, 36);
  } else if (kind < 0.7) {
    scenario.start = "sensible";
    const double buffer = dice.one_of({0.5, 1.0, 1.5}) * device;
    const double trigger = dice.one_of({4.0, 6.0, 8.0});
    set_sizes(s, buffer, trigger * buffer,
              std::max(kSmallestFile, dice.one_of({0.2, 0.4}) * device));
    set_triggers(s, trigger, dice.one_of({24.0, 30.0}), dice.one_of({36.0, 48.0}));
  } else {
    scenario.start = "poor";
    set_sizes(s, dice.one_of({0.04, 0.08, 0.15}) * device,
              dice.one_of({0.3, 1.0, 4.0, 12.0}) * device,
              std::max(kSmallestFile / 2, dice.one_of({0.05, 0.3}) * device));
    const double trigger = dice.one_of({2.0, 4.0});
    const double slowdown = dice.one_of({4.0, 6.0, 10.0});
    set_triggers(s, trigger, slowdown, slowdown + dice.one_of({2.0, 6.0, 16.0}));
    if (dice.chance(0.2)) {
      s.set(Knob::soft_pending_compaction_bytes_limit, std::floor(20 * device));
      s.set(Knob::hard_pending_compaction_bytes_limit, std::floor(80 * device));
    }
  }
  if (dice.chance(0.2)) s.set(Knob::max_bytes_for_level_multiplier, dice.one_of({5.0, 8.0, 16.0}));
}

// Levels filled to their targets from the top, the rest in the last: what a database that has
// taken overwrites for long looks like.
model::TreeShape settled_tree(const model::Problem& problem, double bytes) {
  const double base = *problem.settings.get(Knob::max_bytes_for_level_base);
  const double multiplier = problem.settings.get_or(Knob::max_bytes_for_level_multiplier, 10);
  const double file = *problem.settings.get(Knob::target_file_size_base);
  model::TreeShape tree;
  tree.levels.resize(static_cast<std::size_t>(problem.facts.num_levels));
  double target = base;
  double left = bytes;
  for (std::size_t level = 1; level < tree.levels.size() && left > 0; ++level) {
    const bool last = left <= target || level + 1 == tree.levels.size();
    const double here = last ? left : target;
    tree.levels[level].bytes = here;
    tree.levels[level].files = std::max(1.0, std::round(here / file));
    left -= here;
    target *= multiplier;
  }
  return tree;
}

void choose_machine(Dice& dice, const ScenarioOptions& options, double believed,
                    Scenario& scenario) {
  model::Problem& problem = scenario.problem;
  const double spread = options.mismatch > 0 ? options.mismatch : 0.15;
  const auto off = [&] { return dice.uniform(1 - spread, 1 + spread); };
  const bool limited = dice.chance(0.6);
  double write = believed;
  if (options.mismatch > 0) write *= limited ? dice.uniform(1 - spread, 1) : off();
  problem.device.write_bytes_per_s = write * (limited ? 0.97 : 1);
  problem.device.read_bytes_per_s = 2 * write;
  problem.device.mix_exponent = limited ? 8 : dice.one_of({1.0, 2.0, 8.0});
  if (limited) scenario.seen_limit_bytes_per_s = believed;
  problem.constants.cpu_seconds_per_byte *= off();
  problem.constants.cpu_seconds_per_record *= off();
  for (double& share : problem.constants.overlap) share = std::min(1.0, share * off());
  scenario.cpu_cores = dice.one_of({2.0, 4.0, 8.0});
  problem.constants.cores = std::max(1.0, scenario.cpu_cores - 1);
  problem.constants.foreground_bytes_per_s = dice.uniform(100, 250) * kMiB;
  if (dice.chance(0.5)) problem.constants.wal_bytes_per_user_byte = 1.05;
  if (dice.chance(0.2)) problem.constants.readahead_bytes = 0;
  if (dice.chance(0.2) || !limited) problem.constants.burst_s = 0;  // credit is a limiter's
  problem.constants.flush_weight = dice.uniform(0.45, 0.55);
  if (options.mismatch > 0 && !limited) {
    // A calibration that was learned elsewhere.
    model::Snapshot there;
    there.time_s = 1;
    there.families.emplace_back();
    there.families.back().name = "default";
    there.families.back().levels.resize(7);
    there.device.emplace();
    there.device->name = "7:0";
    there.device->write_limit_bytes_per_s = believed;
    there.device->read_limit_bytes_per_s = 2 * believed;
    scenario.remembered = model::prior_from(there);
  }
}

void choose_workload(Dice& dice, double device, Scenario& scenario) {
  model::Problem& problem = scenario.problem;
  model::Workload& workload = problem.workload;
  workload.key_bytes = 16;
  workload.value_bytes = dice.one_of({100.0, 400.0, 1024.0, 1024.0, 4096.0});
  const double tree_bytes = dice.log_uniform(12, 80) * device;
  double file_record = workload.key_bytes + workload.value_bytes + 12;
  if (dice.chance(0.3)) {
    file_record *= dice.uniform(0.4, 0.8);
    problem.facts.compression = dice.one_of({"kSnappyCompression", "kLZ4Compression", "kZSTD"});
    model::TreeConstants& constants = problem.constants;
    constants.file_bytes_per_record = file_record;
    constants.measured_first_compressed_level = 1;
    constants.compression_cpu_seconds_per_byte =
        dice.uniform(0.7, 1.4) *
        model::simulator::compression_cpu_seconds_per_byte(problem.facts.compression);
  }
  workload.distinct_keys = std::floor(tree_bytes / file_record);
  problem.tree = settled_tree(problem, tree_bytes);
}

// What the starting settings take from a saturating writer; and for most scenarios the tree that
// has been under one for an hour, debt in equilibrium. The others begin out of shape.
void settle_tree(Dice& dice, Scenario& scenario) {
  model::Problem saturated = scenario.problem;
  saturated.horizon_s = 300;
  model::SimulationOptions options;
  options.layer = scenario.layer;
  options.seed = scenario.seed;
  options.warmup_s = 3300;
  const auto found = model::simulate(saturated, options);
  scenario.capacity_bytes_per_s = found ? found->put_bytes_per_s : 4 * kMiB;
  if (found) scenario.cycle_s = saturated.horizon_s / std::max(1.0, found->l0_compactions);
  scenario.settled = dice.chance(0.85) && found;
  if (!scenario.settled) return;
  scenario.problem.tree = found->tree;
  scenario.problem.tree.immutable_memtables = 0;
}

struct Degradation {
  bool happens = false;
  double from_share = 0;  // of the scenario
  double lasts_s = 0;     // at the lowest; infinite: to the end
};

// At least as long as asked for, and long enough that the last third holds many cycles: over a few,
// two plays of nobody differ by several per cent.
void choose_length(const Degradation& degradation, double longer, Scenario& scenario) {
  const double slower =
      degradation.happens && std::isinf(degradation.lasts_s) ? 1 / kLowestBandwidth : 1;
  const double asked = longer * std::max(slower * kCycles * scenario.cycle_s, scenario.seconds);
  scenario.seconds = std::min(asked, std::max(scenario.seconds, kLongestS));
}

// Times of a load that comes and goes, as far apart as two uniform draws say.
struct Alternation {
  double low_s[2];
  double high_s[2];
  double seconds(double count) const {
    return count * (low_s[0] + low_s[1] + high_s[0] + high_s[1]) / 2;
  }
};
constexpr Alternation kBursts{{40, 240}, {10, 120}};
constexpr Alternation kOnOff{{20, 200}, {60, 400}};

void choose_load(Dice& dice, double longer, Scenario& scenario) {
  const double capacity = scenario.capacity_bytes_per_s;
  auto& load = scenario.load;
  // The last third holds many alternations: over a few, plays of nobody differ by their phase.
  const auto alternate = [&](const Alternation& times, double first, double second,
                             bool high_first) {
    scenario.seconds = std::max(scenario.seconds, times.seconds(longer * kAlternations));
    bool high = high_first;
    double t = 0;
    while (t < scenario.seconds || high != high_first) {
      load.push_back({t, high == high_first ? first : second});
      const auto& range = high ? times.high_s : times.low_s;
      t += dice.uniform(range[0], range[1]);
      high = !high;
    }
  };
  const double kind = dice.uniform(0, 1);
  if (kind < 0.4) {
    scenario.load_kind = "saturating";
    load.push_back({0, kSaturating});
  } else if (kind < 0.6) {
    scenario.load_kind = "paced";
    load.push_back({0, dice.uniform(0.3, 1.3) * capacity});
  } else if (kind < 0.75) {
    scenario.load_kind = "step";
    const double low = dice.uniform(0.2, 0.8) * capacity;
    const double high = dice.chance(0.5) ? kSaturating : dice.uniform(1.1, 2) * capacity;
    const bool up = dice.chance(0.5);
    load.push_back({0, up ? low : high});
    load.push_back({dice.uniform(0.2, 0.6) * scenario.seconds, up ? high : low});
  } else if (kind < 0.87) {
    scenario.load_kind = "bursts";
    const double low = dice.uniform(0.2, 0.6) * capacity;
    const double high = dice.chance(0.5) ? kSaturating : dice.uniform(1.2, 2.5) * capacity;
    alternate(kBursts, low, high, false);
  } else {
    scenario.load_kind = "on/off";
    const double high = dice.chance(0.7) ? kSaturating : dice.uniform(0.5, 2) * capacity;
    alternate(kOnOff, high, 0, true);
  }
}

Degradation choose_degradation(Dice& dice) {
  if (!dice.chance(0.2)) return {};
  const double from_share = dice.uniform(0.25, 0.55);
  return {true, from_share,
          dice.chance(0.6) ? dice.uniform(240, 600) : std::numeric_limits<double>::infinity()};
}

void degrade(const Degradation& degradation, Scenario& scenario) {
  if (!degradation.happens) return;
  constexpr double kRampS = 60;
  constexpr int kSteps = 6;
  const double from = degradation.from_share * scenario.seconds;
  for (int i = 1; i <= kSteps; ++i)
    scenario.device.push_back(
        {from + kRampS * i / kSteps, 1 - (1 - kLowestBandwidth) * i / kSteps});
  if (std::isfinite(degradation.lasts_s))
    scenario.device.push_back({from + kRampS + degradation.lasts_s, 1});
}

void choose_faults(Dice& dice, Scenario& scenario) {
  scenario.noise = dice.one_of({0.0, 0.005, 0.02});
  if (dice.chance(0.3)) scenario.lost_share = dice.uniform(0, 0.05);
  if (dice.chance(0.4)) return;
  const double end = scenario.seconds;
  const int count = dice.chance(0.5) ? 1 : 2;
  for (int i = 0; i < count; ++i) {
    Fault fault;
    fault.kind =
        dice.one_of({FaultKind::lost_samples, FaultKind::late_samples, FaultKind::counter_reset,
                     FaultKind::wall_jump, FaultKind::suspend, FaultKind::daemon_restart,
                     FaultKind::database_restart, FaultKind::foreign_write, FaultKind::freeze,
                     FaultKind::operator_revert, FaultKind::disk_full});
    fault.at_s = dice.uniform(0.05, 0.9) * end;
    switch (fault.kind) {
      case FaultKind::lost_samples:
        fault.until_s = fault.at_s + dice.uniform(2, 60);
        break;
      case FaultKind::late_samples:
        fault.until_s = fault.at_s + dice.uniform(20, 300);
        fault.value = dice.one_of({1.0, 2.0, 4.0});
        break;
      case FaultKind::wall_jump:
        fault.value = dice.one_of({-3600.0, -30.0, 30.0, 3600.0, 86400.0});
        break;
      case FaultKind::suspend:
        fault.value = dice.uniform(5, 900);
        break;
      case FaultKind::daemon_restart:
        fault.value = dice.one_of({1.0, 4.0, 30.0});
        break;
      case FaultKind::foreign_write:
        fault.value = dice.uniform(0, 1);
        break;
      case FaultKind::freeze:
      case FaultKind::disk_full:
        fault.until_s = fault.at_s + dice.uniform(20, 300);
        break;
      default:
        break;
    }
    scenario.faults.push_back(fault);
  }
  std::sort(scenario.faults.begin(), scenario.faults.end(),
            [](const Fault& a, const Fault& b) { return a.at_s < b.at_s; });
  if (dice.chance(0.4)) {
    scenario.calls.fails = dice.one_of({0.0, 0.2});
    scenario.calls.hangs = dice.one_of({0.0, 0.2});
    scenario.calls.ineffective = dice.one_of({0.0, 0.2});
    scenario.calls.late = dice.one_of({0.0, 0.5});
  }
}

void choose_policy(Dice& dice, const ScenarioOptions& options, Scenario& scenario) {
  config::Policy& policy = scenario.policy;
  policy.mode = config::Mode::tune;
  const bool hours = scenario.seconds > 3600;
  policy.poll_interval_s =
      hours ? dice.one_of({2.0, 5.0, 5.0}) : dice.one_of({1.0, 1.0, 1.0, 2.0, 5.0});
  policy.observation_s = 60;
  policy.cooldown_s = hours ? config::Policy{}.cooldown_s : 60;
  policy.trial_min_s = 60;
  policy.trial_max_s = hours ? 900 : 300;
  policy.settle_max_s = 120;
  policy.search_evaluations = options.evaluations;
  policy.reapply_after_restart = dice.chance(0.5);
  if (dice.chance(0.4)) policy.knobs.push_back(Knob::max_background_jobs);
  if (dice.chance(0.2)) policy.knobs.push_back(Knob::max_bytes_for_level_multiplier);
  if (dice.chance(0.2)) policy.knobs.push_back(Knob::max_subcompactions);
  if (dice.chance(0.2)) policy.knobs.push_back(Knob::delayed_write_rate);
  if (dice.chance(0.2)) policy.knobs.push_back(Knob::first_compressed_level);
  if (dice.chance(0.15)) policy.objective = config::Objective::smoothness;
  if (dice.chance(0.2)) policy.max_l0_files = 24;
  // Memory as the database has it, or more.
  model::Settings settings;
  for (const auto& about : model::all_knobs())
    if (const auto value = scenario.problem.settings.get(about.knob))
      settings.set("default", about.knob, *value);
  const double now = model::memory_of(settings, {0, 0.01 * model::kGiB, 2 * kMiB});
  policy.memory_budget_bytes = dice.one_of({1.05, 1.5, 2.0, 4.0, 8.0}) * now + 16 * kMiB;
}

}  // namespace

const char* to_text(FaultKind kind) {
  switch (kind) {
    case FaultKind::lost_samples:
      return "lost samples";
    case FaultKind::late_samples:
      return "late samples";
    case FaultKind::counter_reset:
      return "counter reset";
    case FaultKind::wall_jump:
      return "wall clock jump";
    case FaultKind::suspend:
      return "suspend";
    case FaultKind::daemon_restart:
      return "daemon restart";
    case FaultKind::database_restart:
      return "database restart";
    case FaultKind::foreign_write:
      return "foreign write";
    case FaultKind::freeze:
      return "freeze";
    case FaultKind::operator_revert:
      return "operator's revert";
    case FaultKind::disk_full:
      return "disk full";
  }
  return "unknown";
}

Scenario make_scenario(std::uint64_t seed, const ScenarioOptions& options) {
  Dice dice(seed);
  Scenario scenario;
  scenario.seed = seed;
  scenario.seconds = 60 * options.minutes;
  scenario.mismatch = options.mismatch > 0;
  scenario.search_effort = options.effort;
  scenario.layer =
      dice.chance(0.7) ? model::SimulationLayer::files : model::SimulationLayer::totals;
  const double device = dice.log_uniform(16, 64) * kMiB;
  choose_settings(dice, device, scenario);
  choose_machine(dice, options, device, scenario);
  choose_workload(dice, device, scenario);
  settle_tree(dice, scenario);
  const Degradation degradation = choose_degradation(dice);
  choose_length(degradation, options.longer, scenario);
  choose_load(dice, options.longer, scenario);
  degrade(degradation, scenario);
  choose_faults(dice, scenario);
  choose_policy(dice, options, scenario);
  return scenario;
}

std::string describe(const Scenario& scenario) {
  const model::Problem& problem = scenario.problem;
  double tree = 0;
  for (const auto& level : problem.tree.levels) tree += level.bytes;
  std::string text =
      scenario.start + " settings, " + (scenario.settled ? "" : "unsettled ") +
      model::format_bytes(tree) + " of " + model::format_bytes(problem.workload.value_bytes) +
      " values, " + scenario.load_kind + " load, device " +
      model::format_rate(problem.device.write_bytes_per_s) +
      (scenario.seen_limit_bytes_per_s > 0 ? " (limit seen)" : "") + ", " +
      model::format_duration(scenario.seconds) + ", budget " +
      model::format_bytes(scenario.policy.memory_budget_bytes) + ", poll " +
      model::format_duration(scenario.policy.poll_interval_s) +
      (scenario.layer == model::SimulationLayer::files ? ", by files" : ", by totals");
  if (!scenario.device.empty())
    text += ", degraded from " + model::format_duration(scenario.device.front().from_s);
  for (const auto& fault : scenario.faults)
    text += std::string(", ") + to_text(fault.kind) + " at " + model::format_duration(fault.at_s);
  return text;
}

}  // namespace lsmtuned::campaign
