#include "daemon/snapshot_counters.h"

#include <array>
#include <charconv>
#include <string>
#include <utility>

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
using model::DatabaseCounters;
using model::LevelStats;

constexpr std::array<std::pair<const char*, double LevelStats::*>, 13> kLevel = {{
    {"files", &LevelStats::files},
    {"size_bytes", &LevelStats::size_bytes},
    {"score", &LevelStats::score},
    {"read_bytes", &LevelStats::read_bytes},
    {"read_from_upper_bytes", &LevelStats::read_from_upper_bytes},
    {"read_from_this_bytes", &LevelStats::read_from_this_bytes},
    {"write_bytes", &LevelStats::write_bytes},
    {"moved_bytes", &LevelStats::moved_bytes},
    {"compaction_seconds", &LevelStats::compaction_seconds},
    {"compaction_cpu_seconds", &LevelStats::compaction_cpu_seconds},
    {"compaction_count", &LevelStats::compaction_count},
    {"keys_in", &LevelStats::keys_in},
    {"keys_dropped", &LevelStats::keys_dropped},
}};

constexpr std::array<std::pair<const char*, double DatabaseCounters::*>, 11> kCounters = {{
    {"user_bytes", &DatabaseCounters::user_bytes},
    {"batch_bytes", &DatabaseCounters::batch_bytes},
    {"keys_written", &DatabaseCounters::keys_written},
    {"wal_bytes", &DatabaseCounters::wal_bytes},
    {"flush_write_bytes", &DatabaseCounters::flush_write_bytes},
    {"compaction_read_bytes", &DatabaseCounters::compaction_read_bytes},
    {"compaction_write_bytes", &DatabaseCounters::compaction_write_bytes},
    {"stall_seconds", &DatabaseCounters::stall_seconds},
    {"block_cache_hits", &DatabaseCounters::block_cache_hits},
    {"block_cache_misses", &DatabaseCounters::block_cache_misses},
    {"reads", &DatabaseCounters::reads},
}};

double number(const json::object& object, const char* name) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr || !value->is_number()) return 0;
  return value->to_number<double>();
}

std::string text(const json::object& object, const char* name) {
  const json::value* const value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return "";
  return std::string(value->get_string().data(), value->get_string().size());
}

template <class Members, class Into>
void read_members(const json::object& object, const Members& members, Into& into) {
  for (const auto& [name, member] : members) into.*member = number(object, name);
}

model::FamilySnapshot read_family(const json::object& object) {
  model::FamilySnapshot family;
  family.name = text(object, "name");
  const json::value* const levels = object.if_contains("levels");
  if (levels == nullptr || !levels->is_array()) return family;
  for (const json::value& entry : levels->get_array()) {
    LevelStats level;
    if (entry.is_object()) read_members(entry.get_object(), kLevel, level);
    family.levels.push_back(level);
  }
  return family;
}

}  // namespace

Result<model::Snapshot> snapshot_counters(const json::object& answer) {
  const json::value* const found = answer.if_contains("snapshot");
  if (found == nullptr || !found->is_object()) {
    const std::string error = text(answer, "error");
    return Error{error.empty() ? "the daemon's answer holds no snapshot" : error,
                 text(answer, "remedy")};
  }
  const json::object& object = found->get_object();
  model::Snapshot snapshot;
  snapshot.target = text(object, "target");
  const std::string incarnation = text(object, "incarnation");
  std::from_chars(incarnation.data(), incarnation.data() + incarnation.size(),
                  snapshot.incarnation);
  snapshot.time_s = number(object, "time_s");
  snapshot.database_uptime_s = number(object, "database_uptime_s");
  if (const json::value* counters = object.if_contains("counters");
      counters && counters->is_object())
    read_members(counters->get_object(), kCounters, snapshot.counters);
  if (const json::value* families = object.if_contains("families");
      families && families->is_array())
    for (const json::value& entry : families->get_array())
      if (entry.is_object()) snapshot.families.push_back(read_family(entry.get_object()));
  return snapshot;
}

}  // namespace lsmtuned::daemon
