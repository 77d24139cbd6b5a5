#include "daemon/ctl_print.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/ctl_answer.h"
#include "daemon/options_fragment.h"
#include "model/knobs.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

// The story of a decision stays on one screen of 40 lines.
constexpr std::size_t kColumns = 100;
constexpr std::size_t kLabelColumns = 15;
constexpr int kWhyLines = 4;
constexpr int kChangeLines = 6;
constexpr int kOutcomeLines = 3;
constexpr std::size_t kConsideredShown = 4;

std::string row(const std::string& label, const std::string& value) {
  return fmt::format("{:<14} {}\n", label, value.empty() ? "-" : value);
}

// "S_max 12.0 MiB/s (10.1 to 14.0 MiB/s), bound by device, then l0_lane"
std::string prediction_text(const json::object& object, std::string_view path) {
  const json::object* prediction = sub(object, path);
  if (prediction == nullptr || number(*prediction, "put_bytes_per_s") <= 0) return "not known yet";
  std::string result =
      fmt::format("{} ({} to {})", rate(*prediction, "put_bytes_per_s"),
                  rate(*prediction, "low_bytes_per_s"), rate(*prediction, "high_bytes_per_s"));
  const std::string bound = text(*prediction, "bound");
  if (!bound.empty()) result += ", bound by " + bound;
  const double horizon = number(*prediction, "horizon_s");
  result += horizon > 0 ? ", over " + model::format_duration(horizon) : ", settled";
  return result;
}

std::string change_line(const json::object& change) {
  const std::string family = text(change, "family");
  const std::string option = text(change, "option");
  return fmt::format("{}{} {} -> {}", family.empty() ? "" : family + ".", option,
                     value_text(option, number(change, "old")),
                     value_text(option, number(change, "new")));
}

std::string changes_on_one_line(const json::array& changes) {
  std::string result;
  for (const json::value& change : changes)
    if (change.is_object())
      result += (result.empty() ? "" : ", ") + change_line(change.get_object());
  return result;
}

std::string value_lines(const json::object& values, const std::string& prefix) {
  std::string result;
  for (const auto& entry : values) {
    const std::string option(entry.key().data(), entry.key().size());
    result +=
        fmt::format("  {:<52} {}\n", prefix + option, value_text(option, number(values, option)));
  }
  return result;
}

std::string settings_lines(const json::object& settings) {
  std::string result;
  if (const json::object* database = sub(settings, "database"))
    result += value_lines(*database, "");
  if (const json::object* families = sub(settings, "families")) {
    for (const auto& entry : *families)
      if (const json::object* values = entry.value().if_object())
        result += value_lines(*values, std::string(entry.key().data(), entry.key().size()) + ".");
  }
  return result;
}

std::string window_line(const json::object& measure) {
  std::string result =
      fmt::format("{} put, stalled {}, write amplification {:.2f}, {:.0f} L0 compactions in {}",
                  rate(measure, "put_bytes_per_s"), share(measure, "stall_share"),
                  number(measure, "write_amplification"), number(measure, "l0_compactions"),
                  model::format_duration(number(measure, "seconds")));
  if (number(measure, "put_p99_s") > 0)
    result += ", p99 " + model::format_duration(number(measure, "put_p99_s"));
  return result;
}

// A row of at most `lines` lines of kColumns, cut where it is longer: --json has it whole.
std::string wrapped(const std::string& label, std::string rest, int lines) {
  std::string result;
  for (int line = 1; line <= lines && (line == 1 || !rest.empty()); ++line) {
    const std::size_t room = kColumns - kLabelColumns;
    std::size_t end = rest.size();
    if (end > room) {
      if (line == lines) rest.resize(room - 3), rest += "...";
      end = rest.rfind(' ', room);
      if (line == lines || end == std::string::npos || end == 0) end = std::min(room, rest.size());
    }
    const std::string part = rest.substr(0, end);
    rest.erase(0, end);
    rest.erase(0, rest.find_first_not_of(' '));
    result += row(line == 1 ? label : "", part);
  }
  return result;
}

std::string considered_lines(const json::array& considered) {
  std::string result;
  std::size_t shown = 0;
  for (const json::value& entry : considered) {
    const json::object* candidate = entry.if_object();
    if (candidate == nullptr || shown == kConsideredShown) continue;
    const std::string what = changes_on_one_line(list(*candidate, "changes"));
    result += wrapped(shown++ == 0 ? "considered" : "",
                      fmt::format("{}, {}{}{}", rate(*candidate, "predicted_put_bytes_per_s"),
                                  text(*candidate, "verdict"), what.empty() ? "" : ": ", what),
                      2);
  }
  if (considered.size() > shown)
    result += row("", fmt::format("and {} more: --json", considered.size() - shown));
  return result;
}

std::string kpi_value(const json::object& kpi, const char* when, std::string_view name) {
  if (!present(kpi, when)) return "-";
  if (name == "put_rate") return rate(kpi, when);
  if (name == "resource_use") return model::format_bytes(number(kpi, when));
  return share(kpi, when);
}

// Five figures before, predicted and after, with their judgement (controller/kpi.h).
std::string kpi_lines(const json::object& kpis) {
  static constexpr std::array<std::pair<const char*, const char*>, 5> kNames = {{
      {"put_rate", "put rate"},
      {"write_bandwidth_use", "write bandwidth use"},
      {"compaction_efficiency", "compaction efficiency"},
      {"stability", "stability"},
      {"resource_use", "resource use"},
  }};
  std::string lines;
  for (const auto& [name, words] : kNames) {
    const json::object* kpi = sub(kpis, name);
    if (kpi == nullptr || !(present(*kpi, "before") || present(*kpi, "predicted"))) continue;
    const std::string judgement = text(*kpi, "judgement");
    lines += fmt::format("  {:<22}{:>12}  {:>12}  {:>12}  {}\n", words,
                         kpi_value(*kpi, "before", name), kpi_value(*kpi, "predicted", name),
                         kpi_value(*kpi, "after", name), judgement == "unknown" ? "" : judgement);
    lines.erase(lines.find_last_not_of(" \n") + 1);
    lines += "\n";
  }
  if (lines.empty()) return "";
  return fmt::format("{:<24}{:>12}  {:>12}  {:>12}\n", "figures", "before", "predicted", "after") +
         lines;
}

// What is below its standard, and what each level costs.
std::string watched_lines(const json::object& watched) {
  static constexpr std::array<std::pair<const char*, const char*>, 5> kNames = {{
      {"put_rate", "put rate while writers stall"},
      {"write_bandwidth", "what the device can write"},
      {"compaction_efficiency", "compaction efficiency"},
      {"device_use", "user bytes of the device's"},
      {"debt", "compaction debt"},
  }};
  std::string lines;
  for (const auto& [name, words] : kNames) {
    const json::object* figure = sub(watched, name);
    if (figure == nullptr || !present(*figure, "raised_for_s")) continue;
    const double standard = number(*figure, "standard");
    lines += row(
        "watched",
        fmt::format("{}: {} of its standard for {}", words,
                    model::format_percent(standard > 0 ? number(*figure, "recent") / standard : 0),
                    model::format_duration(number(*figure, "raised_for_s"))));
  }
  for (const json::value& entry : list(watched, "suspects"))
    if (const json::object* suspect = entry.if_object())
      lines += row("", fmt::format("{} of the fall by the {}: {}", share(*suspect, "share"),
                                   text(*suspect, "name"), text(*suspect, "evidence")));
  std::string levels;
  std::size_t index = 0;
  for (const json::value& entry : list(watched, "level_amplification")) {
    const json::object* level = entry.if_object();
    if (level == nullptr) continue;
    const double write = number(*level, "write");
    if (write > 0 || number(*level, "read") > 0)
      levels += fmt::format("{}L{} {:.2f} ({:.2f})", levels.empty() ? "" : ", ", index, write,
                            number(*level, "read"));
    ++index;
  }
  if (!levels.empty()) lines += row("levels", "written (read) per user byte: " + levels);
  return lines;
}

// "files 96 %, ledger 91 %, totals 95 %; 9 of 14 others BELOW 50 %: lsmtunectl accuracy"
std::string models_line(const json::array& models) {
  std::string own;
  int others = 0;
  int low = 0;
  for (const json::value& entry : models) {
    const json::object* model = entry.if_object();
    if (model == nullptr) continue;
    const std::string id = text(*model, "model");
    const bool is_low = flag(*model, "low");
    if (id == "files" || id == "totals" || id == "ledger") {
      own += fmt::format("{}{} {}{}", own.empty() ? "" : ", ", id, share(*model, "accuracy"),
                         is_low ? " BELOW 50 %" : "");
    } else {
      ++others;
      low += is_low ? 1 : 0;
    }
  }
  if (others > 0)
    own += fmt::format("; of {} published {} below 50 %: lsmtunectl accuracy", others, low);
  return own;
}

bool measured(const json::object& decision, std::string_view path) {
  const json::object* window = sub(decision, path);
  return window != nullptr && number(*window, "seconds") > 0;
}

}  // namespace

std::string value_text(const std::string& name, double value) {
  const auto knob = model::knob_from_option(name.substr(name.rfind('.') + 1));
  if (!knob) return fmt::format("{:g}", value);
  switch (model::info(*knob).unit) {
    case model::KnobUnit::bytes:
      return model::format_bytes(value);
    case model::KnobUnit::bytes_per_second:
      return model::format_rate(value);
    case model::KnobUnit::count:
    case model::KnobUnit::ratio:
      return fmt::format("{:g}", value);
  }
  return fmt::format("{:g}", value);
}

std::string print_changes(const json::value& changes) {
  if (const json::object* settings = changes.if_object()) return settings_lines(*settings);
  std::string result;
  if (const json::array* array = changes.if_array())
    for (const json::value& change : *array)
      if (change.is_object()) result += "  " + change_line(change.get_object()) + "\n";
  return result;
}

std::string print_status(const json::object& answer) {
  std::string result;
  result +=
      row("target", text(answer, "target") + (flag(answer, "attached") ? "" : " (not attached)"));
  if (present(answer, "path"))
    result += row("database", fmt::format("{}, RocksDB {}, pid {:.0f}, statistics {}",
                                          text(answer, "path"), text(answer, "rocksdb_version"),
                                          number(answer, "pid"), text(answer, "statistics")));
  std::string phase = fmt::format("{} for {}", text(answer, "phase"),
                                  model::format_duration(number(answer, "phase_since_s")));
  if (flag(answer, "frozen")) phase += ", frozen by " + text(answer, "frozen_by");
  if (present(answer, "freeze_file"))
    phase += ", frozen by the file " + text(answer, "freeze_file");
  if (!text(answer, "safe_reason").empty()) phase += ": " + text(answer, "safe_reason");
  result += row("phase", phase);
  std::string mode = text(answer, "mode");
  if (text(answer, "mode_configured") != mode)
    mode += " (configured: " + text(answer, "mode_configured") + ")";
  result += row("mode", mode + ", objective " + text(answer, "objective") + ", on exit " +
                            text(answer, "on_exit"));
  if (const json::object* now = sub(answer, "now")) {
    std::string put =
        fmt::format("{}, {:.0f} operations/s, stalled {}", rate(*now, "put_bytes_per_s"),
                    number(*now, "put_ops_per_s"), share(*now, "stall_share"));
    if (flag(*now, "write_stopped"))
      put += ", WRITES STOPPED";
    else if (number(*now, "delayed_write_rate") > 0)
      put += ", delayed to " + rate(*now, "delayed_write_rate");
    result += row("puts now", put);
    result += row("tree", fmt::format("{} in files, {:.0f} L0 files, {} pending",
                                      model::format_bytes(number(*now, "tree_bytes")),
                                      number(*now, "l0_files"),
                                      model::format_bytes(number(*now, "pending_bytes"))));
    const std::string use =
        number(answer, "device_utilisation_v4") > 1
            ? "less than user bytes: the rest is still in memory"
            : "user bytes are " + share(answer, "device_utilisation_v4") + " of it (V4)";
    result += row(
        "device",
        fmt::format("{} written, {} read, busy {}; {}", rate(*now, "device_write_bytes_per_s"),
                    rate(*now, "device_read_bytes_per_s"), share(*now, "device_busy_share"), use));
  }
  if (measured(answer, "measured"))
    result += row("recently", window_line(*sub(answer, "measured")));
  std::string workload = text(answer, "workload_class");
  if (const json::object* phase_of = sub(answer, "workload_phase"))
    workload +=
        fmt::format("{}published phase {} for {}", workload.empty() ? "" : ", ",
                    text(*phase_of, "phase"), model::format_duration(number(*phase_of, "since_s")));
  if (!workload.empty()) result += row("workload", workload);
  if (const json::object* watched = sub(answer, "watched")) result += watched_lines(*watched);
  result += row("S_max", prediction_text(answer, "prediction"));
  std::string trust = present(answer, "prediction_error")
                          ? "prediction error " + share(answer, "prediction_error")
                          : std::string("prediction error not known yet");
  if (const double scale = number(answer, "prediction_scale"); scale > 0 && scale != 1)
    trust += fmt::format(", predictions scaled by {:.2f}", scale);
  trust += fmt::format(", limit {}: {}", share(answer, "trust.limit"),
                       flag(answer, "trust.open") ? "may act" : "watches only");
  result += row("trust", trust);
  if (const std::string models = models_line(list(answer, "model_accuracy")); !models.empty())
    result += row("models", models);
  if (!text(answer, "failed_observation").empty())
    result += row("observation", "FAILED: " + text(answer, "failed_observation"));
  if (const json::object* turn = sub(answer, "turn")) {
    std::string words = flag(*turn, "may_change") ? "may change" : text(*turn, "waits_for");
    if (number(*turn, "memory_budget_bytes") > 0)
      words += ", share of the memory " + model::format_bytes(number(*turn, "memory_budget_bytes"));
    result += row("turn", words);
  }
  if (const json::object* candidate = sub(answer, "candidate"))
    result +=
        row("candidate", fmt::format("found {} ago: {}; waits: {}",
                                     model::format_duration(number(*candidate, "found_s_ago")),
                                     changes_on_one_line(list(*candidate, "changes")),
                                     text(*candidate, "waits_for")));
  if (const json::object* trial = sub(answer, "trial"))
    result += row("trial", fmt::format("decision {:.0f}: {}", number(*trial, "id"),
                                       changes_on_one_line(list(*trial, "changes"))));
  const json::array& kept = list(answer, "kept");
  std::string kept_words = kept.empty() ? "nothing" : changes_on_one_line(kept);
  if (const std::string cost = text(answer, "going_back.text"); !cost.empty())
    kept_words += "; going back " + cost;
  result += row("kept", kept_words);
  if (const json::object* last = sub(answer, "last_decision"))
    result += row("last decision",
                  fmt::format("{:.0f} {} {}, {}: {}", number(*last, "id"), text(*last, "kind"),
                              text(*last, "status"), utc_text(number(*last, "wall_time_s")),
                              text(*last, "explanation")));
  const json::array& alerts = list(answer, "alerts");
  const std::size_t first = alerts.size() > 3 ? alerts.size() - 3 : 0;
  for (std::size_t i = first; i < alerts.size(); ++i)
    if (const json::object* alert = alerts[i].if_object())
      result += row(text(*alert, "severity"),
                    utc_text(number(*alert, "wall_time_s")) + " " + text(*alert, "text"));
  return result;
}

std::string print_targets(const json::object& answer) {
  const json::array& targets = list(answer, "targets");
  if (targets.empty())
    return "no database is attached; start one with the agent preloaded (lsmtunectl diagnose "
           "PID)\n";
  std::size_t width = 6;
  for (const json::value& entry : targets)
    if (entry.is_object()) width = std::max(width, text(entry.get_object(), "name").size());
  std::string result = fmt::format("{:<{}}  {:<8}  {:<9}  {:<7}  {:<7}  {:<7}  {}\n", "TARGET",
                                   width, "ATTACHED", "PHASE", "MODE", "KIND", "PID", "PATH");
  for (const json::value& entry : targets) {
    const json::object* target = entry.if_object();
    if (target == nullptr) continue;
    result += fmt::format("{:<{}}  {:<8}  {:<9}  {:<7}  {:<7}  {:<7.0f}  {}\n",
                          text(*target, "name"), width, flag(*target, "attached") ? "yes" : "no",
                          text(*target, "phase"), text(*target, "mode"), text(*target, "kind"),
                          number(*target, "pid"), text(*target, "path"));
  }
  return result;
}

std::string print_decisions(const json::object& answer) {
  const json::array& decisions = list(answer, "decisions");
  if (decisions.empty()) return "no decision yet\n";
  std::string result =
      fmt::format("{:>5}  {:<20}  {:<8}  {:<12}  {}\n", "ID", "TIME", "KIND", "STATUS", "WHAT");
  for (const json::value& entry : decisions) {
    const json::object* decision = entry.if_object();
    if (decision == nullptr) continue;
    std::string what = changes_on_one_line(list(*decision, "changes"));
    if (what.empty()) what = text(*decision, "explanation");
    result += fmt::format("{:>5.0f}  {:<20}  {:<8}  {:<12}  {}\n", number(*decision, "id"),
                          utc_text(number(*decision, "wall_time_s")), text(*decision, "kind"),
                          text(*decision, "status"), what);
  }
  if (present(answer, "next_before"))
    result += fmt::format("older ones: --before {:.0f}\n", number(answer, "next_before"));
  return result;
}

std::string print_explanation(const json::object& decision) {
  std::string result = fmt::format("Decision {:.0f}: {}, {}\n", number(decision, "id"),
                                   text(decision, "kind"), text(decision, "status"));
  std::string when = utc_text(number(decision, "wall_time_s"));
  if (number(decision, "ended_wall_time_s") > 0)
    when += " to " + utc_text(number(decision, "ended_wall_time_s"));
  result += row("when", when + ", by " + text(decision, "initiator"));
  result += wrapped("why", text(decision, "explanation") + " [" + text(decision, "reason") + "]",
                    kWhyLines);
  if (measured(decision, "measured_before")) {
    const std::string load = text(decision, "workload");
    result += wrapped("seen",
                      window_line(*sub(decision, "measured_before")) +
                          (load.empty() || load == "unknown" ? "" : ", load " + load),
                      2);
  }
  if (number(decision, "predicted_before.put_bytes_per_s") > 0)
    result += wrapped("bound", prediction_text(decision, "predicted_before") + " as it was", 2);
  const json::array& changes = list(decision, "changes");
  if (!changes.empty()) result += wrapped("changes", changes_on_one_line(changes), kChangeLines);
  result += considered_lines(list(decision, "considered"));
  if (number(decision, "predicted_after.put_bytes_per_s") > 0)
    result += wrapped("predicted", prediction_text(decision, "predicted_after"), 2);
  if (number(decision, "predicted_settled.put_bytes_per_s") > 0)
    result += wrapped("later", prediction_text(decision, "predicted_settled"), 2);
  if (measured(decision, "measured_after")) {
    result += wrapped("happened", window_line(*sub(decision, "measured_after")), 2);
    const double predicted = number(decision, "predicted_after.put_bytes_per_s");
    const double got = number(decision, "measured_after.put_bytes_per_s");
    if (predicted > 0 && got > 0)
      result += row("error", fmt::format("measured / predicted = {:.2f}{}", got / predicted,
                                         flag(decision, "short_trial") ? " (short trial)" : ""));
  }
  if (const json::object* kpis = sub(decision, "kpis")) result += kpi_lines(*kpis);
  if (!text(decision, "evidence").empty())
    result += wrapped("outcome", text(decision, "evidence"), kOutcomeLines);
  return result;
}

std::string print_advice(const json::object& answer) {
  const json::object* advice = sub(answer, "advice");
  if (advice == nullptr) {
    std::string why = text(answer, "last_noop_reason");
    return fmt::format("no advice (mode {}, phase {}{})\n", text(answer, "mode"),
                       text(answer, "phase"), why.empty() ? "" : ", " + why);
  }
  return print_explanation(*advice) +
         fmt::format("take it: lsmtunectl apply {:.0f}\n", number(*advice, "id"));
}

std::string problem_in_status(const json::object& answer) {
  const std::string name = text(answer, "target");
  if (!flag(answer, "attached")) return name + ": the database is not attached";
  if (!flag(answer, "making_progress")) return name + ": the control loop is stuck";
  if (text(answer, "phase") == "safe") return name + ": safe state: " + text(answer, "safe_reason");
  if (flag(answer, "now.write_stopped")) return name + ": writes are stopped";
  if (number(answer, "now.background_errors") > 0)
    return name + ": RocksDB reports background errors";
  if (!text(answer, "failed_observation").empty())
    return name + ": observation fails: " + text(answer, "failed_observation");
  if (!flag(answer, "trust.open"))
    return fmt::format("{}: prediction error {} is over the limit", name,
                       share(answer, "prediction_error"));
  return "";
}

}  // namespace lsmtuned::daemon
