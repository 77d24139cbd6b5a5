// Carrying out a change or a restore on one database: check, call RocksDB, read back, compare.
//
// Blocks for as long as RocksDB's options calls do, which during a write stop is for as long as the
// stop lasts. Values that are already there are not sent, since every options call while writes are
// delayed costs a fifth of their rate. Thread rules: one at a time for a database.
#pragma once

#include <string>

#include "actuators/agent/database.h"
#include "actuators/agent/option_text.h"

namespace lsmtuned::agent {

struct Outcome {
  std::string status;  // ok | failed | not_sent
  Values values;       // read back
  std::string error;   // empty when ok
};

// A revert is also sent while writes are stopped. One that names delayed_write_rate sets it again
// though the value is there (to what is there, where it is not ours): RocksDB then forgets how far
// it had lowered the rate of delayed writers.
Outcome change(Database& database, const Values& set, bool revert);

// The baseline of every knob whose present value is ours; foreign ones stay and become baseline.
// With `clear_delay`, delayed_write_rate is set again as in a revert that names it.
Outcome restore(Database& database, bool clear_delay);

}  // namespace lsmtuned::agent
