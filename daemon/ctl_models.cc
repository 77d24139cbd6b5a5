// lsmtunectl models [ID]: what each model is, takes, can and cannot rank, and how wrong it was.
#include <fmt/format.h>

#include <memory>

#include "daemon/ctl_input.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/model_json.h"
#include "model/analysis/s_max.h"
#include "model/published/registry.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
namespace published = model::published;

json::object entry(const char* id, const char* title, const char* version, const char* principle,
                   const char* needs, const char* can_rank, const char* cannot_rank,
                   const char* limitations) {
  return {{"id", id},
          {"title", title},
          {"version", version},
          {"principle", principle},
          {"inputs", needs},
          {"can_rank", can_rank},
          {"cannot_rank", cannot_rank},
          {"limitations", limitations},
          {"accuracy", accuracy_json(id)}};
}

json::array all_models() {
  json::array list;
  for (const auto own :
       {model::OwnModel::files, model::OwnModel::totals, model::OwnModel::ledger}) {
    const model::OwnModelInfo& about = model::info(own);
    const char* id = model::to_text(own);
    list.push_back(entry(id, id, about.version, about.principle, about.needs, about.can_rank,
                         about.cannot_rank, ""));
  }
  for (const published::ModelInfo& about : published::models())
    list.push_back(entry(about.id, about.title, about.version, about.principle, about.needs,
                         about.can_rank, about.cannot_rank, about.limitations));
  return list;
}

std::string list_text(const json::object& answer) {
  std::string text;
  for (const json::value& model : answer.at("models").as_array()) {
    const std::string id = Call::text("id", model.as_object());
    text += fmt::format("{:<30} {:<34} {}\n", id, Call::text("version", model.as_object()),
                        accuracy_text(id));
  }
  return text;
}

std::string one_text(const json::object& answer) {
  std::string text;
  for (const auto& [label, name] :
       {std::pair("model", "id"), std::pair("title", "title"), std::pair("version", "version"),
        std::pair("principle", "principle"), std::pair("inputs", "inputs"),
        std::pair("can rank", "can_rank"), std::pair("cannot rank", "cannot_rank"),
        std::pair("limitations", "limitations")})
    if (const std::string value = Call::text(name, answer); !value.empty())
      text += fmt::format("{:<12} {}\n", label, value);
  return text + fmt::format("{:<12} {}\n", "accuracy", accuracy_text(Call::text("id", answer)));
}

int run_model(const Call& call, const std::string& id) {
  json::array models = all_models();
  if (id.empty()) {
    call.print({{"ok", true}, {"models", std::move(models)}}, list_text);
    return kExitOk;
  }
  for (json::value& model : models) {
    if (Call::text("id", model.as_object()) != id) continue;
    model.as_object()["ok"] = true;
    call.print(model.as_object(), one_text);
    return kExitOk;
  }
  return complain_of_model(
      call, Error{"no model has the id " + shown_text(id), "lsmtunectl models lists them"});
}

}  // namespace

void add_models(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command = cli.add_subcommand(
      "models", "the models: version, inputs, what each can rank, accuracy measured by us");
  const auto id = std::make_shared<std::string>();
  command->add_option("ID", *id, "one of them, in full");
  command->callback([id, &call, &code] { code = run_model(call, *id); });
}

}  // namespace lsmtuned::daemon
