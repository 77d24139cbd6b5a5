// What strategies remember, and what they propose. Plain values inside the controller's state.
//
// Bytes, seconds, shares; wall times are Unix time. Thread rules: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "controller/decision.h"
#include "model/ledger/ledger.h"
#include "model/settings.h"

namespace lsmtuned::controller {

// What a strategy with a model expects of its proposal.
struct Forecast {
  model::Prediction current;
  model::Prediction predicted;          // over the trial's horizon
  model::Prediction predicted_settled;  // without growing debt
  bool operator==(const Forecast&) const = default;
};

// A change that a strategy wants tried.
struct Proposal {
  model::ChangeSet changes;
  std::string reason;                // one word: "gain", "rules", "probe"
  std::string explanation;           // a sentence
  std::optional<Forecast> forecast;  // none: the strategy predicts nothing
  std::vector<Considered> considered;
  bool operator==(const Proposal&) const = default;
};

// ---- rules --------------------------------------------------------------------------------------

// Cumulative figures at the beginning of a period.
struct RulesMark {
  double time_s = 0;
  double batch_bytes = 0;    // into memtables
  double flush_bytes = 0;    // of all families, out of them
  double flush_seconds = 0;  // wall time of those jobs
  bool operator==(const RulesMark&) const = default;
};

// One period, as ADOC's rules look at it.
struct RulesReading {
  double fill_bytes_per_s = 0;       // into memtables, over the period
  double mean_fill_bytes_per_s = 0;  // over the history, this period included
  double flush_bytes_per_s = 0;      // of one flush while it runs; the last one known
  double immutable_memtables = 0;
  double pending_ratio = 0;  // pending bytes over the soft limit
  double l0_ratio = 0;       // L0 files over the slowdown trigger
  double idle_periods = 0;   // up to now without any flush or compaction
  bool operator==(const RulesReading&) const = default;
};

// Begins afresh with every open of the database: all of it is minutes old at most.
struct RulesMemory {
  std::optional<RulesMark> from;
  std::deque<double> fills_bytes_per_s;
  std::optional<RulesReading> reading;  // of the period that ended at this poll, if one did
  double flush_bytes_per_s = 0;
  double idle_periods = 0;
  bool operator==(const RulesMemory&) const = default;
};

// ---- probe --------------------------------------------------------------------------------------

enum class ProbeDirection { stable, up, down };

struct ProbeGroup {
  ProbeDirection direction = ProbeDirection::stable;
  double step_octaves = 1;  // the next step multiplies by 2^step or divides by it
  double up_failed_until_wall_s = 0;
  double down_failed_until_wall_s = 0;
  bool operator==(const ProbeGroup&) const = default;
};

inline constexpr std::size_t kProbeGroups = 3;  // buffers, L0 triggers, jobs

// Survives restarts: each entry costs a trial to learn.
struct ProbeMemory {
  std::uint64_t group = 0;  // whose turn it is
  ProbeGroup buffers;       // write_buffer_size and max_bytes_for_level_base
  ProbeGroup triggers;      // the L0 triggers
  ProbeGroup jobs;          // max_background_jobs
  bool operator==(const ProbeMemory&) const = default;
};

const char* to_text(ProbeDirection direction);

}  // namespace lsmtuned::controller
