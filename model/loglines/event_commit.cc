// Tables, ends of compactions and trivial moves: where bytes enter the totals.
#include <algorithm>

#include "model/loglines/event_reader.h"
#include "model/loglines/merge_keys.h"

namespace lsmtuned::model {
namespace {

constexpr double kMicro = 1e-6;

}  // namespace

void EventReader::table_created(EventFields& fields, std::string_view json) {
  const std::string_view family_name = fields.text("\"cf_name\": ");
  const auto number = fields.whole("\"job\": ");
  const auto file = fields.whole("\"file_number\": ");
  const auto bytes = fields.whole("\"file_size\": ");
  if (!number || !file || !bytes) {
    if (!fields.bad()) state_.problems.add(LogProblemKind::torn_event, json);
    return;
  }
  if (find_fast(json, "\"table_properties\": {") == std::string_view::npos) {
    state_.problems.add(LogProblemKind::failed_table, json);
    return;
  }
  const double data_bytes = fields.whole_or_zero("\"data_size\": ");
  const double key_bytes = fields.whole_or_zero("\"raw_key_size\": ");
  const double value_bytes = fields.whole_or_zero("\"raw_value_size\": ");
  const double records = fields.whole_or_zero("\"num_entries\": ");
  if (fields.bad()) return;
  Job* const job = job_of(*number);
  if (job == nullptr) return;
  if (!family_name.empty()) job->family = &state_.family(family_name);
  FamilyState& family = family_of(*job);
  if (job->kind == Kind::unknown) {
    state_.problems.add(LogProblemKind::unknown_job, json);
    state_.result.uncounted_bytes += *bytes;
    return;
  }
  const std::size_t level = job->kind == Kind::compaction ? job->output_level : 0;
  if (!state_.files.put(static_cast<std::uint64_t>(*file),
                        TableFile{*bytes, records, static_cast<std::uint32_t>(level), false}))
    state_.problems.add(LogProblemKind::limit_reached, "live files");
  ++job->tables;
  job->table_bytes += *bytes;
  job->records += records;
  job->raw_key_bytes += key_bytes;
  job->raw_value_bytes += value_bytes;
  LogLevel& at = family.result.levels[level];
  at.table_bytes += *bytes;
  at.table_data_bytes += data_bytes;
  at.raw_bytes += key_bytes + value_bytes;
  at.table_records += records;
  if (job->kind == Kind::compaction) {
    state_.totals.compaction_write_bytes += *bytes;
    state_.largest_table_bytes = std::max(state_.largest_table_bytes, *bytes);
    return;
  }
  state_.totals.flush_bytes += *bytes;
  if (job->kind == Kind::recovery) {
    ++family.result.jobs.recovery_flushes;
    at.flushed_bytes += *bytes;
    ++at.flushed_files;
    state_.add_bytes(family, 0, *bytes, 1, false);
  }
}

void EventReader::compaction_finished(EventFields& fields, const LogLine& line) {
  const auto number = fields.whole("\"job\": ");
  if (!number) return;
  const auto found = jobs_.find(static_cast<std::uint64_t>(*number));
  if (found == jobs_.end() || !found->second.started) {
    state_.problems.add(LogProblemKind::unknown_job, line.text);
    if (found != jobs_.end()) jobs_.erase(found);
    return;
  }
  Job& job = found->second;
  stops_running(job);
  const double micros = fields.whole_or_zero("\"compaction_time_micros\": ");
  auto* const failed = std::find(failed_threads_.begin(), failed_threads_.end(), line.thread);
  if (failed != failed_threads_.end()) {
    *failed = 0;
    ++family_of(job).result.jobs.failed;
    state_.totals.failed_write_bytes += job.table_bytes;
    state_.failed_input_bytes += job.total_input_bytes;
  } else {
    commit(job, fields, line, micros * kMicro);
  }
  jobs_.erase(found);
}

void EventReader::commit(Job& job, EventFields& fields, const LogLine& line, double seconds) {
  FamilyState& family = family_of(job);
  const double cpu_micros = fields.whole_or_zero("\"compaction_time_cpu_micros\": ");
  const auto level = fields.whole("\"output_level\": ");
  const double files = fields.whole_or_zero("\"num_output_files\": ");
  const auto written = fields.whole("\"total_output_size\": ");
  const double records_in = fields.whole_or_zero("\"num_input_records\": ");
  const double records_out = fields.whole_or_zero("\"num_output_records\": ");
  if (fields.bad() || !level || !written) return;
  if (*level >= kMostLogLevels) {
    state_.problems.add(LogProblemKind::limit_reached, line.text);
    return;
  }
  const auto output_level = static_cast<std::size_t>(*level);
  job.output_level = output_level;
  const bool was_late = late(line, family.last_dump_printed_s);
  LogLevel& output = family.result.levels[output_level];
  double read = 0;
  for (std::size_t from = 0; from < kMostLogLevels; ++from) {
    LogLevel& input = family.result.levels[from];
    input.read_bytes += job.input_bytes[from];
    input.read_files += job.input_files[from];
    (from == output_level ? output.read_from_this_bytes : output.read_from_upper_bytes) +=
        job.input_bytes[from];
    read += job.input_bytes[from];
    state_.add_bytes(family, from, -job.input_bytes[from], -job.input_files[from], was_late);
  }
  output.compacted_bytes += *written;
  output.compacted_files += files;
  ++output.jobs;
  output.job_seconds += seconds;
  output.job_cpu_seconds += cpu_micros * kMicro;
  output.records_in += records_in;
  output.records_out += records_out;
  state_.add_bytes(family, output_level, *written, files, was_late);
  state_.totals.compaction_read_bytes += read;
  if (late(line, state_.last_counters_printed_s)) state_.late_events.compaction_read_bytes += read;

  JobCounts& jobs = family.result.jobs;
  if (output_level == 0)
    ++jobs.intra_l0;
  else if (job.input_files[0] > 0)
    ++jobs.l0_to_base;
  else
    ++jobs.deeper;
  if (job.manual) ++jobs.manual;

  const double end_s = state_.event_s(line);
  const double start_s = std::max(0.0, end_s - seconds);
  state_.series.add(start_s, end_s, &ActivityInterval::compaction_read_bytes, read);
  state_.series.add(start_s, end_s, &ActivityInterval::compaction_write_bytes, *written);
  if (output_level > 0 && job.input_files[0] > 0) learn_keys(job, records_out);
  if (output_level > 0) learn_overlap(job);
}

// Only jobs whose runs are all known, each spread over the whole key space: all of L0 and, with it,
// all of the base level that overlaps.
void EventReader::learn_keys(Job& job, double kept) {
  FamilyState& family = family_of(job);
  if (job.runs.empty() || family.result.memtables.deletes > 0) return;
  double records = 0;
  for (const double run : job.runs) records += run;
  family.merged_records += records;
  const double keys = keys_from_merge_of(job.runs, kept);
  if (!(keys > 0)) return;
  const double dropped = records - kept;
  family.dropped_times_keys += dropped * keys;
  family.dropped += dropped;
  ++family.result.distinct_keys_jobs;
}

// o_l of the ledger: from L0, read from the base level / its size; deeper, read from this level /
// (read from above x size of this level / size of the one above).
void EventReader::learn_overlap(const Job& job) {
  FamilyState& family = family_of(job);
  const std::size_t level = job.output_level;
  const double size = job.size_at_start[level];
  if (!(size > 0)) return;
  if (job.input_files[0] > 0) {
    family.overlap_bytes[level] += job.input_bytes[level];
    family.overlap_expected[level] += size;
    return;
  }
  const double above = job.size_at_start[level - 1];
  if (!(above > 0)) return;
  family.overlap_bytes[level] += job.input_bytes[level];
  family.overlap_expected[level] += job.input_bytes[level - 1] * size / above;
}

// "Moving #28 to level-2 2110410 bytes", one line a file, before the event.
void EventReader::moving(const LogLine& line) {
  std::string_view text = line.text;
  if (!skip_prefix(text, "Moving #") || line.family.empty()) return;
  const auto number = read_whole(text);
  if (!number || !skip_prefix(text, " to level-")) return;
  const auto level = read_whole(text);
  if (!level || !skip_prefix(text, " ")) return;
  const auto bytes = read_whole(text);
  if (!bytes || *level >= kMostLogLevels || *level < 1) return;
  FamilyState& family = state_.family(line.family);
  moving_family_ = &family;
  const auto to = static_cast<std::size_t>(*level);
  const auto key = static_cast<std::uint64_t>(*number);
  TableFile file = state_.files.get(key).value_or(
      TableFile{*bytes, 0, static_cast<std::uint32_t>(to - 1), false});
  const std::size_t from = std::min<std::size_t>(file.level, kMostLogLevels - 1);
  file.bytes = *bytes;
  file.level = static_cast<std::uint32_t>(to);
  state_.files.put(key, file);
  family.result.levels[to].moved_in_bytes += *bytes;
  ++family.result.levels[to].moved_in_files;
  family.result.levels[from].moved_out_bytes += *bytes;
  ++family.result.levels[from].moved_out_files;
  const bool was_late = late(line, family.last_dump_printed_s);
  state_.add_bytes(family, from, -*bytes, -1, was_late);
  state_.add_bytes(family, to, *bytes, 1, was_late);
}

void EventReader::trivial_move(EventFields& fields, const LogLine& /*line*/) {
  FamilyState& family = moving_family_ != nullptr ? *moving_family_ : state_.unnamed_family();
  const double files = fields.whole_or_zero("\"files\": ");
  if (fields.bad()) return;
  ++family.result.jobs.trivial_moves;
  family.result.jobs.trivially_moved_files += files;
}

}  // namespace lsmtuned::model
