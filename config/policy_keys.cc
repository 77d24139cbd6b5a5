// The keys of [defaults] and [[target]].
#include <cstdint>
#include <utility>

#include "config/key_entry.h"
#include "config/text_checks.h"

namespace lsmtuned::config {
namespace {

using PolicyEntry = Entry<Policy>;
using TargetEntry = Entry<TargetConfig>;
using enum ValueType;

std::vector<std::string> knob_names() {
  std::vector<std::string> names;
  for (const model::KnobInfo& knob : model::all_knobs()) names.emplace_back(knob.option);
  return names;
}

KeyValue read_knobs(const Policy& policy) {
  std::vector<std::string> names;
  for (const model::Knob knob : policy.knobs) names.emplace_back(model::info(knob).option);
  return names;
}

void write_knobs(Policy& policy, const KeyValue& value) {
  policy.knobs.clear();
  for (const std::string& name : std::get<std::vector<std::string>>(value)) {
    if (const auto knob = model::knob_from_option(name)) policy.knobs.push_back(*knob);
  }
}

KeyValue read_windows(const Policy& policy) {
  std::vector<std::string> windows;
  for (const auto& [from, to] : policy.freeze_windows) {
    windows.push_back(from);
    windows.back().append("-").append(to);
  }
  return windows;
}

void write_windows(Policy& policy, const KeyValue& value) {
  policy.freeze_windows.clear();
  for (const std::string& window : std::get<std::vector<std::string>>(value)) {
    policy.freeze_windows.emplace_back(window.substr(0, 5), window.substr(6, 5));
  }
}

KeyValue read_bounds(const Policy& policy) {
  return policy.bounds;
}

// Adds to what is there: a target narrows single knobs and inherits the other bounds.
void write_bounds(Policy& policy, const KeyValue& value) {
  for (const auto& [knob, range] : std::get<KnobBounds>(value)) policy.bounds[knob] = range;
}

void add_permissions(std::vector<Key<Policy>>& keys) {
  keys.push_back(
      PolicyEntry("mode", choice)
          .to_choice(&Policy::mode, {Mode::observe, Mode::advise, Mode::tune})
          .help("observe: watch, predict and record, change nothing. advise: also offer changes, "
                "which lsmtunectl apply carries out. tune: carry them out, verify them and undo "
                "what did not help. Databases that no [[target]] names are only observed, "
                "whatever is written in [defaults]. Start with observe; move to tune when the "
                "prediction error shown by lsmtunectl status stays below trust_gate."));
  keys.push_back(
      PolicyEntry("objective", choice)
          .to_choice(&Policy::objective,
                     {Objective::throughput, Objective::smoothness, Objective::efficiency})
          .help("What the search maximises. throughput: the sustainable put rate. smoothness: "
                "fewer and shorter stalls, even at a somewhat lower rate. efficiency: fewer bytes "
                "to the device for each byte put, for flash wear or a shared device."));
  keys.push_back(
      PolicyEntry("strategy", choice)
          .to_choice(&Policy::strategy, {Strategy::model, Strategy::rules, Strategy::probe})
          .help("How the next change is found. model: the best settings that the model predicts. "
                "rules: the published rules of ADOC (FAST'23), to compare with; their rule for "
                "threads needs max_background_jobs among the knobs. probe: one step at a time, "
                "kept where it helped; needs no model and takes many trials. All of them pass "
                "the same guards."));
  keys.push_back(
      PolicyEntry("verify", flag)
          .to(&Policy::verify)
          .help("Whether a change is measured and undone where it did not help. false, possible "
                "with the strategy rules only, keeps a change as soon as it is read back and "
                "skips the cooldown, as those rules were published; the guards stay."));
  keys.push_back(
      PolicyEntry("rules_period", duration)
          .to(&Policy::rules_period_s)
          .range(0.2, kHour)
          .help("How often the strategy rules looks, at most once a poll. 1 s was published; the "
                "shares and means it compares are taken over this time."));
  keys.push_back(
      PolicyEntry("on_exit", choice)
          .to_choice(&Policy::on_exit, {ExitPolicy::keep, ExitPolicy::revert})
          .help("What an orderly stop of the daemon does with tuned settings. revert: back to the "
                "baseline; the database runs as its owner configured it. keep: they stay until "
                "the database restarts; choose it where an upgrade of the daemon must not be "
                "felt. A crash always leads back to the baseline, by the lease."));
  keys.push_back(
      PolicyEntry("reapply_after_restart", flag)
          .to(&Policy::reapply_after_restart)
          .help("Whether settings kept by trials are applied again after the database restarted "
                "(online changes do not outlive a restart). false: a restart is a fresh start, "
                "the safer choice where operators restart to get rid of trouble. With true a "
                "restart costs no tuned throughput."));
  keys.push_back(
      PolicyEntry("clear_delay_on_revert", flag)
          .to(&Policy::clear_delay_on_revert)
          .help("Whether undoing a trial, or all changes, also gives delayed writers their full "
                "delayed_write_rate back. RocksDB lowers that rate while it delays writes and "
                "remembers it, so a database can stay slower under the settings it had before. "
                "true: the option is set again to the value it has; RocksDB 7.8 then also turns "
                "bytes_per_sync 0 into 1 MiB until the database is opened again, as any change of "
                "a database-wide option does. false: no database-wide option is touched unless "
                "knobs names one."));
  keys.push_back(
      PolicyEntry("memory_budget", size)
          .to(&Policy::memory_budget_bytes)
          .range(4 * kMiB, 64 * kTiB)
          .zero("none stated: nothing may grow memory")
          .help("Upper limit of the database's memory under changed settings: write buffers of all "
                "families when full, block cache, table readers, and compaction buffers. Needed "
                "for mode tune. Larger lets write buffers grow, the strongest lever on write "
                "amplification; too large invites the out-of-memory killer. Count what the "
                "database may use in all, not what may be added."));
  keys.push_back(
      PolicyEntry("max_space_amplification", number)
          .to(&Policy::max_space_amplification)
          .range(1.05, 100)
          .zero("no limit")
          .help("Bytes on disk for each byte of live data that changed settings may lead to. "
                "State it where the disk is nearly full: settings that write less often leave "
                "more dead data. 1.3 is strict, 2 is loose."));
  keys.push_back(
      PolicyEntry("max_levels", integer)
          .to(&Policy::max_levels)
          .range(1, 100)
          .zero("no limit")
          .help("Most levels below L0 that the present data may fill under changed settings. A "
                "read that finds nothing sooner looks into one file of each, and space grows with "
                "their number. A tree that has more already may not get still more."));
  keys.push_back(
      PolicyEntry("max_device_share", share)
          .to(&Policy::max_device_share)
          .range(0.05, 1)
          .zero("no limit")
          .help("Share of the device's time that flushes, compactions and the log may take at the "
                "put rate predicted under changed settings; where it is above that already, no "
                "change may raise it. Only the strategy model predicts it. It limits settings, "
                "not the offered load: a ceiling that always holds needs a rate limiter."));
  keys.push_back(
      PolicyEntry("max_l0_files", integer)
          .to(&Policy::max_l0_files)
          .range(4, 1000)
          .help("Highest level0_slowdown_writes_trigger that a change may set; the stop trigger "
                "stays "
                "within twice this. More L0 files mean larger, fewer compactions and a higher put "
                "rate, but every read may have to look into each of them, and going back takes "
                "longer. Lower it where reads matter; a value found above it is left alone."));
  keys.push_back(
      PolicyEntry("max_debt_growth", share)
          .to(&Policy::max_debt_growth_share)
          .range(0, 1)
          .help("Pending compaction bytes that a change may add, as a share of the tree. Debt buys "
                "throughput now and is paid later; a larger share lets trials succeed on borrowed "
                "time. Rarely needs touching."));
  keys.push_back(
      PolicyEntry("knobs", text_list)
          .with(read_knobs, write_knobs)
          .one_of(knob_names())
          .help("RocksDB options that may be changed. An option not listed is never sent. Removing "
                "one takes it out of the search; the stall limits (level0_slowdown_writes_trigger, "
                "level0_stop_writes_trigger and the pending limits) should stay with the options "
                "that they must follow. Not listed unless you add them: max_background_jobs and "
                "max_subcompactions, which take CPU from others, first_compressed_level, which "
                "changes what the files take on disk, and the rates."));
}

// Clocks of the loop and its guards.
void add_loop(std::vector<Key<Policy>>& keys) {
  keys.push_back(
      PolicyEntry("poll_interval", duration)
          .to(&Policy::poll_interval_s)
          .range(0.2, kMinute)
          .help("How often the database and its device are sampled. A poll reads properties under "
                "the database's mutex for about 0.1 ms a family. Longer is cheaper and sees stalls "
                "later. Rarely needs touching."));
  keys.push_back(
      PolicyEntry("observation", duration)
          .to(&Policy::observation_s)
          .range(0, 30 * kDay)
          .help("How long a database is watched before its first change. It should cover enough "
                "compactions to calibrate the model; on a daily rhythm, a day or more avoids "
                "tuning for the night's load only. 0 s: as soon as the model is calibrated."));
  keys.push_back(
      PolicyEntry("lease", duration)
          .to(&Policy::lease_s)
          .range(2, kHour)
          .help("How long the agent keeps tuned settings without a heartbeat; then it restores the "
                "baseline by itself. At least three poll intervals. Shorter: a dead daemon is "
                "noticed sooner, but a paused one too, at the price of an options call each way. "
                "A restart of the daemon within the lease goes unnoticed by the database."));
  keys.push_back(
      PolicyEntry("apply_deadline", duration)
          .to(&Policy::apply_deadline_s)
          .range(0.1, 10 * kMinute)
          .help("How long an options call may take before it counts as pending. RocksDB 7.8 holds "
                "such calls while writes are stopped; the call stays on its worker and its late "
                "result is still handled. Shorter only reports sooner."));
  keys.push_back(
      PolicyEntry("cooldown", duration)
          .to(&Policy::cooldown_s)
          .range(0, kDay)
          .help("Quiet time after a trial. Longer: slower to adapt, cleaner measurements. Shorter: "
                "the next change may be judged on the wake of the last. A revert never waits for "
                "it. Rarely needs touching."));
  keys.push_back(
      PolicyEntry("minimum_gain", share)
          .to(&Policy::minimum_gain)
          .range(0.001, 1)
          .help("Predicted relative gain below which nothing is proposed. Every change writes an "
                "OPTIONS file and reshapes the tree; lower values buy little for much movement, "
                "and gains below the noise of the load cannot be verified."));
  keys.push_back(
      PolicyEntry("minimum_probability", share)
          .to(&Policy::minimum_probability)
          .range(0.5, 0.999)
          .help("How sure the model must be that the gain reaches minimum_gain. Higher: fewer and "
                "safer trials, chances missed. Lower: more trials, more reverts."));
  keys.push_back(
      PolicyEntry("trust_gate", share)
          .to(&Policy::trust_gate_error)
          .range(0.02, 1)
          .help("Rolling prediction error above which the daemon only watches and says so. Lower "
                "is stricter. Raise it only where a poor model is still better than none: every "
                "change is verified, but each wrong one costs a trial."));
  keys.push_back(
      PolicyEntry("reverts_per_hour_limit", integer)
          .to(&Policy::reverts_per_hour_limit)
          .range(1, 60)
          .help("This many reverts within an hour mean that the daemon does not understand the "
                "database: it goes to the phase safe and stays there until an operator acts. Above "
                "1 no strategy spends the last of them: nothing is tried while one more revert "
                "would be too many."));
  keys.push_back(
      PolicyEntry("trust_region_factor", number)
          .to(&Policy::trust_region_factor)
          .range(1.1, 64)
          .help("One change moves a knob up or down by at most this factor. Smaller: more steps, "
                "each easier to verify and to undo. Larger: faster, into regions where the model "
                "was never checked."));
}

// How a change is judged.
void add_trials(std::vector<Key<Policy>>& keys) {
  keys.push_back(
      PolicyEntry("trial_min_cycles", integer)
          .to(&Policy::trial_min_cycles)
          .range(1, 1000)
          .help("Whole compactions from L0 to the base level that a trial must contain before it "
                "is judged. Write rates swing within a cycle, so fewer cycles mean noisier "
                "verdicts. Two suffice for a demonstration only."));
  keys.push_back(
      PolicyEntry("trial_min", duration)
          .to(&Policy::trial_min_s)
          .range(1, kDay)
          .help("Shortest time over which a change is judged, after settling. At most trial_max."));
  keys.push_back(
      PolicyEntry("trial_max", duration)
          .to(&Policy::trial_max_s)
          .range(1, 7 * kDay)
          .help("Longest time over which a change is judged. A trial without a verdict by then is "
                "inconclusive and is reverted. Longer helps on noisy or slow loads, and keeps an "
                "unproven change in force."));
  keys.push_back(
      PolicyEntry("settle_max", duration)
          .to(&Policy::settle_max_s)
          .range(1, kDay)
          .help("Longest wait after a change for flushes and compactions that were already "
                "running: in RocksDB 7.8 they can undo a change's effect when they end. Raise it "
                "where single compactions take longer."));
  keys.push_back(
      PolicyEntry("failed_memory", duration)
          .to(&Policy::failed_memory_s)
          .range(0, 30 * kDay)
          .help("How long settings that failed a trial, and their near neighbours, are not tried "
                "again under the same class of load. Shorter retries sooner when the load changes "
                "often."));
  keys.push_back(
      PolicyEntry("search_evaluations", integer)
          .to(&Policy::search_evaluations)
          .range(50, 1000000)
          .help("Model evaluations a search may spend. A cap of evaluations, not of time, so that "
                "a recorded search replays exactly. More finds slightly better settings and costs "
                "the daemon CPU time. Rarely needs touching."));
  keys.push_back(
      PolicyEntry("freeze_windows", text_list)
          .with(read_windows, write_windows)
          .check(check_window, "\"HH:MM-HH:MM\" in local time, such as \"22:00-06:00\"")
          .help("Times of day, local, in which nothing is changed. A window may pass midnight. A "
                "revert is still carried out inside one."));
  keys.push_back(
      PolicyEntry("freeze_file", text)
          .to(&Policy::freeze_file)
          .check(check_optional_path, kPathForm)
          .help("Nothing is changed while a file of this name exists: a script that takes a backup "
                "or does maintenance makes it before and removes it after. A trial under way ends "
                "and its settings go back. Looked at with every poll; where it cannot be looked "
                "at, that counts as frozen. The packaged unit sees neither /home nor /tmp, and "
                "/run/lsmtuned is emptied when the service stops: /var/lib/lsmtuned is a good "
                "place. Empty: none."));
}

// A key for a member of a part of the policy. `unit`: of the key's base unit in one of the
// member's.
template <class Part, class T>
PolicyEntry part_entry(const char* name, ValueType type, Part Policy::*part, T Part::*member,
                       double unit = 1) {
  const auto read = [=](const Policy& policy) {
    return KeyValue(static_cast<double>(policy.*part.*member) * unit);
  };
  const auto write = [=](Policy& policy, const KeyValue& value) {
    policy.*part.*member = static_cast<T>(std::get<double>(value) / unit);
  };
  return PolicyEntry(name, type).with(read, write);
}

template <class T>
PolicyEntry phase_entry(const char* name, ValueType type,
                        T model::published::PhaseThresholds::*member, double unit = 1) {
  return part_entry(name, type, &Policy::workload_phases, member, unit);
}

PolicyEntry watch_entry(const char* name, ValueType type, double model::WatchRule::*member) {
  return part_entry(name, type, &Policy::watch, member);
}

// From when on the daemon tells of what it watches beside control.
void add_watch(std::vector<Key<Policy>>& keys) {
  using model::WatchRule;
  keys.push_back(
      watch_entry("watch_fall", share, &WatchRule::fall)
          .range(0.05, 0.9)
          .help("How far put rate (while writers stall), compaction efficiency and what the device "
                "can write may fall below the best of the day before an alert says so. Lower "
                "tells of smaller losses and of more ordinary swings. No setting is changed for "
                "it."));
  keys.push_back(
      watch_entry("watch_use_deviation", share, &WatchRule::use_deviation)
          .range(0.1, 10)
          .help("How far the share of user bytes in the device's bytes may be from what was "
                "learned in the same workload phase, relative to it and either way, before an "
                "alert says so. 50 % was published."));
  keys.push_back(
      watch_entry("watch_hold", duration, &WatchRule::hold_s)
          .range(10, kDay)
          .help("How long something must last before it is told of, and be over before that is. It "
                "should hold several compactions from L0; shorter is told sooner and more often "
                "for nothing. Half of it is the memory of the figures, and debt is followed over "
                "two of it. At least twice sample_interval."));
  keys.push_back(
      watch_entry("watch_span", duration, &WatchRule::span_s)
          .range(10, kDay)
          .help("The best of the day is the best mean over such a time. Before the first is over "
                "nothing is compared. Longer makes a standard that fewer lucky minutes set."));
}

// Where a load counts as being in the phase initial, middle or final.
void add_workload_phases(std::vector<Key<Policy>>& keys) {
  using model::published::PhaseThresholds;
  keys.push_back(
      phase_entry("workload_phase_middle_from", duration, &PhaseThresholds::middle_from_minutes,
                  kMinute)
          .range(0, 30 * kDay)
          .help("Age of the open database from which the clock votes for the workload phase "
                "middle. The phases (initial, middle, final) were published for a fillrandom of "
                "two hours; the clock, the steadiness of the put rate and write amplification "
                "have a vote each. Other loads need their own times, or none: a change of phase "
                "is logged and an unexpected one is an alert, but no setting depends on it."));
  keys.push_back(
      phase_entry("workload_phase_final_from", duration, &PhaseThresholds::final_from_minutes,
                  kMinute)
          .range(0, 30 * kDay)
          .help("Age of the open database from which the clock votes for the workload phase "
                "final. At least workload_phase_middle_from."));
  keys.push_back(phase_entry("workload_phase_initial_variation", share,
                             &PhaseThresholds::initial_above_variation)
                     .range(0, 10)
                     .help("Variation of the put rate (standard deviation over mean) above which "
                           "it votes for the workload phase initial. Raise it for loads that swing "
                           "by nature."));
  keys.push_back(phase_entry("workload_phase_middle_variation", share,
                             &PhaseThresholds::middle_above_variation)
                     .range(0, 10)
                     .help("Variation of the put rate above which it votes for the workload phase "
                           "middle, and up to which for final. At most "
                           "workload_phase_initial_variation."));
  keys.push_back(
      phase_entry("workload_phase_rising_slope", number, &PhaseThresholds::rising_above_slope)
          .range(0, 1000)
          .help("Growth of write amplification a sample above which it counts as rising. A sample "
                "is taken every sample_interval: with longer ones the same growth is a steeper "
                "slope."));
  keys.push_back(phase_entry("workload_phase_final_amplification", number,
                             &PhaseThresholds::final_from_write_amplification)
                     .range(0, 1000)
                     .help("Write amplification from which, while it rises, it votes for the "
                           "workload phase final instead of middle. Deeper trees need more."));
  keys.push_back(
      phase_entry("workload_phase_rate_window", integer, &PhaseThresholds::rate_window)
          .range(2, 1000)
          .help("Samples over which the variation of the put rate is taken. No phase is named "
                "before there are so many, and a new one counts when so many in a row say it: "
                "more of them mean fewer false changes, seen later."));
  keys.push_back(phase_entry("workload_phase_amplification_window", integer,
                             &PhaseThresholds::amplification_window)
                     .range(2, 1000)
                     .help("Samples over which the slope of write amplification is taken. More "
                           "smooth out single compactions."));
}

// A table of its own: the last of its section.
void add_bounds(std::vector<Key<Policy>>& keys) {
  keys.push_back(
      PolicyEntry("bounds", knob_bounds)
          .with(read_bounds, write_bounds)
          .help("Lowest and highest value of single options, narrower than the absolute bounds "
                "below. Use it for what the model cannot know, such as a write buffer that must "
                "flush within a recovery time. Written in a table of its own; a target's table "
                "adds to the defaults' and replaces the bounds of the options it names."));
}

std::vector<Key<Policy>> make_policy_keys() {
  std::vector<Key<Policy>> keys;
  add_permissions(keys);
  add_loop(keys);
  add_trials(keys);
  add_workload_phases(keys);
  add_watch(keys);
  add_bounds(keys);
  return keys;
}

std::vector<Key<TargetConfig>> make_target_keys() {
  std::vector<Key<TargetConfig>> keys;
  keys.push_back(
      TargetEntry("name", text)
          .to(&TargetConfig::name)
          .check(check_target_name, "1 to 64 letters, digits, '.', '_' or '-'")
          .required("main")
          .restart()
          .help("Short name of the target in lsmtunectl, metrics and history. Unique. Renaming "
                "starts a new history."));
  keys.push_back(
      TargetEntry("kind", choice)
          .to_choice(&TargetConfig::kind, {TargetKind::agent, TargetKind::embedded})
          .restart()
          .help("agent: a database inside another process that carries our agent. embedded: a "
                "database that the daemon opens itself; no other process can open it then."));
  keys.push_back(
      TargetEntry("path", text)
          .to(&TargetConfig::path)
          .check(check_absolute_path, kPathForm)
          .required("/var/lib/example/db")
          .restart()
          .help("The database's directory, as RocksDB sees it. Unique. It is compared with what "
                "the agent reports, symbolic links resolved."));
  keys.push_back(
      TargetEntry("statistics", choice)
          .to(&TargetConfig::statistics)
          .one_of(kStatistics)
          .restart()
          .help("Statistics collected in the database. counters: the byte and operation counters "
                "that RocksDB keeps anyway, which is what the model needs and costs a put "
                "nothing. tickers: also RocksDB's tickers: reads, cache hits, bytes of running "
                "jobs. latency: also put latency by percentile. Both cost CPU on every put "
                "(docs/attach.md). none: as counters, but only to be looked at: nothing is tuned. "
                "An embedded target collects them from its open on. Behind "
                "the agent they are added while the database opens, before the daemon is "
                "reached: there LSMTUNED_STATISTICS in the database's environment decides, "
                "and this key states what is expected."));
  return keys;
}

}  // namespace

const std::vector<Key<Policy>>& policy_keys() {
  static const std::vector<Key<Policy>> keys = make_policy_keys();
  return keys;
}

const std::vector<Key<TargetConfig>>& target_keys() {
  static const std::vector<Key<TargetConfig>> keys = make_target_keys();
  return keys;
}

}  // namespace lsmtuned::config
