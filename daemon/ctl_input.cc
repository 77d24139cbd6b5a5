#include "daemon/ctl_input.h"

#include <fmt/format.h>

#include <utility>

#include "daemon/problem_json.h"
#include "daemon/published_json.h"
#include "model/analysis/every_model.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

void take_problem(const Call& call, const json::object& source, ModelDocument& document,
                  InputErrors& errors) {
  ProblemOutcome outcome = read_problem(source);
  errors.insert(errors.end(), outcome.errors.begin(), outcome.errors.end());
  for (const std::string& warning : outcome.warnings) call.complain(warning, "");
  if (outcome.errors.empty()) document.published = model::published_inputs_of(outcome.problem);
  document.problem = std::move(outcome.problem);
}

int load_live(const Call& call, const InputOptions& options, ModelDocument& document) {
  json::object request{{"command", "problem"}};
  if (!options.family.empty()) request["family"] = options.family;
  if (options.horizon_s > 0) request["horizon_s"] = options.horizon_s;
  json::object answer;
  const int code = call.ask(std::move(request), answer);
  if (code != kExitOk) return code;
  const json::value* problem = answer.if_contains("problem");
  InputErrors errors;
  if (problem != nullptr && problem->is_object())
    take_problem(call, problem->get_object(), document, errors);
  else
    errors.push_back({"problem", "is missing in the daemon's answer", "an older daemon?"});
  if (errors.empty()) return kExitOk;
  // Nobody typed this: the models do not cover the target.
  complain_of_input(call, "the target's present state", errors);
  return kExitRefused;
}

}  // namespace

void InputOptions::add_to(CLI::App& command) {
  command.add_option("--input", file,
                     "the problem as JSON (docs/predict.md); - is standard input; without it the "
                     "daemon is asked for the present state of --target");
  command.add_option("--family", family, "column family of a live target");
  command.add_option("--horizon", horizon_s, "seconds, instead of the document's")
      ->check(CLI::Range(1.0, 30 * 86400.0));
}

int load_document(const Call& call, const InputOptions& options, ModelDocument& document) {
  if (options.file.empty()) return load_live(call, options, document);
  const auto text = read_input(options.file);
  if (!text) {
    call.complain(text.error().what, text.error().remedy);
    return kExitUsage;
  }
  InputErrors errors;
  const auto parsed = parse_document(*text);
  if (!parsed) {
    errors.push_back({"", parsed.error().what, parsed.error().remedy});
  } else if (is_v42_document(*parsed)) {
    document.v42 = true;
    document.published = read_v42(*parsed, errors);
  } else {
    const json::value* section = parsed->if_contains(kPublishedSection);
    if (section == nullptr || parsed->size() > 1) take_problem(call, *parsed, document, errors);
    if (section != nullptr && section->is_object())
      read_published(section->get_object(), kPublishedSection, document.published, errors);
    else if (section != nullptr)
      errors.push_back({kPublishedSection, "is not an object", "{ ... }"});
  }
  if (!errors.empty()) return complain_of_input(call, options.file, errors);
  if (document.problem && options.horizon_s > 0) document.problem->horizon_s = options.horizon_s;
  return kExitOk;
}

int load_problem(const Call& call, const InputOptions& options, model::Problem& problem) {
  ModelDocument document;
  const int code = load_document(call, options, document);
  if (code != kExitOk) return code;
  if (!document.problem)
    return complain_of_input(
        call, options.file,
        {{"", "holds inputs of published models only",
          "this command needs settings, tree, workload and device (docs/predict.md)"}});
  problem = std::move(*document.problem);
  return kExitOk;
}

int complain_of_input(const Call& call, const std::string& file, const InputErrors& errors) {
  if (call.as_json) {
    json::array list;
    for (const InputError& error : errors)
      list.push_back(
          json::object{{"place", error.place}, {"what", error.what}, {"allowed", error.allowed}});
    call.out << json::serialize(
                    json::object{{"ok", false}, {"code", "bad-input"}, {"errors", std::move(list)}})
             << "\n";
  }
  call.err << "lsmtunectl: " << file << ": "
           << (errors.size() == 1 ? "one error" : fmt::format("{} errors", errors.size())) << "\n";
  for (const InputError& error : errors) call.err << "  " << error.text() << "\n";
  return kExitUsage;
}

int complain_of_model(const Call& call, const Error& error) {
  if (call.as_json)
    call.out << json::serialize(json::object{{"ok", false},
                                             {"code", "refused"},
                                             {"error", error.what},
                                             {"remedy", error.remedy}})
             << "\n";
  call.complain(error.what, error.remedy);
  return kExitRefused;
}

void ModelOptions::add_to(CLI::App& command) {
  command.add_option("--model", model, "ledger, totals or files")
      ->capture_default_str()
      ->check(CLI::IsMember({"ledger", "totals", "files"}));
  command.add_option("--members", members, "simulations averaged, with constants jittered")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  command.add_option("--seed", seed, "of the simulations")->capture_default_str();
}

model::ModelChoice ModelOptions::choice() const {
  return {model::own_model_from_text(model).value_or(model::OwnModel::files), members, seed};
}

}  // namespace lsmtuned::daemon
