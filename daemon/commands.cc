#include "daemon/commands.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "actuators/wire/json.h"
#include "config/quantity.h"
#include "daemon/codec.h"
#include "daemon/control_json.h"
#include "daemon/control_protocol.h"
#include "daemon/options_fragment.h"
#include "daemon/problem_json.h"
#include "model/simulator/from_snapshot.h"

namespace lsmtuned::daemon {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

// Room for the frame around a list: what does not fit is asked for with the cursor.
constexpr std::size_t kMaxListBytes = std::size_t{900} * 1024;
constexpr int kDefaultLimit = 20;
constexpr int kMaxLimit = 500;
constexpr int kAdviceDepth = 200;
constexpr std::size_t kMaxSamples = 2000;

json::object refusal(const char* code, std::string error, std::string remedy) {
  return {
      {"ok", false}, {"code", code}, {"error", std::move(error)}, {"remedy", std::move(remedy)}};
}

json::object history_refusal(const Error& error) {
  return refusal("history", error.what, error.remedy);
}

std::optional<double> number_of(const json::value& value) {
  if (value.is_double()) return value.get_double();
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  return std::nullopt;
}

std::optional<double> number_member(const json::object& request, const char* name) {
  const json::value* value = request.if_contains(name);
  return value == nullptr ? std::nullopt : number_of(*value);
}

struct Chosen {
  std::shared_ptr<TargetRunner> runner;
  json::object problem;  // where there is no runner
};

Chosen choose(const std::vector<std::shared_ptr<TargetRunner>>& runners,
              const json::object& request) {
  const std::string wanted = wire::text_member(request, "target");
  std::string names;
  for (const auto& runner : runners) names += (names.empty() ? "" : ", ") + runner->name();
  if (wanted.empty()) {
    if (runners.size() == 1) return {runners.front(), {}};
    if (runners.empty())
      return {nullptr, refusal("unknown-target", "no database is attached",
                               "start it with the agent preloaded; lsmtunectl diagnose PID says "
                               "why one does not attach")};
    return {nullptr, refusal("unknown-target", "there is more than one target",
                             "name one with --target: " + names)};
  }
  for (const auto& runner : runners)
    if (runner->name() == wanted) return {runner, {}};
  return {nullptr, refusal("unknown-target", "no target is named \"" + wanted + "\"",
                           names.empty() ? "no database is attached" : "there are: " + names)};
}

struct Context {
  const CommandServices& services;
  std::shared_ptr<TargetRunner> runner;
  json::object request;
  std::string user;
};

json::object do_targets(const CommandServices& services) {
  json::array list;
  for (const auto& runner : services.runners()) list.push_back(summary_json(*runner));
  return {{"ok", true}, {"targets", std::move(list)}};
}

json::object do_status(const Context& context) {
  json::object answer = status_json(*context.runner, context.services.clock->now_s());
  answer["ok"] = true;
  answer["daemon_version"] = LSMTUNED_VERSION;
  answer["daemon_started_wall_time_s"] = context.services.started_wall_s;
  return answer;
}

json::object do_snapshot(const Context& context) {
  const model::Snapshot* latest = context.runner->latest();
  if (latest == nullptr)
    return refusal("not-attached", context.runner->name() + ": nothing has been observed yet",
                   "is the database running with the agent? try again in a moment");
  return {{"ok", true}, {"snapshot", snapshot_json(*latest)}};
}

// What the models know of this target now: the document that predict, simulate, sensitivity, plan
// and bottleneck read.
json::object do_problem(const Context& context) {
  const model::Snapshot* latest = context.runner->latest();
  if (latest == nullptr)
    return refusal("not-attached", context.runner->name() + ": nothing has been observed yet",
                   "is the database running with the agent? try again in a moment");
  const controller::State& state = context.runner->state();
  std::string family = wire::text_member(context.request, "family");
  if (family.empty())
    if (const auto* worst = model::worst_family(*latest)) family = worst->name;
  const double horizon = number_member(context.request, "horizon_s")
                             .value_or(controller::effective_policy(state).trial_max_s);
  const auto problem =
      model::problem_from(*latest, family, state.persistent.calibration, horizon, state.cpu_cores);
  if (!problem)
    return refusal("refused", context.runner->name() + ": " + problem.error().what,
                   problem.error().remedy);
  return {{"ok", true},
          {"family", family},
          {"wall_time_s", latest->wall_time_s},
          {"evidence_seconds", state.persistent.calibration.evidence_seconds},
          {"problem", problem_json(*problem)}};
}

using Listed = Result<std::vector<controller::Decision>>;

asio::awaitable<Listed> list_decisions(const Context& context, std::uint64_t before, int limit) {
  auto read = [history = context.services.history, name = context.runner->name(), before, limit] {
    return history->decisions(name, before, limit);
  };
  Listed listed = co_await on_worker(*context.services.records, std::move(read));
  co_return listed;
}

asio::awaitable<json::object> do_decisions(const Context& context) {
  const std::uint64_t before = wire::count_member(context.request, "before").value_or(0);
  const auto limit = static_cast<int>(std::clamp<std::uint64_t>(
      wire::count_member(context.request, "limit").value_or(kDefaultLimit), 1, kMaxLimit));
  const Listed listed = co_await list_decisions(context, before, limit);
  if (!listed) co_return history_refusal(listed.error());
  json::array list;
  std::size_t bytes = 0;
  std::uint64_t next_before = 0;
  for (const controller::Decision& decision : *listed) {
    json::object entry = to_json(decision);
    entry.erase("considered");  // explain has them
    bytes += json::serialize(entry).size();
    if (bytes > kMaxListBytes) break;
    next_before = decision.id;
    list.push_back(std::move(entry));
  }
  const bool more = list.size() < listed->size() || static_cast<int>(listed->size()) == limit;
  co_return json::object{{"ok", true},
                         {"decisions", std::move(list)},
                         {"next_before", more ? json::value(next_before) : nullptr}};
}

asio::awaitable<json::object> do_explain(const Context& context) {
  const auto id = wire::count_member(context.request, "id");
  if (!id)
    co_return refusal("bad-request", "explain needs an id", "lsmtunectl decisions lists them");
  auto read = [history = context.services.history, name = context.runner->name(), id = *id] {
    return history->find(name, id);
  };
  auto found = co_await on_worker(*context.services.records, std::move(read));
  if (!found) co_return history_refusal(found.error());
  if (!*found)
    co_return refusal("unknown-decision",
                      context.runner->name() + " has no decision " + std::to_string(*id),
                      "lsmtunectl decisions lists them");
  co_return json::object{{"ok", true}, {"decision", to_json(**found)}};
}

// The newest proposal that is still open to `apply`.
asio::awaitable<json::object> do_advice(const Context& context) {
  const Listed listed = co_await list_decisions(context, 0, kAdviceDepth);
  if (!listed) co_return history_refusal(listed.error());
  json::value advice = nullptr;
  for (const controller::Decision& decision : *listed) {
    if (decision.kind == controller::DecisionKind::noop) continue;
    // Anything newer that changed settings makes older advice stale.
    if (decision.status == controller::DecisionStatus::advised) advice = to_json(decision);
    break;
  }
  json::object answer{{"ok", true}, {"advice", std::move(advice)}};
  answer["mode"] = config::to_text(controller::effective_policy(context.runner->state()).mode);
  answer["phase"] = controller::to_text(context.runner->state().phase);
  answer["last_noop_reason"] = context.runner->state().last_noop_reason;
  co_return answer;
}

asio::awaitable<json::object> do_export(const Context& context) {
  const Listed listed = co_await list_decisions(context, 0, kMaxLimit);
  if (!listed) co_return history_refusal(listed.error());
  std::vector<controller::Decision> kept;
  for (const controller::Decision& decision : *listed)
    if (decision.status == controller::DecisionStatus::kept) kept.push_back(decision);
  const model::ChangeSet& changes = context.runner->state().persistent.kept;
  co_return json::object{{"ok", true},
                         {"kept", to_json(changes)},
                         {"options", options_fragment(context.runner->name(), changes, kept,
                                                      context.services.clock->wall_s())}};
}

asio::awaitable<json::object> do_samples(const Context& context) {
  const double now = context.services.clock->wall_s();
  const double from = number_member(context.request, "from").value_or(now - 3600);
  const double to = number_member(context.request, "to").value_or(now);
  auto read = [history = context.services.history, name = context.runner->name(), from, to] {
    return history->samples(name, from, to);
  };
  auto rows = co_await on_worker(*context.services.records, std::move(read));
  if (!rows) co_return history_refusal(rows.error());
  json::array list;
  // The newest ones where there are too many; `truncated` says so.
  const std::size_t skip = rows->size() > kMaxSamples ? rows->size() - kMaxSamples : 0;
  for (std::size_t i = skip; i < rows->size(); ++i) list.push_back(sample_json((*rows)[i]));
  co_return json::object{
      {"ok", true},
      {"samples", std::move(list)},
      {"truncated", skip > 0},
      {"workload_phases", to_json(context.runner->state().policy.workload_phases)}};
}

asio::awaitable<json::object> do_operate(const Context& context,
                                         controller::OperatorCommand command) {
  command.by = context.user;
  spdlog::info("{}: {} by {}", context.runner->name(),
               wire::text_member(context.request, "command"), context.user);
  std::string refused = co_await context.runner->command(std::move(command));
  if (!refused.empty())
    co_return refusal("refused", context.runner->name() + ": " + refused,
                      "lsmtunectl status shows phase and mode");
  const controller::State& state = context.runner->state();
  co_return json::object{{"ok", true},
                         {"phase", controller::to_text(state.phase)},
                         {"mode", config::to_text(controller::effective_policy(state).mode)}};
}

asio::awaitable<json::object> do_apply(const Context& context) {
  const auto id = wire::count_member(context.request, "id");
  if (!id) co_return refusal("bad-request", "apply needs an id", "lsmtunectl advice shows it");
  controller::OperatorCommand command;
  command.kind = controller::OperatorCommand::Kind::apply;
  command.decision_id = *id;
  json::object answer = co_await do_operate(context, std::move(command));
  co_return answer;
}

// One option's value: a number in base units, or text with a unit.
Result<double> option_value(const model::KnobInfo& about, const json::value& value) {
  if (const auto number = number_of(value)) return *number;
  if (!value.is_string()) return Error{"neither a number nor text", "16777216, or \"16 MiB\""};
  const std::string text(value.get_string());
  switch (about.unit) {
    case model::KnobUnit::bytes:
      return config::parse_size(text);
    case model::KnobUnit::bytes_per_second:
      return config::parse_rate(text);
    default:
      return Error{"\"" + text + "\" is no number", "a plain number"};
  }
}

// {"write_buffer_size": "16 MiB", ...} of one family -> changes without old values.
Result<model::ChangeSet> wanted_changes(const json::object& request,
                                        const model::Snapshot& latest) {
  const json::value* set = request.if_contains("set");
  if (set == nullptr || !set->is_object() || set->get_object().empty())
    return Error{"try needs options", R"("set": {"write_buffer_size": "16 MiB"})"};
  std::string family = wire::text_member(request, "family");
  std::string names;
  for (const auto& one : latest.families) names += (names.empty() ? "" : ", ") + one.name;
  if (family.empty()) {
    if (latest.families.size() != 1)
      return Error{"there is more than one column family", "name one with --family: " + names};
    family = latest.families.front().name;
  }
  model::ChangeSet changes;
  for (const auto& [key, value] : set->get_object()) {
    const std::string option(key);
    const auto knob = model::knob_from_option(option);
    if (!knob)
      return Error{"no option is named \"" + option + "\"", "docs/configuration.md, bounds"};
    const model::KnobInfo& about = model::info(*knob);
    const auto wanted = option_value(about, value);
    if (!wanted) return Error{option + ": " + wanted.error().what, wanted.error().remedy};
    const bool of_family = about.scope == model::KnobScope::family;
    changes.push_back({of_family ? family : "", *knob, 0, *wanted});
  }
  return changes;
}

asio::awaitable<json::object> do_try(const Context& context) {
  const model::Snapshot* latest = context.runner->latest();
  if (latest == nullptr)
    co_return refusal("not-attached", context.runner->name() + ": nothing has been observed yet",
                      "is the database running with the agent? try again in a moment");
  auto changes = wanted_changes(context.request, *latest);
  if (!changes) co_return refusal("bad-request", changes.error().what, changes.error().remedy);
  controller::OperatorCommand command;
  command.kind = controller::OperatorCommand::Kind::try_changes;
  command.changes = std::move(*changes);
  json::object answer = co_await do_operate(context, std::move(command));
  if (answer.at("ok").as_bool()) {
    const auto& trial = context.runner->state().trial;
    answer["decision"] = trial ? json::value(trial->decision.id) : nullptr;
  }
  co_return answer;
}

asio::awaitable<json::object> do_mode(const Context& context) {
  const std::string text = wire::text_member(context.request, "mode");
  const auto mode = config::mode_from_text(text);
  if (!mode)
    co_return refusal("bad-request", "\"" + text + "\" is no mode", "observe, advise or tune");
  if (*mode != config::Mode::observe) {
    if (const auto reason = context.services.observed_only(context.runner->name()))
      co_return refusal("refused", reason->what, reason->remedy);
  }
  if (*mode == config::Mode::tune && context.runner->state().policy.memory_budget_bytes == 0)
    co_return refusal("refused", context.runner->name() + ": mode tune needs a memory budget",
                      "set memory_budget for it or in [defaults], and reload");
  controller::OperatorCommand command;
  command.kind = controller::OperatorCommand::Kind::set_mode;
  command.mode = *mode;
  json::object answer = co_await do_operate(context, std::move(command));
  co_return answer;
}

asio::awaitable<json::object> operate(const Context& context,
                                      controller::OperatorCommand::Kind kind) {
  controller::OperatorCommand command;
  command.kind = kind;
  json::object answer = co_await do_operate(context, std::move(command));
  co_return answer;
}

// `thaw` ends a freeze, and the safe state of a rollback storm with it: both are an operator's
// word that the daemon may go on.
controller::OperatorCommand::Kind thaw_kind(const TargetRunner& runner) {
  const controller::PersistentState& state = runner.state().persistent;
  const bool only_storm = state.storm_latched && !state.frozen_by_operator;
  return only_storm ? controller::OperatorCommand::Kind::clear_safe
                    : controller::OperatorCommand::Kind::thaw;
}

}  // namespace

asio::awaitable<json::object> answer_command(const CommandServices& services, json::object request,
                                             std::string user) {
  using Kind = controller::OperatorCommand::Kind;
  const std::string command = wire::text_member(request, "command");
  if (command == "targets") co_return do_targets(services);
  static const std::vector<std::string> known = {
      "status", "decisions", "explain", "advice",  "apply",    "freeze",  "thaw",
      "revert", "mode",      "export",  "samples", "snapshot", "problem", "try"};
  if (std::find(known.begin(), known.end(), command) == known.end())
    co_return refusal("unknown-command", "unknown command \"" + command + "\"",
                      "lsmtunectl --help lists the commands");
  Chosen chosen = choose(services.runners(), request);
  if (!chosen.runner) co_return chosen.problem;
  Context context{services, std::move(chosen.runner), std::move(request), std::move(user)};
  if (!context.runner->loaded())
    co_return refusal("history", context.runner->name() + ": its state is not loaded yet",
                      "try again in a moment; the log says more where it lasts");
  if (command == "status") co_return do_status(context);
  if (command == "snapshot") co_return do_snapshot(context);
  if (command == "problem") co_return do_problem(context);
  json::object answer;
  if (command == "decisions")
    answer = co_await do_decisions(context);
  else if (command == "explain")
    answer = co_await do_explain(context);
  else if (command == "advice")
    answer = co_await do_advice(context);
  else if (command == "export")
    answer = co_await do_export(context);
  else if (command == "samples")
    answer = co_await do_samples(context);
  else if (command == "apply")
    answer = co_await do_apply(context);
  else if (command == "try")
    answer = co_await do_try(context);
  else if (command == "mode")
    answer = co_await do_mode(context);
  else if (command == "freeze")
    answer = co_await operate(context, Kind::freeze);
  else if (command == "thaw")
    answer = co_await operate(context, thaw_kind(*context.runner));
  else
    answer = co_await operate(context, Kind::revert);
  co_return answer;
}

}  // namespace lsmtuned::daemon
