// lsmtunectl plan: which rate, which device, how much data.
#include "model/analysis/plan.h"

#include <fmt/format.h>

#include <memory>

#include "config/quantity.h"
#include "daemon/ctl_input.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/model_json.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

struct PlanCommand {
  explicit PlanCommand(const Call& caller) : call(caller) {}
  const Call& call;
  InputOptions input;
  ModelOptions model{"totals", 8};
  std::string rate;
  double stall_percent = 1;

  int run() const;
};

json::object answer_json(const model::PlanAnswer& answer) {
  if (!answer.value) return {{"value", nullptr}, {"note", answer.note}};
  return {{"value", *answer.value},
          {"low", answer.low},
          {"high", answer.high > 0 ? json::value(answer.high) : json::value(nullptr)},
          {"note", answer.note}};
}

std::string answer_text(const char* label, const model::PlanAnswer& answer,
                        std::string (*format)(double)) {
  if (!answer.value) return fmt::format("{:<20} {}\n", label, answer.note);
  return fmt::format("{:<20} {} ({} to {}){}\n", label, format(*answer.value), format(answer.low),
                     answer.high > 0 ? format(answer.high) : std::string("?"),
                     answer.note.empty() ? "" : ": " + answer.note);
}

int PlanCommand::run() const {
  model::Problem problem;
  const int failed = load_problem(call, input, problem);
  if (failed != kExitOk) return failed;
  model::PlanGoal goal;
  goal.choice = model.choice();
  goal.max_stall_share = stall_percent / 100;
  if (!rate.empty()) {
    const auto given = config::parse_rate(rate);
    if (!given || !(*given > 0)) {
      call.complain("--rate: " + (given ? std::string("it is 0") : given.error().what),
                    given ? "a rate above 0, such as \"24 MiB/s\"" : given.error().remedy);
      return kExitUsage;
    }
    goal.rate_bytes_per_s = *given;
  }
  const auto found = model::plan(problem, goal);
  if (!found) return complain_of_model(call, found.error());
  const char* id = model::to_text(goal.choice.model);
  if (call.as_json) {
    call.out << json::serialize(json::object{
                    {"ok", true},
                    {"model", id},
                    {"accuracy", accuracy_json(id)},
                    {"interval", 0.8},
                    {"horizon_s", found->horizon_s},
                    {"max_stall_share", found->max_stall_share},
                    {"rate_bytes_per_s", found->rate_bytes_per_s},
                    {"highest_rate_bytes_per_s", answer_json(found->highest_rate_bytes_per_s)},
                    {"least_device_write_bytes_per_s", answer_json(found->least_write_bytes_per_s)},
                    {"most_data_bytes", answer_json(found->most_data_bytes)},
                    {"evaluations", found->evaluations}})
             << "\n";
    return kExitOk;
  }
  std::string text = fmt::format("with at most {} stalled over {}, by {} (accuracy {}), 80 %\n",
                                 model::format_percent(found->max_stall_share),
                                 model::format_duration(found->horizon_s), id, accuracy_text(id));
  text += answer_text("highest rate", found->highest_rate_bytes_per_s, model::format_rate);
  if (found->rate_bytes_per_s > 0)
    text += "for " + model::format_rate(found->rate_bytes_per_s) + ":\n";
  text += answer_text("least device writes", found->least_write_bytes_per_s, model::format_rate);
  text += answer_text("most data", found->most_data_bytes, model::format_bytes);
  call.out << text;
  return kExitOk;
}

}  // namespace

void add_plan(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command = cli.add_subcommand(
      "plan", "highest rate without stalls; least device and most data for a given load");
  const auto state = std::make_shared<PlanCommand>(call);
  state->input.add_to(*command);
  state->model.add_to(*command);
  command->add_option("--rate", state->rate,
                      "the load, such as \"24 MiB/s\", instead of the document's");
  command->add_option("--stall-percent", state->stall_percent, "share of time that may be stalled")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 100.0));
  command->callback([state, &code] { code = state->run(); });
}

}  // namespace lsmtuned::daemon
