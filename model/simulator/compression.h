// What first_compressed_level changes about the records of each level, before they are written so.
//
// A level is compressed when its place (L0 = 1, the base level = 2, ...) is at or below the knob.
// Where the knob agrees with what was measured, the measured bytes and CPU stand. A level that
// would no longer be compressed takes key + value + 12 bytes a record and saves what compressing
// takes; one that would be takes what the first compressed level below it takes, or, where none was
// measured, what it takes now. CPU by byte falls to a fifth of the measured at the least; CPU by
// record stays.
//
// The CPU of compressing is a prior by algorithm: Debian 12's db_bench, `--benchmarks=compress`,
// 4 KiB blocks that halve, one core of the machine of docs/results. What reading back costs is not
// known here. Trials judge the rest. Thread rules: pure functions.
#pragma once

#include <string_view>

#include "model/simulator/parameters.h"
#include "model/simulator/problem.h"

namespace lsmtuned::model::simulator {

// Per raw byte, of RocksDB's name of an algorithm (kSnappyCompression, ...). 0: not known.
double compression_cpu_seconds_per_byte(std::string_view algorithm);

// Sets bytes_per_record and cpu_seconds_per_byte from what was measured, by level.
void set_compression(const Problem& problem, Parameters& parameters);

}  // namespace lsmtuned::model::simulator
