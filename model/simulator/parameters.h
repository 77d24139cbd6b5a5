// A problem as plain numbers: every default filled in, every derived constant worked out once.
//
// The simulator's hot loops read these; nothing here is looked up by name. Bytes, seconds, bytes
// per second. Pure; thread rules: plain values.
#pragma once

#include <array>
#include <cstddef>

#include "model/simulator/problem.h"

namespace lsmtuned::model::simulator {

inline constexpr std::size_t kMaxLevels = 64;
using PerLevel = std::array<double, kMaxLevels>;

// What the stall predicate and the write controller look at.
struct StallLimits {
  double max_write_buffers = 2;
  double min_buffers_to_merge = 1;
  double l0_slowdown = 20;
  double l0_stop = 36;
  double l0_speedup = 8;  // L0 files from which compactions may run in parallel
  double soft_pending_bytes = 0;
  double hard_pending_bytes = 0;
  double speedup_pending_bytes = 0;
  double max_delayed_rate = 16.0 * 1024 * 1024;
};

// Of a record in a file: internal key trailer, block and index overhead.
inline constexpr double kFileBytesOverUser = 12;

struct Parameters {
  StallLimits stall;

  double write_buffer_bytes = 0;
  double memtable_records = 1;  // a full memtable holds so many
  double memtable_bytes_per_record = 0;
  double user_bytes_per_record = 0;
  double batch_bytes_per_record = 0;  // write-batch framing included: what delaying charges

  std::size_t levels = 7;
  std::size_t base_level = 1;
  bool dynamic_level_bytes = false;
  double level_base_bytes = 0;
  double level_multiplier = 10;
  PerLevel targets{};                // by level; as the tree starts when dynamic
  PerLevel bytes_per_record{};       // of a file written to that level
  PerLevel tree_bytes_per_record{};  // of a file that the tree begins with
  double l0_trigger = 4;
  double target_file_bytes = 0;
  double max_compaction_bytes = 0;
  std::size_t flush_slots = 1;
  std::size_t compaction_slots = 1;  // under pressure; 1 without
  double max_subcompactions = 1;
  PerLevel overlap_share{};  // o_l into level l, byte-total layer only

  double distinct_keys = 0;          // 0: every key is new
  double inverse_distinct_keys = 0;  // 0: every key is new
  KeyOrder order = KeyOrder::uniform;
  double writer_bytes_per_s = 0;  // unstalled: the lower of offered and foreground
  double wal_bytes_per_user_byte = 0;

  double device_write = 0;
  double device_read = 0;  // left to compaction after foreground reads; infinite: never limits
  double mix_exponent = 8;
  double wal_device_write = 0;  // 0: the WAL shares the device
  double limiter = 0;           // flush and compaction writes; infinite: none
  double cores = 2;
  PerLevel cpu_seconds_per_byte{};  // of a job that writes to that level
  double cpu_seconds_per_record = 0;
  double flush_weight = 0.5;
  double think_s = 0;
  double burst_bytes = 0;  // of writes, both kinds of credit
  double read_burst_bytes = 0;
  double readahead_bytes = 0;
};

// `problem` is valid: its check() found nothing.
Parameters make_parameters(const Problem& problem);

// Records a memtable takes before RocksDB switches it (db/memtable.cc, ShouldFlushNow): the arena
// grows by whole blocks while one more stays within write_buffer_size + 0.6 block, and the last one
// counts as full with a quarter of it unused.
double memtable_capacity_records(double write_buffer_bytes, double arena_block_bytes,
                                 double memtable_bytes_per_record);

// Distinct keys among n uniform draws from K: K (1 - exp(-n/K)); n when K is 0 (all keys new).
double distinct_records(double records, double distinct_keys);

}  // namespace lsmtuned::model::simulator
