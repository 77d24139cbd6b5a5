// The published phases of a workload, watched while it runs.
//
// Each sample is given to the consensus detector (model/published/phase.h). No phase is named
// before its windows are full, and a new one counts once it has won for a whole window of the put
// rate in a row: a single odd sample is not a transition. Samples without puts say nothing and are
// left out. Seconds, bytes/s. Pure; thread rules: plain values.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "model/published/phase.h"

namespace lsmtuned::model {

struct PhaseSample {
  double time_s = 0;
  double runtime_s = 0;  // since the database was opened
  double put_bytes_per_s = 0;
  double write_amplification = 0;
};

struct PhaseWatch {
  std::optional<published::Phase> phase;
  double since_s = 0;  // when it was entered
  std::deque<double> put_rates;
  std::deque<double> write_amplifications;
  std::optional<published::Phase> other;  // that has been winning since,
  std::uint64_t other_samples = 0;        // so many samples
};

// The transition that this sample completes, if any. The first phase to be named is none.
std::optional<published::PhaseTransition> watch(PhaseWatch& watched, const PhaseSample& sample,
                                                const published::PhaseThresholds& thresholds);

}  // namespace lsmtuned::model
