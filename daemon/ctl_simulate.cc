// lsmtunectl simulate: the tree over a horizon, under the offered rate or a saturating writer.
#include <fmt/format.h>

#include <memory>

#include "daemon/ctl_input.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/model_json.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

constexpr double kSamples = 240;  // of a series, unless told otherwise

struct Simulate {
  explicit Simulate(const Call& caller) : call(caller) {}
  const Call& call;
  InputOptions input;
  std::string layer = "files";
  std::uint32_t members = 1;
  std::uint64_t seed = 1;
  double warmup_s = 0;
  double every_s = 0;
  bool series = false;
  bool events = false;

  int run() const;
};

std::string series_text(const std::vector<model::SimulationSample>& series) {
  if (series.empty()) return "";
  std::string text = fmt::format("\n{:>9} {:>14} {:>6} {:>12} {:>5} {:>14}\n", "time", "put rate",
                                 "L0", "pending", "imm", "delayed to");
  for (const model::SimulationSample& at : series)
    text +=
        fmt::format("{:>9} {:>14} {:>6.1f} {:>12} {:>5.1f} {:>14}\n",
                    model::format_duration(at.time_s), model::format_rate(at.put_bytes_per_s),
                    at.l0_files, model::format_bytes(at.pending_bytes), at.immutable_memtables,
                    at.delayed_write_rate > 0 ? model::format_rate(at.delayed_write_rate) : "-");
  return text;
}

std::string text_of(const model::Simulation& run, const model::Problem& problem,
                    std::uint32_t members) {
  const double record = problem.workload.key_bytes + problem.workload.value_bytes;
  std::string text = fmt::format(
      "put rate    {} over {}; {} in its last third\n", rate_text(run.put_bytes_per_s, record),
      model::format_duration(problem.horizon_s), model::format_rate(run.settled_put_bytes_per_s));
  if (members > 1)
    text += fmt::format("spread      {} to {} (80 % of {} members)\n",
                        model::format_rate(run.low_bytes_per_s),
                        model::format_rate(run.high_bytes_per_s), members);
  text += fmt::format("stalled     {}", model::format_percent(run.stalls.total()));
  for (const model::NamedShare& cause : model::by_cause(run.stalls))
    if (cause.share > 0)
      text += fmt::format(", {} {}", cause.name, model::format_percent(cause.share));
  text += fmt::format("; worst {}\n", model::format_duration(run.worst_stall_s));
  text += fmt::format("w, r, space {:.2f}, {:.2f}, {:.2f}\n", run.write_amplification,
                      run.read_amplification, run.space_amplification);
  text +=
      fmt::format("L0 files    {:.1f} mean, {:.0f} most\n", run.l0_files_mean, run.l0_files_max);
  text += fmt::format(
      "pending     {} mean, {} most, {} at the end\n", model::format_bytes(run.pending_bytes_mean),
      model::format_bytes(run.pending_bytes_max), model::format_bytes(run.pending_bytes_end));
  text += fmt::format(
      "jobs        {:.0f} flushes, {:.0f} L0, {:.0f} within L0, {:.0f} deeper, "
      "{:.0f} moves\n",
      run.flushes, run.l0_compactions, run.intra_l0_compactions, run.deeper_compactions,
      run.trivial_moves);
  text += fmt::format("device      {} busy\n", model::format_percent(run.device_busy_share));
  return text + series_text(run.series);
}

int Simulate::run() const {
  model::Problem problem;
  const int failed = load_problem(call, input, problem);
  if (failed != kExitOk) return failed;
  model::SimulationOptions options;
  options.layer =
      layer == "totals" ? model::SimulationLayer::totals : model::SimulationLayer::files;
  options.warmup_s = warmup_s;
  options.members = members;
  options.seed = seed;
  options.record_events = events;
  if (series) options.sample_every_s = every_s > 0 ? every_s : problem.horizon_s / kSamples;
  const auto simulated = model::simulate(problem, options);
  if (!simulated) return complain_of_model(call, simulated.error());
  if (!call.as_json) {
    call.out << text_of(*simulated, problem, members);
    return kExitOk;
  }
  json::object answer = simulation_json(*simulated);
  answer["ok"] = true;
  answer["layer"] = layer;
  answer["members"] = members;
  answer["horizon_s"] = problem.horizon_s;
  call.out << json::serialize(answer) << "\n";
  return kExitOk;
}

}  // namespace

void add_simulate(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command = cli.add_subcommand(
      "simulate", "put rate, stalls by cause, debt and amplification over a horizon");
  const auto state = std::make_shared<Simulate>(call);
  state->input.add_to(*command);
  command->add_option("--layer", state->layer, "files or totals")
      ->capture_default_str()
      ->check(CLI::IsMember({"files", "totals"}));
  command->add_option("--members", state->members, "simulations averaged, constants jittered")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  command->add_option("--seed", state->seed, "of layout and jitter")->capture_default_str();
  command->add_option("--warmup", state->warmup_s, "seconds simulated before the horizon starts")
      ->check(CLI::Range(0.0, 30 * 86400.0));
  command->add_flag("--series", state->series, "the course over time");
  command->add_option("--every", state->every_s, "seconds between samples of the series")
      ->check(CLI::Range(1e-3, 86400.0));
  command->add_flag("--events", state->events, "every job and delayed rate (with --json)");
  command->callback([state, &code] { code = state->run(); });
}

}  // namespace lsmtuned::daemon
