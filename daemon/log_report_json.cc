#include <utility>

#include "daemon/log_report.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
using model::LogAnalysis;
using model::LogFamily;
using model::LogLevel;

json::object level_json(const LogLevel& level) {
  return {{"files", level.live_files},
          {"bytes", level.live_bytes},
          {"flushed_bytes", level.flushed_bytes},
          {"flushed_files", level.flushed_files},
          {"compacted_bytes", level.compacted_bytes},
          {"compacted_files", level.compacted_files},
          {"read_bytes", level.read_bytes},
          {"read_files", level.read_files},
          {"read_from_upper_bytes", level.read_from_upper_bytes},
          {"read_from_this_bytes", level.read_from_this_bytes},
          {"moved_in_bytes", level.moved_in_bytes},
          {"moved_in_files", level.moved_in_files},
          {"moved_out_bytes", level.moved_out_bytes},
          {"moved_out_files", level.moved_out_files},
          {"jobs", level.jobs},
          {"job_seconds", level.job_seconds},
          {"job_cpu_seconds", level.job_cpu_seconds},
          {"records_in", level.records_in},
          {"records_out", level.records_out},
          {"table_bytes", level.table_bytes},
          {"table_data_bytes", level.table_data_bytes},
          {"raw_bytes", level.raw_bytes},
          {"table_records", level.table_records}};
}

json::object dump_level_json(const model::DumpLevel& level) {
  return {{"files", level.files},
          {"files_in_jobs", level.files_in_jobs},
          {"size_bytes", level.stats.size_bytes},
          {"score", level.stats.score},
          {"read_bytes", level.stats.read_bytes},
          {"read_from_upper_bytes", level.stats.read_from_upper_bytes},
          {"read_from_this_bytes", level.stats.read_from_this_bytes},
          {"write_bytes", level.stats.write_bytes},
          {"new_bytes", level.new_bytes},
          {"moved_bytes", level.stats.moved_bytes},
          {"write_amplification", level.write_amplification},
          {"compaction_seconds", level.stats.compaction_seconds},
          {"compaction_cpu_seconds", level.stats.compaction_cpu_seconds},
          {"compaction_count", level.stats.compaction_count},
          {"keys_in", level.stats.keys_in},
          {"keys_dropped", level.stats.keys_dropped}};
}

json::object job_counts_json(const model::JobCounts& jobs) {
  return {{"flushes", jobs.flushes},
          {"recovery_flushes", jobs.recovery_flushes},
          {"l0_to_base", jobs.l0_to_base},
          {"intra_l0", jobs.intra_l0},
          {"deeper", jobs.deeper},
          {"trivial_moves", jobs.trivial_moves},
          {"trivially_moved_files", jobs.trivially_moved_files},
          {"failed", jobs.failed},
          {"unfinished", jobs.unfinished},
          {"manual", jobs.manual}};
}

json::object stalls_json(const model::StallTotals& stalls) {
  json::object causes;
  for (std::size_t i = 0; i < model::kStallCauses; ++i)
    causes[to_text(static_cast<model::LoggedStallCause>(i))] =
        json::object{{"delayed_s", stalls.delayed_s[i]},
                     {"stopped_s", stalls.stopped_s[i]},
                     {"delay_lines", stalls.delay_lines[i]},
                     {"stop_lines", stalls.stop_lines[i]}};
  return {{"total_s", stalls.total_s()},
          {"spans", stalls.spans},
          {"longest_span_s", stalls.longest_span_s},
          {"longest_stop_s", stalls.longest_stop_s},
          {"by_cause", std::move(causes)}};
}

json::object settings_json(const model::KnobValues& values) {
  json::object settings;
  for (const model::KnobInfo& knob : model::all_knobs())
    if (const auto value = values.get(knob.knob)) settings[knob.option] = *value;
  return settings;
}

const char* style_name(model::CompactionStyle style) {
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

json::object facts_json(const model::FamilyFacts& facts) {
  return {{"style", style_name(facts.style)},
          {"num_levels", facts.num_levels},
          {"min_write_buffer_number_to_merge", facts.min_write_buffer_number_to_merge},
          {"dynamic_level_bytes", facts.dynamic_level_bytes},
          {"disable_auto_compactions", facts.disable_auto_compactions},
          {"arena_block_bytes", facts.arena_block_bytes},
          {"compression", facts.compression}};
}

json::object memtables_json(const model::MemtableTotals& totals) {
  return {{"records", totals.records},
          {"deletes", totals.deletes},
          {"user_bytes", totals.user_bytes},
          {"memory_bytes", totals.memory_bytes},
          {"file_records", totals.file_records},
          {"file_bytes", totals.file_bytes},
          {"raw_key_bytes", totals.raw_key_bytes},
          {"raw_value_bytes", totals.raw_value_bytes}};
}

json::array numbers_json(const std::vector<double>& values) {
  json::array list;
  for (const double value : values) list.push_back(value);
  return list;
}

json::object family_json(const LogFamily& family) {
  json::array levels;
  for (const LogLevel& level : family.levels) levels.push_back(level_json(level));
  json::array last_dump;
  for (const model::DumpLevel& level : family.last_dump)
    last_dump.push_back(dump_level_json(level));
  json::array rates;
  for (const model::LoggedRate& rate : family.rates)
    rates.push_back(json::object{{"time_s", rate.time_s},
                                 {"delayed_write_rate", rate.delayed_write_rate},
                                 {"stopped", rate.stopped},
                                 {"cause", to_text(rate.cause)},
                                 {"merged", rate.merged}});
  return {{"name", family.name},
          {"levels", std::move(levels)},
          {"jobs", job_counts_json(family.jobs)},
          {"memtables", memtables_json(family.memtables)},
          {"settings", settings_json(family.settings)},
          {"facts", facts_json(family.facts)},
          {"stalls", stalls_json(family.stalls)},
          {"rates", std::move(rates)},
          {"last_dump", std::move(last_dump)},
          {"last_dump_time_s", family.last_dump_time_s},
          {"last_dump_sum", dump_level_json(family.last_dump_sum)},
          {"dump_flush_bytes", family.dump_flush_bytes},
          {"dump_ingest_bytes", family.dump_ingest_bytes},
          {"immutable_memtables", family.immutable_memtables},
          {"distinct_keys", family.distinct_keys},
          {"distinct_keys_jobs", family.distinct_keys_jobs},
          {"overlap", numbers_json(family.overlap)}};
}

json::object events_json(const model::EventTotals& events) {
  return {{"user_bytes", events.user_bytes},
          {"records", events.records},
          {"flush_bytes", events.flush_bytes},
          {"compaction_read_bytes", events.compaction_read_bytes},
          {"compaction_write_bytes", events.compaction_write_bytes},
          {"failed_write_bytes", events.failed_write_bytes}};
}

json::array checks_json(const std::vector<model::LedgerCheck>& checks) {
  json::array list;
  for (const model::LedgerCheck& check : checks)
    list.push_back(json::object{{"name", check.name},
                                {"left_counts", check.left_counts},
                                {"right_counts", check.right_counts},
                                {"left", check.left},
                                {"right", check.right},
                                {"resolution", check.resolution},
                                {"open_term", check.open_term},
                                {"open_bytes", check.open_bytes},
                                {"open_left_bytes", check.open_left_bytes},
                                {"residual", check.residual()},
                                {"residual_share", check.residual_share()},
                                {"closes", check.closes()}});
  return list;
}

json::array amplification_json(const std::vector<model::AmplificationView>& views) {
  json::array list;
  for (const model::AmplificationView& view : views)
    list.push_back(json::object{{"source", view.source},
                                {"counts", view.counts},
                                {"written_bytes", view.written_bytes},
                                {"per_bytes", view.per_bytes},
                                {"write_amplification", view.value()}});
  return list;
}

json::array analysis_series_json(const LogAnalysis& analysis) {
  json::array list;
  for (std::size_t i = 0; i < analysis.series.size(); ++i) {
    const model::ActivityInterval& at = analysis.series[i];
    list.push_back(json::object{{"time_s", static_cast<double>(i) * analysis.interval_s},
                                {"user_bytes", at.user_bytes},
                                {"flush_bytes", at.flush_bytes},
                                {"compaction_read_bytes", at.compaction_read_bytes},
                                {"compaction_write_bytes", at.compaction_write_bytes},
                                {"delayed_s", at.delayed_s},
                                {"stopped_s", at.stopped_s},
                                {"l0_files_mean", at.l0_file_seconds / analysis.interval_s}});
  }
  return list;
}

json::array problems_json(const LogAnalysis& analysis) {
  json::array list;
  for (const model::LogProblem& problem : analysis.problems) {
    json::array places;
    for (const auto& place : problem.places)
      places.push_back(json::object{{"file", place.file}, {"line", place.line}});
    list.push_back(json::object{{"problem", to_text(problem.kind)},
                                {"count", problem.count},
                                {"places", std::move(places)},
                                {"example", problem.example}});
  }
  return list;
}

json::object lines_json(const model::LineCounts& lines) {
  return {{"total", lines.total},        {"bytes", lines.bytes},
          {"events", lines.events},      {"ignored_events", lines.ignored_events},
          {"stalls", lines.stalls},      {"dumps", lines.dumps},
          {"options", lines.options},    {"messages", lines.messages},
          {"continued", lines.continued}};
}

}  // namespace

json::object to_json(const LogAnalysis& analysis) {
  json::array families;
  for (const LogFamily& family : analysis.families) families.push_back(family_json(family));
  json::object object{{"rocksdb_version", analysis.rocksdb_version},
                      {"database_id", analysis.database_id},
                      {"opens", analysis.opens},
                      {"duration_s", analysis.duration_s},
                      {"lines", lines_json(analysis.lines)},
                      {"families", std::move(families)},
                      {"database_settings", settings_json(analysis.database_settings)},
                      {"events", events_json(analysis.events)},
                      {"uncounted_bytes", analysis.uncounted_bytes},
                      {"checks", checks_json(analysis.checks)},
                      {"write_amplification", amplification_json(analysis.amplification)},
                      {"interval_s", analysis.interval_s},
                      {"series", analysis_series_json(analysis)},
                      {"stall_l0_correlation", analysis.stall_l0_correlation},
                      {"stall_amplification_correlation", analysis.stall_amplification_correlation},
                      {"problems", problems_json(analysis)}};
  if (!analysis.have_counters) {
    object["counters"] = nullptr;
    return object;
  }
  const model::LogCounters& counters = analysis.counters;
  object["counters"] = json::object{{"exact", analysis.exact_counters},
                                    {"until_s", analysis.counters_time_s},
                                    {"batch_bytes", counters.batch_bytes},
                                    {"keys", counters.keys},
                                    {"wal_bytes", counters.wal_bytes},
                                    {"flush_write_bytes", counters.flush_write_bytes},
                                    {"compaction_read_bytes", counters.compaction_read_bytes},
                                    {"compaction_write_bytes", counters.compaction_write_bytes},
                                    {"stall_seconds", counters.stall_seconds}};
  object["events_at_counters"] = events_json(analysis.events_at_counters);
  return object;
}

json::object to_json(const model::CounterTables& tables) {
  json::array families;
  for (const model::CounterFamily& family : tables.families) {
    json::array levels;
    for (const model::CounterLevel& level : family.levels)
      levels.push_back(json::object{{"files", level.stats.files},
                                    {"size_bytes", level.stats.size_bytes},
                                    {"score", level.stats.score},
                                    {"read_bytes", level.stats.read_bytes},
                                    {"read_from_upper_bytes", level.stats.read_from_upper_bytes},
                                    {"read_from_this_bytes", level.stats.read_from_this_bytes},
                                    {"write_bytes", level.stats.write_bytes},
                                    {"moved_bytes", level.stats.moved_bytes},
                                    {"compaction_seconds", level.stats.compaction_seconds},
                                    {"compaction_count", level.stats.compaction_count},
                                    {"write_amplification", level.write_amplification},
                                    {"write_share", level.write_share},
                                    {"read_write_ratio", level.read_write_ratio}});
    families.push_back(json::object{{"name", family.name}, {"levels", std::move(levels)}});
  }
  const model::DatabaseCounters& counters = tables.counters;
  return {{"seconds", tables.seconds},
          {"families", std::move(families)},
          {"counters", json::object{{"user_bytes", counters.user_bytes},
                                    {"wal_bytes", counters.wal_bytes},
                                    {"flush_write_bytes", counters.flush_write_bytes},
                                    {"compaction_read_bytes", counters.compaction_read_bytes},
                                    {"compaction_write_bytes", counters.compaction_write_bytes},
                                    {"stall_seconds", counters.stall_seconds}}},
          {"checks", checks_json(tables.checks)},
          {"write_amplification", amplification_json(tables.amplification)}};
}

json::object to_json(const model::ModelParameters& parameters) {
  const model::Problem& problem = parameters.problem;
  const model::Workload& load = problem.workload;
  const model::TreeConstants& known = problem.constants;
  json::array levels;
  for (const model::LevelShape& level : problem.tree.levels)
    levels.push_back(json::object{{"bytes", level.bytes}, {"files", level.files}});
  json::object workload{
      {"key_bytes", load.key_bytes},
      {"value_bytes", load.value_bytes},
      {"distinct_keys", load.distinct_keys},
      {"offered_bytes_per_s", "saturating"},
      {"order", load.order == model::KeyOrder::sequential ? "sequential" : "uniform"}};
  json::object device;
  if (problem.device.write_bytes_per_s > 0)
    device["write_bytes_per_s"] = problem.device.write_bytes_per_s;
  json::object calibration{{"file_bytes_per_record", known.file_bytes_per_record},
                           {"level_compression", numbers_json(known.level_compression)},
                           {"memtable_bytes_per_record", known.memtable_bytes_per_record},
                           {"wal_bytes_per_user_byte", known.wal_bytes_per_user_byte},
                           {"cpu_seconds_per_byte", known.cpu_seconds_per_byte},
                           {"cpu_seconds_per_record", known.cpu_seconds_per_record},
                           {"arena_block_bytes", known.arena_block_bytes},
                           {"overlap", numbers_json(known.overlap)}};
  if (known.foreground_bytes_per_s > 0)
    calibration["foreground_bytes_per_s"] = known.foreground_bytes_per_s;
  return {{"settings", settings_json(problem.settings)},
          {"facts", facts_json(problem.facts)},
          {"tree", json::object{{"levels", std::move(levels)},
                                {"immutable_memtables", problem.tree.immutable_memtables}}},
          {"workload", std::move(workload)},
          {"device", std::move(device)},
          {"calibration", std::move(calibration)},
          {"horizon_s", problem.horizon_s}};
}

}  // namespace lsmtuned::daemon
