// A prediction problem from what is seen of a live database: Snapshot x Calibration -> Problem.
//
// One family decides (the one that limits writes); other families' writes are not told apart.
// What a snapshot cannot show is assumed: keys of 16 bytes, uniform order, a saturating writer, no
// foreground reads, files spread evenly (no exact ranges). docs/predict.md says where each member
// comes from. Bytes, seconds. Pure; thread rules: plain values.
#pragma once

#include <string>

#include "model/ledger/ledger.h"
#include "model/result.h"
#include "model/simulator/problem.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

// `cpu_cores` of the machine; one stays with the foreground. 0: unknown, what calibration saw.
// Errors: no such family; neither a device limit nor a calibrated bandwidth is known.
Result<Problem> problem_from(const Snapshot& snapshot, const std::string& family,
                             const Calibration& calibration, double horizon_s,
                             double cpu_cores = 0);

}  // namespace lsmtuned::model
