// The trees and settings that the speed figures are stated for.
#pragma once

#include "model/ledger/ledger.h"
#include "model/simulator/problem.h"

namespace lsmtuned::bench {

// 1 GB of 1 KiB values on a device limited to 24 MiB/s of writes, RocksDB's small settings
// (4 MiB buffers, 2 MiB tables, 16 MiB base level): some 500 tables, about 250 jobs a minute.
model::Problem small_tree();

// 100 GB of 1 KiB values on a 500 MB/s device, RocksDB's default settings: some 1,700 tables.
model::Problem large_tree();

// What one ledger prediction reads: the small tree as a snapshot.
model::ModelInput ledger_input();
model::Calibration ledger_calibration();

}  // namespace lsmtuned::bench
