// Which kind of load a database is under, named from counters.
//
// Sums in which the past fades (10 minutes): operations, records that compactions dropped because a
// newer one replaced them, and bytes that went down the tree by being moved instead of rewritten.
//
//   idle               under one operation a second
//   read_mostly        reads are at least 80 % of operations
//   update_with_reads  15 to 80 % reads, and writes replace what is there
//   mixed              15 to 80 % reads otherwise
//   sequential_load    fewer reads; files move down without being rewritten: keys arrive in order
//   overwrite          fewer reads; writes replace what is there
//   random_load        fewer reads; writes are new keys in no order (fillrandom)
//
// Writes replace when at least 30 records are dropped for each 100 written. Keys in order: at least
// four of five bytes that leave their level are moved. Where compactions have not shown either yet,
// a load without reads has no name. Reads are counted with statistics = "tickers" or "latency"
// only; without them every load looks like one without. A class counts once it has been seen for a
// minute. Seconds of any one clock. Pure; thread rules: plain values.
#pragma once

#include <cstdint>

#include "model/snapshot.h"

namespace lsmtuned::model {

enum class WorkloadClass : std::uint8_t {
  unknown,
  idle,
  sequential_load,
  random_load,
  overwrite,
  update_with_reads,
  mixed,
  read_mostly,
};
const char* to_text(WorkloadClass workload);  // as here

struct WorkloadWatch {
  double seconds = 0;  // fading sums
  double keys_written = 0;
  double reads = 0;
  double keys_in = 0;  // of compactions
  double keys_dropped = 0;
  double moved_bytes = 0;      // into levels below L0
  double rewritten_bytes = 0;  // by compactions, taken from the level above
  WorkloadClass workload = WorkloadClass::unknown;
  WorkloadClass other = WorkloadClass::unknown;  // that has been seen since
  double other_since_s = 0;
  bool operator==(const WorkloadWatch&) const = default;
};

// Two snapshots of one run of the database, in order; others change nothing.
void watch(WorkloadWatch& watched, const Snapshot& earlier, const Snapshot& later);

// Both have a name, and not the same; a pause between (idle) says nothing about what follows.
bool different(WorkloadClass one, WorkloadClass other);

}  // namespace lsmtuned::model
