#include "daemon/ctl_run.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <functional>

#include "daemon/control_protocol.h"
#include "daemon/ctl_analyze_log.h"
#include "daemon/ctl_call.h"
#include "daemon/ctl_diagnose.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/ctl_print.h"
#include "daemon/ctl_replay.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

std::string done(const json::object& answer) {
  return fmt::format("done: phase {}, mode {}\n", Call::text("phase", answer),
                     Call::text("mode", answer));
}

std::string tried(const json::object& answer) {
  const json::value* id = answer.if_contains("decision");
  if (id == nullptr || id->is_null())
    return "waiting for a moment without delayed writes, at most a minute; lsmtunectl decisions "
           "shows what became of it\n";
  return fmt::format("sent as decision {0}: lsmtunectl explain {0} tells what became of it\n",
                     json::serialize(*id));
}

// A plain number as one, anything else as text: the daemon knows the option's unit.
json::value option_word(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return json::string(text);
}

// One line for a monitoring system: OK, or PROBLEM with the first thing wrong of every target.
int check(const Call& call) {
  std::vector<std::string> names;
  if (call.target.empty()) {
    json::object answer;
    const int code = call.ask({{"command", "targets"}}, answer);
    if (code != kExitOk) return code;
    if (const json::value* targets = answer.if_contains("targets"); targets && targets->is_array())
      for (const json::value& entry : targets->get_array())
        if (entry.is_object()) names.push_back(Call::text("name", entry.get_object()));
  } else {
    names.push_back(call.target);
  }
  std::string problems;
  json::array details;
  for (const std::string& name : names) {
    Call one = call;
    one.target = name;
    json::object answer;
    const int code = one.ask({{"command", "status"}}, answer);
    if (code != kExitOk) return code;
    const std::string problem = problem_in_status(answer);
    if (!problem.empty()) problems += (problems.empty() ? "" : "; ") + problem;
    details.push_back(json::object{{"target", name}, {"problem", problem}});
  }
  const bool fine = problems.empty();
  if (call.as_json) {
    call.out << json::serialize(json::object{{"ok", fine}, {"targets", std::move(details)}})
             << "\n";
  } else if (fine) {
    call.out << fmt::format("OK: {} {}\n", names.size(), names.size() == 1 ? "target" : "targets");
  } else {
    call.out << "PROBLEM: " << problems << "\n";
  }
  return fine ? kExitOk : kExitProblem;
}

int diagnose_process(const Call& call, int pid) {
  Result<Diagnosis> diagnosis = diagnose(pid);
  if (!diagnosis) {
    call.complain(diagnosis.error().what, diagnosis.error().remedy);
    return kExitRefused;
  }
  note_targets(*diagnosis, call_daemon(call.socket, {{"command", "targets"}}, call.timeout_s));
  if (call.as_json)
    call.out << json::serialize(to_json(*diagnosis)) << "\n";
  else
    call.out << print_diagnosis(*diagnosis);
  return diagnosis->healthy() ? kExitOk : kExitProblem;
}

double wall_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

int run_ctl(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err) {
  CLI::App cli("lsmtunectl: asks and steers lsmtuned");
  cli.require_subcommand(1);
  cli.fallthrough();
  cli.footer(
      "Exit codes: 0 fine, 1 something is wrong (check, diagnose, a damaged record), 2 usage or "
      "input, 3 no daemon, 4 refused, 5 replay differs");
  cli.set_version_flag("--version", std::string("lsmtunectl ") + LSMTUNED_VERSION);
  Call call(out, err);
  cli.add_option("--socket", call.socket, "the daemon's control socket")->capture_default_str();
  cli.add_option("--target", call.target, "name of the target; not needed when there is one");
  cli.add_flag("--json", call.as_json, "print the daemon's answer as JSON");
  cli.add_option("--timeout", call.timeout_s, "seconds to wait for an answer")
      ->capture_default_str()
      ->check(CLI::Range(0.01, 3600.0));

  int code = kExitOk;
  std::uint64_t id = 0;
  std::uint64_t before = 0;
  int limit = 20;
  int pid = 0;
  double minutes = 10;
  std::string mode;
  const auto on = [&](const char* name, const char* help, std::function<int()> act) {
    CLI::App* sub = cli.add_subcommand(name, help);
    sub->callback([&code, act = std::move(act)] { code = act(); });
    return sub;
  };
  const auto simple = [&](const char* name, const char* help) {
    on(name, help, [&call, name] { return call.show({{"command", name}}, done); });
  };

  on("status", "phase, rates, predicted S_max, trust, settings kept, last decision", [&] {
    return call.show({{"command", "status"}}, print_status);
  });
  on("targets", "every database and what is done with it", [&] {
    return call.show({{"command", "targets"}}, print_targets);
  });
  CLI::App* decisions = on("decisions", "what was decided, newest first", [&] {
    return call.show({{"command", "decisions"}, {"before", before}, {"limit", limit}},
                     print_decisions);
  });
  decisions->add_option("--before", before, "only older ones than this id");
  decisions->add_option("--limit", limit, "at most so many")->check(CLI::Range(1, 500));
  on("explain", "the story of one decision",
     [&] {
       return call.show({{"command", "explain"}, {"id", id}}, [](const json::object& answer) {
         const json::value* decision = answer.if_contains("decision");
         return decision != nullptr && decision->is_object()
                    ? print_explanation(decision->get_object())
                    : std::string("-\n");
       });
     })
      ->add_option("ID", id, "decision")
      ->required();
  on("advice", "the change that lsmtuned would make (mode advise)", [&] {
    return call.show({{"command", "advice"}}, print_advice);
  });
  on("apply", "take an advice",
     [&] {
       return call.show({{"command", "apply"}, {"id", id}}, done);
     })
      ->add_option("ID", id, "decision")
      ->required();
  std::vector<std::string> wanted;
  std::string family;
  CLI::App* attempt =
      on("try", "a trial of your own proposal: guarded, verified, undone if worse", [&] {
        json::object set;
        for (const std::string& word : wanted) {
          const auto equal = word.find('=');
          if (equal == 0 || equal == std::string::npos || equal + 1 == word.size()) {
            call.complain("\"" + word + "\" is no OPTION=VALUE", "write_buffer_size=\"16 MiB\"");
            return int{kExitUsage};
          }
          set[word.substr(0, equal)] = option_word(word.substr(equal + 1));
        }
        return call.show({{"command", "try"}, {"set", std::move(set)}, {"family", family}}, tried);
      });
  attempt->add_option("OPTION=VALUE", wanted, "options to change, all in one trial")->required();
  attempt->add_option("--family", family, "column family; not needed when there is one");
  simple("freeze", "no change from now on; outlives restarts");
  simple("thaw", "ends a freeze, and the safe state after too many reverts");
  simple("revert",
         "back to the baseline; in mode tune it looks again after the cooldown, unless frozen");
  on("mode", "observe, advise or tune; outlives restarts",
     [&] {
       return call.show({{"command", "mode"}, {"mode", mode}}, done);
     })
      ->add_option("MODE", mode, "observe, advise or tune")
      ->required()
      ->check(CLI::IsMember({"observe", "advise", "tune"}));
  on("export", "kept settings as an OPTIONS fragment", [&] {
    return call.show({{"command", "export"}},
                     [](const json::object& answer) { return Call::text("options", answer); });
  });
  on("check", "one line for monitoring: OK, or PROBLEM and exit code 1",
     [&] { return check(call); });
  on("samples", "the recent course of rates, stalls and debt",
     [&] {
       const double now = wall_now();
       return call.show({{"command", "samples"}, {"from", now - minutes * 60}, {"to", now}},
                        print_samples);
     })
      ->add_option("--minutes", minutes, "how far back")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e7));
  on("snapshot", "the newest sample, raw, as JSON", [&] {
    return call.show({{"command", "snapshot"}},
                     [](const json::object& answer) { return json::serialize(answer) + "\n"; });
  });
  on("diagnose", "why a process is, or is not, attached",
     [&] { return diagnose_process(call, pid); })
      ->add_option("PID", pid, "process")
      ->required()
      ->check(CLI::PositiveNumber);
  add_analyze_log(cli, {out, err, call.as_json, call.target, code, [&call] {
                          return call_daemon(call.socket,
                                             {{"command", "snapshot"}, {"target", call.target}},
                                             call.timeout_s);
                        }});

  add_predict(cli, call, code);
  add_models(cli, call, code);
  add_simulate(cli, call, code);
  add_sensitivity(cli, call, code);
  add_plan(cli, call, code);
  add_bottleneck(cli, call, code);
  add_gain(cli, call, code);
  add_accuracy(cli, call, code);
  add_recommend(cli, call, code);
  add_calibrate(cli, call, code);
  add_replay(cli, call, code);

  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    cli.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error, out, err) == 0 ? kExitOk : kExitUsage;
  }
  return code;
}

}  // namespace lsmtuned::daemon
