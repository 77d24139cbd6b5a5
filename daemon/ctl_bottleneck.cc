// lsmtunectl bottleneck: every bound of the ledger, ranked, and what would lift the lowest.
#include <fmt/format.h>

#include <memory>

#include "daemon/ctl_input.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/model_json.h"
#include "model/analysis/ledger_case.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

const char* remedy(model::Bound bound) {
  switch (bound) {
    case model::Bound::device:
      return "fewer bytes per user byte (larger write_buffer_size, higher L0 triggers with a "
             "max_bytes_for_level_base to match, compression), or a faster device";
    case model::Bound::wal_device:
      return "a faster device for the WAL, larger write batches, or no WAL";
    case model::Bound::limiter:
      return "a higher rate_limiter_bytes_per_second";
    case model::Bound::cpu:
      return "cheaper compression, more cores with max_background_jobs and max_subcompactions, "
             "fewer bytes per user byte";
    case model::Bound::slots:
      return "more max_background_jobs";
    case model::Bound::l0_lane:
      return "more max_subcompactions, or a smaller max_bytes_for_level_base";
    case model::Bound::flush:
      return "more max_background_jobs (a quarter of them flush)";
    case model::Bound::foreground:
      return "more writing threads or larger batches: the database is not the limit";
    case model::Bound::none:
      break;
  }
  return "";
}

int run(const Call& call, const InputOptions& input) {
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
  const json::object answer{{"ok", true},
                            {"model", prediction->model},
                            {"accuracy", accuracy_json("ledger")},
                            {"put_bytes_per_s", prediction->put_bytes_per_s},
                            {"horizon_s", prediction->horizon_s},
                            {"write_amplification", prediction->write_amplification},
                            {"read_amplification", prediction->read_amplification},
                            {"binding", model::to_text(prediction->bound)},
                            {"next", model::to_text(prediction->runner_up)},
                            {"bounds", std::move(list)}};
  call.print(answer, [&](const json::object&) {
    std::string text = fmt::format("S_max {} by {} over {}; w {:.2f}, r {:.2f}\n\n",
                                   rate_text(prediction->put_bytes_per_s, record),
                                   prediction->model, model::format_duration(prediction->horizon_s),
                                   prediction->write_amplification, prediction->read_amplification);
    for (const model::BoundValue& bound : *bounds)
      text += fmt::format("{:<18} {:>14}{}\n", model::to_text(bound.bound),
                          model::format_rate(bound.put_bytes_per_s),
                          bound.bound == prediction->bound ? "  <- binds" : "");
    return text + fmt::format("\n{} is lifted by: {}\n", model::to_text(prediction->bound),
                              remedy(prediction->bound));
  });
  return kExitOk;
}

}  // namespace

void add_bottleneck(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command =
      cli.add_subcommand("bottleneck", "every bound on the put rate, and what would lift it");
  const auto input = std::make_shared<InputOptions>();
  input->add_to(*command);
  command->callback([input, &call, &code] { code = run(call, *input); });
}

}  // namespace lsmtuned::daemon
