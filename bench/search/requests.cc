#include "bench/search/requests.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "model/analysis/ledger_case.h"
#include "model/simulator/simulate.h"
#include "model/stall.h"
#include "model/units.h"

namespace lsmtuned::bench {
namespace {

using config::Objective;
using model::kGiB;
using model::kMiB;
using model::Knob;

constexpr double kLoadS = 600;  // before the snapshot is taken
constexpr double kKeyBytes = 16;
constexpr double kFileOverhead = 12;  // bytes a record adds in a table

struct Case {
  std::string name = {};
  double data_bytes = 0;  // of distinct records
  double write_bytes_per_s = 0;
  double read_bytes_per_s = 0;
  double memory_budget_bytes = 0;
  Objective objective = Objective::throughput;
  double cores = 2;
  double value_bytes = 1024;
  bool small = false;     // 4 MiB buffers, 2 MiB tables, 16 MiB base level; else RocksDB's defaults
  bool new_keys = false;  // every key is new: the tree grows
  bool every_knob = false;  // else the policy's default knobs
  double wal = 0;           // bytes per user byte
  double mix_exponent = 8;
  std::vector<double> compression = {};  // by level
  std::vector<std::pair<Knob, double>> settings = {};
};

std::vector<Case> cases() {
  return {
      {.name = "1 GiB, 24 MiB/s",
       .data_bytes = kGiB,
       .write_bytes_per_s = 24 * kMiB,
       .read_bytes_per_s = 48 * kMiB,
       .memory_budget_bytes = 128 * kMiB,
       .small = true},
      {.name = "1 GiB, 24 MiB/s, 256 MiB",
       .data_bytes = kGiB,
       .write_bytes_per_s = 24 * kMiB,
       .read_bytes_per_s = 48 * kMiB,
       .memory_budget_bytes = 256 * kMiB,
       .small = true},
      {.name = "1 GiB, smoothness",
       .data_bytes = kGiB,
       .write_bytes_per_s = 24 * kMiB,
       .read_bytes_per_s = 48 * kMiB,
       .memory_budget_bytes = 128 * kMiB,
       .objective = Objective::smoothness,
       .small = true},
      {.name = "1 GiB, efficiency",
       .data_bytes = kGiB,
       .write_bytes_per_s = 24 * kMiB,
       .read_bytes_per_s = 48 * kMiB,
       .memory_budget_bytes = 128 * kMiB,
       .objective = Objective::efficiency,
       .small = true},
      {.name = "1 GiB, every knob",
       .data_bytes = kGiB,
       .write_bytes_per_s = 48 * kMiB,
       .read_bytes_per_s = 96 * kMiB,
       .memory_budget_bytes = 256 * kMiB,
       .small = true,
       .every_knob = true},
      {.name = "1 GiB, trigger 4, tiny buffers",
       .data_bytes = kGiB,
       .write_bytes_per_s = 24 * kMiB,
       .read_bytes_per_s = 48 * kMiB,
       .memory_budget_bytes = 128 * kMiB,
       .small = true,
       .settings = {{Knob::write_buffer_size, kMiB}, {Knob::level0_slowdown_writes_trigger, 4}}},
      {.name = "4 GiB growing, WAL",
       .data_bytes = 4 * kGiB,
       .write_bytes_per_s = 100e6,
       .read_bytes_per_s = 200e6,
       .memory_budget_bytes = 512 * kMiB,
       .small = true,
       .new_keys = true,
       .wal = 1.03},
      {.name = "10 GiB, small values",
       .data_bytes = 10 * kGiB,
       .write_bytes_per_s = 200e6,
       .read_bytes_per_s = 400e6,
       .memory_budget_bytes = 512 * kMiB,
       .cores = 4,
       .value_bytes = 100},
      {.name = "10 GiB, fast device, 2 cores",
       .data_bytes = 10 * kGiB,
       .write_bytes_per_s = 2e9,
       .read_bytes_per_s = 3e9,
       .memory_budget_bytes = kGiB,
       .every_knob = true},
      {.name = "10 GiB, compressed",
       .data_bytes = 10 * kGiB,
       .write_bytes_per_s = 150e6,
       .read_bytes_per_s = 300e6,
       .memory_budget_bytes = 512 * kMiB,
       .cores = 4,
       .compression = {1, 1, 0.8, 0.6, 0.54}},
      {.name = "10 GiB, 1 MiB values",
       .data_bytes = 10 * kGiB,
       .write_bytes_per_s = 300e6,
       .read_bytes_per_s = 600e6,
       .memory_budget_bytes = kGiB,
       .cores = 4,
       .value_bytes = 1024 * 1024},
      {.name = "100 GiB, 500 MB/s",
       .data_bytes = 100 * kGiB,
       .write_bytes_per_s = 500e6,
       .read_bytes_per_s = 1000e6,
       .memory_budget_bytes = kGiB,
       .cores = 8},
      {.name = "100 GiB, every knob",
       .data_bytes = 100 * kGiB,
       .write_bytes_per_s = 500e6,
       .read_bytes_per_s = 1000e6,
       .memory_budget_bytes = 2 * kGiB,
       .cores = 8,
       .every_knob = true,
       .wal = 1.03},
      {.name = "100 GiB, efficiency",
       .data_bytes = 100 * kGiB,
       .write_bytes_per_s = 500e6,
       .read_bytes_per_s = 1000e6,
       .memory_budget_bytes = 2 * kGiB,
       .objective = Objective::efficiency,
       .cores = 8},
      {.name = "500 GiB, spinning disk",
       .data_bytes = 500 * kGiB,
       .write_bytes_per_s = 150e6,
       .read_bytes_per_s = 150e6,
       .memory_budget_bytes = kGiB,
       .cores = 8,
       .mix_exponent = 1},
      {.name = "1 TiB growing, 2 GB/s",
       .data_bytes = 1024 * kGiB,
       .write_bytes_per_s = 2e9,
       .read_bytes_per_s = 3e9,
       .memory_budget_bytes = 4 * kGiB,
       .cores = 16,
       .new_keys = true,
       .every_knob = true},
  };
}

void fill_tree(model::Problem& problem, double data_bytes) {
  const auto setting = [&](Knob knob) {
    return problem.settings.get_or(knob, model::info(knob).rocksdb_default);
  };
  double target = setting(Knob::max_bytes_for_level_base);
  const double file = setting(Knob::target_file_size_base);
  problem.tree.levels.resize(1);
  while (data_bytes > 0 &&
         static_cast<double>(problem.tree.levels.size()) < problem.facts.num_levels) {
    const double bytes = std::min(target, data_bytes);
    problem.tree.levels.push_back({bytes, std::ceil(bytes / file), {}});
    data_bytes -= bytes;
    target *= setting(Knob::max_bytes_for_level_multiplier);
  }
}

model::Problem problem_of(const Case& given) {
  model::Problem problem;
  auto& settings = problem.settings;
  for (const auto& about : model::all_knobs())
    if (about.scope != model::KnobScope::limiter) settings.set(about.knob, about.rocksdb_default);
  if (given.small) {
    settings.set(Knob::write_buffer_size, 4 * kMiB);
    settings.set(Knob::max_bytes_for_level_base, 16 * kMiB);
    settings.set(Knob::target_file_size_base, 2 * kMiB);
    settings.set(Knob::max_compaction_bytes, 50 * kMiB);
  }
  for (const auto& [knob, value] : given.settings) settings.set(knob, value);
  problem.workload.key_bytes = kKeyBytes;
  problem.workload.value_bytes = given.value_bytes;
  const double record = kKeyBytes + given.value_bytes + kFileOverhead;
  problem.workload.distinct_keys = given.new_keys ? 0 : std::floor(given.data_bytes / record);
  problem.device.write_bytes_per_s = given.write_bytes_per_s;
  problem.device.read_bytes_per_s = given.read_bytes_per_s;
  problem.device.mix_exponent = given.mix_exponent;
  problem.constants.cores = std::max(1.0, given.cores - 1);
  problem.constants.wal_bytes_per_user_byte = given.wal;
  problem.constants.level_compression = given.compression;
  fill_tree(problem, given.data_bytes);
  problem.horizon_s = kLoadS;
  return problem;
}

NamedRequest request_of(const Case& given) {
  model::Problem problem = problem_of(given);
  model::SimulationOptions options;
  options.layer = model::SimulationLayer::totals;
  const auto loaded = model::simulate(problem, options);
  if (!loaded) throw std::runtime_error(given.name + ": " + loaded.error().text());
  problem.tree = loaded->tree;
  const model::LedgerCase known = model::ledger_case(problem);

  NamedRequest out{given.name, {}};
  controller::SearchRequest& request = out.request;
  request.seed = 1;
  request.cpu_cores = given.cores;
  request.stall_share = 0.6;  // all are saturated
  request.calibration = known.calibration;
  request.policy.objective = given.objective;
  request.policy.memory_budget_bytes = given.memory_budget_bytes;
  if (given.every_knob) {
    request.policy.knobs.clear();
    for (const auto& about : model::all_knobs()) request.policy.knobs.push_back(about.knob);
  }
  model::Snapshot& snapshot = request.snapshot;
  snapshot.target = given.name;
  snapshot.settings = known.input.settings;
  snapshot.state.delayed_write_rate = problem.tree.delayed_write_rate;
  model::FamilySnapshot family = known.input.family;
  family.pending_compaction_bytes = model::estimate_pending_bytes(family, problem.settings);
  for (const auto& level : family.levels) family.live_data_bytes += level.size_bytes;
  snapshot.families = {std::move(family)};
  return out;
}

}  // namespace

std::vector<NamedRequest> search_requests() {
  std::vector<NamedRequest> requests;
  for (const Case& one : cases()) requests.push_back(request_of(one));
  return requests;
}

}  // namespace lsmtuned::bench
