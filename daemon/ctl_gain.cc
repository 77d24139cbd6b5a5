// lsmtunectl gain: what tuning gained, against the start (measured) and against RocksDB's defaults
// (measured where the database began with them, else predicted), each with an interval.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>

#include "controller/gain.h"
#include "controller/simulated.h"
#include "controller/window.h"
#include "daemon/codec.h"
#include "daemon/ctl_answer.h"
#include "daemon/ctl_decisions.h"
#include "daemon/ctl_input.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/model_json.h"
#include "daemon/options_fragment.h"
#include "model/eighty_percent.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
using controller::MeasuredChange;

struct GainCommand {
  explicit GainCommand(const Call& caller) : call(caller) {}
  const Call& call;
  ModelOptions model{"totals", 8};

  int run() const;
};

// What the daemon knows of the present.
struct Present {
  controller::WindowMeasure measure;
  model::Settings settings;
  model::Settings baseline;
  std::uint64_t incarnation = 0;
  double prediction_scale = 1;
};

struct Answer {
  controller::TuningGain gain;
  controller::WindowMeasure now;
  bool began_with_defaults = false;
  std::optional<model::SMax> defaults;  // predicted, of the present load
  std::string refused;                  // why there is none
  std::optional<MeasuredChange> against_defaults;
};

int load_present(const Call& call, Present& present) {
  json::object status;
  const int code = call.ask({{"command", "status"}}, status);
  if (code != kExitOk) return code;
  const auto part = [&](const char* name) {
    const json::value* value = member(status, name);
    return value == nullptr || value->is_null() ? json::value(json::object{}) : *value;
  };
  auto measure = measure_from_json(part("measured"));
  auto settings = settings_from_json(part("settings"));
  auto baseline = settings_from_json(part("baseline"));
  if (!measure || !settings || !baseline) {
    call.complain("the daemon's answer cannot be read", "an older or newer daemon?");
    return kExitRefused;
  }
  present.measure = *measure;
  present.settings = *settings;
  present.baseline = *baseline;
  present.incarnation = std::strtoull(text(status, "incarnation").c_str(), nullptr, 10);
  if (const double scale = number(status, "prediction_scale"); scale > 0)
    present.prediction_scale = scale;
  return kExitOk;
}

void predict_defaults(model::Problem problem, const Present& present, const ModelOptions& choice,
                      Answer& answer) {
  const controller::Horizons horizons = controller::horizons_of(config::Policy{});
  const double demand =
      controller::demand_bytes_per_s(present.measure.put_bytes_per_s, present.measure.stall_share);
  problem.workload.offered_bytes_per_s = std::isfinite(demand) ? demand : 0;
  problem.horizon_s = horizons.settled_s;
  auto predicted = model::predict_of_load(model::with_default_settings(problem), choice.choice(),
                                          horizons.settled_from_s);
  if (!predicted) {
    answer.refused = predicted.error().what;
    return;
  }
  predicted->put_bytes_per_s *= present.prediction_scale;
  predicted->low_bytes_per_s *= present.prediction_scale;
  predicted->high_bytes_per_s *= present.prediction_scale;
  answer.defaults = *predicted;
}

// Measured against predicted: the prediction's own error is in the interval.
std::optional<MeasuredChange> against(const model::SMax& predicted,
                                      const controller::WindowMeasure& now) {
  if (!(predicted.put_bytes_per_s > 0) || !(predicted.low_bytes_per_s > 0)) return std::nullopt;
  controller::WindowMeasure there;
  there.seconds = 1;
  there.put_bytes_per_s = predicted.put_bytes_per_s;
  there.standard_error = predicted.put_bytes_per_s *
                         std::log(predicted.put_bytes_per_s / predicted.low_bytes_per_s) /
                         model::kEightyPercent;
  return controller::measured_change(there, now);
}

json::value change_json(const std::optional<MeasuredChange>& change) {
  if (!change) return nullptr;
  return json::object{{"share", change->share()},
                      {"low_share", change->low_share()},
                      {"high_share", change->high_share()},
                      {"interval", 0.8}};
}

std::string change_text(const MeasuredChange& change) {
  return fmt::format("{:+.1f} % (80 %: {:+.1f} to {:+.1f} %)", 100 * change.share(),
                     100 * change.low_share(), 100 * change.high_share());
}

json::object gain_json(const Answer& answer) {
  json::object out{
      {"ok", true},
      {"now", to_json(answer.now)},
      {"start", nullptr},
      {"since_start", change_json(answer.gain.since_start)},
      {"changed", answer.gain.changed},
      {"trials", answer.gain.trials},
      {"kept_in_force", answer.gain.kept_in_force},
      {"kept_trials", change_json(answer.gain.kept)},
      {"began_with_defaults", answer.began_with_defaults},
      {"against_defaults", change_json(answer.against_defaults)},
      {"against_defaults_from", answer.began_with_defaults ? "measured start" : "predicted"}};
  if (answer.gain.start)
    out["start"] = json::object{{"decision", answer.gain.start->decision_id},
                                {"wall_time_s", answer.gain.start->wall_time_s},
                                {"measured", to_json(answer.gain.start->measure)}};
  if (answer.defaults) {
    out["predicted_defaults"] = s_max_json(*answer.defaults, 1);
    out["predicted_defaults"].as_object().erase("put_ops_per_s");
  } else {
    out["predicted_defaults"] = nullptr;
    out["not_predicted"] = answer.refused;
  }
  return out;
}

std::string level_text(const controller::WindowMeasure& measure) {
  return fmt::format("{}, stalled {} in {}", model::format_rate(measure.put_bytes_per_s),
                     model::format_percent(measure.stall_share),
                     model::format_duration(measure.seconds));
}

std::string gain_text(const Answer& answer) {
  const controller::TuningGain& gain = answer.gain;
  std::string text;
  const auto row = [&](const char* label, const std::string& words) {
    text += fmt::format("{:<13} {}\n", label, words);
  };
  row("now", answer.now.seconds > 0 ? level_text(answer.now) + ", measured" : "not measured yet");
  if (gain.start) {
    row("start",
        fmt::format("{}, measured ({}, {} decision {})", level_text(gain.start->measure),
                    utc_text(gain.start->wall_time_s),
                    gain.changed ? "before the first change, by" : "at", gain.start->decision_id));
  } else {
    row("start", "no decision of this run of the database holds a measured level yet");
  }
  if (gain.since_start)
    row("since start", change_text(*gain.since_start) +
                           (gain.changed ? ", with what load and device did meanwhile"
                                         : ", by load and device alone: nothing was changed"));
  if (gain.kept_in_force > 0)
    row("by tuning", fmt::format("{} by {} kept of {} trials, each against the level before it",
                                 change_text(gain.kept), gain.kept_in_force, gain.trials));
  else
    row("by tuning", fmt::format("none: of {} trials no change is in force", gain.trials));
  if (gain.start && gain.since_start && controller::held_by_load(gain.start->measure) &&
      controller::held_by_load(answer.now))
    row("",
        "writers hardly stalled then and now: the rate is the load, and more was not asked for");
  if (answer.defaults) {
    const model::SMax& there = *answer.defaults;
    row("defaults", fmt::format("{} ({} to {}), stalled {}: PREDICTED by {} for the present load",
                                model::format_rate(there.put_bytes_per_s),
                                model::format_rate(there.low_bytes_per_s),
                                model::format_rate(there.high_bytes_per_s),
                                model::format_percent(there.stall_share.value_or(0)),
                                model::to_text(there.model)));
  } else {
    row("defaults", "not predicted: " + answer.refused);
  }
  if (answer.against_defaults)
    row("vs defaults",
        change_text(*answer.against_defaults) +
            (answer.began_with_defaults ? ", measured: the database began with RocksDB's defaults"
                                        : ", measured level against that prediction"));
  return text;
}

int GainCommand::run() const {
  Present present;
  std::vector<controller::Decision> decisions;
  if (const int code = load_present(call, present); code != kExitOk) return code;
  if (const int code = load_decisions(call, {"", true}, decisions); code != kExitOk) return code;
  Answer answer;
  answer.now = present.measure;
  answer.gain =
      controller::tuning_gain(decisions, present.incarnation, present.measure, present.settings);
  answer.began_with_defaults = model::all_default(present.baseline);
  model::Problem problem;
  if (const int code = load_problem(call, InputOptions{}, problem); code != kExitOk) return code;
  predict_defaults(std::move(problem), present, model, answer);
  if (answer.began_with_defaults)
    answer.against_defaults = answer.gain.since_start;
  else if (answer.defaults)
    answer.against_defaults = against(*answer.defaults, present.measure);
  if (call.as_json)
    call.out << json::serialize(gain_json(answer)) << "\n";
  else
    call.out << gain_text(answer);
  return kExitOk;
}

}  // namespace

void add_gain(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command = cli.add_subcommand(
      "gain", "what tuning gained against the start and against RocksDB's defaults");
  const auto state = std::make_shared<GainCommand>(call);
  state->model.add_to(*command);
  command->callback([state, &code] { code = state->run(); });
}

}  // namespace lsmtuned::daemon
