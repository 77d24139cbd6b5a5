// lsmtunectl accuracy: how right each model was here lately, and, while one knob varies over the
// recorded trials, measured beside predicted at each of its values.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "controller/trial_effects.h"
#include "daemon/ctl_answer.h"
#include "daemon/ctl_decisions.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/ctl_print.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
using controller::ScoredValue;

struct AccuracyCommand {
  explicit AccuracyCommand(const Call& caller) : call(caller) {}
  const Call& call;
  std::string file;
  std::string knob;

  int run() const;
};

// Means over the trials at one value of one knob.
struct AtValue {
  std::string knob;
  double value = 0;
  int trials = 0;
  int load_bound = 0;
  int alone = 0;
  double measured = 0;
  double predicted = 0;
  double error = 0;
  double absolute_error = 0;
};

std::vector<AtValue> by_value(const std::vector<ScoredValue>& rows) {
  std::vector<AtValue> list;
  for (const ScoredValue& row : rows) {
    if (list.empty() || list.back().knob != row.knob || list.back().value != row.value)
      list.push_back({row.knob, row.value});
    AtValue& at = list.back();
    ++at.trials;
    at.load_bound += row.load_bound ? 1 : 0;
    at.alone += row.moved_with == 0 ? 1 : 0;
    at.measured += row.measured;
    at.predicted += row.predicted;
    at.error += row.error;
    at.absolute_error += std::abs(row.error);
  }
  for (AtValue& at : list) {
    at.measured /= at.trials;
    at.predicted /= at.trials;
    at.error /= at.trials;
    at.absolute_error /= at.trials;
  }
  return list;
}

json::object value_json(const AtValue& at) {
  return {{"knob", at.knob},
          {"value", at.value},
          {"windows", at.trials},
          {"windows_at_the_load", at.load_bound},
          {"moved_alone", at.alone},
          {"measured_put_bytes_per_s", at.measured},
          {"predicted_put_bytes_per_s", at.predicted},
          {"mean_error", at.error},
          {"mean_absolute_error", at.absolute_error}};
}

// The rolling accuracy of each model at the present settings, as the daemon keeps it.
std::string models_text(const json::array& models) {
  if (models.empty())
    return "no span with stalls was compared yet: the models' accuracy here is not known\n\n";
  std::string result = fmt::format("{:<30} {:>9} {:>6} {:>14} {:>14}\n", "MODEL, HERE AND NOW",
                                   "ACCURACY", "SPANS", "PREDICTED", "MEASURED");
  for (const json::value& entry : models) {
    const json::object* model = entry.if_object();
    if (model == nullptr) continue;
    result += fmt::format(
        "{:<30} {:>9} {:>6.0f} {:>14} {:>14}{}\n", text(*model, "model"), share(*model, "accuracy"),
        number(*model, "spans"), rate(*model, "predicted_bytes_per_s"),
        rate(*model, "measured_bytes_per_s"), flag(*model, "low") ? "  BELOW 50 %" : "");
  }
  return result + "\n";
}

std::string table_text(const std::vector<AtValue>& list) {
  if (list.empty()) return "no recorded trial of it was predicted and measured\n";
  std::string text;
  std::string knob;
  for (const AtValue& at : list) {
    if (at.knob != knob)
      text += fmt::format("{}{}\n{:>14} {:>8} {:>6} {:>14} {:>14} {:>9} {:>9}\n",
                          text.empty() ? "" : "\n", at.knob, "VALUE", "WINDOWS", "ALONE",
                          "MEASURED", "PREDICTED", "ERROR", "ABSOLUTE");
    knob = at.knob;
    text += fmt::format("{:>14} {:>8} {:>6} {:>14} {:>14} {:>+7.1f} % {:>7.1f} %{}\n",
                        value_text(at.knob, at.value), at.trials, at.alone,
                        model::format_rate(at.measured), model::format_rate(at.predicted),
                        100 * at.error, 100 * at.absolute_error,
                        at.load_bound > 0 ? fmt::format("  {} at the load", at.load_bound) : "");
  }
  return text;
}

int AccuracyCommand::run() const {
  std::vector<controller::Decision> decisions;
  if (const int code = load_decisions(call, {file, false}, decisions); code != kExitOk) return code;
  std::vector<ScoredValue> rows = controller::scored_values(decisions);
  if (!knob.empty()) std::erase_if(rows, [&](const ScoredValue& row) { return row.knob != knob; });
  const std::vector<AtValue> at_values = by_value(rows);
  json::array values;
  for (const AtValue& at : at_values) values.push_back(value_json(at));
  json::object status;
  if (file.empty())
    if (const int code = call.ask({{"command", "status"}}, status); code != kExitOk) return code;
  const json::array& models = list(status, "model_accuracy");
  call.print({{"ok", true}, {"models", models}, {"by_value", std::move(values)}},
             [&](const json::object&) {
               return (file.empty() ? models_text(models) : std::string()) + table_text(at_values);
             });
  return kExitOk;
}

}  // namespace

void add_accuracy(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command = cli.add_subcommand(
      "accuracy", "how right each model is here, and at each value of a knob over recorded trials");
  const auto state = std::make_shared<AccuracyCommand>(call);
  command->add_option("--input", state->file, "a decisions.jsonl instead of the daemon's record");
  command->add_option("--knob", state->knob, "this one only (family.option, or option)");
  command->callback([state, &code] { code = state->run(); });
}

}  // namespace lsmtuned::daemon
