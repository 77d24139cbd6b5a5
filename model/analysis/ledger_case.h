// A Problem in the byte ledger's terms: its input and a calibration that says the same.
//
// Pure; thread rules: plain values.
#pragma once

#include <vector>

#include "model/ledger/ledger.h"
#include "model/result.h"
#include "model/simulator/problem.h"

namespace lsmtuned::model {

struct LedgerCase {
  ModelInput input;
  Calibration calibration;
  double wal_device_bytes_per_s = 0;   // bound of a WAL on a device of its own, user bytes; 0: none
  double wal_bytes_per_user_byte = 0;  // written there, and so not in the ledger's own sums
};

// `problem` is valid.
LedgerCase ledger_case(const Problem& problem);

// The ledger's answer with a WAL device taken into account. Errors: as predict().
Result<Prediction> ledger_prediction(const Problem& problem);
Result<std::vector<BoundValue>> ledger_bounds(const Problem& problem);

}  // namespace lsmtuned::model
