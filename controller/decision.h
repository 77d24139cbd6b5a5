// A decision: what the controller concluded, with its reason and its evidence. The record that
// history keeps, lsmtunectl explains and a trial updates.
//
// Thread rules: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/ledger/ledger.h"
#include "model/settings.h"

namespace lsmtuned::controller {

enum class DecisionKind {
  proposal,  // a change, applied or (in advise mode) offered
  noop,      // looked, and had a reason not to act
  foreign,   // someone else changed a knob; we stepped aside
  reapply,   // kept settings applied again after a restart, where the policy says so
  revert,    // by command or regret: back to the baseline, or to what a kept change had replaced
};
enum class DecisionStatus {
  advised,   // offered, not applied (advise mode)
  intended,  // on disk, about to be sent
  applied,   // the database returned OK
  kept,
  reverted,
  inconclusive,  // trial ended without evidence; settings reverted
  failed,        // the call failed; nothing changed, or reverted
  refused,       // a guard said no
  noted,         // nothing to do: noop, foreign
};

// Means over one window, as measured.
struct WindowMeasure {
  double seconds = 0;
  double put_bytes_per_s = 0;
  double put_ops_per_s = 0;
  double stall_share = 0;
  double worst_stall_s = 0;  // 0 when latency is not collected
  double put_p99_s = 0;      // 0 when latency is not collected
  double write_amplification = 0;
  double pending_bytes_cycle_end = 0;  // mean over the last cycle ends: debt left standing
  double l0_files_mean = 0;
  double l0_compactions = 0;  // whole cycles in the window
  double standard_error = 0;  // of put_bytes_per_s, from per-cycle means
  double memory_bytes = 0;    // mean in use: memtables, block cache, table readers
  bool operator==(const WindowMeasure&) const = default;
};

// One of the five figures that a decision is judged by; controller/kpi.h defines and computes them.
enum class KpiJudgement { unknown, better, same, worse };
struct Kpi {
  std::optional<double> before;  // empty: not known
  std::optional<double> predicted;
  std::optional<double> after;
  KpiJudgement judgement = KpiJudgement::unknown;
  bool operator==(const Kpi&) const = default;
};
struct Kpis {
  Kpi put_rate;               // bytes/s
  Kpi write_bandwidth_use;    // share
  Kpi compaction_efficiency;  // user bytes per byte written
  Kpi stability;              // share of time without stalls
  Kpi resource_use;           // bytes of memory
  bool operator==(const Kpis&) const = default;
};

// One candidate that the search looked at and why it was not chosen.
struct Considered {
  model::ChangeSet changes;
  double predicted_put_bytes_per_s = 0;
  std::string verdict;  // "chosen", "over the memory budget", "would delay writes now: ...", ...
  bool operator==(const Considered&) const = default;
};

struct Decision {
  std::uint64_t id = 0;  // unique per target, ascending, survives restarts
  std::string target;
  std::uint64_t incarnation = 0;
  DecisionKind kind = DecisionKind::noop;
  DecisionStatus status = DecisionStatus::noted;
  double wall_time_s = 0;        // when it was taken
  double ended_wall_time_s = 0;  // when the status became final; 0 before
  std::string initiator;         // "controller", or the operator's command and user
  std::string reason;            // one word for metrics: "gain", "cooldown", "trust", "frozen", ...
  std::string explanation;       // a sentence for people
  model::Settings before;        // full settings before the change
  model::ChangeSet changes;      // with old and new value of every knob
  model::Prediction predicted_before;
  model::Prediction predicted_after;    // over the trial's horizon: what verification compares
  model::Prediction predicted_settled;  // without growing debt
  WindowMeasure measured_before;
  WindowMeasure measured_after;
  Kpis kpis;
  std::string workload;      // class of the load when it was taken (model/watch/workload_class.h)
  bool short_trial = false;  // judged on fewer cycles than the default policy asks for
  std::string evidence;      // why it was kept or reverted, in words
  std::vector<Considered> considered;
  bool operator==(const Decision&) const = default;
};

const char* to_text(DecisionKind kind);
const char* to_text(DecisionStatus status);
const char* to_text(KpiJudgement judgement);

}  // namespace lsmtuned::controller
