// Which level's compaction takes most of the device, and which knobs act on it, by how much.
//
// A level's load is that of the jobs that write into it: flushes and compactions within L0 for L0,
// compactions from the level above for the others. Share of the device: its time for the job's
// bytes, ((written / B_w)^p + (read / B_r)^p)^(1/p) with the mix exponent p, over that of all jobs;
// the log is left out. Write amplification: bytes written into the level by user byte.
//
// Everything is simulated from the tree given under a saturating writer, after a warm-up and over
// at least ten minutes, so that what a setting only postpones is seen. Gains are ratios of two
// predictions on the same random numbers; their 80 % interval takes the model's errors of both as
// independent. Pure; thread rules: functions may run in parallel.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "model/analysis/s_max.h"
#include "model/result.h"

namespace lsmtuned::model {

struct LevelLoad {
  std::size_t level = 0;  // written into
  double jobs = 0;
  double written_bytes = 0;
  double read_bytes = 0;
  double device_share = 0;
  double write_amplification = 0;
};

// Shares from bytes, for simulated jobs and for a database's own counters alike. `levels` have
// level, written_bytes and read_bytes; user_bytes 0: amplification stays 0.
void set_shares(std::vector<LevelLoad>& levels, const DeviceSpec& device, double user_bytes);
// Index of the compacted level (not L0, whose flushes nothing can save) with the largest share.
std::optional<std::size_t> busiest_level(const std::vector<LevelLoad>& levels);

struct LevelAction {
  Knob knob{};
  double from = 0;
  double to = 0;
  double gain_share = 0;  // S_max after / before - 1
  double low_share = 0;   // 80 % interval
  double high_share = 0;
  double level_write_amplification = 0;  // of the named level, after
};

struct LevelBottleneck {
  double put_bytes_per_s = 0;
  double horizon_s = 0;
  std::vector<LevelLoad> levels;  // those with jobs, from L0 on
  std::size_t bottleneck = 0;     // index into `levels`
  // One step (a factor of two; a level; a quarter for the multiplier) of each knob of this kind the
  // better way, by gain, falling. Steps that RocksDB refuses are left out.
  std::vector<LevelAction> actions;
};

// Errors: as simulate(); the ledger, which has no levels over time; a tree without compactions.
Result<LevelBottleneck> level_bottleneck(const Problem& problem, const ModelChoice& choice);

}  // namespace lsmtuned::model
