// RocksDB 7.8's stall predicate, exactly (db/column_family.cc, GetWriteStallConditionAndCause),
// and the compaction-pressure rule that decides how many compactions may run.
//
// Pure; thread rules: plain values.
#pragma once

#include "model/settings.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

enum class StallCondition { normal, delayed, stopped };
enum class StallCause { none, memtables, l0_files, pending_bytes };

struct StallVerdict {
  StallCondition condition = StallCondition::normal;
  StallCause cause = StallCause::none;
  bool operator==(const StallVerdict&) const = default;
};

// What the predicate looks at. L0 and pending bytes are ignored under disable_auto_compactions.
struct StallInputs {
  double immutable_memtables = 0;
  double l0_files = 0;
  double pending_compaction_bytes = 0;
};

StallVerdict stall_verdict(const StallInputs& inputs, const KnobValues& settings,
                           const FamilyFacts& facts);
// The same on a live family under candidate settings. `pending` is recomputed for the candidate's
// level targets (RocksDB's own estimate, db/version_set.cc EstimateCompactionBytesNeeded).
StallVerdict stall_verdict_on_tree(const FamilySnapshot& family, const KnobValues& candidate);

// RocksDB's pending-compaction estimate for these levels under these settings, static levels.
double estimate_pending_bytes(const FamilySnapshot& family, const KnobValues& settings);

// Compaction slots RocksDB would use: 1 without pressure, else max(1, jobs - max(1, jobs/4)).
bool compaction_pressure(const StallInputs& inputs, const KnobValues& settings);
double compaction_slots(double max_background_jobs, bool pressure);
double flush_slots(double max_background_jobs);

const char* to_text(StallCondition condition);
const char* to_text(StallCause cause);

}  // namespace lsmtuned::model
