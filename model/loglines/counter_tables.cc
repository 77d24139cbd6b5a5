#include "model/loglines/counter_tables.h"

#include <algorithm>
#include <array>

#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr std::array<double LevelStats::*, 10> kLevelCounters = {
    &LevelStats::read_bytes,
    &LevelStats::read_from_upper_bytes,
    &LevelStats::read_from_this_bytes,
    &LevelStats::write_bytes,
    &LevelStats::moved_bytes,
    &LevelStats::compaction_seconds,
    &LevelStats::compaction_cpu_seconds,
    &LevelStats::compaction_count,
    &LevelStats::keys_in,
    &LevelStats::keys_dropped};

constexpr std::array<double DatabaseCounters::*, 11> kCounters = {
    &DatabaseCounters::user_bytes,
    &DatabaseCounters::batch_bytes,
    &DatabaseCounters::keys_written,
    &DatabaseCounters::wal_bytes,
    &DatabaseCounters::flush_write_bytes,
    &DatabaseCounters::compaction_read_bytes,
    &DatabaseCounters::compaction_write_bytes,
    &DatabaseCounters::stall_seconds,
    &DatabaseCounters::block_cache_hits,
    &DatabaseCounters::block_cache_misses,
    &DatabaseCounters::reads};

constexpr double kCfstatsResolution = 1e-6 * kGiB;  // cfstats prints GB with six decimals

Error backwards(const std::string& what) {
  return {what + " went backwards between the two samples",
          "the database was opened again or its statistics were reset; sample again"};
}

bool add_level(const FamilySnapshot* before, const FamilySnapshot& now, std::size_t level,
               CounterFamily& into) {
  CounterLevel made;
  made.stats = now.levels[level];
  if (before != nullptr && level < before->levels.size()) {
    for (const auto member : kLevelCounters) {
      made.stats.*member -= before->levels[level].*member;
      if (made.stats.*member < 0) return false;
    }
  }
  into.levels.push_back(made);
  return true;
}

void add_checks(CounterTables& tables) {
  double written = 0;
  double read = 0;
  double entered = 0;
  double rows = 0;
  for (const CounterFamily& family : tables.families)
    for (const CounterLevel& level : family.levels) {
      written += level.stats.write_bytes;
      read += level.stats.read_bytes;
      ++rows;
    }
  for (const CounterFamily& family : tables.families)
    if (!family.levels.empty()) entered += family.levels[0].stats.write_bytes;
  const DatabaseCounters& counters = tables.counters;
  const char* const late = "cfstats count a job when it ends, tickers while it runs";
  LedgerCheck write_check;
  write_check.name = "table bytes written";
  write_check.left_counts = "cfstats, WriteGB of all levels";
  write_check.right_counts = "flush.write.bytes + compact.write.bytes";
  write_check.left = written;
  write_check.right = counters.flush_write_bytes + counters.compaction_write_bytes;
  write_check.resolution = rows * kCfstatsResolution;
  write_check.open_term = late;
  tables.checks.push_back(write_check);
  LedgerCheck read_check = write_check;
  read_check.name = "compaction bytes read";
  read_check.left_counts = "cfstats, ReadGB of all levels";
  read_check.right_counts = "compact.read.bytes";
  read_check.left = read;
  read_check.right = counters.compaction_read_bytes;
  tables.checks.push_back(read_check);

  const double files = counters.flush_write_bytes + counters.compaction_write_bytes;
  tables.amplification.push_back({"statistics, without WAL",
                                  "flush.write.bytes + compact.write.bytes / user bytes", files,
                                  counters.user_bytes});
  tables.amplification.push_back(
      {"statistics, with WAL",
       "the same and wal.bytes: bytes sent to the file system per user byte, the definition that "
       "predictions use",
       files + counters.wal_bytes, counters.user_bytes});
  tables.amplification.push_back(
      {"cfstats", "WriteGB of all levels / WriteGB of L0: per compressed byte that reached L0",
       written, entered});
}

void add_ratios(CounterFamily& family) {
  const double entered = family.levels.empty() ? 0 : family.levels[0].stats.write_bytes;
  double all = 0;
  for (const CounterLevel& level : family.levels) all += level.stats.write_bytes;
  for (CounterLevel& level : family.levels) {
    const double written = level.stats.write_bytes;
    level.write_amplification = entered > 0 ? written / entered : 0;
    level.write_share = all > 0 ? written / all : 0;
    level.read_write_ratio = written > 0 ? level.stats.read_bytes / written : 0;
  }
}

}  // namespace

Result<CounterTables> tables_between(const Snapshot* before, const Snapshot& now) {
  CounterTables tables;
  tables.seconds = now.database_uptime_s;
  tables.counters = now.counters;
  if (before != nullptr) {
    if (before->incarnation != now.incarnation)
      return Error{"the database was opened again between the two samples", "sample again"};
    tables.seconds = now.time_s - before->time_s;
    if (!(tables.seconds > 0)) return backwards("time");
    for (const auto member : kCounters) {
      tables.counters.*member -= before->counters.*member;
      if (tables.counters.*member < 0) return backwards("a counter");
    }
  }
  for (const FamilySnapshot& family : now.families) {
    const FamilySnapshot* const earlier =
        before == nullptr ? nullptr : find_family(*before, family.name);
    CounterFamily made;
    made.name = family.name;
    for (std::size_t level = 0; level < family.levels.size(); ++level)
      if (!add_level(earlier, family, level, made))
        return backwards("a counter of level " + std::to_string(level));
    add_ratios(made);
    tables.families.push_back(std::move(made));
  }
  add_checks(tables);
  return tables;
}

}  // namespace lsmtuned::model
