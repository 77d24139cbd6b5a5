#include "daemon/problem_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "model/tree.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
using model::Knob;
using model::KnobInfo;
using model::KnobUnit;

constexpr std::size_t kMostLevels = 64;
constexpr std::size_t kMostFiles = 200000;
constexpr double kLargestBytes = 1e18;

constexpr NumberRule kBytes{Quantity::bytes, 0, kLargestBytes};
constexpr NumberRule kRate{Quantity::rate, 0, kLargestBytes};
constexpr NumberRule kPositiveRate{Quantity::rate, 1, kLargestBytes};
constexpr NumberRule kCount{Quantity::number, 0, kLargestBytes};
constexpr NumberRule kShare{Quantity::number, 0, 1};

const std::vector<std::string> kStyles = {"level", "universal", "fifo", "none"};
const std::vector<std::string> kOrders = {"uniform", "sequential"};

// Finer bounds are Problem::check()'s: it knows which options may be 0.
NumberRule rule_of(const KnobInfo& knob) {
  constexpr double kLargest = 9007199254740992.0;  // 2^53
  switch (knob.unit) {
    case KnobUnit::bytes:
      return {Quantity::bytes, 0, kLargest};
    case KnobUnit::bytes_per_second:
      return {Quantity::rate, 0, kLargest};
    case KnobUnit::count:
      return {Quantity::whole, 0, kLargest};
    case KnobUnit::ratio:
      break;
  }
  return {Quantity::number, 0, kLargest};
}

void read_settings(Input input, model::KnobValues& settings) {
  for (const KnobInfo& knob : model::all_knobs()) {
    double value = -1;
    input.number(knob.option, value, rule_of(knob));
    if (value >= 0) settings.set(knob.knob, value);
  }
  input.refuse_unknown();
}

void read_facts(Input input, model::FamilyFacts& facts) {
  std::size_t style = static_cast<std::size_t>(facts.style);
  input.choice("style", style, kStyles);
  facts.style = static_cast<model::CompactionStyle>(style);
  input.number("num_levels", facts.num_levels,
               {Quantity::whole, 1, static_cast<double>(kMostLevels)});
  input.number("min_write_buffer_number_to_merge", facts.min_write_buffer_number_to_merge,
               {Quantity::whole, 1, 64});
  input.boolean("dynamic_level_bytes", facts.dynamic_level_bytes);
  input.boolean("disable_auto_compactions", facts.disable_auto_compactions);
  input.number("arena_block_bytes", facts.arena_block_bytes, kBytes);
  input.text("compression", facts.compression);
  input.refuse_unknown();
}

model::FileRange read_range(Input input) {
  model::FileRange file;
  input.number("low", file.low, kShare);
  input.number("high", file.high, kShare);
  input.number("records", file.records, kCount);
  input.number("bytes", file.bytes, kBytes);
  if (file.low > file.high)
    input.add_error("low", fmt::format("{:g} is above high, {:g}", file.low, file.high),
                    "shares of the key space, low <= high");
  input.refuse_unknown();
  return file;
}

model::LevelShape read_level(Input input, std::size_t& files_left, InputErrors& errors) {
  model::LevelShape level;
  input.number("bytes", level.bytes, kBytes);
  input.number("files", level.files, kCount);
  if (const json::array* list = input.array("ranges", files_left)) {
    files_left -= list->size();
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string place = fmt::format("{}[{}]", input.place("ranges"), i);
      if ((*list)[i].is_object())
        level.ranges.push_back(read_range(Input((*list)[i].get_object(), place, errors)));
      else
        errors.push_back({place, "is not an object", "{low, high, records, bytes}"});
    }
    const auto count = static_cast<double>(level.ranges.size());
    double bytes = 0;
    for (const model::FileRange& file : level.ranges) bytes += file.bytes;
    if (level.files == 0) level.files = count;
    if (level.bytes == 0) level.bytes = bytes;
    if (level.files != count)
      input.add_error("files", fmt::format("{:g}, but ranges lists {:g}", level.files, count),
                      "leave one of them out, or make them agree");
    if (std::abs(level.bytes - bytes) > 0.01 * std::max(level.bytes, bytes))
      input.add_error("bytes",
                      fmt::format("{}, but ranges adds up to {}", model::format_bytes(level.bytes),
                                  model::format_bytes(bytes)),
                      "leave one of them out, or make them agree");
  }
  if (level.files == 0 && level.bytes > 0)
    input.add_error("files", "is 0 or missing while bytes is not", "the number of files");
  input.refuse_unknown();
  return level;
}

// `pending` is negative where the document does not give it.
void read_tree(Input input, model::TreeShape& tree, double& pending, InputErrors& errors) {
  std::size_t files_left = kMostFiles;
  if (const json::array* levels = input.array("levels", kMostLevels)) {
    for (std::size_t i = 0; i < levels->size(); ++i) {
      const std::string place = fmt::format("{}[{}]", input.place("levels"), i);
      if ((*levels)[i].is_object()) {
        tree.levels.push_back(
            read_level(Input((*levels)[i].get_object(), place, errors), files_left, errors));
      } else {
        errors.push_back({place, "is not an object", "{bytes, files, ranges}"});
      }
    }
  }
  input.number("active_memtable_bytes", tree.active_memtable_bytes, kBytes);
  input.number("immutable_memtables", tree.immutable_memtables, {Quantity::whole, 0, 1e6});
  input.number("pending_compaction_bytes", pending, kBytes);
  input.number("delayed_write_rate", tree.delayed_write_rate, kRate);
  input.refuse_unknown();
}

void read_workload(Input input, model::Workload& workload) {
  input.number("key_bytes", workload.key_bytes, {Quantity::bytes, 1, 1e9});
  input.number("value_bytes", workload.value_bytes, {Quantity::bytes, 0, 4e9});
  input.number("distinct_keys", workload.distinct_keys, kCount);
  input.number("read_bytes_per_s", workload.read_bytes_per_s, kRate);
  const json::value* offered = input.member("offered_bytes_per_s");
  if (offered != nullptr && offered->is_string() && offered->get_string() == "saturating")
    workload.offered_bytes_per_s = 0;
  else
    input.number("offered_bytes_per_s", workload.offered_bytes_per_s, kPositiveRate);
  std::size_t order = static_cast<std::size_t>(workload.order);
  input.choice("order", order, kOrders);
  workload.order = static_cast<model::KeyOrder>(order);
  input.refuse_unknown();
}

void read_device(Input input, model::DeviceSpec& device) {
  input.require("write_bytes_per_s", "what the device writes, in bytes a second");
  input.number("write_bytes_per_s", device.write_bytes_per_s, kPositiveRate);
  input.number("read_bytes_per_s", device.read_bytes_per_s, kRate);
  input.number("mix_exponent", device.mix_exponent, {Quantity::number, 1, 1000});
  input.number("wal_write_bytes_per_s", device.wal_write_bytes_per_s, kRate);
  input.refuse_unknown();
}

void read_constants(Input input, model::TreeConstants& known) {
  constexpr NumberRule ratio{Quantity::number, 0, 100};
  input.number("file_bytes_per_record", known.file_bytes_per_record, kBytes);
  input.numbers("level_compression", known.level_compression, {Quantity::number, 0.01, 100},
                kMostLevels);
  input.number("measured_first_compressed_level", known.measured_first_compressed_level,
               {Quantity::number, 0, 64});
  input.number("compression_cpu_seconds_per_byte", known.compression_cpu_seconds_per_byte,
               {Quantity::number, 0, 1e-3});
  input.number("memtable_bytes_per_record", known.memtable_bytes_per_record, kBytes);
  input.number("wal_bytes_per_user_byte", known.wal_bytes_per_user_byte, ratio);
  input.number("flush_weight", known.flush_weight, {Quantity::number, 0.01, 0.99});
  input.number("think_s", known.think_s, {Quantity::seconds, 0, 3600});
  input.number("burst_bytes", known.burst_bytes, kBytes);
  input.number("burst_s", known.burst_s, {Quantity::seconds, 0, 3600});
  input.number("readahead_bytes", known.readahead_bytes, kBytes);
  input.number("foreground_bytes_per_s", known.foreground_bytes_per_s, kRate);
  input.number("cores", known.cores, {Quantity::number, 0.01, 4096});
  input.number("cpu_seconds_per_byte", known.cpu_seconds_per_byte, {Quantity::number, 0, 1e-3});
  input.number("cpu_seconds_per_record", known.cpu_seconds_per_record, {Quantity::number, 0, 1});
  input.number("arena_block_bytes", known.arena_block_bytes, kBytes);
  input.numbers("overlap", known.overlap, ratio, kMostLevels);
  input.refuse_unknown();
}

// The models work RocksDB's estimate out for themselves; one that is far from it means that levels
// or settings are not those of the database.
void compare_pending(const model::Problem& problem, double pending,
                     std::vector<std::string>& warnings) {
  if (pending < 0 || problem.facts.style != model::CompactionStyle::level) return;
  std::vector<double> bytes;
  for (const model::LevelShape& level : problem.tree.levels) bytes.push_back(level.bytes);
  const double l0_files = problem.tree.levels.empty() ? 0 : problem.tree.levels.front().files;
  const double expected = model::pending_bytes(bytes, l0_files, problem.settings, problem.facts);
  const double slack = 0.25 * std::max(expected, pending) + 64 * model::kMiB;
  if (std::abs(expected - pending) > slack)
    warnings.push_back(fmt::format(
        "tree.pending_compaction_bytes: {} given, but RocksDB's rule gives {} for these levels and "
        "settings; the models use the latter",
        model::format_bytes(pending), model::format_bytes(expected)));
}

// "constants.cores: 0 is not allowed; 0.01 to 10000", in the document's words.
InputError from_fault(std::string fault) {
  for (const auto& [ours, theirs] : {std::pair("constants.", "calibration."),
                                     std::pair("facts.compaction_style", "facts.style")})
    if (fault.starts_with(ours)) fault.replace(0, std::string_view(ours).size(), theirs);
  const std::size_t colon = fault.find(": ");
  if (colon == std::string::npos) return {"", std::move(fault), ""};
  const std::size_t semicolon = fault.find("; ", colon);
  InputError error{fault.substr(0, colon), fault.substr(colon + 2, semicolon - colon - 2), ""};
  if (semicolon == std::string::npos)
    error.what = fault.substr(colon + 2);
  else
    error.allowed = fault.substr(semicolon + 2);
  return error;
}

// What the models themselves refuse. A member that could not be read kept its default, so what is
// said about that one is left out.
void add_faults(std::vector<std::string> faults, InputErrors& errors) {
  const std::size_t read = errors.size();
  for (std::string& fault : faults) {
    InputError error = from_fault(std::move(fault));
    const bool known = std::any_of(
        errors.begin(), errors.begin() + static_cast<long>(read), [&](const InputError& one) {
          return !one.place.empty() && error.place.starts_with(one.place);
        });
    if (!known) errors.push_back(std::move(error));
  }
}

}  // namespace

const char* style_text(model::CompactionStyle style) {
  return kStyles.at(static_cast<std::size_t>(style)).c_str();
}

ProblemOutcome read_problem(const json::object& document) {
  ProblemOutcome outcome;
  model::Problem& problem = outcome.problem;
  Input input(document, "", outcome.errors);
  const auto part = [&](const char* name, auto read, auto&... into) {
    if (const json::object* found = input.object(name))
      read(Input(*found, name, outcome.errors), into...);
  };
  double pending = -1;
  part("settings", read_settings, problem.settings);
  part("facts", read_facts, problem.facts);
  part("tree", read_tree, problem.tree, pending, outcome.errors);
  part("workload", read_workload, problem.workload);
  input.require("device", "the device's limits: {\"write_bytes_per_s\": ..., ...}");
  part("device", read_device, problem.device);
  part("calibration", read_constants, problem.constants);
  input.number("horizon_s", problem.horizon_s, {Quantity::seconds, 1, 30 * 86400.0});
  input.member(kPublishedSection);  // the published models' own, read elsewhere
  input.refuse_unknown();
  add_faults(problem.check(), outcome.errors);
  if (outcome.errors.empty()) compare_pending(problem, pending, outcome.warnings);
  return outcome;
}

ProblemOutcome read_problem(std::string_view text) {
  const Result<json::object> document = parse_document(text);
  if (document) return read_problem(*document);
  ProblemOutcome outcome;
  outcome.errors.push_back({"", document.error().what, document.error().remedy});
  return outcome;
}

namespace {

json::array array_of(const std::vector<double>& values) {
  json::array list;
  for (const double value : values) list.push_back(number_json(value));
  return list;
}

}  // namespace

json::object tree_json(const model::TreeShape& tree) {
  json::array levels;
  for (const model::LevelShape& level : tree.levels) {
    json::object entry{{"bytes", number_json(level.bytes)}, {"files", number_json(level.files)}};
    if (!level.ranges.empty()) {
      json::array ranges;
      for (const model::FileRange& file : level.ranges)
        ranges.push_back(json::object{{"low", number_json(file.low)},
                                      {"high", number_json(file.high)},
                                      {"records", number_json(file.records)},
                                      {"bytes", number_json(file.bytes)}});
      entry["ranges"] = std::move(ranges);
    }
    levels.push_back(std::move(entry));
  }
  return {{"levels", std::move(levels)},
          {"active_memtable_bytes", number_json(tree.active_memtable_bytes)},
          {"immutable_memtables", number_json(tree.immutable_memtables)},
          {"delayed_write_rate", number_json(tree.delayed_write_rate)}};
}

namespace {

json::object constants_json(const model::TreeConstants& known) {
  return {{"file_bytes_per_record", number_json(known.file_bytes_per_record)},
          {"level_compression", array_of(known.level_compression)},
          {"measured_first_compressed_level", number_json(known.measured_first_compressed_level)},
          {"compression_cpu_seconds_per_byte", number_json(known.compression_cpu_seconds_per_byte)},
          {"memtable_bytes_per_record", number_json(known.memtable_bytes_per_record)},
          {"wal_bytes_per_user_byte", number_json(known.wal_bytes_per_user_byte)},
          {"flush_weight", number_json(known.flush_weight)},
          {"think_s", number_json(known.think_s)},
          {"burst_bytes", number_json(known.burst_bytes)},
          {"burst_s", number_json(known.burst_s)},
          {"readahead_bytes", number_json(known.readahead_bytes)},
          {"foreground_bytes_per_s", number_json(known.foreground_bytes_per_s)},
          {"cores", number_json(known.cores)},
          {"cpu_seconds_per_byte", number_json(known.cpu_seconds_per_byte)},
          {"cpu_seconds_per_record", number_json(known.cpu_seconds_per_record)},
          {"arena_block_bytes", number_json(known.arena_block_bytes)},
          {"overlap", array_of(known.overlap)}};
}

}  // namespace

json::object problem_json(const model::Problem& problem) {
  json::object settings;
  for (const KnobInfo& knob : model::all_knobs())
    if (const auto value = problem.settings.get(knob.knob))
      settings[knob.option] = number_json(*value);
  const model::FamilyFacts& facts = problem.facts;
  const model::Workload& load = problem.workload;
  const model::DeviceSpec& device = problem.device;
  return {
      {"settings", std::move(settings)},
      {"facts", json::object{{"style", style_text(facts.style)},
                             {"num_levels", number_json(facts.num_levels)},
                             {"min_write_buffer_number_to_merge",
                              number_json(facts.min_write_buffer_number_to_merge)},
                             {"dynamic_level_bytes", facts.dynamic_level_bytes},
                             {"disable_auto_compactions", facts.disable_auto_compactions},
                             {"arena_block_bytes", number_json(facts.arena_block_bytes)},
                             {"compression", facts.compression}}},
      {"tree", tree_json(problem.tree)},
      {"workload", json::object{{"key_bytes", number_json(load.key_bytes)},
                                {"value_bytes", number_json(load.value_bytes)},
                                {"distinct_keys", number_json(load.distinct_keys)},
                                {"read_bytes_per_s", number_json(load.read_bytes_per_s)},
                                {"offered_bytes_per_s", load.offered_bytes_per_s > 0
                                                            ? number_json(load.offered_bytes_per_s)
                                                            : json::value("saturating")},
                                {"order", kOrders.at(static_cast<std::size_t>(load.order))}}},
      {"device",
       json::object{{"write_bytes_per_s", number_json(device.write_bytes_per_s)},
                    {"read_bytes_per_s", number_json(device.read_bytes_per_s)},
                    {"mix_exponent", number_json(device.mix_exponent)},
                    {"wal_write_bytes_per_s", number_json(device.wal_write_bytes_per_s)}}},
      {"calibration", constants_json(problem.constants)},
      {"horizon_s", number_json(problem.horizon_s)}};
}

}  // namespace lsmtuned::daemon
