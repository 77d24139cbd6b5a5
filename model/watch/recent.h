// What a target did lately: sums over its counters in which the past fades, and the figures that
// follow from them.
//
// A sum forgets with exp(-seconds / memory). Bytes, seconds, shares 0..1. Pure; thread rules: plain
// values.
#pragma once

#include <vector>

#include "model/ledger/ledger.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

struct Recent {
  double seconds = 0;
  double user_bytes = 0;
  double keys = 0;
  double reads = 0;
  double written_bytes = 0;  // log, flushes, compactions
  double stall_s = 0;        // a stop under way counts whole
  double held_s = 0;         // of intervals in which writers were held back,
  double held_bytes = 0;     // and what they wrote in them
  double device_bytes = 0;   // both directions
  double own_bytes = 0;      // of them by the database's process; 0: unknown
};
// Writers that stall for more of an interval are held back: as controller/window.h has it.
inline constexpr double kHeldStallShare = 0.02;
// Two snapshots of one run of the database, in order; others add nothing.
void add(Recent& recent, const Snapshot& earlier, const Snapshot& later, double memory_s);

// One moment's figures, to be laid beside another's. 0: unknown, unless said otherwise.
struct Picture {
  double put_bytes_per_s = 0;
  double held_bytes_per_s = 0;  // while writers were held back: what the database takes
  double stall_share = 0;
  double write_amplification = 0;
  double write_bandwidth = 0;  // of the calibration
  double put_size_bytes = 0;
  double read_share = 0;     // of operations; also 0 where reads are not counted
  double others_share = 0;   // of the device's bytes, not by this process; also 0 where not counted
  double device_use_v4 = 0;  // user bytes of the device's bytes
  double tree_bytes = 0;
  Settings settings;
};
Picture picture_of(const Recent& recent, const Snapshot& now, const Calibration& calibration);

// Bytes that compactions (L0: flushes) read and wrote for each user byte, by the level they wrote
// to, all families together.
struct LevelAmplification {
  double write = 0;
  double read = 0;
};
struct LevelSeries {
  double user_bytes = 0;
  std::vector<LevelAmplification> bytes;  // fading sums, by level
};
void add(LevelSeries& series, const Snapshot& earlier, const Snapshot& later, double memory_s);
// Empty before there was a put.
std::vector<LevelAmplification> amplification(const LevelSeries& series);

}  // namespace lsmtuned::model
