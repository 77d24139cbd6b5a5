// Calibration from counter deltas: Calibration x Snapshot x Snapshot -> Calibration.
//
// model-proposal.md sections 6-8. Direct ratios with forgetting, information-weighted by bytes.
// Learns only the bound that is active: device bandwidth only while writes stall on L0 or pending
// bytes and the device is busy; the foreground limit only without stall. An interval across a
// restart, reset or gap teaches nothing. Bounded: every parameter is clamped to its valid range.
#pragma once

#include "model/ledger/ledger.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

// What one interval between two snapshots of one incarnation says. Rates in bytes/s over the
// interval; shares 0..1.
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

// `earlier` and `later` should span several L0 -> base compactions; the caller decides when (the
// estimator refuses spans without one and returns the calibration unchanged).
Calibration calibrate(const Calibration& before, const Snapshot& earlier, const Snapshot& later);

// First calibration of a target: priors, with what one snapshot already shows (level sizes, job
// statistics since open).
Calibration prior_from(const Snapshot& first);

}  // namespace lsmtuned::model
