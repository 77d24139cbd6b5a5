// v1, v2 and v2.1 behind the registry.
#include "model/published/device.h"
#include "model/published/evaluate.h"
#include "model/published/v1.h"
#include "model/published/v2.h"

namespace lsmtuned::model::published {
namespace {

// As measured, else by equation 9.
double mixed_bandwidth(Evaluation& at) {
  if (at.inputs.mixed_mib_per_s) return *at.inputs.mixed_mib_per_s;
  const double share = at.need(&PublishedInputs::read_share);
  return harmonic_bandwidth(share, at.need(&PublishedInputs::read_mib_per_s),
                            at.need(&PublishedInputs::write_mib_per_s));
}

ByteDemand demand(Evaluation& at) {
  const ByteDemand result = byte_demand(at.need(&PublishedInputs::compression_ratio),
                                        at.need(&PublishedInputs::write_amplification),
                                        at.need(&PublishedInputs::wal_factor));
  at.add("w_req", result.written, "device B/user B");
  at.add("r_req", result.read, "device B/user B");
  return result;
}

// The given amplification, else equation 6 from L1 on.
double amplification_of_levels(Evaluation& at) {
  const auto& levels = at.inputs.levels;
  std::vector<LevelMerge> merges;
  for (std::size_t l = 1; l < levels.size(); ++l) {
    if (!levels[l].size_mib || !levels[l].merge_frequency) break;
    merges.push_back({*levels[l].size_mib, *levels[l].merge_frequency});
  }
  if (at.inputs.write_amplification || merges.empty() || !(merges.front().size > 0)) {
    return at.need(&PublishedInputs::write_amplification);
  }
  const double sum = level_sum_write_amplification(merges);
  if (!(sum >= 1 && sum <= 1e4)) {
    at.missing.push_back(
        "write_amplification is missing, and equation 6 on levels gives none within 1 and 10000");
  }
  at.add("level_sum_wa", sum);
  return sum;
}

}  // namespace

void evaluate_v1(Evaluation& at) {
  at.finish_mib(v1_rate(at.need(&PublishedInputs::write_mib_per_s),
                        at.need(&PublishedInputs::write_amplification),
                        at.need(&PublishedInputs::compression_ratio)));
}

void evaluate_v1_wal(Evaluation& at) {
  demand(at);
  const double bandwidth = at.need(&PublishedInputs::write_mib_per_s);
  if (!at.missing.empty()) return;
  at.finish_mib(v1_wal_rate(bandwidth, *at.inputs.write_amplification, *at.inputs.compression_ratio,
                            *at.inputs.wal_factor,
                            at.get_or(&PublishedInputs::wal_device_mib_per_s, 0)));
  const V1Elasticities elasticities =
      v1_elasticities(*at.inputs.write_amplification, *at.inputs.compression_ratio,
                      at.inputs.wal_device_mib_per_s ? 0 : *at.inputs.wal_factor);
  if (!at.inputs.wal_device_mib_per_s) {
    at.add("elasticity.b_w", elasticities.write_bandwidth);
    at.add("elasticity.b_r", elasticities.read_bandwidth);
    at.add("elasticity.wa", elasticities.write_amplification);
    at.add("elasticity.cr", elasticities.compression_ratio);
    at.add("elasticity.w_wal", elasticities.wal_factor);
  }
}

void evaluate_v1_bounds(Evaluation& at) {
  const ByteDemand needed = demand(at);
  const double mixed = mixed_bandwidth(at);
  const V1Bounds bounds = v1_bounds(at.need(&PublishedInputs::write_mib_per_s),
                                    at.need(&PublishedInputs::read_mib_per_s), mixed, needed,
                                    at.need(&PublishedInputs::read_weight));
  at.add("s_write", bounds.write_mib_per_s, "MiB/s");
  at.add("s_read", bounds.read_mib_per_s, "MiB/s");
  at.add("s_mix", bounds.mixed_mib_per_s, "MiB/s");
  at.finish_mib(bounds.least_mib_per_s);
}

void evaluate_v2(Evaluation& at) {
  const double mixed = mixed_bandwidth(at);
  at.add("b_eff", mixed, "MiB/s");
  const double amplification = amplification_of_levels(at);
  at.finish_mib(v2_rate(mixed, amplification, at.need(&PublishedInputs::compression_ratio),
                        at.need(&PublishedInputs::overhead)));
}

void evaluate_v21(Evaluation& at) {
  V21Inputs inputs;
  inputs.write_mib_per_s = at.need(&PublishedInputs::write_mib_per_s);
  inputs.read_mib_per_s = at.need(&PublishedInputs::read_mib_per_s);
  inputs.read_share = at.need(&PublishedInputs::read_share);
  inputs.compression_ratio = at.need(&PublishedInputs::compression_ratio);
  inputs.write_amplification = at.need(&PublishedInputs::write_amplification);
  inputs.wal_factor = at.need(&PublishedInputs::wal_factor);
  inputs.stall_probability = at.need(&PublishedInputs::stall_probability);
  // A level of the tree that nothing says about was not written to.
  for (std::size_t l = 0; l < at.inputs.levels.size(); ++l) {
    const LevelInputs& level = at.inputs.levels[l];
    if (level.written_mib && level.w_amp) {
      inputs.levels.push_back({*level.written_mib, *level.w_amp});
    } else if (level.written_mib || level.w_amp) {
      at.missing.push_back("levels[" + std::to_string(l) + "]: written_mib and w_amp are needed");
    }
  }
  if (inputs.levels.empty()) {
    at.missing.push_back("levels is missing: written_mib and w_amp of each level written to");
  }
  if (!at.missing.empty()) return;
  const V21Result result = v21_rate(inputs);
  at.add("b_eff", result.mixed_bandwidth_mib_per_s, "MiB/s");
  at.add("s_write", result.write_mib_per_s, "MiB/s");
  at.add("s_read", result.read_mib_per_s, "MiB/s");
  at.add("s_mix", result.mixed_mib_per_s, "MiB/s");
  at.add("s_feasible", result.feasible_mib_per_s, "MiB/s");
  at.prediction.levels.resize(result.level_mib_per_s.size());
  for (std::size_t l = 0; l < result.level_mib_per_s.size(); ++l) {
    at.add("s_level_L" + std::to_string(l), result.level_mib_per_s[l], "MiB/s");
    if (inputs.levels[l].written > 0) {
      at.prediction.levels[l].bound_mib_per_s = result.level_mib_per_s[l];
    }
  }
  at.finish_mib(result.rate_mib_per_s);
}

}  // namespace lsmtuned::model::published
