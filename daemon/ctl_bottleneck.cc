// lsmtunectl bottleneck: every bound of the ledger, ranked, and what would lift the lowest; the
// level whose compaction takes most of the device, and what acts on it.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "daemon/ctl_answer.h"
#include "daemon/ctl_input.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/ctl_print.h"
#include "daemon/ctl_remedies.h"
#include "daemon/model_json.h"
#include "model/analysis/ledger_case.h"
#include "model/analysis/level_load.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

constexpr double kWorthSaying = 0.005;  // a smaller predicted gain is none

// Of a live target: what its levels wrote and read since it was opened, by RocksDB's own counters.
// Absent: a document, or nothing was compacted yet.
std::optional<std::vector<model::LevelLoad>> measured_levels(const Call& call,
                                                             const InputOptions& input,
                                                             const model::Problem& problem) {
  json::object answer;
  if (!input.file.empty() || call.ask({{"command", "snapshot"}}, answer) != kExitOk)
    return std::nullopt;
  std::string name = input.family;
  json::object asked;
  if (name.empty() && call.ask({{"command", "problem"}}, asked) == kExitOk)
    name = text(asked, "family");
  const json::object* worst = nullptr;
  const json::array& families = list(answer, "snapshot.families");
  for (const json::value& entry : families)
    if (const json::object* family = entry.if_object(); family && text(*family, "name") == name)
      worst = family;
  if (worst == nullptr) return std::nullopt;
  std::vector<model::LevelLoad> levels;
  const json::array& counters = list(*worst, "levels");
  for (std::size_t level = 0; level < counters.size(); ++level) {
    const json::object* one = counters[level].if_object();
    if (one == nullptr) continue;
    model::LevelLoad load;
    load.level = level;
    load.jobs = number(*one, "compaction_count");
    load.written_bytes = number(*one, "write_bytes");
    load.read_bytes = number(*one, "read_bytes");
    if (load.written_bytes > 0) levels.push_back(load);
  }
  // User bytes are the database's: of one family among several they say nothing.
  const double user = families.size() == 1 ? number(answer, "snapshot.counters.user_bytes") : 0.0;
  model::set_shares(levels, problem.device, user);
  if (!model::busiest_level(levels)) return std::nullopt;
  return levels;
}

json::array levels_json(const std::vector<model::LevelLoad>& levels) {
  json::array list;
  for (const model::LevelLoad& load : levels)
    list.push_back(json::object{{"level", load.level},
                                {"jobs", load.jobs},
                                {"written_bytes", load.written_bytes},
                                {"read_bytes", load.read_bytes},
                                {"device_share", load.device_share},
                                {"write_amplification", load.write_amplification}});
  return list;
}

json::object level_json(const model::LevelBottleneck& found, const char* model) {
  json::array actions;
  for (const model::LevelAction& action : found.actions)
    actions.push_back(
        json::object{{"option", model::info(action.knob).option},
                     {"from", action.from},
                     {"to", action.to},
                     {"gain_share", action.gain_share},
                     {"low_share", action.low_share},
                     {"high_share", action.high_share},
                     {"level_write_amplification", action.level_write_amplification}});
  const model::LevelLoad& worst = found.levels[found.bottleneck];
  return {{"level", worst.level},
          {"device_share", worst.device_share},
          {"write_amplification", worst.write_amplification},
          {"model", model},
          {"horizon_s", found.horizon_s},
          {"levels", levels_json(found.levels)},
          {"acted_on_by", std::move(actions)}};
}

std::string load_text(const std::vector<model::LevelLoad>& levels, std::size_t worst) {
  std::string text;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const model::LevelLoad& load = levels[i];
    text += fmt::format("  L{} {:>7} of the device", load.level,
                        model::format_percent(load.device_share));
    if (load.write_amplification > 0)
      text += fmt::format(", {:.2f} bytes written by user byte", load.write_amplification);
    text += i == worst ? "  <- most\n" : "\n";
  }
  return text;
}

std::string level_text(const model::LevelBottleneck& found, const char* model) {
  const model::LevelLoad& worst = found.levels[found.bottleneck];
  std::string text = fmt::format(
      "\ncompaction into L{} takes most: {} of the device ({} over {} of a saturating writer)\n",
      worst.level, model::format_percent(worst.device_share), model,
      model::format_duration(found.horizon_s));
  text += load_text(found.levels, found.bottleneck);
  std::string actions;
  for (const model::LevelAction& action : found.actions) {
    const char* option = model::info(action.knob).option;
    if (action.gain_share < kWorthSaying) continue;
    actions += fmt::format("  {} {} -> {}: S_max {:+.1f} % ({:+.1f} to {:+.1f} %), L{} {:.2f}\n",
                           option, value_text(option, action.from), value_text(option, action.to),
                           100 * action.gain_share, 100 * action.low_share, 100 * action.high_share,
                           worst.level, action.level_write_amplification);
  }
  if (actions.empty())
    return text + "no single step of a level's knobs is predicted to raise S_max\n";
  return text + "one step of a knob, predicted; the search of mode tune moves them together:\n" +
         actions;
}

int run(const Call& call, const InputOptions& input, const ModelOptions& chosen) {
  model::Problem problem;
  const int failed = load_problem(call, input, problem);
  if (failed != kExitOk) return failed;
  const auto prediction = model::ledger_prediction(problem);
  const auto bounds = model::ledger_bounds(problem);
  if (!prediction || !bounds)
    return complain_of_model(call, prediction ? bounds.error() : prediction.error());
  const double record = problem.workload.key_bytes + problem.workload.value_bytes;
  json::array list;
  for (const model::BoundValue& bound : *bounds)
    list.push_back(json::object{{"bound", model::to_text(bound.bound)},
                                {"put_bytes_per_s", bound.put_bytes_per_s},
                                {"lifted_by", remedy(bound.bound)}});
  const char* layer = model::to_text(chosen.choice().model);
  const auto level = model::level_bottleneck(problem, chosen.choice());
  const auto measured = measured_levels(call, input, problem);
  json::object answer{{"ok", true},
                      {"model", prediction->model},
                      {"accuracy", accuracy_json("ledger")},
                      {"put_bytes_per_s", prediction->put_bytes_per_s},
                      {"horizon_s", prediction->horizon_s},
                      {"write_amplification", prediction->write_amplification},
                      {"read_amplification", prediction->read_amplification},
                      {"binding", model::to_text(prediction->bound)},
                      {"next", model::to_text(prediction->runner_up)},
                      {"bounds", std::move(list)}};
  answer["level"] = level ? json::value(level_json(*level, layer)) : json::value(nullptr);
  if (!level) answer["level_unknown"] = level.error().what;
  answer["measured_levels"] = nullptr;
  if (measured) {
    answer["measured_levels"] = levels_json(*measured);
    answer["measured_level"] = (*measured)[*model::busiest_level(*measured)].level;
  }
  call.print(answer, [&](const json::object&) {
    std::string text = fmt::format("S_max {} by {} over {}; w {:.2f}, r {:.2f}\n\n",
                                   rate_text(prediction->put_bytes_per_s, record),
                                   prediction->model, model::format_duration(prediction->horizon_s),
                                   prediction->write_amplification, prediction->read_amplification);
    for (const model::BoundValue& bound : *bounds)
      text += fmt::format("{:<18} {:>14}{}\n", model::to_text(bound.bound),
                          model::format_rate(bound.put_bytes_per_s),
                          bound.bound == prediction->bound ? "  <- binds" : "");
    text += fmt::format("\n{} is lifted by: {}\n", model::to_text(prediction->bound),
                        remedy(prediction->bound));
    text += level ? level_text(*level, layer) : "\nno level is named: " + level.error().what + "\n";
    if (measured)
      text += fmt::format("\nmeasured since the database was opened: most into L{}\n",
                          (*measured)[*model::busiest_level(*measured)].level) +
              load_text(*measured, *model::busiest_level(*measured));
    return text;
  });
  return kExitOk;
}

}  // namespace

void add_bottleneck(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command = cli.add_subcommand(
      "bottleneck",
      "every bound on the put rate and what lifts it; the busiest level and what acts on it");
  const auto input = std::make_shared<InputOptions>();
  const auto levels = std::make_shared<ModelOptions>("files", 1);
  input->add_to(*command);
  levels->add_to(*command);
  command->callback([input, levels, &call, &code] { code = run(call, *input, *levels); });
}

}  // namespace lsmtuned::daemon
