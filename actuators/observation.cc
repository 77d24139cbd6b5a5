#include "actuators/observation.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "model/framing.h"
#include "model/histogram.h"
#include "model/units.h"

namespace lsmtuned::actuators {
namespace {

namespace json = boost::json;
using model::kGiB;

// Larger than any counter of bytes, keys or seconds can honestly be; catches a negative number that
// went through an unsigned integer.
constexpr double kAbsurd = 1152921504606846976.0;  // 2^60
constexpr std::size_t kMaxLevels = 64;

std::string_view view(json::string_view text) {
  return {text.data(), text.size()};
}

// The first thing that is wrong ends the parse; it travels as an exception only within this file.
struct Refused {
  Error error;
};
[[noreturn]] void refuse(const std::string& member, const std::string& why) {
  throw Refused{{"observation: " + member + " " + why, ""}};
}

std::optional<double> unit_factor(std::string_view unit) {
  if (unit.empty() || unit == "B" || unit == "s") return 1.0;
  if (unit == "K" || unit == "KB" || unit == "KiB") return model::kKiB;
  if (unit == "M" || unit == "MB" || unit == "MiB") return model::kMiB;
  if (unit == "G" || unit == "GB" || unit == "GiB") return kGiB;
  if (unit == "T" || unit == "TB" || unit == "TiB") return 1024.0 * kGiB;
  return std::nullopt;
}

double number_from_text(std::string_view text, const std::string& member) {
  double number = 0;
  const auto [rest, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc())
    refuse(member, "is not a number: \"" + std::string(text.substr(0, 40)) + "\"");
  std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  const auto factor = unit_factor(unit);
  if (!factor) refuse(member, "has an unknown unit: \"" + std::string(text.substr(0, 40)) + "\"");
  return number * *factor;
}

double any_number(const json::value& value, const std::string& member) {
  double number = 0;
  if (value.is_int64())
    number = static_cast<double>(value.get_int64());
  else if (value.is_uint64())
    number = static_cast<double>(value.get_uint64());
  else if (value.is_double())
    number = value.get_double();
  else if (value.is_string())
    number = number_from_text(view(value.get_string()), member);
  else
    refuse(member, "is not a number");
  if (!std::isfinite(number)) refuse(member, "is not finite");
  return number;
}

double number_of(const json::value& value, const std::string& member) {
  const double number = any_number(value, member);
  if (number < 0) refuse(member, "is negative");
  if (number > kAbsurd) refuse(member, "is absurdly large");
  return number;
}

// A JSON object with the path that leads to it, for messages. A null object has no members.
struct Part {
  const json::object* object = nullptr;
  std::string path;

  explicit operator bool() const { return object != nullptr; }
  const json::value* find(std::string_view name) const {
    return object == nullptr ? nullptr : object->if_contains({name.data(), name.size()});
  }
  std::string member(std::string_view name) const {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
  }
  std::optional<double> maybe(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    return number_of(*value, member(name));
  }
  double number(std::string_view name, double otherwise = 0) const {
    return maybe(name).value_or(otherwise);
  }
  bool flag(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr || value->is_null()) return false;
    if (value->is_bool()) return value->get_bool();
    return number_of(*value, member(name)) != 0;
  }
  Part part(std::string_view name) const {
    const auto* value = find(name);
    if (value == nullptr || value->is_null()) return {nullptr, member(name)};
    if (!value->is_object()) refuse(member(name), "is not an object");
    return {&value->get_object(), member(name)};
  }
  const json::array* list(std::string_view name, std::size_t longest) const {
    const auto* value = find(name);
    if (value == nullptr || value->is_null()) return nullptr;
    if (!value->is_array()) refuse(member(name), "is not a list");
    if (value->get_array().size() > longest) refuse(member(name), "is too long");
    return &value->get_array();
  }
};

// RocksDB's names come with their "rocksdb." prefix; some writers leave it out.
double ticker(const Part& tickers, std::string_view name) {
  const auto value = tickers.maybe("rocksdb." + std::string(name));
  return value ? *value : tickers.number(name);
}

model::CompactionStyle style_of(const Part& facts) {
  const auto* value = facts.find("compaction_style");
  if (value == nullptr) return model::CompactionStyle::level;
  if (value->is_string()) {
    const auto text = view(value->get_string());
    if (text == "level") return model::CompactionStyle::level;
    if (text == "universal") return model::CompactionStyle::universal;
    if (text == "fifo") return model::CompactionStyle::fifo;
    if (text == "none") return model::CompactionStyle::none;
  }
  refuse(facts.member("compaction_style"), "is none of level, universal, fifo, none");
}

model::FamilyFacts facts_of(const Part& part) {
  model::FamilyFacts facts;
  facts.style = style_of(part);
  facts.min_write_buffer_number_to_merge = part.number("min_write_buffer_number_to_merge", 1);
  facts.num_levels = part.number("num_levels", facts.num_levels);
  if (facts.num_levels < 1 || facts.num_levels > kMaxLevels)
    refuse(part.member("num_levels"), "is outside 1 to 64");
  facts.dynamic_level_bytes = part.flag("level_compaction_dynamic_level_bytes");
  facts.disable_auto_compactions = part.flag("disable_auto_compactions");
  facts.arena_block_bytes = part.number("arena_block_size");
  if (const auto* value = part.find("compression"); value != nullptr && value->is_string())
    facts.compression = std::string(view(value->get_string()));
  return facts;
}

void read_cfstats_level(const Part& cfstats, std::size_t level, model::LevelStats& stats) {
  const std::string prefix = "compaction.L" + std::to_string(level) + ".";
  const auto number = [&](const char* name) { return cfstats.number(prefix + name); };
  // GB are 2^30 bytes, printed with six decimals: a resolution of 1 KiB.
  const auto bytes = [&](const char* name) { return number(name) * kGiB; };
  stats.files = number("NumFiles");
  stats.size_bytes = number("SizeBytes");
  stats.score = number("Score");
  stats.read_bytes = bytes("ReadGB");
  stats.read_from_upper_bytes = bytes("RnGB");
  stats.read_from_this_bytes = bytes("Rnp1GB");
  stats.write_bytes = bytes("WriteGB");
  stats.moved_bytes = bytes("MovedGB");
  stats.compaction_seconds = number("CompSec");
  stats.compaction_cpu_seconds = number("CompMergeCPU");
  stats.compaction_count = number("CompCount");
  stats.keys_in = number("KeyIn");
  stats.keys_dropped = number("KeyDrop");
}

// One past the highest level that cfstats mentions.
std::size_t levels_in_cfstats(const Part& cfstats) {
  std::size_t levels = 0;
  if (!cfstats) return levels;
  constexpr std::string_view kPrefix = "compaction.L";
  for (const auto& entry : *cfstats.object) {
    std::string_view key = view(entry.key());
    if (!key.starts_with(kPrefix)) continue;
    key.remove_prefix(kPrefix.size());
    std::size_t level = 0;
    const auto [rest, failure] = std::from_chars(key.data(), key.data() + key.size(), level);
    if (failure != std::errc() || rest == key.data() + key.size() || *rest != '.') continue;
    if (level >= kMaxLevels) refuse(cfstats.member(view(entry.key())), "names a level beyond 63");
    levels = std::max(levels, level + 1);
  }
  return levels;
}

std::vector<model::LevelStats> levels_of(const Part& family) {
  const Part cfstats = family.part("cfstats");
  const auto* files = family.list("files_at_level", kMaxLevels);
  const auto* compression = family.list("compression_at_level", kMaxLevels);
  const std::size_t count =
      std::max(levels_in_cfstats(cfstats), files == nullptr ? 0 : files->size());
  std::vector<model::LevelStats> levels(std::max<std::size_t>(count, 1));
  for (std::size_t i = 0; i < levels.size(); ++i) {
    read_cfstats_level(cfstats, i, levels[i]);
    const std::string place = "[" + std::to_string(i) + "]";
    if (files != nullptr && i < files->size())
      levels[i].files = number_of((*files)[i], family.member("files_at_level") + place);
    if (compression != nullptr && i < compression->size()) {
      const std::string member = family.member("compression_at_level") + place;
      const double ratio = any_number((*compression)[i], member);  // -1 says unknown
      if (ratio > 1e6) refuse(member, "is absurdly large");
      levels[i].compression_ratio = std::max(ratio, -1.0);
    }
  }
  return levels;
}

model::StallCauses stalls_of(const Part& cfstats) {
  model::StallCauses stalls;
  stalls.l0_slowdown = cfstats.number("io_stalls.level0_slowdown");
  stalls.l0_stop = cfstats.number("io_stalls.level0_numfiles");
  stalls.pending_slowdown = cfstats.number("io_stalls.slowdown_for_pending_compaction_bytes");
  stalls.pending_stop = cfstats.number("io_stalls.stop_for_pending_compaction_bytes");
  stalls.memtable_slowdown = cfstats.number("io_stalls.memtable_slowdown");
  stalls.memtable_stop = cfstats.number("io_stalls.memtable_compaction");
  return stalls;
}

model::FamilySnapshot family_of(const std::string& name, const Part& part, const Part& facts) {
  model::FamilySnapshot family;
  family.name = name;
  const double id = part.number("id");
  if (id > UINT32_MAX) refuse(part.member("id"), "is not a column family number");
  family.id = static_cast<std::uint32_t>(id);
  family.facts = facts_of(facts);
  family.levels = levels_of(part);
  family.stalls = stalls_of(part.part("cfstats"));
  const Part properties = part.part("properties");
  family.immutable_memtables = properties.number("num-immutable-mem-table");
  family.active_memtable_bytes = properties.number("cur-size-active-mem-table");
  family.all_memtables_bytes =
      properties.number("cur-size-all-mem-tables", properties.number("size-all-mem-tables"));
  family.pending_compaction_bytes = properties.number("estimate-pending-compaction-bytes");
  family.base_level = properties.number("base-level", 1);
  family.live_data_bytes = properties.number("estimate-live-data-size");
  double level_bytes = 0;
  for (const auto& level : family.levels) level_bytes += level.size_bytes;
  family.sst_bytes = properties.number("live-sst-files-size", level_bytes);
  family.table_reader_bytes = properties.number("estimate-table-readers-mem");
  family.flush_pending = properties.flag("mem-table-flush-pending");
  family.compaction_pending = properties.flag("compaction-pending");
  return family;
}

// The L0 row of cfstats holds flushes and L0 -> L0 jobs, which write about what they read; the
// others compactions.
void background_bytes_from_levels(const std::vector<model::FamilySnapshot>& families,
                                  model::DatabaseCounters& counters) {
  for (const auto& family : families) {
    for (std::size_t i = 0; i < family.levels.size(); ++i) {
      const auto& level = family.levels[i];
      const double flushed = i == 0 ? std::max(0.0, level.write_bytes - level.read_bytes) : 0;
      counters.flush_write_bytes += flushed;
      counters.compaction_write_bytes += level.write_bytes - flushed;
      counters.compaction_read_bytes += level.read_bytes;
    }
  }
}

model::DatabaseCounters counters_of(const Part& tickers, const Part& dbstats,
                                    const std::vector<model::FamilySnapshot>& families) {
  // Both are read, so that both are checked.
  model::DatabaseCounters counters;
  counters.batch_bytes = dbstats.number("db.user_bytes_written");
  counters.keys_written = dbstats.number("db.user_keys_written");
  // One header a write group: a batch that another writer's group took along has none of its own.
  double writes = dbstats.number("db.user_writes_by_self");
  counters.wal_bytes = dbstats.number("db.wal_bytes_written");
  counters.stall_seconds = dbstats.number("db.user_write_stall_micros") / 1e6;
  // A program's own statistics object may be switched off: then all tickers stay at zero while
  // dbstats go on counting.
  const double ticked = ticker(tickers, "bytes.written");
  const bool ticking = tickers && (ticked > 0 || counters.batch_bytes == 0);
  if (ticking) {
    counters.batch_bytes = ticked;
    counters.keys_written = ticker(tickers, "number.keys.written");
    writes = ticker(tickers, "write.self");
    counters.wal_bytes = ticker(tickers, "wal.bytes");
    counters.stall_seconds = ticker(tickers, "stall.micros") / 1e6;
  }
  counters.user_bytes = model::user_bytes_from_batch_bytes(
      counters.batch_bytes, counters.keys_written, writes > 0 ? writes : counters.keys_written);
  if (ticking) {
    counters.flush_write_bytes = ticker(tickers, "flush.write.bytes");
    counters.compaction_read_bytes = ticker(tickers, "compact.read.bytes");
    counters.compaction_write_bytes = ticker(tickers, "compact.write.bytes");
  } else {
    background_bytes_from_levels(families, counters);
  }
  counters.block_cache_hits = ticker(tickers, "block.cache.hit");
  counters.block_cache_misses = ticker(tickers, "block.cache.miss");
  counters.reads = ticker(tickers, "number.keys.read");
  return counters;
}

std::uint64_t whole(double number) {
  return static_cast<std::uint64_t>(number);
}

model::DatabaseState state_of(const Part& database, const Part& jobs) {
  model::DatabaseState state;
  state.running_flushes = database.number("num-running-flushes");
  state.running_compactions = database.number("num-running-compactions");
  state.delayed_write_rate = database.number("actual-delayed-write-rate");
  state.write_stopped = database.flag("is-write-stopped");
  state.background_errors = database.number("background-errors");
  state.block_cache_capacity_bytes = database.number("block-cache-capacity");
  state.block_cache_usage_bytes = database.number("block-cache-usage");
  state.flushes_completed = whole(jobs.number("flushes"));
  state.compactions_completed = whole(jobs.number("compactions"));
  state.l0_compactions_completed = whole(jobs.number("l0_compactions"));
  state.oldest_running_job_s = jobs.number("oldest_running_s");
  state.running_manual_compactions = jobs.number("manual_running");
  state.range_deletions_flushed = whole(jobs.number("range_deletions"));
  // RocksDB's header has it the other way round: 1 is enabled (docs/rocksdb-surprises.md).
  const auto deletions = database.maybe("is-file-deletions-enabled");
  state.file_deletions_disabled = deletions && *deletions == 0;
  return state;
}

model::LatencyHistogram histogram_of(const Part& latency, std::string_view name) {
  model::LatencyHistogram histogram;
  const auto* list = latency.list(name, 2 * std::size_t{model::kHistogramBuckets});
  if (list == nullptr) return histogram;
  const std::string member = latency.member(name);
  if (list->size() % 2 != 0) refuse(member, "is not a list of pairs");
  for (std::size_t i = 0; i < list->size(); i += 2) {
    const double bucket = number_of((*list)[i], member);
    if (bucket >= model::kHistogramBuckets || bucket != std::floor(bucket))
      refuse(member, "names a bucket that does not exist");
    const double count = number_of((*list)[i + 1], member);
    if (count > 0) histogram.buckets[static_cast<std::uint32_t>(bucket)] += whole(count);
  }
  return histogram;
}

void read_knobs(const json::value& value, const std::string& member, model::KnobValues& knobs,
                bool family_scope) {
  if (!value.is_object()) refuse(member, "is not an object");
  for (const auto& entry : value.get_object()) {
    const auto knob = model::knob_from_option(view(entry.key()));
    if (!knob || !entry.value().is_string()) continue;
    if ((model::info(*knob).scope == model::KnobScope::family) != family_scope) continue;
    const auto number = model::from_option_text(*knob, view(entry.value().get_string()));
    // A value that a double does not hold exactly, or that means "off" by being negative, is no
    // place to start a search from: the knob is left out and so never moved.
    if (number && *number >= 0 && std::isfinite(*number)) knobs.set(*knob, *number);
  }
}

model::Settings settings_of(const json::value& values) {
  if (!values.is_object()) refuse("values", "is not an object");
  const json::object& object = values.get_object();
  model::Settings settings;
  if (const auto* database = object.if_contains("database"))
    read_knobs(*database, "values.database", settings.database, false);
  const auto* families = object.if_contains("families");
  if (families == nullptr) return settings;
  if (!families->is_object()) refuse("values.families", "is not an object");
  for (const auto& entry : families->get_object()) {
    const std::string name(view(entry.key()));
    read_knobs(entry.value(), "values.families." + name, settings.families[name], true);
  }
  return settings;
}

model::Snapshot snapshot_of(const json::object& body) {
  const Part root{&body, ""};
  model::Snapshot snapshot;
  const auto uptime = root.maybe("uptime_s");
  if (!uptime) refuse("uptime_s", "is missing");
  snapshot.database_uptime_s = *uptime;
  const auto* settings = root.find("settings");
  if (settings == nullptr) refuse("settings", "is missing");
  snapshot.settings = settings_of(*settings);

  const Part families = root.part("families");
  if (!families || families.object->empty()) refuse("families", "is missing or empty");
  const Part facts = root.part("facts");
  for (const auto& entry : *families.object) {
    const std::string name(view(entry.key()));
    snapshot.families.push_back(family_of(name, families.part(name), facts.part(name)));
  }
  std::sort(snapshot.families.begin(), snapshot.families.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });

  const Part database = root.part("database");
  if (!database) refuse("database", "is missing");
  snapshot.counters =
      counters_of(root.part("tickers"), database.part("dbstats"), snapshot.families);
  snapshot.state = state_of(database, root.part("jobs"));
  const Part latency = root.part("latency");
  snapshot.put_latency = histogram_of(latency, "put_us");
  snapshot.write_stall = histogram_of(latency, "stall_us");
  return snapshot;
}

}  // namespace

Result<model::Snapshot> parse_observation(const json::object& body) {
  try {
    return snapshot_of(body);
  } catch (const Refused& refused) {
    return refused.error;
  }
}

Result<model::Settings> parse_values(const json::value& values) {
  try {
    return settings_of(values);
  } catch (const Refused& refused) {
    return refused.error;
  }
}

json::object values_from_changes(const model::ChangeSet& changes, bool new_values) {
  json::object database;
  json::object families;
  for (const auto& change : changes) {
    const auto& info = model::info(change.knob);
    const json::string text(
        model::to_option_text(change.knob, new_values ? change.new_value : change.old_value));
    if (info.scope != model::KnobScope::family) {
      database[info.option] = text;
      continue;
    }
    json::value& family = families[change.family];
    if (!family.is_object()) family = json::object();
    family.get_object()[info.option] = text;
  }
  json::object values;
  if (!database.empty()) values["database"] = std::move(database);
  if (!families.empty()) values["families"] = std::move(families);
  return values;
}

}  // namespace lsmtuned::actuators
