#include "daemon/control_json.h"

#include <cmath>

#include "controller/going_back.h"
#include "daemon/codec.h"
#include "model/ledger/ledger.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

json::object level_json(const model::LevelStats& level) {
  return {{"files", level.files},
          {"size_bytes", level.size_bytes},
          {"score", level.score},
          {"read_bytes", level.read_bytes},
          {"read_from_upper_bytes", level.read_from_upper_bytes},
          {"read_from_this_bytes", level.read_from_this_bytes},
          {"write_bytes", level.write_bytes},
          {"moved_bytes", level.moved_bytes},
          {"compaction_seconds", level.compaction_seconds},
          {"compaction_cpu_seconds", level.compaction_cpu_seconds},
          {"compaction_count", level.compaction_count},
          {"keys_in", level.keys_in},
          {"keys_dropped", level.keys_dropped},
          {"compression_ratio", level.compression_ratio}};
}

const char* style_text(model::CompactionStyle style) {
  switch (style) {
    case model::CompactionStyle::level:
      return "level";
    case model::CompactionStyle::universal:
      return "universal";
    case model::CompactionStyle::fifo:
      return "fifo";
    case model::CompactionStyle::none:
      return "none";
  }
  return "level";
}

json::object family_json(const model::FamilySnapshot& family) {
  json::array levels;
  for (const model::LevelStats& level : family.levels) levels.push_back(level_json(level));
  const model::FamilyFacts& facts = family.facts;
  const model::StallCauses& stalls = family.stalls;
  return {{"name", family.name},
          {"id", family.id},
          {"facts", json::object{{"style", style_text(facts.style)},
                                 {"min_write_buffer_number_to_merge",
                                  facts.min_write_buffer_number_to_merge},
                                 {"num_levels", facts.num_levels},
                                 {"dynamic_level_bytes", facts.dynamic_level_bytes},
                                 {"disable_auto_compactions", facts.disable_auto_compactions},
                                 {"arena_block_bytes", facts.arena_block_bytes},
                                 {"compression", facts.compression}}},
          {"levels", std::move(levels)},
          {"l0_files", family.levels.empty() ? 0.0 : family.levels[0].files},
          {"immutable_memtables", family.immutable_memtables},
          {"active_memtable_bytes", family.active_memtable_bytes},
          {"all_memtables_bytes", family.all_memtables_bytes},
          {"pending_compaction_bytes", family.pending_compaction_bytes},
          {"base_level", family.base_level},
          {"live_data_bytes", family.live_data_bytes},
          {"sst_bytes", family.sst_bytes},
          {"table_reader_bytes", family.table_reader_bytes},
          {"flush_pending", family.flush_pending},
          {"compaction_pending", family.compaction_pending},
          {"stalls", json::object{{"l0_slowdown", stalls.l0_slowdown},
                                  {"l0_stop", stalls.l0_stop},
                                  {"pending_slowdown", stalls.pending_slowdown},
                                  {"pending_stop", stalls.pending_stop},
                                  {"memtable_slowdown", stalls.memtable_slowdown},
                                  {"memtable_stop", stalls.memtable_stop}}}};
}

json::object counters_json(const model::DatabaseCounters& counters) {
  return {{"user_bytes", counters.user_bytes},
          {"batch_bytes", counters.batch_bytes},
          {"keys_written", counters.keys_written},
          {"wal_bytes", counters.wal_bytes},
          {"flush_write_bytes", counters.flush_write_bytes},
          {"compaction_read_bytes", counters.compaction_read_bytes},
          {"compaction_write_bytes", counters.compaction_write_bytes},
          {"stall_seconds", counters.stall_seconds},
          {"block_cache_hits", counters.block_cache_hits},
          {"block_cache_misses", counters.block_cache_misses},
          {"reads", counters.reads}};
}

json::object database_state_json(const model::DatabaseState& state) {
  return {{"running_flushes", state.running_flushes},
          {"running_compactions", state.running_compactions},
          {"delayed_write_rate", state.delayed_write_rate},
          {"write_stopped", state.write_stopped},
          {"background_errors", state.background_errors},
          {"block_cache_capacity_bytes", state.block_cache_capacity_bytes},
          {"block_cache_usage_bytes", state.block_cache_usage_bytes},
          {"flushes_completed", state.flushes_completed},
          {"compactions_completed", state.compactions_completed},
          {"l0_compactions_completed", state.l0_compactions_completed},
          {"oldest_running_job_s", state.oldest_running_job_s},
          {"running_manual_compactions", state.running_manual_compactions},
          {"range_deletions_flushed", state.range_deletions_flushed},
          {"file_deletions_disabled", state.file_deletions_disabled}};
}

json::object device_json(const model::DeviceSample& device) {
  return {{"name", device.name},
          {"read_bytes", device.read_bytes},
          {"write_bytes", device.write_bytes},
          {"busy_seconds", device.busy_seconds},
          {"weighted_io_seconds", device.weighted_io_seconds},
          {"in_flight", device.in_flight},
          {"free_bytes", device.free_bytes},
          {"pressure_some_seconds", device.pressure_some_seconds},
          {"pressure_is_cgroup", device.pressure_is_cgroup},
          {"process_read_bytes", device.process_read_bytes},
          {"process_write_bytes", device.process_write_bytes},
          {"write_limit_bytes_per_s", device.write_limit_bytes_per_s},
          {"read_limit_bytes_per_s", device.read_limit_bytes_per_s}};
}

json::array histogram_json(const model::LatencyHistogram& histogram) {
  json::array pairs;
  pairs.reserve(histogram.buckets.size() * 2);
  for (const auto& [bucket, count] : histogram.buckets) {
    pairs.push_back(bucket);
    pairs.push_back(count);
  }
  return pairs;
}

const char* severity_text(controller::Alert::Severity severity) {
  switch (severity) {
    case controller::Alert::Severity::info:
      return "info";
    case controller::Alert::Severity::warning:
      return "warning";
    case controller::Alert::Severity::critical:
      return "critical";
  }
  return "info";
}

json::array alerts_json(const std::deque<RaisedAlert>& alerts) {
  json::array list;
  for (const RaisedAlert& raised : alerts)
    list.push_back(json::object{{"wall_time_s", raised.wall_time_s},
                                {"severity", severity_text(raised.alert.severity)},
                                {"code", raised.alert.code},
                                {"text", raised.alert.text}});
  return list;
}

json::object now_json(const model::Snapshot& snapshot, const model::Interval& interval) {
  double l0_files = 0;
  double pending = 0;
  double tree = 0;
  double immutable_memtables = 0;
  for (const model::FamilySnapshot& family : snapshot.families) {
    if (!family.levels.empty()) l0_files = std::max(l0_files, family.levels[0].files);
    pending += family.pending_compaction_bytes;
    immutable_memtables = std::max(immutable_memtables, family.immutable_memtables);
    for (const model::LevelStats& level : family.levels) tree += level.size_bytes;
  }
  json::object now{{"put_bytes_per_s", interval.put_bytes_per_s},
                   {"put_ops_per_s", interval.put_ops_per_s},
                   {"stall_share", interval.stall_share},
                   {"write_amplification", interval.write_amplification},
                   {"device_write_bytes_per_s", interval.device_write_bytes_per_s},
                   {"device_read_bytes_per_s", interval.device_read_bytes_per_s},
                   {"device_busy_share", interval.device_busy_share},
                   {"valid", interval.valid},
                   {"l0_files", l0_files},
                   {"pending_bytes", pending},
                   {"tree_bytes", tree},
                   {"immutable_memtables", immutable_memtables},
                   {"write_stopped", snapshot.state.write_stopped},
                   {"delayed_write_rate", snapshot.state.delayed_write_rate},
                   {"background_errors", snapshot.state.background_errors}};
  return now;
}

json::object watched_json(const model::Course& course, double now_s) {
  json::object object;
  const auto add = [&](model::Watched what, const std::optional<double>& recent,
                       const std::optional<double>& standard, const model::Condition& condition) {
    json::object figure{{"recent", nullptr}, {"standard", nullptr}, {"raised_for_s", nullptr}};
    if (recent) figure["recent"] = *recent;
    if (standard) figure["standard"] = *standard;
    if (condition.raised) figure["raised_for_s"] = std::max(0.0, now_s - condition.since_s);
    object[model::to_text(what)] = std::move(figure);
  };
  const auto trend = [&](model::Watched what, const model::Trend& its) {
    add(what, its.recent, its.standard, its.condition);
  };
  trend(model::Watched::put_rate, course.put_rate);
  trend(model::Watched::write_bandwidth, course.write_bandwidth);
  trend(model::Watched::compaction_efficiency, course.compaction_efficiency);
  add(model::Watched::device_use, course.use.recent, course.use.expected, course.use.condition);
  add(model::Watched::debt, course.debt.share, 1, course.debt.condition);
  json::array suspects;
  for (const model::Suspect& suspect : course.suspects)
    suspects.push_back(json::object{
        {"name", suspect.name}, {"share", suspect.share}, {"evidence", suspect.evidence}});
  object["suspects"] = std::move(suspects);
  object["good_moment_known"] = course.normal.has_value();
  json::array levels;
  for (const model::LevelAmplification& level : model::amplification(course.levels))
    levels.push_back(json::object{{"write", level.write}, {"read", level.read}});
  object["level_amplification"] = std::move(levels);
  return object;
}

json::array model_accuracy_json(const controller::State& state) {
  json::array list;
  for (const controller::ModelAccuracy& known : state.model_accuracy)
    list.push_back(json::object{{"model", known.model},
                                {"accuracy", known.accuracy},
                                {"spans", known.spans},
                                {"low", known.accuracy < controller::kLowAccuracy},
                                {"predicted_bytes_per_s", known.predicted_bytes_per_s},
                                {"measured_bytes_per_s", known.measured_bytes_per_s}});
  return list;
}

}  // namespace

json::object snapshot_json(const model::Snapshot& snapshot) {
  json::array families;
  for (const model::FamilySnapshot& family : snapshot.families)
    families.push_back(family_json(family));
  json::object object{{"target", snapshot.target},
                      // A string: it uses all 64 bits, which JSON numbers do not keep everywhere.
                      {"incarnation", std::to_string(snapshot.incarnation)},
                      {"time_s", snapshot.time_s},
                      {"wall_time_s", snapshot.wall_time_s},
                      {"database_uptime_s", snapshot.database_uptime_s},
                      {"settings", to_json(snapshot.settings)},
                      {"families", std::move(families)},
                      {"counters", counters_json(snapshot.counters)},
                      {"state", database_state_json(snapshot.state)},
                      {"put_latency", histogram_json(snapshot.put_latency)},
                      {"write_stall", histogram_json(snapshot.write_stall)}};
  if (snapshot.device)
    object["device"] = device_json(*snapshot.device);
  else
    object["device"] = nullptr;
  return object;
}

json::object summary_json(const TargetRunner& runner) {
  const controller::State& state = runner.state();
  json::object object{{"name", runner.name()},
                      {"attached", runner.target() != nullptr},
                      {"phase", controller::to_text(state.phase)},
                      {"mode", config::to_text(controller::effective_policy(state).mode)},
                      {"making_progress", runner.made_progress()}};
  if (runner.target()) {
    const actuators::TargetInfo& info = runner.target()->info();
    object["kind"] = info.kind;
    object["path"] = info.path;
    object["database_id"] = info.database_id;
    object["incarnation"] = std::to_string(info.incarnation);
    object["rocksdb_version"] = info.rocksdb_version;
    object["executable"] = info.executable;
    object["pid"] = info.pid;
    object["statistics"] = info.statistics;
    object["rate_limiter"] = info.rate_limiter;
  }
  return object;
}

json::object status_json(const TargetRunner& runner, double now_s) {
  const controller::State& state = runner.state();
  const config::Policy policy = controller::effective_policy(state);
  json::object object = summary_json(runner);
  object["target"] = runner.name();
  object["phase_since_s"] = std::max(0.0, now_s - state.phase_since_s);
  object["attached_for_s"] = state.attached ? std::max(0.0, now_s - state.attached_since_s) : 0.0;
  object["mode_configured"] = config::to_text(state.policy.mode);
  object["objective"] = config::to_text(policy.objective);
  object["on_exit"] = config::to_text(policy.on_exit);
  object["frozen"] = state.persistent.frozen_by_operator;
  object["frozen_by"] = state.persistent.frozen_by;
  object["freeze_file"] =
      runner.freeze_file_present() ? json::value(state.policy.freeze_file) : nullptr;
  object["storm_latched"] = state.persistent.storm_latched;
  object["safe_reason"] = state.safe_reason;
  object["last_noop_reason"] = state.last_noop_reason;
  object["failed_observation"] = runner.last_failure();
  object["search_running"] = state.search_running;

  object["prediction"] =
      state.current_prediction ? json::value(to_json(*state.current_prediction)) : nullptr;
  object["prediction_error"] =
      state.prediction_error_known ? json::value(state.prediction_error) : nullptr;
  object["prediction_scale"] = std::exp(state.persistent.prediction_bias);
  object["model_accuracy"] = model_accuracy_json(state);
  object["trust"] = json::object{
      {"limit", policy.trust_gate_error},
      {"open", !state.prediction_error_known || state.prediction_error <= policy.trust_gate_error}};
  object["measured"] = to_json(state.current_measure);
  if (const model::Snapshot* latest = runner.latest()) {
    const model::Interval& interval = runner.latest_interval();
    object["now"] = now_json(*latest, interval);
    object["device_utilisation_v4"] = model::device_utilisation_v4(
        interval.put_bytes_per_s,
        interval.device_write_bytes_per_s + interval.device_read_bytes_per_s);
    object["settings"] = to_json(latest->settings);
  } else {
    object["now"] = nullptr;
    object["device_utilisation_v4"] = 0.0;
    object["settings"] = nullptr;
  }
  object["baseline"] = to_json(state.persistent.baseline);
  object["kept"] = to_json(state.persistent.kept);
  const controller::CostOfGoingBack going_back = controller::cost_of_going_back(state);
  object["going_back"] = json::object{{"pending_bytes", going_back.pending_bytes},
                                      {"seconds", going_back.seconds},
                                      {"text", controller::describe(going_back)}};
  object["turn"] = nullptr;
  if (state.turn)
    object["turn"] = json::object{{"may_change", state.turn->may_change},
                                  {"memory_budget_bytes", state.turn->memory_budget_bytes},
                                  {"waits_for", state.turn->waits_for}};
  object["candidate"] = nullptr;
  if (const auto& candidate = state.candidate)
    object["candidate"] =
        json::object{{"changes", to_json(candidate->proposal.changes)},
                     {"explanation", candidate->proposal.explanation},
                     {"found_s_ago", std::max(0.0, now_s - candidate->found_at_s)},
                     {"waits_for", candidate->waits_for}};
  object["trial"] = state.trial ? json::value(to_json(state.trial->decision)) : nullptr;
  if (runner.last_decision()) {
    json::object last = to_json(*runner.last_decision());
    last.erase("considered");
    object["last_decision"] = std::move(last);
  } else {
    object["last_decision"] = nullptr;
  }
  object["workload_class"] = model::to_text(state.workload.workload);
  object["workload_phase"] = nullptr;
  if (const auto& watched = runner.watch().workload_phase(); watched.phase)
    object["workload_phase"] = json::object{{"phase", model::published::to_text(*watched.phase)},
                                            {"since_s", std::max(0.0, now_s - watched.since_s)}};
  object["watched"] = watched_json(runner.watch().course(), now_s);
  object["calibration"] = to_json(state.persistent.calibration);
  object["alerts"] = alerts_json(runner.alerts());
  return object;
}

json::object sample_json(const SampleRow& row) {
  return {{"target", row.target},
          {"wall_time_s", row.wall_time_s},
          {"phase", row.phase},
          {"put_bytes_per_s", row.put_bytes_per_s},
          {"put_ops_per_s", row.put_ops_per_s},
          {"stall_share", row.stall_share},
          {"predicted_put_bytes_per_s", row.predicted_put_bytes_per_s},
          {"l0_files", row.l0_files},
          {"pending_bytes", row.pending_bytes},
          {"tree_bytes", row.tree_bytes},
          {"write_amplification", row.write_amplification},
          {"device_write_bytes_per_s", row.device_write_bytes_per_s},
          {"device_read_bytes_per_s", row.device_read_bytes_per_s}};
}

}  // namespace lsmtuned::daemon
