// The tables of a LOG analysis from a live target: levels and byte ledger between two snapshots, or
// since the open.
//
// Counts as RocksDB's cfstats and tickers do; bytes, seconds. Pure; thread rules: functions may run
// in parallel.
#pragma once

#include <string>
#include <vector>

#include "model/loglines/analysis.h"
#include "model/result.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

struct CounterLevel {
  LevelStats stats;                // files, size and score at the end; the rest is the difference
  double write_amplification = 0;  // written into this level / bytes that entered L0
  double write_share = 0;          // of all table bytes written; 0..1
  double read_write_ratio = 0;     // bytes read for this level / written into it
};

struct CounterFamily {
  std::string name;
  std::vector<CounterLevel> levels;
};

struct CounterTables {
  double seconds = 0;
  std::vector<CounterFamily> families;
  DatabaseCounters counters;  // differences
  std::vector<LedgerCheck> checks;
  std::vector<AmplificationView> amplification;
};

// `before` null: since the open. Errors: another incarnation, time or counters that go backwards.
Result<CounterTables> tables_between(const Snapshot* before, const Snapshot& now);

}  // namespace lsmtuned::model
