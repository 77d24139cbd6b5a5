// What every set of settings that we send must satisfy (DESIGN.md, "What must always hold", 2).
//
// RocksDB validates almost nothing online: violating these aborts or hangs the process. Checked
// last, after every search and every operator command, for every backend.
#pragma once

#include <string>
#include <vector>

#include "model/settings.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

struct MemoryBudgetInputs {
  double block_cache_bytes = 0;
  double table_reader_bytes = 0;
  double read_ahead_bytes = 0;  // compaction_readahead_size, or 2 MiB for direct I/O when 0
};

// model-proposal.md section 8: W * n_m summed over families + block cache + table readers
// + jobs * (target file + read-ahead). Bytes.
double memory_of(const Settings& settings, const MemoryBudgetInputs& inputs);

struct InvariantInputs {
  std::map<std::string, FamilyFacts> families;
  MemoryBudgetInputs memory;
  double memory_budget_bytes = 0;                    // 0: no budget configured
  double cpu_cores = 1;                              // max_background_jobs is at most 4 * cores
  std::map<Knob, std::pair<double, double>> bounds;  // the policy's, inclusive
};
InvariantInputs invariant_inputs(const Snapshot& snapshot);

// One line per violation, naming the family, the option and the values. Empty: the settings may be
// sent. `changed` limits bound checks to knobs we would send: a value someone else chose outside
// our bounds is theirs. Orderings and memory are checked on the whole set of `settings` of families
// that `changed` touches.
std::vector<std::string> violations(const Settings& settings, const ChangeSet& changed,
                                    const InvariantInputs& inputs);

}  // namespace lsmtuned::model
