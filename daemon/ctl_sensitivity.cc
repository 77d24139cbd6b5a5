// lsmtunectl sensitivity: elasticities of S_max, ranked, and pairs that act together; or those that
// recorded trials measured.
#include "model/analysis/sensitivity.h"

#include <fmt/format.h>

#include <memory>

#include "controller/trial_effects.h"
#include "daemon/ctl_decisions.h"
#include "daemon/ctl_input.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/ctl_print.h"
#include "daemon/model_json.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

struct SensitivityCommand {
  explicit SensitivityCommand(const Call& caller) : call(caller) {}
  const Call& call;
  InputOptions input;
  ModelOptions model{"files", 8};
  double step = 1.25;
  std::size_t pair_knobs = 6;
  bool measured = false;

  int run() const;
  int run_measured() const;
};

json::value optional_json(const std::optional<double>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object sensitivity_json(const model::Sensitivity& found, double record) {
  json::array ranked;
  for (const model::Elasticity& one : found.ranked)
    ranked.push_back(json::object{{"name", one.name},
                                  {"knob", one.knob},
                                  {"value", number_json(one.value)},
                                  {"elasticity", one.elasticity},
                                  {"up_value", number_json(one.up_value)},
                                  {"log_change_up", optional_json(one.up)},
                                  {"down_value", number_json(one.down_value)},
                                  {"log_change_down", optional_json(one.down)}});
  json::array pairs;
  for (const model::Interaction& one : found.pairs)
    pairs.push_back(json::object{{"first", one.first},
                                 {"second", one.second},
                                 {"interaction", one.interaction},
                                 {"log_change_together", one.together}});
  return {{"ok", true},
          {"present", s_max_json(found.present, record)},
          {"elasticities", std::move(ranked)},
          {"pairs", std::move(pairs)}};
}

std::string side(const std::optional<double>& change) {
  return change ? fmt::format("{:+.1f} %", 100 * std::expm1(*change)) : std::string("-");
}

std::string sensitivity_text(const model::Sensitivity& found, double record) {
  std::string text = fmt::format(
      "S_max {} by {} over {}\n\n{:<40} {:>11} {:>10} {:>10}\n",
      rate_text(found.present.put_bytes_per_s, record), model::info(found.present.model).version,
      model::format_duration(found.present.horizon_s), "", "elasticity", "step up", "step down");
  for (const model::Elasticity& one : found.ranked)
    text += fmt::format("{:<40} {:>+11.3f} {:>10} {:>10}\n", one.name, one.elasticity, side(one.up),
                        side(one.down));
  if (!found.pairs.empty()) text += "\ntogether, beyond the sum of both alone\n";
  for (const model::Interaction& one : found.pairs)
    text += fmt::format("{:+6.1f} %  {} and {}\n", 100 * one.interaction, one.first, one.second);
  return text;
}

json::object effect_json(const controller::MeasuredEffect& effect) {
  json::array knobs;
  for (std::size_t i = 0; i < effect.knobs.size(); ++i)
    knobs.push_back(json::object{{"name", effect.knobs[i]}, {"proportion", effect.proportions[i]}});
  return {{"knobs", std::move(knobs)},
          {"trials", effect.trials},
          {"at_least", effect.at_least},
          {"smallest", effect.smallest},
          {"largest", effect.largest},
          {"elasticity", effect.elasticity},
          {"standard_error", effect.standard_error}};
}

std::string effect_text(const controller::MeasuredEffect& effect) {
  std::string names;
  std::string most;
  for (std::size_t i = 0; i < effect.knobs.size(); ++i) {
    names += (names.empty() ? "" : " + ") + effect.knobs[i];
    if (effect.proportions[i] == 1 && most.empty())
      most = effect.knobs[i];
    else
      names += fmt::format(" ({:g})", effect.proportions[i]);
  }
  return fmt::format("{:>+11.3f} {:>7.3f} {:>7}{} {:>10} {:>10}  {}\n", effect.elasticity,
                     effect.standard_error, effect.trials, effect.at_least > 0 ? "+" : " ",
                     value_text(most, effect.smallest), value_text(most, effect.largest), names);
}

int SensitivityCommand::run_measured() const {
  std::vector<controller::Decision> decisions;
  if (const int code = load_decisions(call, {input.file, false}, decisions); code != kExitOk)
    return code;
  const auto effects = controller::measured_effects(decisions);
  json::array list;
  for (const auto& effect : effects) list.push_back(effect_json(effect));
  call.print({{"ok", true}, {"measured", std::move(list)}}, [&](const json::object&) {
    if (effects.empty())
      return std::string("no recorded trial measured a change while writers stalled before it\n");
    std::string text = fmt::format(
        "measured by trials; a group's knobs move together, in these shares of the first's ln "
        "step\n"
        "\n{:>11} {:>7} {:>8} {:>10} {:>10}\n",
        "elasticity", "error", "trials", "from", "to");
    bool bounded = false;
    for (const auto& effect : effects) {
      text += effect_text(effect);
      bounded = bounded || effect.at_least > 0;
    }
    return text +
           (bounded ? "+ of some, writers no longer stalled afterwards: at least that\n" : "");
  });
  return kExitOk;
}

int SensitivityCommand::run() const {
  if (measured) return run_measured();
  model::Problem problem;
  const int failed = load_problem(call, input, problem);
  if (failed != kExitOk) return failed;
  const auto found = model::sensitivity(problem, {model.choice(), step, pair_knobs});
  if (!found) return complain_of_model(call, found.error());
  const double record = problem.workload.key_bytes + problem.workload.value_bytes;
  if (call.as_json)
    call.out << json::serialize(sensitivity_json(*found, record)) << "\n";
  else
    call.out << sensitivity_text(*found, record);
  return kExitOk;
}

}  // namespace

void add_sensitivity(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command = cli.add_subcommand(
      "sensitivity", "what moves S_max: every knob and the machine, ranked; pairs that interact");
  const auto state = std::make_shared<SensitivityCommand>(call);
  state->input.add_to(*command);
  state->model.add_to(*command);
  command->add_option("--step", state->step, "factor of one step")
      ->capture_default_str()
      ->check(CLI::Range(1.01, 4.0));
  command->add_option("--pairs", state->pair_knobs, "pairs among so many knobs; 0: none")
      ->capture_default_str()
      ->check(CLI::Range(0, 15));
  command->add_flag("--measured", state->measured,
                    "what recorded trials measured instead; --input then names a decisions.jsonl");
  command->callback([state, &code] { code = state->run(); });
}

}  // namespace lsmtuned::daemon
