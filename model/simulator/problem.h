// One prediction problem: settings on a tree under a workload on a device, and over which horizon.
//
// Everything that the models of this project may know. `lsmtunectl predict|simulate --input` reads
// it as JSON (daemon/problem_json.h), the controller makes it from a snapshot and a calibration.
// Units: bytes, seconds, bytes per second; user bytes are key + value. Valid ranges: check() says
// what is wrong, all of it at once. Thread rules: plain values.
#pragma once

#include <string>
#include <vector>

#include "model/settings.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

// One table file; key bounds as fractions of the key space, 0 <= low <= high <= 1.
struct FileRange {
  double low = 0;
  double high = 1;
  double records = 0;
  double bytes = 0;
  bool operator==(const FileRange&) const = default;
};

struct LevelShape {
  double bytes = 0;
  double files = 0;
  std::vector<FileRange> ranges;  // exact files where known (newest first in L0); else empty
  bool operator==(const LevelShape&) const = default;
};

struct TreeShape {
  std::vector<LevelShape> levels;  // index 0 is L0; missing levels are empty
  double active_memtable_bytes = 0;
  double immutable_memtables = 0;
  double delayed_write_rate = 0;  // RocksDB's actual one, bytes/s; 0: not delayed
  bool operator==(const TreeShape&) const = default;
};

enum class KeyOrder { uniform, sequential };

struct Workload {
  double key_bytes = 16;
  double value_bytes = 1024;
  double distinct_keys = 0;        // uniform over so many; 0: every key is new
  double offered_bytes_per_s = 0;  // user bytes; 0: a saturating writer
  double read_bytes_per_s = 0;     // device bytes/s that foreground reads take
  KeyOrder order = KeyOrder::uniform;
  bool operator==(const Workload&) const = default;
};

struct DeviceSpec {
  double write_bytes_per_s = 0;
  double read_bytes_per_s = 0;  // 0: reads never limit
  // (W/write)^p + (R/read)^p <= 1. 1: one budget shared serially; 8 and more: limited apart, as a
  // cgroup does.
  double mix_exponent = 8;
  double wal_write_bytes_per_s = 0;  // the WAL's own device; 0: it shares the one above
  bool operator==(const DeviceSpec&) const = default;
};

// What calibration knows about this database on this machine (docs/model.md says from where).
// Priors are what an unmeasured database starts with.
struct TreeConstants {
  double file_bytes_per_record = 0;       // e at L0; 0: key + value + 12
  std::vector<double> level_compression;  // file bytes at level l relative to L0; missing: 1
  // first_compressed_level that the two above were measured under; 0: not known, and the knob has
  // no effect.
  double measured_first_compressed_level = 0;
  // CPU that compressing takes, per raw byte; 0: not known (model/simulator/compression.h).
  double compression_cpu_seconds_per_byte = 0;
  double memtable_bytes_per_record = 0;  // m_e; 0: key + value + 40
  double wal_bytes_per_user_byte = 0;    // omega
  // phi: what a flush is favoured over a compaction beyond the size of their requests (turns.h);
  // 0.5: not at all. Not the flush share that is measured.
  double flush_weight = 0.5;
  double think_s = 0;      // between a job's end and the next one's begin
  double burst_bytes = 0;  // a volume's credit after idleness, beyond burst_s
  // Both limits' credit after idleness, in seconds of the limit: a kernel throttle's time slice.
  double burst_s = 0.1;
  // What a compaction reads at once from an input file while its thread waits (RocksDB under direct
  // I/O: 2 MiB); 0: reads run beside the writes, as with buffered files.
  double readahead_bytes = 2.0 * 1024 * 1024;
  double foreground_bytes_per_s = 0;                               // unstalled writer; 0: 150 MiB/s
  double cores = 2;                                                // for background work
  double cpu_seconds_per_byte = 1.8 / (1024.0 * 1024.0 * 1024.0);  // kappa_B, per output byte
  double cpu_seconds_per_record = 0.25e-6;                         // kappa_R
  double arena_block_bytes = 0;  // as at open; 0: min(1 MiB, write_buffer_size / 8)
  std::vector<double> overlap = {0.93, 0.55, 0.39};  // o_1.., byte-total layer only
  bool operator==(const TreeConstants&) const = default;
};

struct Problem {
  KnobValues settings;  // family and database knobs together; absent ones take RocksDB's default
  FamilyFacts facts;
  TreeShape tree;
  Workload workload;
  DeviceSpec device;
  TreeConstants constants;
  double horizon_s = 120;

  // Every error, each naming the field, what is wrong and what is allowed. Empty: valid.
  std::vector<std::string> check() const;
};

}  // namespace lsmtuned::model
