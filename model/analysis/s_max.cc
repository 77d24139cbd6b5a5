#include "model/analysis/s_max.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/accuracy.h"
#include "model/analysis/ledger_case.h"
#include "model/eighty_percent.h"

namespace lsmtuned::model {
namespace {

constexpr std::array<OwnModelInfo, 3> kModels = {{
    {OwnModel::ledger, "ledger-1",
     "bytes written and read per user byte, and the lowest of the bounds on the put rate",
     "settings, tree, workload, device",
     "write buffer, L0 triggers, level base and multiplier of uniform writes to one family",
     "cycles and transients; max_write_buffer_number, target_file_size_base, delayed_write_rate; "
     "universal and FIFO styles"},
    {OwnModel::totals, "totals-1",
     "RocksDB's write controller and scheduler simulated on one byte total a level",
     "settings, tree, workload, device",
     "as the ledger, and buffers, delayed_write_rate, pending limits, job slots, over a horizon",
     "target_file_size_base (its overlap shares are measured); skewed keys, several families; "
     "universal and FIFO styles"},
    {OwnModel::files, "files-1",
     "RocksDB's write controller, scheduler and file picking simulated on every table's key range",
     "settings, tree (exact ranges where known), workload, device", "all knobs, over a horizon",
     "skewed keys, several families, compaction reads served by a cache; universal and FIFO "
     "styles"},
}};

SMax from_ledger(const Prediction& prediction, const Problem& problem) {
  SMax out;
  out.put_bytes_per_s = prediction.put_bytes_per_s;
  out.write_amplification = prediction.write_amplification;
  out.read_amplification = prediction.read_amplification;
  Problem settled = problem;
  settled.horizon_s = 0;
  if (const auto later = ledger_prediction(settled))
    out.settled_bytes_per_s = later->put_bytes_per_s;
  return out;
}

// Standard deviation of ln S among the members.
double member_spread(const Simulation& simulation) {
  if (!(simulation.low_bytes_per_s > 0) ||
      !(simulation.high_bytes_per_s > simulation.low_bytes_per_s))
    return 0;
  return std::log(simulation.high_bytes_per_s / simulation.low_bytes_per_s) / (2 * kEightyPercent);
}

void take_simulation(const Simulation& simulation, SMax& out) {
  out.put_bytes_per_s = simulation.put_bytes_per_s;
  out.settled_bytes_per_s = simulation.settled_put_bytes_per_s;
  out.write_amplification = simulation.write_amplification;
  out.read_amplification = simulation.read_amplification;
  out.stall_share = simulation.stalls.total();
  const auto causes = by_cause(simulation.stalls);
  const auto most =
      std::max_element(causes.begin(), causes.end(),
                       [](const NamedShare& a, const NamedShare& b) { return a.share < b.share; });
  if (most->share > 0) out.main_stall = most->name;
}

void set_interval(double spread_of_members, SMax& out) {
  const ModelSpread spread = model_spread(to_text(out.model));
  out.interval_measured = spread.measured;
  const double width =
      std::exp(kEightyPercent * std::hypot(spread.log_standard_deviation, spread_of_members));
  out.low_bytes_per_s = out.put_bytes_per_s / width;
  out.high_bytes_per_s = out.put_bytes_per_s * width;
}

SimulationOptions options_of(const ModelChoice& choice) {
  SimulationOptions options;
  options.layer =
      choice.model == OwnModel::totals ? SimulationLayer::totals : SimulationLayer::files;
  options.members = choice.members;
  options.seed = choice.seed;
  return options;
}

bool has_default(KnobScope scope) {
  return scope != KnobScope::limiter;
}

bool all_default(const KnobValues& values) {
  const auto knobs = all_knobs();
  return std::all_of(knobs.begin(), knobs.end(), [&](const KnobInfo& about) {
    return !has_default(about.scope) ||
           values.get_or(about.knob, about.rocksdb_default) == about.rocksdb_default;
  });
}

}  // namespace

const char* to_text(OwnModel model) {
  switch (model) {
    case OwnModel::ledger:
      return "ledger";
    case OwnModel::totals:
      return "totals";
    case OwnModel::files:
      return "files";
  }
  return "unknown";
}

std::optional<OwnModel> own_model_from_text(std::string_view text) {
  for (const OwnModelInfo& about : kModels)
    if (text == to_text(about.model)) return about.model;
  return std::nullopt;
}

const OwnModelInfo& info(OwnModel model) {
  return kModels.at(static_cast<std::size_t>(model));
}

std::vector<NamedShare> by_cause(const StallShares& stalls) {
  return {{"memtable_stop", stalls.memtable_stop}, {"l0_stop", stalls.l0_stop},
          {"pending_stop", stalls.pending_stop},   {"memtable_delay", stalls.memtable_delay},
          {"l0_delay", stalls.l0_delay},           {"pending_delay", stalls.pending_delay}};
}

Result<Simulation> simulate_with(const Problem& problem, const ModelChoice& choice) {
  return simulate(problem, options_of(choice));
}

Result<SMax> predict_s_max(const Problem& problem, const ModelChoice& choice) {
  Problem saturating = problem;
  saturating.workload.offered_bytes_per_s = 0;
  const auto ledger = ledger_prediction(saturating);
  SMax out;
  double spread_of_members = 0;
  if (choice.model == OwnModel::ledger) {
    if (!ledger) return ledger.error();
    out = from_ledger(*ledger, saturating);
  } else {
    const auto simulation = simulate_with(saturating, choice);
    if (!simulation) return simulation.error();
    take_simulation(*simulation, out);
    spread_of_members = member_spread(*simulation);
  }
  out.model = choice.model;
  out.horizon_s = problem.horizon_s;
  if (ledger) {
    out.bound = ledger->bound;
    out.runner_up = ledger->runner_up;
  }
  set_interval(spread_of_members, out);
  return out;
}

Result<SMax> predict_of_load(const Problem& problem, const ModelChoice& choice, double warmup_s) {
  const double offered = problem.workload.offered_bytes_per_s;
  SMax out;
  if (choice.model == OwnModel::ledger) {
    Problem settled = problem;
    settled.horizon_s = 0;
    auto found = predict_s_max(settled, choice);
    if (!found) return found;
    out = *found;
  } else {
    SimulationOptions options = options_of(choice);
    options.warmup_s = warmup_s;
    const auto simulation = simulate(problem, options);
    if (!simulation) return simulation.error();
    out.model = choice.model;
    out.horizon_s = problem.horizon_s;
    take_simulation(*simulation, out);
    set_interval(member_spread(*simulation), out);
  }
  if (offered > 0) {
    out.put_bytes_per_s = std::min(out.put_bytes_per_s, offered);
    out.low_bytes_per_s = std::min(out.low_bytes_per_s, offered);
    out.high_bytes_per_s = std::min(out.high_bytes_per_s, offered);
  }
  return out;
}

PredictedGain predicted_gain(double before, double after, OwnModel model) {
  const double log = std::log(after / before);
  const double half =
      kEightyPercent * std::sqrt(2.0) * model_spread(to_text(model)).log_standard_deviation;
  return {std::expm1(log), std::expm1(log - half), std::expm1(log + half)};
}

Problem with_default_settings(const Problem& problem) {
  Problem moved = problem;
  for (const KnobInfo& about : all_knobs())
    if (has_default(about.scope)) moved.settings.clear(about.knob);
  return moved;
}

bool all_default(const Settings& settings) {
  return all_default(settings.database) &&
         std::all_of(settings.families.begin(), settings.families.end(),
                     [](const auto& family) { return all_default(family.second); });
}

}  // namespace lsmtuned::model
