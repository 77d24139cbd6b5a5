// Vectors of the models. Whatever a model answers goes through the registry, as it does for anyone
// who selects a published model; single equations are called by themselves.
#include <cmath>
#include <stdexcept>

#include "golden.h"
#include "model/published/accuracy.h"
#include "model/published/alerts.h"
#include "model/published/device.h"
#include "model/published/dual_structure.h"
#include "model/published/phase.h"
#include "model/published/registry.h"
#include "model/published/statistics.h"
#include "model/published/v1.h"
#include "model/published/v2.h"
#include "model/published/v5.h"

namespace lsmtuned::model::published::testing {
namespace {

namespace json = boost::json;

// The prediction's value as s_max, its details by name, and the error against `actual`.
Computed ask(const char* id, const PublishedInputs& inputs, const Given& given) {
  const auto prediction = predict(id, inputs);
  Computed computed;
  if (!prediction) {
    computed.refused = prediction.error().text();
    return computed;
  }
  for (const Quantity& detail : prediction->details) computed.values[detail.name] = detail.value;
  computed.values["s_max"] = prediction->value;
  if (prediction->confidence) computed.values["confidence"] = to_text(*prediction->confidence);
  if (const auto actual = given.maybe("actual")) {
    computed.values["error"] = *error_percent(prediction->value, *actual);
    computed.values["accuracy"] = *accuracy_percent(prediction->value, *actual);
  }
  std::vector<double> writes;  // v3's backlogs
  std::vector<double> reads;
  for (const LevelAnalysis& level : prediction->levels) {
    if (!level.backlog) continue;
    writes.push_back(level.backlog->write_mib);
    reads.push_back(level.backlog->read_mib);
  }
  computed.values["q_w_final"] = writes;
  computed.values["q_r_final"] = reads;
  return computed;
}

PublishedInputs static_inputs(const Given& given) {
  PublishedInputs inputs;
  inputs.write_mib_per_s = given.maybe("b_w");
  inputs.read_mib_per_s = given.maybe("b_r");
  inputs.write_amplification = given.maybe("wa");
  inputs.compression_ratio = given.maybe("cr");
  inputs.wal_factor = given.maybe("w_wal");
  inputs.read_share = given.maybe("rho_r");
  inputs.stall_probability = given.maybe("p_stall");
  inputs.overhead = given.maybe("alpha");
  inputs.read_weight = given.maybe("eta");
  inputs.mixed_mib_per_s = given.maybe("b_mix");
  if (given.maybe("b_eff")) inputs.mixed_mib_per_s = given.maybe("b_eff");
  return inputs;
}

Computed v1(const Given& given) {
  return ask("v1", static_inputs(given), given);
}
Computed v1_wal(const Given& given) {
  return ask("v1-wal", static_inputs(given), given);
}
Computed v1_bounds_kind(const Given& given) {
  return ask("v1-bounds", static_inputs(given), given);
}
Computed v2(const Given& given) {
  return ask("v2", static_inputs(given), given);
}

Computed v2_1(const Given& given) {
  PublishedInputs inputs = static_inputs(given);
  const auto written = given.numbers("level_write");
  const auto amplification = given.numbers("level_w_amp");
  for (std::size_t l = 0; l < written.size(); ++l) {
    LevelInputs level;
    level.written_mib = written[l];
    level.w_amp = amplification.at(l);
    inputs.levels.push_back(level);
  }
  return ask("v2.1", inputs, given);
}

// The parameter is the last part of the id.
Computed elasticity(const Given& given) {
  const auto prediction = predict("v1-wal", static_inputs(given));
  const std::string parameter = given.id().substr(given.id().rfind('.') + 1);
  return {{{"elasticity_abs", std::abs(prediction->detail("elasticity." + parameter).value())}},
          {}};
}

Computed demand(const Given& given) {
  const ByteDemand result =
      byte_demand(given.number("cr"), given.number("wa"), given.number("w_wal"));
  return {{{"w_req", result.written}, {"r_req", result.read}}, {}};
}

Computed wa_eq2(const Given& given) {
  return {{{"wa", theoretical_write_amplification(given.number("T"), given.number("L"))}}, {}};
}

Computed wa_eq6(const Given& given) {
  std::vector<LevelMerge> levels;
  const auto frequencies = given.numbers("f_i");
  for (const double size : given.numbers("T_i")) {
    levels.push_back({size, frequencies.at(levels.size())});
  }
  return {{{"wa", level_sum_write_amplification(levels)}}, {}};
}

Computed b_eff(const Given& given) {
  return {{{"b_eff",
            harmonic_bandwidth(given.number("rho_r"), given.number("b_r"), given.number("b_w"))}},
          {}};
}

// One number, or [[from, value], ...].
std::vector<TimedValue> series(const json::value& value) {
  if (value.is_number()) return {{0, value.to_number<double>()}};
  std::vector<TimedValue> result;
  for (const json::value& step : value.as_array()) {
    result.push_back({step.at(0).to_number<double>(), step.at(1).to_number<double>()});
  }
  return result;
}

Computed v3_sim(const Given& given) {
  PublishedInputs inputs = static_inputs(given);
  inputs.read_share.reset();
  V3Inputs v3;
  v3.steps = static_cast<std::uint64_t>(given.number("steps"));
  v3.step_s = given.number("dt");
  v3.offered_mib_per_s = series(given.raw("u_target"));
  v3.read_share = series(given.raw("rho_r"));
  v3.write_amplification = series(given.raw("wa_star"));
  v3.read_amplification = series(given.raw("ra_star"));
  v3.concurrency_level = given.number("k_s");
  v3.stall_sensitivity_per_file = given.number("a");
  v3.stall_threshold_files = given.number("tau");
  v3.l0_file_mib = given.number("l0_file_mib");
  v3.l0_files = given.number("n_l0_init");
  const std::string mode = given.text("mode");
  if (mode != "static" && mode != "log") throw std::runtime_error("unknown mode " + mode);
  v3.mode = mode == "log" ? V3Mode::log_driven : V3Mode::fixed_factors;
  for (const json::value& entry : given.raw("levels").as_array()) {
    const auto number = [&](const char* name) { return entry.at(name).to_number<double>(); };
    v3.levels.push_back({json::value_to<std::string>(entry.at("name")),
                         number("k"),
                         {number("mu_min"), number("mu_max"), number("gamma"), number("k0")},
                         number("b"),
                         number("a_r"),
                         number("zeta_w"),
                         number("zeta_r")});
  }
  inputs.v3 = v3;
  return ask("v3", inputs, given);
}

Computed p_stall(const Given& given) {
  return {{{"p_stall",
            stall_probability(given.number("n_l0"), given.number("a"), given.number("tau_slow"))}},
          {}};
}

Computed mu_eff(const Given& given) {
  return {{{"mu_eff", effective_concurrency(given.number("k_s"),
                                            {given.number("mu_min"), given.number("mu_max"),
                                             given.number("gamma"), given.number("k0")})}},
          {}};
}

Computed capacity(const Given& given) {
  return {{{"c", level_capacity(given.number("k"), given.number("mu_eff"), given.number("b_eff"))}},
          {}};
}

Computed backlog(const Given& given) {
  return {{{"q", next_backlog(given.number("q"), given.number("d"), given.number("a"),
                              given.number("dt"))}},
          {}};
}

Computed phased(const char* id, const Given& given) {
  PublishedInputs inputs;
  const auto phase = parse_phase(given.text("phase"));
  if (!phase) return {{}, phase.error().text()};
  inputs.phase = *phase;
  inputs.write_mib_per_s = given.maybe("device_write_bw");
  inputs.record_bytes = given.maybe("record");
  inputs.write_amplification = given.maybe("wa");
  inputs.read_amplification = given.maybe("ra");
  inputs.put_rate_variation = given.maybe("cv");
  inputs.trend_slope = given.maybe("trend_slope");
  inputs.compaction_intensity = given.maybe("compaction_intensity");
  inputs.level_depth = given.maybe("level_depth");
  inputs.utilisation = given.maybe("empirical");
  return ask(id, inputs, given);
}

Computed v4(const Given& given) {
  return phased("v4", given);
}
Computed v4_1(const Given& given) {
  return phased(("v4.1-" + given.text("variant")).c_str(), given);
}
Computed v5_indep(const Given& given) {
  return phased("v5-independence", given);
}
Computed v5_indep_reconstructed(const Given& given) {
  return phased("v5-independence-reconstructed", given);
}
Computed v5_reconstructed(const Given& given) {
  return phased("v5-original-reconstructed", given);
}

Computed v4_utilization(const Given& given) {
  return {{{"utilization", utilisation(given.number("actual"), given.number("device_write_bw"),
                                       given.number("record"))}},
          {}};
}

Computed v4_2(const Given& given) {
  PublishedInputs inputs;
  inputs.phase = given.phase();
  inputs.write_mib_per_s = given.number("base_write_bw");
  inputs.read_mib_per_s = given.number("base_read_bw");
  inputs.record_bytes = given.number("record");
  inputs.average_write_amplification = given.maybe("avg_wa");
  inputs.average_read_amplification = given.maybe("avg_ra");
  const auto wa = given.numbers("wa");
  const auto ra = given.numbers("ra");
  const auto impact = given.numbers("io_impact");
  const auto table = published_levels(*inputs.phase);
  bool published = wa.size() == table.size();
  for (std::size_t l = 0; l < wa.size(); ++l) {
    LevelInputs level;
    level.wa = wa[l];
    level.ra = ra.at(l);
    level.io_impact = impact.at(l);
    inputs.levels.push_back(level);
    published = published && table[l].wa == wa[l] && table[l].ra == ra[l] &&
                table[l].io_impact == impact[l];
  }
  const PhaseFactors factors = phase_factors(*inputs.phase);
  if (factors.performance_factor != given.number("performance") ||
      factors.stability_factor != given.number("stability") ||
      factors.io_contention != given.number("io_contention")) {
    return {{}, "the vector's phase factors are not ours"};
  }
  // Without tables of its own, the model must use its built-in ones.
  if (published) inputs.levels.clear();
  if (!published && given.id() != "v42.initial.only_L0_L2") {
    return {{}, "the vector's tables are not ours"};
  }
  return ask("v4.2", inputs, given);
}

Computed v4_2_average(const Given& given) {
  if (given.number("level_weight_slope") != 0.3) return {{}, "another slope than ours"};
  std::vector<LevelImpact> levels;
  for (const double wa : given.numbers("wa")) levels.push_back({wa, 0, 0});
  return {{{"avg", weighted_averages(levels).wa}}, {}};
}

Computed v4_2_level_weight(const Given& given) {
  return {{{"weight", level_weight(given.number("level"))}}, {}};
}

Computed v4_2_amplification_impact(const Given& given) {
  return {{{"impact", amplification_impact(
                          {given.number("wa"), given.number("ra"), given.number("io_impact")})}},
          {}};
}

// Through the registry: with no weight on the other constraints they may be anything.
Computed v5_device(const Given& given) {
  PublishedInputs inputs;
  inputs.phase = Phase::initial;
  inputs.write_mib_per_s = given.number("device_write_bw");
  inputs.device_degradation = given.number("device_degradation");
  inputs.volatility_constraint_ops = 0;
  Computed computed = ask("v5-original", inputs, given);
  computed.values["s"] = computed.values["device_constraint"];
  return computed;
}

Computed v5_combination(const Given& given) {
  return {{{"s", v5_combine(given.phase(), {given.number("device"), given.number("amplification"),
                                            given.number("volatility")})}},
          {}};
}

Computed phase_time(const Given& given) {
  return {{{"phase", to_text(phase_by_time(given.maybe("runtime")))}}, {}};
}

Computed phase_consensus(const Given& given) {
  const PhaseVotes votes = phase_by_consensus(given.maybe("runtime"), given.numbers("qps_history"),
                                              given.numbers("wa_history"));
  return {{{"phase", to_text(votes.winner)},
           {"time_vote", to_text(votes.time)},
           {"stability_vote", to_text(votes.stability)},
           {"wa_vote", to_text(votes.amplification)}},
          {}};
}

Computed alerts_kind(const Given& given) {
  std::vector<std::string> names;
  std::vector<std::string> severities;
  for (const Alert& alert : alerts({given.maybe("device_write_bandwidth_mbps"),
                                    given.maybe("prediction_accuracy_percent"),
                                    given.maybe("utilization_factor_deviation")})) {
    names.emplace_back(alert.name);
    severities.emplace_back(to_text(alert.severity));
  }
  Computed computed;
  computed.values["fired"] = names;
  computed.values["severity"] = severities;
  return computed;
}

Computed accuracy(const Given& given) {
  return {
      {{"accuracy", accuracy_percent(given.number("predicted"), given.number("actual")).value()}},
      {}};
}

Computed error(const Given& given) {
  return {{{"error", error_percent(given.number("predicted"), given.number("actual")).value()}},
          {}};
}

Computed mean_accuracy(const Given& given) {
  const auto actual = given.numbers("actual");
  std::vector<Outcome> outcomes;
  std::vector<double> accuracies;
  for (const double predicted : given.numbers("predicted")) {
    const double measured = actual.at(outcomes.size());
    accuracies.push_back(accuracy_percent(predicted, measured).value());
    outcomes.push_back({predicted, measured, static_cast<Phase>(outcomes.size() % 3)});
  }
  Computed computed;
  computed.values["accuracies"] = accuracies;
  computed.values["mean"] = score("any", outcomes).value().overall_percent;
  return computed;
}

Computed degradation(const Given& given) {
  return {{{"degradation",
            degradation_percent(given.number("initial"), given.number("degraded")).value()}},
          {}};
}

Shares shares_of(const Given& given, bool logarithmic) {
  const DualStructure report =
      dual_structure(given.number("start"), given.number("mid"), given.number("end")).value();
  return logarithmic ? report.logarithmic : report.additive;
}

Computed contribution(const Given& given) {
  const Shares shares = shares_of(given, false);
  return {{{"a", shares.device_percent}, {"b", shares.software_percent}}, {}};
}

Computed contribution_log(const Given& given) {
  const Shares shares = shares_of(given, true);
  return {{{"a", shares.device_percent}, {"b", shares.software_percent}}, {}};
}

Computed pearson(const Given& given) {
  return {{{"r", correlation(given.numbers("x"), given.numbers("y")).value()}}, {}};
}

Computed cv(const Given& given) {
  const auto terms = given.numbers("terms");
  return {{{"cv_sample", variation(terms, Deviation::sample).value()},
           {"cv_population", variation(terms, Deviation::population).value()}},
          {}};
}

Computed ops_from_rate(const Given& given) {
  return {{{"ops", ops_per_second(given.number("rate"), given.number("record"))}}, {}};
}

Computed rate_from_ops(const Given& given) {
  return {{{"rate", mib_per_second(given.number("ops"), given.number("record"))}}, {}};
}

}  // namespace

const std::map<std::string, Compute>& model_kinds() {
  static const std::map<std::string, Compute> kinds = {
      {"v1", v1},
      {"v1_wal", v1_wal},
      {"v1_bounds", v1_bounds_kind},
      {"elasticity_v1_wal", elasticity},
      {"demand_eq7_eq8", demand},
      {"wa_eq2", wa_eq2},
      {"wa_eq6", wa_eq6},
      {"v2", v2},
      {"v2_1", v2_1},
      {"b_eff_harmonic", b_eff},
      {"v3_sim", v3_sim},
      {"p_stall", p_stall},
      {"mu_eff", mu_eff},
      {"capacity", capacity},
      {"backlog", backlog},
      {"v4", v4},
      {"v4_confidence", v4},
      {"v4_utilization", v4_utilization},
      {"v4_1", v4_1},
      {"v4_2", v4_2},
      {"v4_2_partial", v4_2},
      {"v4_2_average", v4_2_average},
      {"v4_2_level_weight", v4_2_level_weight},
      {"v4_2_amplification_impact", v4_2_amplification_impact},
      {"v5_device_constraint", v5_device},
      {"v5_combine", v5_combination},
      {"v5_reconstructed", v5_reconstructed},
      {"v5_indep", v5_indep},
      {"v5_indep_reconstructed", v5_indep_reconstructed},
      {"phase_time", phase_time},
      {"phase_consensus", phase_consensus},
      {"alerts", alerts_kind},
      {"accuracy", accuracy},
      {"mean_accuracy", mean_accuracy},
      {"error", error},
      {"degradation", degradation},
      {"contribution", contribution},
      {"contribution_log", contribution_log},
      {"pearson", pearson},
      {"cv", cv},
      {"ops_from_rate", ops_from_rate},
      {"rate_from_ops", rate_from_ops},
  };
  return kinds;
}

}  // namespace lsmtuned::model::published::testing
