#include "model/snapshot.h"

#include <cmath>
#include <set>

namespace lsmtuned::model {
namespace {

bool usable(double value) {
  return std::isfinite(value) && value >= 0;
}

// Collects the first complaint; later ones add nothing.
class Checker {
 public:
  void field(const std::string& place, const char* name, double value) {
    if (reason_.empty() && !usable(value)) {
      reason_ = place + name + (std::isfinite(value) ? " is negative" : " is not a finite number");
    }
  }
  void finite(const std::string& place, const char* name, double value) {
    if (reason_.empty() && !std::isfinite(value)) {
      reason_ = place + name + " is not a finite number";
    }
  }
  void grows(const char* name, double before, double after) {
    if (reason_.empty() && after < before) {
      reason_ = std::string(name) + " went backwards without a reopen of the database";
    }
  }
  void require(bool condition, const std::string& otherwise) {
    if (reason_.empty() && !condition) reason_ = otherwise;
  }
  std::string take() { return std::move(reason_); }

 private:
  std::string reason_;
};

void check_level(Checker& check, const std::string& place, const LevelStats& level) {
  check.field(place, "files", level.files);
  check.field(place, "size_bytes", level.size_bytes);
  check.field(place, "score", level.score);
  check.field(place, "read_bytes", level.read_bytes);
  check.field(place, "read_from_upper_bytes", level.read_from_upper_bytes);
  check.field(place, "read_from_this_bytes", level.read_from_this_bytes);
  check.field(place, "write_bytes", level.write_bytes);
  check.field(place, "moved_bytes", level.moved_bytes);
  check.field(place, "compaction_seconds", level.compaction_seconds);
  check.field(place, "compaction_cpu_seconds", level.compaction_cpu_seconds);
  check.field(place, "compaction_count", level.compaction_count);
  check.field(place, "keys_in", level.keys_in);
  check.field(place, "keys_dropped", level.keys_dropped);
  check.finite(place, "compression_ratio", level.compression_ratio);
}

void check_family(Checker& check, const FamilySnapshot& family) {
  const std::string place = "family " + family.name + ": ";
  check.require(!family.name.empty(), "a family has no name");
  check.require(!family.levels.empty(), place + "no levels");
  check.field(place, "min_write_buffer_number_to_merge",
              family.facts.min_write_buffer_number_to_merge);
  check.field(place, "num_levels", family.facts.num_levels);
  check.field(place, "arena_block_bytes", family.facts.arena_block_bytes);
  for (std::size_t i = 0; i < family.levels.size(); ++i) {
    check_level(check, place + "L" + std::to_string(i) + " ", family.levels[i]);
  }
  check.field(place, "immutable_memtables", family.immutable_memtables);
  check.field(place, "active_memtable_bytes", family.active_memtable_bytes);
  check.field(place, "all_memtables_bytes", family.all_memtables_bytes);
  check.field(place, "pending_compaction_bytes", family.pending_compaction_bytes);
  check.field(place, "base_level", family.base_level);
  check.field(place, "live_data_bytes", family.live_data_bytes);
  check.field(place, "sst_bytes", family.sst_bytes);
  check.field(place, "table_reader_bytes", family.table_reader_bytes);
  check.field(place, "stalls.l0_slowdown", family.stalls.l0_slowdown);
  check.field(place, "stalls.l0_stop", family.stalls.l0_stop);
  check.field(place, "stalls.pending_slowdown", family.stalls.pending_slowdown);
  check.field(place, "stalls.pending_stop", family.stalls.pending_stop);
  check.field(place, "stalls.memtable_slowdown", family.stalls.memtable_slowdown);
  check.field(place, "stalls.memtable_stop", family.stalls.memtable_stop);
}

void check_values(Checker& check, const std::string& place, const KnobValues& values) {
  for (const KnobInfo& about : all_knobs()) {
    if (const auto value = values.get(about.knob)) check.finite(place, about.option, *value);
  }
}

void check_device(Checker& check, const DeviceSample& device) {
  const std::string place = "device ";
  check.field(place, "read_bytes", device.read_bytes);
  check.field(place, "write_bytes", device.write_bytes);
  check.field(place, "busy_seconds", device.busy_seconds);
  check.field(place, "weighted_io_seconds", device.weighted_io_seconds);
  check.field(place, "in_flight", device.in_flight);
  check.field(place, "free_bytes", device.free_bytes);
  check.field(place, "pressure_some_seconds", device.pressure_some_seconds);
  check.field(place, "process_read_bytes", device.process_read_bytes);
  check.field(place, "process_write_bytes", device.process_write_bytes);
  check.field(place, "write_limit_bytes_per_s", device.write_limit_bytes_per_s);
  check.field(place, "read_limit_bytes_per_s", device.read_limit_bytes_per_s);
}

struct CounterField {
  const char* name;
  double DatabaseCounters::*member;
};
constexpr CounterField kCounters[] = {
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
};

}  // namespace

const FamilySnapshot* find_family(const Snapshot& snapshot, const std::string& name) {
  for (const FamilySnapshot& family : snapshot.families) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

const FamilySnapshot* worst_family(const Snapshot& snapshot) {
  const FamilySnapshot* worst = nullptr;
  double worst_share = -1;
  for (const FamilySnapshot& family : snapshot.families) {
    const double files = family.levels.empty() ? 0 : family.levels.front().files;
    const double slowdown =
        snapshot.settings.get(family.name, Knob::level0_slowdown_writes_trigger)
            .value_or(info(Knob::level0_slowdown_writes_trigger).rocksdb_default);
    const double share = files / std::max(slowdown, 1.0);
    if (share > worst_share) {
      worst = &family;
      worst_share = share;
    }
  }
  return worst;
}

std::string refuse_reason(const Snapshot* previous, const Snapshot& now) {
  Checker check;
  check.require(!now.families.empty(), "the snapshot holds no column family");
  std::set<std::string> names;
  for (const FamilySnapshot& family : now.families) {
    check_family(check, family);
    check.require(names.insert(family.name).second,
                  "family " + family.name + " appears twice in one snapshot");
  }
  check.finite("", "time_s", now.time_s);
  check.finite("", "wall_time_s", now.wall_time_s);
  check.field("", "database_uptime_s", now.database_uptime_s);
  check_values(check, "setting ", now.settings.database);
  for (const auto& [name, values] : now.settings.families) {
    check_values(check, "setting " + name + ".", values);
  }
  for (const CounterField& field : kCounters) {
    check.field("counter ", field.name, now.counters.*field.member);
  }
  check.field("", "running_flushes", now.state.running_flushes);
  check.field("", "running_compactions", now.state.running_compactions);
  check.field("", "delayed_write_rate", now.state.delayed_write_rate);
  check.field("", "background_errors", now.state.background_errors);
  check.field("", "block_cache_capacity_bytes", now.state.block_cache_capacity_bytes);
  check.field("", "block_cache_usage_bytes", now.state.block_cache_usage_bytes);
  check.field("", "oldest_running_job_s", now.state.oldest_running_job_s);
  if (now.device) check_device(check, *now.device);

  if (previous != nullptr) {
    check.require(now.time_s > previous->time_s, "the snapshot is not newer than the one before");
    if (now.incarnation == previous->incarnation) {
      check.grows("database_uptime_s", previous->database_uptime_s, now.database_uptime_s);
      for (const CounterField& field : kCounters) {
        check.grows(field.name, previous->counters.*field.member, now.counters.*field.member);
      }
      check.grows("flushes_completed", static_cast<double>(previous->state.flushes_completed),
                  static_cast<double>(now.state.flushes_completed));
      check.grows("compactions_completed",
                  static_cast<double>(previous->state.compactions_completed),
                  static_cast<double>(now.state.compactions_completed));
      check.grows("l0_compactions_completed",
                  static_cast<double>(previous->state.l0_compactions_completed),
                  static_cast<double>(now.state.l0_compactions_completed));
    }
  }
  return check.take();
}

}  // namespace lsmtuned::model
