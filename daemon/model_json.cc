#include "daemon/model_json.h"

#include <fmt/format.h>

#include <cmath>

#include "daemon/json_input.h"
#include "daemon/problem_json.h"
#include "model/accuracy.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

constexpr double kSmallSpread = 0.1;

const char* job_text(model::JobKind kind) {
  switch (kind) {
    case model::JobKind::flush:
      return "flush";
    case model::JobKind::l0_to_base:
      return "l0_to_base";
    case model::JobKind::intra_l0:
      return "intra_l0";
    case model::JobKind::deeper:
      return "deeper";
    case model::JobKind::trivial_move:
      return "trivial_move";
  }
  return "unknown";
}

json::array series_json(const std::vector<model::SimulationSample>& series) {
  json::array list;
  for (const model::SimulationSample& sample : series)
    list.push_back(json::object{{"time_s", sample.time_s},
                                {"put_bytes_per_s", sample.put_bytes_per_s},
                                {"l0_files", sample.l0_files},
                                {"pending_bytes", sample.pending_bytes},
                                {"immutable_memtables", sample.immutable_memtables},
                                {"delayed_write_rate", sample.delayed_write_rate}});
  return list;
}

json::array jobs_json(const std::vector<model::JobEvent>& jobs) {
  json::array list;
  for (const model::JobEvent& job : jobs)
    list.push_back(json::object{{"kind", job_text(job.kind)},
                                {"input_level", job.input_level},
                                {"start_s", job.start_s},
                                {"end_s", job.end_s},
                                {"read_bytes", job.read_bytes},
                                {"written_bytes", job.written_bytes},
                                {"input_files", job.input_files}});
  return list;
}

json::array rates_json(const std::vector<model::RateEvent>& rates) {
  json::array list;
  for (const model::RateEvent& rate : rates)
    list.push_back(json::object{{"time_s", rate.time_s},
                                {"delayed_write_rate", rate.delayed_write_rate},
                                {"stopped", rate.stopped}});
  return list;
}

}  // namespace

json::value accuracy_json(std::string_view model) {
  const auto measured = model::measured_accuracy(model);
  if (!measured) return nullptr;
  return json::object{{"mean_absolute_error", measured->mean_absolute_error},
                      {"log_standard_deviation", measured->log_standard_deviation},
                      {"rank_correlation", measured->rank_correlation},
                      {"interval_coverage", measured->interval_coverage},
                      {"settings", measured->settings},
                      {"source", measured->source}};
}

std::string accuracy_text(std::string_view model) {
  const auto measured = model::measured_accuracy(model);
  if (!measured) return "not measured";
  return fmt::format("mean error {}, rank correlation {:.2f}, {} settings ({})",
                     model::format_percent(measured->mean_absolute_error),
                     measured->rank_correlation, measured->settings, measured->source);
}

const char* confidence_of(std::string_view model) {
  const auto measured = model::measured_accuracy(model);
  if (!measured) return "low";
  return measured->log_standard_deviation <= kSmallSpread ? "high" : "medium";
}

json::object s_max_json(const model::SMax& s_max, double record_bytes) {
  const char* id = model::to_text(s_max.model);
  json::object out{{"model", id},
                   {"version", model::info(s_max.model).version},
                   {"put_bytes_per_s", s_max.put_bytes_per_s},
                   {"put_ops_per_s", s_max.put_bytes_per_s / record_bytes},
                   {"low_bytes_per_s", s_max.low_bytes_per_s},
                   {"high_bytes_per_s", s_max.high_bytes_per_s},
                   {"interval", 0.8},
                   {"interval_from", s_max.interval_measured ? "measured error" : "prior"},
                   {"horizon_s", s_max.horizon_s},
                   {"settled_bytes_per_s", s_max.settled_bytes_per_s},
                   {"write_amplification", s_max.write_amplification},
                   {"read_amplification", s_max.read_amplification},
                   {"bound", model::to_text(s_max.bound)},
                   {"runner_up", model::to_text(s_max.runner_up)},
                   {"confidence", confidence_of(id)},
                   {"accuracy", accuracy_json(id)}};
  if (s_max.stall_share) {
    out["stall_share"] = *s_max.stall_share;
    out["main_stall"] = s_max.main_stall;
  }
  return out;
}

json::object simulation_json(const model::Simulation& run) {
  json::object stalls;
  for (const model::NamedShare& cause : model::by_cause(run.stalls))
    stalls[cause.name] = cause.share;
  stalls["total"] = run.stalls.total();
  json::object out{{"put_bytes_per_s", run.put_bytes_per_s},
                   {"settled_put_bytes_per_s", run.settled_put_bytes_per_s},
                   {"low_bytes_per_s", run.low_bytes_per_s},
                   {"high_bytes_per_s", run.high_bytes_per_s},
                   {"stall_shares", std::move(stalls)},
                   {"worst_stall_s", run.worst_stall_s},
                   {"write_amplification", run.write_amplification},
                   {"read_amplification", run.read_amplification},
                   {"space_amplification", run.space_amplification},
                   {"l0_files_mean", run.l0_files_mean},
                   {"l0_files_max", run.l0_files_max},
                   {"pending_bytes_mean", run.pending_bytes_mean},
                   {"pending_bytes_max", run.pending_bytes_max},
                   {"pending_bytes_end", run.pending_bytes_end},
                   {"flushes", run.flushes},
                   {"l0_compactions", run.l0_compactions},
                   {"intra_l0_compactions", run.intra_l0_compactions},
                   {"deeper_compactions", run.deeper_compactions},
                   {"trivial_moves", run.trivial_moves},
                   {"device_busy_share", run.device_busy_share},
                   {"tree", tree_json(run.tree)}};
  if (!run.series.empty()) out["series"] = series_json(run.series);
  if (!run.jobs.empty()) out["jobs"] = jobs_json(run.jobs);
  if (!run.rates.empty()) out["rates"] = rates_json(run.rates);
  return out;
}

std::string grouped(double number) {
  const std::string digits = fmt::format("{:.0f}", number);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::size_t left = digits.size() - i;
    if (left % 3 == 0 && !text.empty() && text.back() != '-') text += ',';
    text += digits[i];
  }
  return text;
}

std::string rate_text(double put_bytes_per_s, double record_bytes) {
  return fmt::format("{} ({} ops/s)", model::format_rate(put_bytes_per_s),
                     grouped(put_bytes_per_s / record_bytes));
}

}  // namespace lsmtuned::daemon
