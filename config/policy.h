// Policy: what the operator wants, as plain values. Produced by config/parse.h from TOML; consumed
// by the controller and the daemon. Defaults here are the defaults of the registration in
// config/policy_keys.cc and daemon_keys.cc, which alone name them.
//
// Units: bytes, seconds, shares (0..1). Thread rules: plain values.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/knobs.h"
#include "model/published/phase.h"
#include "model/watch/rule.h"

namespace lsmtuned::config {

enum class Mode { observe, advise, tune };
enum class Objective { throughput, smoothness, efficiency };
// How the next change is found; controller/strategy/strategy.h.
enum class Strategy { model, rules, probe };
enum class ExitPolicy { keep, revert };
enum class TargetKind { agent, embedded };

// The knobs moved unless the policy says otherwise: those that shape the tree and the stall limits
// that must follow them. max_background_jobs, the multiplier, the first compressed level and the
// rates take from others (CPU, device, disk) or change what the operator sized, so they are named
// explicitly or left alone.
inline std::vector<model::Knob> default_knobs() {
  using model::Knob;
  return {
      Knob::write_buffer_size,
      Knob::max_write_buffer_number,
      Knob::level0_file_num_compaction_trigger,
      Knob::level0_slowdown_writes_trigger,
      Knob::level0_stop_writes_trigger,
      Knob::max_bytes_for_level_base,
      Knob::target_file_size_base,
      Knob::max_compaction_bytes,
      Knob::soft_pending_compaction_bytes_limit,
      Knob::hard_pending_compaction_bytes_limit,
  };
}

// What the controller obeys. One per target: [defaults] overlaid with the target's own table.
struct Policy {
  Mode mode = Mode::observe;
  Objective objective = Objective::throughput;
  Strategy strategy = Strategy::model;
  bool verify = true;         // false, with rules only: a change is kept once it is read back
  double rules_period_s = 1;  // how often the rules look
  ExitPolicy on_exit = ExitPolicy::revert;
  bool reapply_after_restart = false;
  bool clear_delay_on_revert = true;

  double memory_budget_bytes = 0;       // 0: none stated; tuning then may not grow memory
  double max_space_amplification = 0;   // 0: no limit
  double max_levels = 0;                // levels with data, L0 apart: cost of reads; 0: no limit
  double max_device_share = 0;          // of the device's time, at the predicted rate; 0: no limit
  double max_l0_files = 32;             // slowdown trigger a change may set: the cost of reads
  double max_debt_growth_share = 0.10;  // pending bytes a change may add, as a share of the tree
  std::vector<model::Knob> knobs = default_knobs();         // allowed to move
  std::map<model::Knob, std::pair<double, double>> bounds;  // narrower than the absolute ones

  double poll_interval_s = 1;
  double observation_s = 600;  // before the first change
  double lease_s = 10;
  double apply_deadline_s = 5;
  double cooldown_s = 120;
  double minimum_gain = 0.05;        // relative
  double minimum_probability = 0.8;  // that the gain is at least minimum_gain
  double trust_gate_error = 0.25;
  int reverts_per_hour_limit = 3;
  double trust_region_factor = 4;  // one change moves a knob by at most this factor
  int trial_min_cycles = 5;        // L0 -> base compactions judged after settling
  double trial_min_s = 60;
  double trial_max_s = 1800;
  double settle_max_s = 300;
  double failed_memory_s = 3600;  // how long a failed candidate is not tried again
  int search_evaluations = 2000;
  std::vector<std::pair<std::string, std::string>> freeze_windows;  // "22:00".."06:00", local time
  std::string freeze_file;  // frozen while it exists; empty: none

  // Watched, and told of; control does not depend on them.
  model::published::PhaseThresholds workload_phases;
  model::WatchRule watch;
  bool operator==(const Policy&) const = default;
};

struct TargetConfig {
  std::string name;
  TargetKind kind = TargetKind::agent;
  std::string path;                     // canonical database directory
  std::string statistics = "counters";  // none | counters | tickers | latency: asked of the agent
  Policy policy;
  bool operator==(const TargetConfig&) const = default;
};

struct DaemonConfig {
  std::string agent_socket = "/run/lsmtuned/agent.sock";
  std::string agent_socket_group;        // empty: leave the group as it is
  std::vector<std::string> agent_users;  // users whose processes may attach; empty: any local user
  std::string control_socket = "/run/lsmtuned/control.sock";
  std::string state_directory = "/var/lib/lsmtuned";
  std::string metrics_listen = "127.0.0.1:9637";  // empty: no HTTP listener
  std::string log_level = "info";
  std::string log_target = "auto";  // auto | journal | stderr
  double history_days = 90;
  double sample_interval_s = 10;  // how often a sample is kept in history
  int worker_threads = 2;
  double memory_budget_bytes = 0;             // of all named databases together; 0: none
  double stagger_s = 60;                      // between changes of two databases
  std::string record_events;                  // folder of event logs; empty: none
  double record_events_bytes = 1073741824;    // most that one target's log may take
  std::string agent_statistics = "counters";  // for databases not named in [[target]]
  Policy defaults;
  std::vector<TargetConfig> targets;
  bool operator==(const DaemonConfig&) const = default;
};

const char* to_text(Mode mode);
const char* to_text(Objective objective);
const char* to_text(Strategy strategy);
const char* to_text(ExitPolicy policy);
const char* to_text(TargetKind kind);
std::optional<Mode> mode_from_text(const std::string& text);

// What the controller applies to a database that no [[target]] names: the defaults, observed only.
Policy policy_for_unknown_target(const DaemonConfig& config);

}  // namespace lsmtuned::config
