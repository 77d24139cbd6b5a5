// A synthetic database whose limits are known, seen through the counters that the estimator reads.
//
// Records of 1000 bytes, no compression, no WAL. Per user byte: 1 byte flushed; L0 -> L1 takes 1,
// meets 2, writes 3; L1 -> L2 takes 1, meets 4, writes 5. So w = 1 + 3 + 5 = 9 and r = 3 + 5 = 8.
// Device bound with reads at twice the write speed, serially: S = B / (9 + 8/2) = B / 13.
#pragma once

#include "model/snapshot.h"
#include "model/units.h"
#include "tests/unit/model/support.h"

namespace lsmtuned::model::testing {

inline constexpr double kWritten = 9;
inline constexpr double kRead = 8;
inline constexpr double kDevicePerUserByte = kWritten + kRead / 2;
inline constexpr double kLessonS = 50;
inline constexpr double kBatch = 25 * kMiB;  // one L0 -> L1 job takes this

class Plant {
 public:
  // Limits; change them at any time.
  double bandwidth = kDevicePerUserByte * 10 * kMiB;  // S_dev = 10 MiB/s
  double foreground = 40 * kMiB;
  double cpu_bound = 0;           // S_cpu in bytes/s; 0: CPU never binds
  double amplification = 1;       // of compaction bytes: more of them for each user byte
  double offered = 0;             // bytes/s; 0: a saturating writer
  double job_speed = 200 * kMiB;  // input bytes/s of a job that waits for nothing
  double speed_up = 1;            // of an L0 job by its subcompactions

  Plant();
  // Runs for `seconds` and returns what would be seen then.
  const Snapshot& advance(double seconds = kLessonS);
  const Snapshot& now() const { return snapshot_; }
  Snapshot& edit() { return snapshot_; }
  double put_bytes_per_s() const { return rate_; }  // during the last advance

 private:
  Snapshot snapshot_;
  double rate_ = 0;
  double jobs_ = 0;
};

}  // namespace lsmtuned::model::testing
