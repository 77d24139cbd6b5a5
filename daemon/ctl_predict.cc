// lsmtunectl predict: S_max of a problem by one model, own or published.
#include <fmt/format.h>

#include <memory>

#include "daemon/ctl_input.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/model_json.h"
#include "daemon/problem_json.h"
#include "daemon/published_json.h"
#include "model/published/registry.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
namespace published = model::published;

constexpr double kHour = 3600;

struct Predict {
  explicit Predict(const Call& caller) : call(caller) {}
  const Call& call;
  InputOptions input;
  std::string model = "files";
  std::string phase;
  std::uint32_t members = 16;
  std::uint64_t seed = 1;

  int run() const;
  int own(const model::ModelChoice& choice, const model::Problem& problem) const;
  int by_published(ModelDocument& document) const;
};

double cell(const json::object& object, const char* name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_number() ? value->to_number<double>() : 0;
}

std::string own_text(const json::object& answer) {
  const double record = cell(answer, "record_bytes");
  const json::object& hour = answer.at("hour").as_object();
  std::string text = fmt::format("S_max       {}\n80 %        {} to {}, from {}\nhorizon     {}\n",
                                 rate_text(cell(answer, "put_bytes_per_s"), record),
                                 model::format_rate(cell(answer, "low_bytes_per_s")),
                                 model::format_rate(cell(answer, "high_bytes_per_s")),
                                 Call::text("interval_from", answer),
                                 model::format_duration(cell(answer, "horizon_s")));
  text += fmt::format("an hour     {}\n", rate_text(cell(hour, "put_bytes_per_s"), record));
  text += fmt::format("bound       {}, then {} (by the ledger)\n", Call::text("bound", answer),
                      Call::text("runner_up", answer));
  if (answer.contains("stall_share"))
    text += fmt::format("stalled     {}{}\n", model::format_percent(cell(answer, "stall_share")),
                        Call::text("main_stall", answer).empty()
                            ? ""
                            : ", mostly " + Call::text("main_stall", answer));
  text += fmt::format("w, r        {:.2f}, {:.2f} device bytes per user byte\n",
                      cell(answer, "write_amplification"), cell(answer, "read_amplification"));
  const std::string id = Call::text("model", answer);
  return text + fmt::format("model       {}, confidence {}, accuracy {}\n",
                            Call::text("version", answer), Call::text("confidence", answer),
                            accuracy_text(id));
}

std::string published_text(const json::object& answer) {
  const double record = cell(answer, "record_bytes");
  std::string text = fmt::format("S_max       {} ops/s ({})\n", grouped(cell(answer, "ops_per_s")),
                                 model::format_rate(cell(answer, "ops_per_s") * record));
  if (const std::string phase = Call::text("phase", answer); !phase.empty())
    text += fmt::format("phase       {} ({})\n", phase, Call::text("phase_source", answer));
  const std::string confidence = Call::text("confidence", answer);
  text += fmt::format("model       {}, confidence {}, accuracy {}\n", Call::text("version", answer),
                      confidence.empty() ? "not defined" : confidence,
                      accuracy_text(Call::text("model", answer)));
  if (const std::string note = Call::text("note", answer); !note.empty())
    text += "note        " + note + "\n";
  return text;
}

int Predict::own(const model::ModelChoice& choice, const model::Problem& problem) const {
  const auto predicted = model::predict_s_max(problem, choice);
  if (!predicted) return complain_of_model(call, predicted.error());
  model::Problem longer = problem;
  longer.horizon_s = kHour;
  model::ModelChoice fewer = choice;
  fewer.members = std::max(1U, choice.members / 4);  // thirty times as long: a mean will do
  const auto hour = model::predict_s_max(longer, fewer);
  if (!hour) return complain_of_model(call, hour.error());
  const double record = problem.workload.key_bytes + problem.workload.value_bytes;
  json::object answer = s_max_json(*predicted, record);
  answer["ok"] = true;
  answer["record_bytes"] = record;
  answer["hour"] = s_max_json(*hour, record);
  answer["inputs"] = problem_json(problem);
  call.print(answer, own_text);
  return kExitOk;
}

int Predict::by_published(ModelDocument& document) const {
  if (!phase.empty()) {
    const auto chosen = published::parse_phase(phase);
    if (!chosen) {
      call.complain("--phase: " + chosen.error().what, chosen.error().remedy);
      return kExitUsage;
    }
    document.published.phase = *chosen;
  }
  const auto predicted = published::predict(model, document.published);
  if (!predicted) return complain_of_model(call, predicted.error());
  json::object answer = published_json(*predicted);
  answer["ok"] = true;
  answer["accuracy"] = accuracy_json(model);
  call.print(answer, published_text);
  return kExitOk;
}

int Predict::run() const {
  const auto own_model = model::own_model_from_text(model);
  if (!own_model) {
    if (const auto known = published::find_model(model); !known) {
      call.complain("--model: " + known.error().what,
                    "ledger, totals, files; " + known.error().remedy);
      return kExitUsage;
    }
    ModelDocument document;
    const int failed = load_document(call, input, document);
    return failed != kExitOk ? failed : by_published(document);
  }
  if (!phase.empty()) {
    call.complain("--phase: the model " + model + " knows no phases", "lsmtunectl models");
    return kExitUsage;
  }
  model::Problem problem;
  const int failed = load_problem(call, input, problem);
  return failed != kExitOk ? failed : own({*own_model, members, seed}, problem);
}

}  // namespace

void add_predict(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command = cli.add_subcommand(
      "predict", "S_max with horizon and interval, what binds, bytes per user byte");
  const auto state = std::make_shared<Predict>(call);
  state->input.add_to(*command);
  command->add_option("--model", state->model, "files, totals, ledger or a published one (models)")
      ->capture_default_str();
  command->add_option("--phase", state->phase, "initial, middle or final; published models only");
  command->add_option("--members", state->members, "simulations averaged")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  command->add_option("--seed", state->seed, "of the simulations")->capture_default_str();
  command->callback([state, &code] { code = state->run(); });
}

}  // namespace lsmtuned::daemon
