// The V4 and V5 families behind the registry: models that know phases.
#include "model/published/device.h"
#include "model/published/evaluate.h"
#include "model/published/v5.h"

namespace lsmtuned::model::published {
namespace {

// Metadata that seed 001 asks every prediction of these families to carry.
void describe(Evaluation& at, double write_mib_per_s, Phase phase) {
  at.prediction.confidence = v4_confidence(write_mib_per_s, phase);
  at.prediction.base_ops_per_s = ops_per_second(write_mib_per_s, at.prediction.record_bytes);
  at.add("base_ops", *at.prediction.base_ops_per_s, "ops/s");
}

double v4_base(Evaluation& at, Phase phase) {
  const double bandwidth = at.need(&PublishedInputs::write_mib_per_s);
  at.prediction.utilisation =
      at.get_or(&PublishedInputs::utilisation, published_utilisation(phase));
  if (at.missing.empty()) describe(at, bandwidth, phase);
  return v4_ops(bandwidth, at.prediction.record_bytes, *at.prediction.utilisation);
}

void evaluate_v41(Evaluation& at, V41Variant variant) {
  const Phase phase = at.use_phase().phase;
  const double base = v4_base(at, phase);
  const double factor = v41_factor(phase, variant);
  at.add("base_v4_prediction", base, "ops/s");
  at.add("temporal_adjustment", factor);
  at.finish_ops(base * factor);
}

std::vector<LevelImpact> level_table(Evaluation& at, Phase phase) {
  std::vector<LevelImpact> table;
  for (const LevelInputs& level : at.inputs.levels) {
    if (!level.wa) break;
    table.push_back({*level.wa, *level.ra, *level.io_impact});
  }
  if (table.empty()) {
    const auto published = published_levels(phase);
    table.assign(published.begin(), published.end());
    at.note("the published tables for the phase, most io_impact values reconstructed");
  }
  return table;
}

// The fields that a phase uses; the others stay at values that no formula sees.
V5Inputs v5_inputs(Evaluation& at, Phase phase) {
  V5Inputs inputs;
  inputs.phase = phase;
  inputs.write_mib_per_s = at.need(&PublishedInputs::write_mib_per_s);
  inputs.record_bytes = at.prediction.record_bytes;
  if (phase != Phase::initial) {
    inputs.write_amplification = at.need(&PublishedInputs::write_amplification);
  }
  if (phase == Phase::final) {
    inputs.read_amplification = at.need(&PublishedInputs::read_amplification);
    inputs.put_rate_variation = at.need(&PublishedInputs::put_rate_variation);
  }
  if (at.missing.empty()) describe(at, inputs.write_mib_per_s, phase);
  return inputs;
}

}  // namespace

void evaluate_v4(Evaluation& at) {
  const Phase phase = at.use_phase().phase;
  const double rate = v4_base(at, phase);
  at.note("the bandwidth is taken to hold both device degradation and competing software I/O");
  at.finish_ops(rate);
}

void evaluate_v41_analysis(Evaluation& at) {
  evaluate_v41(at, V41Variant::analysis);
}
void evaluate_v41_implementation(Evaluation& at) {
  evaluate_v41(at, V41Variant::implementation);
}

void evaluate_v42(Evaluation& at) {
  const Phase phase = at.use_phase().phase;
  double write = at.need(&PublishedInputs::write_mib_per_s);
  double read = at.get_or(&PublishedInputs::read_mib_per_s, 0);
  if (at.inputs.degradation_by_phase) {
    write = bandwidth_in_phase(at.need(&PublishedInputs::fresh_write_mib_per_s), write, phase);
    read = bandwidth_in_phase(at.get_or(&PublishedInputs::fresh_read_mib_per_s, read), read, phase);
  }
  if (!at.missing.empty()) return;
  const std::vector<LevelImpact> table = level_table(at, phase);
  LevelAverages average = weighted_averages(table);
  average.wa = at.get_or(&PublishedInputs::average_write_amplification, average.wa);
  average.ra = at.get_or(&PublishedInputs::average_read_amplification, average.ra);
  const PhaseFactors factors = phase_factors(phase);
  const V42Result result =
      v42_rate(write, read, table, average, factors, at.prediction.record_bytes);

  describe(at, write, phase);
  at.add("total_io_impact", result.total_io_impact);
  at.add("avg_wa", result.average.wa);
  at.add("avg_ra", result.average.ra);
  at.add("wa_penalty", result.wa_penalty);
  at.add("ra_penalty", result.ra_penalty);
  at.add("io_impact_penalty", result.io_impact_penalty);
  at.add("effective_write_bw", result.effective_write_mib_per_s, "MiB/s");
  if (read > 0) at.add("adjusted_read_bw", result.adjusted_read_mib_per_s, "MiB/s");
  at.prediction.phase_factors = factors;
  at.prediction.levels.resize(table.size());
  for (std::size_t l = 0; l < table.size(); ++l) at.prediction.levels[l].table = table[l];
  if (at.inputs.workload != "FillRandom") {
    at.note("made for FillRandom; nothing of the workload \"" + at.inputs.workload + "\" enters");
  }
  at.finish_ops(result.ops_per_s);
}

void evaluate_v5_original(Evaluation& at) {
  const Phase phase = at.use_phase().phase;
  const V5Weights weights = v5_weights(phase);
  const double bandwidth = at.need(&PublishedInputs::write_mib_per_s);
  V5Constraints constraints;
  constraints.device = v5_device_constraint(
      bandwidth, at.need(&PublishedInputs::device_degradation), at.prediction.record_bytes);
  if (weights.amplification > 0) {
    constraints.amplification = at.need(&PublishedInputs::amplification_constraint_ops);
  }
  if (weights.volatility > 0)
    constraints.volatility = at.need(&PublishedInputs::volatility_constraint_ops);
  if (!at.missing.empty()) return;
  describe(at, bandwidth, phase);
  at.add("device_constraint", constraints.device, "ops/s");
  at.note("two constraints are not published and were given by the caller");
  at.finish_ops(v5_combine(phase, constraints));
}

void evaluate_v5_reconstructed(Evaluation& at) {
  const Phase phase = at.use_phase().phase;
  V5Inputs inputs = v5_inputs(at, phase);
  if (phase == Phase::initial) {
    inputs.put_rate_variation = at.need(&PublishedInputs::put_rate_variation);
    inputs.trend_slope = at.need(&PublishedInputs::trend_slope);
  } else if (phase == Phase::middle) {
    inputs.compaction_intensity = at.need(&PublishedInputs::compaction_intensity);
  } else {
    inputs.level_depth = at.need(&PublishedInputs::level_depth);
  }
  const double scale = at.get_or(&PublishedInputs::utilisation, v5_reconstructed_scale(phase));
  at.note("reconstructed: not the printed formula");
  at.finish_ops(v5_reconstructed_ops(inputs, scale));
}

void evaluate_v5_independence(Evaluation& at) {
  at.prediction.utilisation = published_utilisation(at.use_phase().phase);
  at.finish_ops(v5_independence_ops(v5_inputs(at, at.prediction.phase->phase)));
}

void evaluate_v5_independence_reconstructed(Evaluation& at) {
  at.prediction.utilisation = published_utilisation(at.use_phase().phase);
  at.note("reconstructed: not the printed formula");
  at.finish_ops(v5_independence_reconstructed_ops(v5_inputs(at, at.prediction.phase->phase)));
}

}  // namespace lsmtuned::model::published
