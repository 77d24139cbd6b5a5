// Signs that what a window shows is not the work of the settings: then nothing is proposed.
//
// Start-up backlog: L0 is at its compaction trigger and holds more bytes than were written to it
//   since the database was opened; what is compacted was left by an earlier run.
// Draining: pending bytes at cycle ends fell by 30 % of themselves or more, and by a twentieth of
//   the family, from the first third of the window's cycles to the last: a backlog shrinks, and
//   with it the need for anything else.
// Base level: that of a family moved within the window (dynamic level bytes).
// Paused compaction: automatic compaction is off for a family that is written to, or L0 stood at
//   its trigger for 30 s while nothing ran and nothing was completed.
// Bulk load: the tree grew by more than flushes and compactions account for (ingestion).
// Dropped files: it shrank by more (ranges of files were deleted).
// Manual compaction: one ran within the window.
// Backup: obsolete files are kept now, as a backup or checkpoint orders.
// Range tombstones: tables flushed within the window hold some.
//
// Bytes balance: change of SST bytes = flushed + written - read by compactions. More than a tenth
// of the tree, and 256 MiB, must be missing or too many, beyond the bytes in L0 at the end of the
// window (growth) or its beginning (loss): jobs that run at the sample explain as much. Counter
// resets are refused with the snapshot (model/snapshot.h).
//
// Pure; bytes, seconds. Thread rules: plain values.
#pragma once

#include <deque>
#include <string>

#include "model/snapshot.h"

namespace lsmtuned::controller {

// In words, for the record of a no-op; empty when there is none.
std::string false_signal(const std::deque<model::Snapshot>& window);

}  // namespace lsmtuned::controller
