// How often a job's thread queues at the device.
//
// Flush and compaction threads wait for each write, and a throttled device serves waiting requests
// in turn: their shares go by bytes per turn. A table is written in requests of
// writable_file_max_buffer_size (1 MiB by default) with a shorter one at its end, then truncated
// and synced; a job's end writes and syncs the MANIFEST. Small files and frequent job ends
// therefore yield to large ones. Bytes. Pure; thread rules: plain functions.
#pragma once

#include <cmath>

namespace lsmtuned::model::simulator {

inline constexpr double kWriteRequestBytes = 1024.0 * 1024;
inline constexpr double kTurnsPerFileEnd = 2;
inline constexpr double kTurnsPerJobEnd = 1;

inline double turns_of_file(double bytes) {
  return std::ceil(bytes / kWriteRequestBytes) + kTurnsPerFileEnd;
}

}  // namespace lsmtuned::model::simulator
