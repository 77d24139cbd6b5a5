// A snapshot: one consistent sample of a target and its device, with the time it was taken.
//
// Counters are cumulative since the database was opened (same incarnation) unless said otherwise;
// bytes and seconds; counts as doubles so that deltas need no casts. Sources: RocksDB 7.8 tickers,
// properties and map properties (docs/protocol.md lists which field comes from which). Valid range:
// finite, non-negative; check_snapshot() says what is refused. Thread rules: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/settings.h"

namespace lsmtuned::model {

// One level of one column family, from `rocksdb.cfstats` (compaction.L<n>.*).
struct LevelStats {
  double files = 0;
  double size_bytes = 0;
  double score = 0;
  double read_bytes = 0;              // ReadGB, input of compactions whose output is this level
  double read_from_upper_bytes = 0;   // RnGB
  double read_from_this_bytes = 0;    // Rnp1GB
  double write_bytes = 0;             // WriteGB
  double moved_bytes = 0;             // MovedGB, trivial moves into this level
  double compaction_seconds = 0;      // CompSec, wall time of jobs
  double compaction_cpu_seconds = 0;  // CompMergeCPU
  double compaction_count = 0;
  double keys_in = 0;
  double keys_dropped = 0;
  double compression_ratio = 0;  // rocksdb.compression-ratio-at-level<n>; 0 or negative if unknown
};

enum class CompactionStyle : std::uint8_t { level, universal, fifo, none };

// Options that shape behaviour but are not knobs.
struct FamilyFacts {
  CompactionStyle style = CompactionStyle::level;
  double min_write_buffer_number_to_merge = 1;
  double num_levels = 7;
  bool dynamic_level_bytes = false;
  bool disable_auto_compactions = false;
  double arena_block_bytes = 0;  // fixed at open
  std::string compression;       // RocksDB's name, e.g. kSnappyCompression
};

// Why writes were stalled: recomputations while stalled, from cfstats io_stalls.*. A cause, never
// an episode count; also rises with our own SetOptions.
struct StallCauses {
  double l0_slowdown = 0;
  double l0_stop = 0;
  double pending_slowdown = 0;
  double pending_stop = 0;
  double memtable_slowdown = 0;
  double memtable_stop = 0;
};

struct FamilySnapshot {
  std::string name;
  std::uint32_t id = 0;
  FamilyFacts facts;
  std::vector<LevelStats> levels;  // index 0 is L0
  double immutable_memtables = 0;
  double active_memtable_bytes = 0;
  double all_memtables_bytes = 0;
  double pending_compaction_bytes = 0;  // RocksDB's estimate; 0 for non-level styles
  double base_level = 1;
  double live_data_bytes = 0;
  double sst_bytes = 0;  // live SST files
  double table_reader_bytes = 0;
  bool flush_pending = false;
  bool compaction_pending = false;
  StallCauses stalls;
};

// Database-wide cumulative counters. `user_bytes` is key + value bytes with write-batch framing
// removed (model/framing.h says how); `batch_bytes` is what RocksDB counts.
struct DatabaseCounters {
  double user_bytes = 0;
  double batch_bytes = 0;
  double keys_written = 0;
  double wal_bytes = 0;
  double flush_write_bytes = 0;
  double compaction_read_bytes = 0;
  double compaction_write_bytes = 0;
  double stall_seconds = 0;  // credited only after a stalled write returns
  double block_cache_hits = 0;
  double block_cache_misses = 0;
  double reads = 0;  // number.keys.read
};

// A cumulative latency histogram with log-linear buckets: bucket i counts observations whose
// upper bound is histogram_bucket_upper_us(i) (model/histogram.h). Empty when latency is not
// collected. Windows are differences of two samples.
struct LatencyHistogram {
  std::map<std::uint32_t, std::uint64_t> buckets;  // bucket index -> cumulative count
  bool operator==(const LatencyHistogram&) const = default;
};

struct DatabaseState {
  double running_flushes = 0;
  double running_compactions = 0;
  double delayed_write_rate = 0;  // actual; 0 means no delay
  bool write_stopped = false;
  double background_errors = 0;
  double block_cache_capacity_bytes = 0;
  double block_cache_usage_bytes = 0;
  std::uint64_t flushes_completed = 0;         // by the listener, since open
  std::uint64_t compactions_completed = 0;     // by the listener, since open
  std::uint64_t l0_compactions_completed = 0;  // L0 -> base level jobs, since open
  double oldest_running_job_s =
      0;  // age of the oldest flush or compaction still running; 0 if none
  double running_manual_compactions = 0;      // by the listener: somebody called CompactRange
  std::uint64_t range_deletions_flushed = 0;  // range tombstones in tables flushed since open
  bool file_deletions_disabled = false;       // a backup or checkpoint holds the files
};

// The device behind the database directory, from the kernel. Cumulative since boot.
struct DeviceSample {
  std::string name;  // "7:0" or "sda1"; empty when unknown
  double read_bytes = 0;
  double write_bytes = 0;
  double busy_seconds = 0;         // io_ticks
  double weighted_io_seconds = 0;  // time in queue, summed over requests
  double in_flight = 0;
  double free_bytes = 0;             // of the file system
  double pressure_some_seconds = 0;  // PSI io "some" total of the database's cgroup, else system
  bool pressure_is_cgroup = false;
  double process_read_bytes = 0;  // /proc/PID/io of the database
  double process_write_bytes = 0;
  double write_limit_bytes_per_s = 0;  // cgroup limit that applies to the database; 0 if none seen
  double read_limit_bytes_per_s = 0;
};

struct Snapshot {
  std::string target;             // name in the configuration, or the path
  std::uint64_t incarnation = 0;  // changes with every open of the database
  double time_s = 0;              // monotonic clock of the daemon
  double wall_time_s = 0;         // Unix time, for people
  double database_uptime_s = 0;   // since open, by the database's side; resets show here too
  Settings settings;              // as the database reports them now
  std::vector<FamilySnapshot> families;
  DatabaseCounters counters;
  DatabaseState state;
  LatencyHistogram put_latency;  // whole Put/Write calls; empty without latency statistics
  LatencyHistogram write_stall;  // time each stalled write waited
  std::optional<DeviceSample> device;
};

const FamilySnapshot* find_family(const Snapshot& snapshot, const std::string& name);

// The family that most limits writes: highest L0 count relative to its slowdown trigger.
const FamilySnapshot* worst_family(const Snapshot& snapshot);

// Why a snapshot must not be used: non-finite, negative, contradictory (no families, unordered
// triggers are not an error here), older than or equal in time to `previous`, or counters that went
// backwards within one incarnation. Empty when it is fine. `previous` may be null.
std::string refuse_reason(const Snapshot* previous, const Snapshot& now);

}  // namespace lsmtuned::model
