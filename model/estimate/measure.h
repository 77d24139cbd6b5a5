// One interval between two snapshots: rates, shares and amplification from counter differences.
//
// Units: bytes, seconds, bytes per second; shares 0..1. Sources: tickers and cfstats differences,
// and the kernel's disk statistics where the snapshots hold them (model-proposal.md section 6).
// Pure.
#pragma once

#include "model/snapshot.h"

namespace lsmtuned::model {

// What one interval between two snapshots of one incarnation says.
struct Interval {
  double seconds = 0;
  double put_bytes_per_s = 0;
  double put_ops_per_s = 0;
  double stall_share = 0;  // stall seconds / seconds, clamped to 1; a stop in progress shows
                           // only when it ends
  double write_amplification = 0;       // (WAL + flush + compaction writes) / user bytes
  double read_amplification = 0;        // compaction reads / user bytes
  double device_write_bytes_per_s = 0;  // kernel counters where known, else from RocksDB's
  double device_read_bytes_per_s = 0;
  double device_busy_share = 0;
  double flushes = 0;
  double l0_compactions = 0;
  bool valid = false;  // false: restart, reset, no time passed
};
Interval measure(const Snapshot& earlier, const Snapshot& later);

}  // namespace lsmtuned::model
