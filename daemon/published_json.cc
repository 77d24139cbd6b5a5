#include "daemon/published_json.h"

#include <fmt/format.h>

#include <optional>

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
namespace published = model::published;

constexpr std::size_t kMostPublishedLevels = 64;
constexpr std::size_t kMostValues = 100000;
const std::vector<std::string> kPhases = {"initial", "middle", "final"};
// Ranges are the registry's own; here only what a number may be at all.
constexpr NumberRule kAny{Quantity::number, -1e15, 1e15};

void optional_number(Input& input, const char* name, std::optional<double>& value) {
  double read = 0;
  const json::value* found = input.member(name);
  InputErrors problems;
  if (found == nullptr) return;
  if (read_number(*found, kAny, input.place(name), problems, read))
    value = read;
  else
    input.add_error(name, problems.front().what, problems.front().allowed);
}

void optional_phase(Input& input, const char* name, std::optional<published::Phase>& phase) {
  std::size_t index = kPhases.size();
  input.choice(name, index, kPhases);
  if (index < kPhases.size()) phase = static_cast<published::Phase>(index);
}

template <class Read>
void each_object(Input& input, const char* name, std::size_t most, InputErrors& errors, Read read) {
  const json::array* list = input.array(name, most);
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string place = fmt::format("{}[{}]", input.place(name), i);
    if ((*list)[i].is_object())
      read(Input((*list)[i].get_object(), place, errors));
    else
      errors.push_back({place, "is not an object", "{...}"});
  }
}

void read_series(Input& input, const char* name, std::vector<published::TimedValue>& series,
                 InputErrors& errors) {
  each_object(input, name, kMostValues, errors, [&](Input entry) {
    published::TimedValue value;
    entry.number("from_s", value.from_s, kAny);
    entry.number("value", value.value, kAny);
    entry.refuse_unknown();
    series.push_back(value);
  });
}

published::V3LevelInputs read_v3_level(Input input, InputErrors& errors) {
  published::V3LevelInputs level;
  input.text("name", level.name);
  input.number("capacity_factor", level.capacity_factor, kAny);
  if (const json::object* found = input.object("concurrency")) {
    Input scaling(*found, input.place("concurrency"), errors);
    scaling.number("least", level.concurrency.least, kAny);
    scaling.number("most", level.concurrency.most, kAny);
    scaling.number("steepness", level.concurrency.steepness, kAny);
    scaling.number("middle", level.concurrency.middle, kAny);
    scaling.refuse_unknown();
  }
  input.number("write_factor", level.write_factor, kAny);
  input.number("read_factor", level.read_factor, kAny);
  input.number("write_share", level.write_share, kAny);
  input.number("read_share", level.read_share, kAny);
  input.refuse_unknown();
  return level;
}

published::V3Inputs read_v3(Input input, InputErrors& errors) {
  published::V3Inputs v3;
  double steps = 0;
  input.number("steps", steps, {Quantity::whole, 1, 1e7});
  v3.steps = static_cast<std::uint64_t>(steps);
  input.number("step_s", v3.step_s, {Quantity::seconds, 0, 1e6});
  read_series(input, "offered_mib_per_s", v3.offered_mib_per_s, errors);
  read_series(input, "read_share", v3.read_share, errors);
  read_series(input, "write_amplification", v3.write_amplification, errors);
  read_series(input, "read_amplification", v3.read_amplification, errors);
  input.number("concurrency_level", v3.concurrency_level, kAny);
  input.number("stall_sensitivity_per_file", v3.stall_sensitivity_per_file, kAny);
  input.number("stall_threshold_files", v3.stall_threshold_files, kAny);
  input.number("l0_file_mib", v3.l0_file_mib, kAny);
  input.number("l0_files", v3.l0_files, kAny);
  std::size_t mode = static_cast<std::size_t>(v3.mode);
  input.choice("mode", mode, {"fixed_factors", "log_driven"});
  v3.mode = static_cast<published::V3Mode>(mode);
  each_object(input, "levels", kMostPublishedLevels, errors,
              [&](Input level) { v3.levels.push_back(read_v3_level(level, errors)); });
  double every = 0;
  input.number("sample_every_steps", every, {Quantity::whole, 0, 1e7});
  v3.sample_every_steps = static_cast<std::uint64_t>(every);
  input.refuse_unknown();
  return v3;
}

}  // namespace

void read_published(const json::object& section, const std::string& place,
                    published::PublishedInputs& inputs, InputErrors& errors) {
  Input input(section, place, errors);
  for (const published::InputField& field : published::input_fields())
    optional_number(input, field.name, inputs.*(field.member));
  optional_phase(input, "phase", inputs.phase);
  optional_phase(input, "detected_phase", inputs.detected_phase);
  input.boolean("degradation_by_phase", inputs.degradation_by_phase);
  input.text("workload", inputs.workload);
  input.text("bandwidth_source", inputs.bandwidth_source);
  std::size_t number = 0;
  each_object(input, "levels", kMostPublishedLevels, errors, [&](Input entry) {
    if (inputs.levels.size() <= number) inputs.levels.emplace_back();
    published::LevelInputs& level = inputs.levels[number++];
    for (const published::LevelField& field : published::level_fields())
      optional_number(entry, field.name, level.*(field.member));
    entry.refuse_unknown();
  });
  if (const json::object* v3 = input.object("v3"))
    inputs.v3 = read_v3(Input(*v3, input.place("v3"), errors), errors);
  input.refuse_unknown();
}

bool is_v42_document(const json::object& document) {
  return document.contains("device_degradation_data") ||
         document.contains("workload_characteristics");
}

published::PublishedInputs read_v42(const json::object& document, InputErrors& errors) {
  constexpr NumberRule bandwidth{Quantity::number, 1e-6, 1e9};
  constexpr NumberRule share{Quantity::number, 0, 1};
  published::V42Input sample;
  Input input(document, "", errors);
  input.require("phase", "one of: initial, middle, final");
  std::size_t phase = kPhases.size();
  input.choice("phase", phase, kPhases);
  if (phase < kPhases.size()) sample.phase = kPhases[phase];
  input.require("device_degradation_data", "bandwidths in MB/s");
  if (const json::object* found = input.object("device_degradation_data")) {
    auto& data = sample.device_degradation_data;
    Input device(*found, "device_degradation_data", errors);
    for (const auto& [name, value] : {std::pair("initial_write_bw", &data.initial_write_bw),
                                      std::pair("initial_read_bw", &data.initial_read_bw),
                                      std::pair("degraded_write_bw", &data.degraded_write_bw),
                                      std::pair("degraded_read_bw", &data.degraded_read_bw)}) {
      device.require(name, "a bandwidth in MB/s, above 0");
      device.number(name, *value, bandwidth);
    }
    device.refuse_unknown();
  }
  if (const json::object* found = input.object("workload_characteristics")) {
    auto& data = sample.workload_characteristics;
    Input workload(*found, "workload_characteristics", errors);
    workload.text("type", data.type);
    workload.number("sequential_write_ratio", data.sequential_write_ratio, share);
    workload.number("user_read_ratio", data.user_read_ratio, share);
    workload.refuse_unknown();
  }
  input.refuse_unknown();
  if (!errors.empty()) return {};
  auto inputs = published::to_inputs(sample);
  if (inputs) return std::move(*inputs);
  errors.push_back({"", inputs.error().what, inputs.error().remedy});
  return {};
}

namespace {

json::value optional_json(const std::optional<double>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object inputs_json(const published::PublishedInputs& inputs) {
  json::object out;
  for (const published::InputField& field : published::input_fields())
    if (const auto& value = inputs.*(field.member)) out[field.name] = *value;
  if (inputs.phase) out["phase"] = published::to_text(*inputs.phase);
  if (inputs.detected_phase) out["detected_phase"] = published::to_text(*inputs.detected_phase);
  out["workload"] = inputs.workload;
  if (!inputs.bandwidth_source.empty()) out["bandwidth_source"] = inputs.bandwidth_source;
  if (inputs.degradation_by_phase) out["degradation_by_phase"] = true;
  return out;
}

json::object level_json(const published::LevelAnalysis& level) {
  json::object out;
  if (level.table)
    out = {{"wa", level.table->wa}, {"ra", level.table->ra}, {"io_impact", level.table->io_impact}};
  if (level.bound_mib_per_s) out["bound_mib_per_s"] = *level.bound_mib_per_s;
  if (level.backlog) {
    out["backlog_write_mib"] = level.backlog->write_mib;
    out["backlog_read_mib"] = level.backlog->read_mib;
  }
  if (level.measured_wa) out["measured_wa"] = *level.measured_wa;
  if (level.measured_ra) out["measured_ra"] = *level.measured_ra;
  return out;
}

}  // namespace

json::object published_json(const published::PublishedPrediction& prediction) {
  json::object details;
  for (const published::Quantity& detail : prediction.details) details[detail.name] = detail.value;
  json::object levels;
  for (std::size_t i = 0; i < prediction.levels.size(); ++i)
    levels[fmt::format("L{}", i)] = level_json(prediction.levels[i]);
  json::object out{
      {"model", prediction.model},
      {"version", prediction.version},
      {"value", prediction.value},
      {"unit", published::to_text(prediction.unit)},
      {"ops_per_s", prediction.ops_per_s},
      {"put_bytes_per_s", prediction.ops_per_s * prediction.record_bytes},
      {"record_bytes", prediction.record_bytes},
      {"utilisation", optional_json(prediction.utilisation)},
      {"base_ops_per_s", optional_json(prediction.base_ops_per_s)},
      {"confidence", prediction.confidence ? json::value(published::to_text(*prediction.confidence))
                                           : json::value(nullptr)},
      {"note", prediction.note},
      {"details", std::move(details)},
      {"inputs", inputs_json(prediction.inputs)}};
  if (prediction.phase) {
    out["phase"] = published::to_text(prediction.phase->phase);
    out["phase_source"] = published::to_text(prediction.phase->source);
  }
  if (!levels.empty()) out["level_wise_analysis"] = std::move(levels);
  if (const auto sample = published::to_v42_output(prediction)) {
    out["predicted_s_max"] = number_json(sample->predicted_s_max);
    const published::PhaseFactors& factors = sample->phase_characteristics;
    out["phase_characteristics"] = json::object{{"performance_factor", factors.performance_factor},
                                                {"stability_factor", factors.stability_factor},
                                                {"io_contention", factors.io_contention}};
  }
  if (!prediction.series.empty()) {
    json::array series;
    for (const published::V3Sample& sample : prediction.series)
      series.push_back(json::object{{"time_s", sample.time_s},
                                    {"put_mib_per_s", sample.put_mib_per_s},
                                    {"stall_probability", sample.stall_probability},
                                    {"l0_files", sample.l0_files}});
    out["series"] = std::move(series);
  }
  return out;
}

}  // namespace lsmtuned::daemon
