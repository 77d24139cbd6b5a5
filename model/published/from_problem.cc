#include "model/published/from_problem.h"

#include <algorithm>
#include <cmath>

#include "model/knobs.h"
#include "model/published/device.h"
#include "model/units.h"

namespace lsmtuned::model::published {
namespace {

constexpr double kFileOverheadBytes = 12;            // per record, as TreeConstants says
constexpr double kForegroundBytesPerS = 150 * kMiB;  // as TreeConstants says
constexpr double kMostPlannedSteps = 1e6;

std::optional<double> positive(double value) {
  if (!std::isfinite(value) || !(value > 0)) return std::nullopt;
  return value;
}

std::optional<double> rate(double bytes_per_s) {
  const auto known = positive(bytes_per_s);
  if (!known) return std::nullopt;
  return *known / kMiB;
}

double record_bytes(const Workload& workload) {
  return workload.key_bytes + workload.value_bytes;
}

double file_bytes_per_user_byte(const Problem& problem) {
  const double record = record_bytes(problem.workload);
  const double given = problem.constants.file_bytes_per_record;
  return (given > 0 ? given : record + kFileOverheadBytes) / record;
}

double knob(const Problem& problem, Knob which) {
  return problem.settings.get_or(which, info(which).rocksdb_default);
}

void add_levels(PublishedInputs& inputs, const Problem& problem, const RunFacts& facts) {
  const std::size_t count = std::max(facts.levels.size(), problem.tree.levels.size());
  inputs.levels.resize(count);
  for (std::size_t l = 0; l < count; ++l) {
    LevelInputs& level = inputs.levels[l];
    if (l < problem.tree.levels.size()) level.size_mib = problem.tree.levels[l].bytes / kMiB;
    if (l >= facts.levels.size()) {
      if (!facts.levels.empty()) level.written_mib = level.w_amp = 0;
      continue;
    }
    const LevelTraffic& traffic = facts.levels[l];
    const double incoming = traffic.incoming_bytes;
    level.written_mib = traffic.written_bytes / kMiB;
    level.w_amp = l > 0 && incoming > 0 ? traffic.written_bytes / incoming : 0;
    if (l == 0) {
      level.measured_wa = 1;
      level.measured_ra = 0;
    } else if (incoming > 0) {
      level.measured_wa = traffic.written_bytes / incoming;
      level.measured_ra = traffic.read_bytes / incoming;
    }
  }
  const auto last = std::find_if(inputs.levels.rbegin(), inputs.levels.rend(),
                                 [](const auto& l) { return l.size_mib.value_or(0) > 0; });
  if (last != inputs.levels.rend()) {
    inputs.level_depth = static_cast<double>(inputs.levels.rend() - last);
  }
}

V3Inputs v3_inputs(const Problem& problem, const RunFacts& facts, double record_file_share) {
  V3Inputs v3;
  v3.mode = V3Mode::log_driven;
  v3.step_s = 1;
  v3.steps =
      static_cast<std::uint64_t>(std::clamp(std::round(problem.horizon_s), 1.0, kMostPlannedSteps));
  const double foreground = problem.constants.foreground_bytes_per_s;
  double offered = foreground > 0 ? foreground : kForegroundBytesPerS;
  if (problem.workload.offered_bytes_per_s > 0) {
    offered = std::min(offered, problem.workload.offered_bytes_per_s);
  }
  v3.offered_mib_per_s = {{0, offered / kMiB}};
  v3.stall_threshold_files = knob(problem, Knob::level0_slowdown_writes_trigger);
  v3.l0_file_mib =
      std::max(knob(problem, Knob::write_buffer_size) * record_file_share / kMiB, 1e-3);
  if (!problem.tree.levels.empty()) v3.l0_files = problem.tree.levels.front().files;

  double written = 0;
  double read = 0;
  for (const LevelTraffic& level : facts.levels) {
    written += level.written_bytes;
    read += level.read_bytes;
  }
  for (std::size_t l = 0; l < facts.levels.size(); ++l) {
    V3LevelInputs level;
    level.name = "L" + std::to_string(l);
    level.write_share = written > 0 ? facts.levels[l].written_bytes / written : 0;
    level.read_share = read > 0 ? facts.levels[l].read_bytes / read : 0;
    v3.levels.push_back(level);
  }
  return v3;
}

}  // namespace

PublishedInputs published_inputs(const Problem& problem, const RunFacts& facts) {
  PublishedInputs inputs;
  inputs.write_mib_per_s = rate(problem.device.write_bytes_per_s);
  inputs.read_mib_per_s = rate(problem.device.read_bytes_per_s);
  inputs.wal_device_mib_per_s = rate(problem.device.wal_write_bytes_per_s);
  inputs.bandwidth_source = facts.bandwidth_source;
  if (facts.fresh_write_bytes_per_s) {
    inputs.fresh_write_mib_per_s = rate(*facts.fresh_write_bytes_per_s);
    const auto lost =
        degradation_percent(*facts.fresh_write_bytes_per_s, problem.device.write_bytes_per_s);
    if (lost) inputs.device_degradation = std::clamp(*lost / 100, 0.0, 1.0);
  }

  const double flushed = file_bytes_per_user_byte(problem);
  const double wal = problem.constants.wal_bytes_per_user_byte;
  inputs.record_bytes = record_bytes(problem.workload);
  inputs.compression_ratio = flushed;
  inputs.wal_factor = wal;
  inputs.overhead = 0;
  inputs.read_weight = 1;
  if (facts.written_per_user_byte) {
    inputs.write_amplification = std::max(1.0, (*facts.written_per_user_byte - wal) / flushed);
  }
  if (facts.read_per_user_byte) inputs.read_amplification = *facts.read_per_user_byte / flushed;
  if (facts.written_per_user_byte && facts.read_per_user_byte &&
      *facts.written_per_user_byte + *facts.read_per_user_byte > 0) {
    inputs.read_share =
        *facts.read_per_user_byte / (*facts.written_per_user_byte + *facts.read_per_user_byte);
  }
  inputs.stall_probability = facts.stall_share;
  inputs.put_rate_variation = facts.put_rate_variation;
  inputs.trend_slope = facts.trend_slope;
  inputs.runtime_minutes = facts.runtime_minutes;
  inputs.phase = facts.phase;
  inputs.detected_phase = facts.detected_phase;
  inputs.utilisation = facts.utilisation;
  inputs.workload = problem.workload.order == KeyOrder::sequential ? "sequential"
                    : problem.workload.distinct_keys > 0           ? "overwrite"
                                                                   : "FillRandom";
  add_levels(inputs, problem, facts);
  if (!facts.levels.empty()) {
    inputs.v3 = v3_inputs(problem, facts, flushed);
    // WA* counts file bytes per user byte, the unit of the put rate that it multiplies.
    if (facts.written_per_user_byte) {
      inputs.v3->write_amplification = {{0, std::max(0.0, *facts.written_per_user_byte - wal)}};
    }
    if (facts.read_per_user_byte) inputs.v3->read_amplification = {{0, *facts.read_per_user_byte}};
  }
  return inputs;
}

}  // namespace lsmtuned::model::published
