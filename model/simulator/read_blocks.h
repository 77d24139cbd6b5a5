// When a compaction's thread only reads.
//
// Under direct I/O a thread reads `readahead` bytes of an input file and waits. L0 files advance
// together through the key space, so they run dry together and are read in one block; files of
// sorted levels are read one after another, between writes. A limit's burst credit hides reads (and
// the writes beside them) shorter than its time slice: with T_r, T_w the device time of a block's
// reads and writes and s the slice,
//   T = max(T_r, T_w, T_r + T_w - min(s, T_r) - min(s, T_w)),
// and what exceeds max(T_r, T_w) is time in which the thread leaves the write limit to others. L0
// files do not run dry at quite the same key: reads are hidden by what is written between the first
// and the last of them, too.
// Bytes, seconds. Pure; thread rules: plain functions.
#pragma once

#include "model/simulator/job.h"
#include "model/simulator/parameters.h"

namespace lsmtuned::model::simulator {

// `together` bytes come from `files` L0 files, the rest of job.read_bytes from sorted levels. Sets
// read_blocks and block_bytes.
void set_read_blocks(const Parameters& parameters, double together, double files, Job& job);

}  // namespace lsmtuned::model::simulator
