#include "model/loglines/event_reader.h"

#include <algorithm>
#include <cstddef>

#include "model/loglines/merge_keys.h"
#include "model/loglines/stats_dump.h"

namespace lsmtuned::model {
namespace {

constexpr std::string_view kEvent = "\"event\": ";
constexpr std::string_view kJob = "\"job\": ";
constexpr std::string_view kTotalInput = "\"input_data_size\": ";

double varint_bytes(double value) {
  double bytes = 1;
  for (; value >= 128; value /= 128) ++bytes;
  return bytes;
}

std::size_t level_index(double level) {
  return static_cast<std::size_t>(std::min(level, double{kMostLogLevels}));
}

}  // namespace

EventReader::Job* EventReader::job_of(double number) {
  const auto key = static_cast<std::uint64_t>(number);
  const auto found = jobs_.find(key);
  if (found != jobs_.end()) return &found->second;
  if (jobs_.size() >= kMostJobs) {
    state_.problems.add(LogProblemKind::limit_reached, "jobs without an end");
    return nullptr;
  }
  Job& made = jobs_[key];
  made.start_s = state_.now_s();
  return &made;
}

FamilyState& EventReader::family_of(const Job& job) {
  return job.family != nullptr ? *job.family : state_.unnamed_family();
}

bool EventReader::late(const LogLine& line, double printed_s) const {
  return printed_s >= 0 && line.event_time_s < printed_s && line.time_s >= printed_s;
}

void EventReader::forget_jobs() {
  LogAnalysis& result = state_.result;
  for (auto& [number, job] : jobs_) {
    if (job.kind == Kind::recovery) continue;
    if (job.started) ++family_of(job).result.jobs.unfinished;
    (job.kind == Kind::flush ? result.unfinished_flush_bytes
                             : result.unfinished_compaction_bytes) += job.table_bytes;
  }
  jobs_.clear();
  state_.running_compactions = 0;
  state_.running_input_bytes = 0;
  failed_threads_.fill(0);
}

void EventReader::stops_running(const Job& job) {
  if (job.kind != Kind::compaction || !job.started) return;
  state_.running_compactions -= 1;
  state_.running_input_bytes -= job.total_input_bytes;
}

void EventReader::event(const LogLine& line, std::string_view json) {
  EventFields fields(json);
  LineCounts& lines = state_.result.lines;
  const bool creation = find_fast(json, ": {") != std::string_view::npos;
  if (!fields.complete(creation ? 1 : 0)) {
    state_.problems.add(LogProblemKind::torn_event, json);
    return;
  }
  const std::string_view name = EventFields(json).text(kEvent);
  ++lines.events;
  if (name == "table_file_creation") {
    table_created(fields, json);
  } else if (name == "table_file_deletion") {
    const auto number = fields.whole("\"file_number\": ");
    if (number) state_.files.erase(static_cast<std::uint64_t>(*number));
  } else if (name == "flush_started") {
    flush_started(fields);
  } else if (name == "flush_finished") {
    flush_finished(fields, line);
  } else if (name == "compaction_started") {
    compaction_started(fields);
  } else if (name == "compaction_finished") {
    compaction_finished(fields, line);
  } else if (name == "trivial_move") {
    trivial_move(fields, line);
  } else if (name == "recovery_started") {
    if (Job* job = job_of(fields.whole_or_zero(kJob))) job->kind = Kind::recovery;
  } else if (name == "recovery_finished") {
    jobs_.erase(static_cast<std::uint64_t>(fields.whole_or_zero(kJob)));
  } else if (name == "blob_file_creation") {
    state_.problems.add(LogProblemKind::outside_the_ledger, json);
  } else if (name.empty()) {
    --lines.events;
    state_.problems.add(LogProblemKind::torn_event, json);
  } else {
    --lines.events;
    ++lines.ignored_events;
  }
  if (fields.bad()) state_.problems.add(LogProblemKind::bad_number, json);
}

void EventReader::flushing(const LogLine& line) {
  if (line.job == 0 || line.family.empty()) return;
  if (Job* job = job_of(static_cast<double>(line.job))) job->family = &state_.family(line.family);
}

void EventReader::flush_started(EventFields& fields) {
  const auto number = fields.whole(kJob);
  const double records = fields.whole_or_zero("\"num_entries\": ");
  const double deletes = fields.whole_or_zero("\"num_deletes\": ");
  const double data_bytes = fields.whole_or_zero("\"total_data_size\": ");
  const double memory_bytes = fields.whole_or_zero("\"memory_usage\": ");
  if (!number || fields.bad()) return;
  Job* const job = job_of(*number);
  if (job == nullptr) return;
  job->kind = Kind::flush;
  job->started = true;
  job->start_s = state_.now_s();
  job->memtable_records = records;
  job->memtable_deletes = deletes;
  job->memtable_data_bytes = data_bytes;
  job->memtable_memory_bytes = memory_bytes;
}

// Memtable data is, per record, a varint and the internal key (8 bytes more than the user's), a
// varint and the value; the varints' sizes come from the file's mean key and value.
void EventReader::flush_finished(EventFields& fields, const LogLine& line) {
  const auto number = fields.whole(kJob);
  if (!number) return;
  const auto found = jobs_.find(static_cast<std::uint64_t>(*number));
  if (found == jobs_.end() || !found->second.started) {
    state_.problems.add(LogProblemKind::unknown_job, line.text);
    if (found != jobs_.end()) jobs_.erase(found);
    return;
  }
  Job& job = found->second;
  FamilyState& family = family_of(job);
  const double end_s = state_.event_s(line);
  const double key = job.records > 0 ? job.raw_key_bytes / job.records : 0;
  const double value = job.records > 0 ? job.raw_value_bytes / job.records : 0;
  const double overhead = 8 + varint_bytes(key) + varint_bytes(value);
  const double user_bytes =
      std::max(0.0, job.memtable_data_bytes - job.memtable_records * overhead);

  MemtableTotals& totals = family.result.memtables;
  totals.records += job.memtable_records;
  totals.deletes += job.memtable_deletes;
  totals.user_bytes += user_bytes;
  totals.memory_bytes += job.memtable_memory_bytes;
  totals.file_records += job.records;
  totals.file_bytes += job.table_bytes;
  totals.raw_key_bytes += job.raw_key_bytes;
  totals.raw_value_bytes += job.raw_value_bytes;
  ++family.result.jobs.flushes;
  family.result.immutable_memtables = fields.whole_or_zero("\"immutable_memtables\": ");

  LogLevel& l0 = family.result.levels[0];
  l0.flushed_bytes += job.table_bytes;
  l0.flushed_files += job.tables;
  state_.add_bytes(family, 0, job.table_bytes, job.tables, late(line, family.last_dump_printed_s));
  state_.totals.user_bytes += user_bytes;
  state_.totals.records += job.memtable_records;
  if (late(line, state_.last_counters_printed_s)) {
    state_.late_events.user_bytes += user_bytes;
    state_.late_events.records += job.memtable_records;
  }
  state_.series.add(family.memtable_since_s, job.start_s, &ActivityInterval::user_bytes,
                    user_bytes);
  family.memtable_since_s = job.start_s;
  state_.series.add(job.start_s, end_s, &ActivityInterval::flush_bytes, job.table_bytes);

  const double keys =
      job.memtable_deletes > 0 ? 0 : keys_from_draws(job.memtable_records, job.records);
  const double dropped = std::max(0.0, job.memtable_records - job.records);
  family.merged_records += job.memtable_records;
  if (keys > 0) {
    family.dropped_times_keys += dropped * keys;
    family.dropped += dropped;
    ++family.result.distinct_keys_jobs;
  }
  jobs_.erase(found);
}

void EventReader::compacting(const LogLine& line) {
  if (line.job == 0 || line.family.empty()) return;
  Job* const job = job_of(static_cast<double>(line.job));
  if (job == nullptr) return;
  job->family = &state_.family(line.family);
  job->kind = Kind::compaction;
  // "Compacting 4@0 + 4@1 files to L1, score 1.00"
  compacting_thread_ = line.thread;
  compacting_levels_.clear();
  std::string_view text = line.text;
  skip_prefix(text, "Compacting ");
  while (compacting_levels_.size() < kMostLogLevels) {
    const auto files = read_whole(text);
    if (!files || !skip_prefix(text, "@")) break;
    const auto level = read_whole(text);
    if (!level) break;
    compacting_levels_.push_back(static_cast<std::uint32_t>(level_index(*level)));
    if (!skip_prefix(text, " + ")) break;
  }
  const auto output = number_after(text, " files to L");
  if (output && *output < kMostLogLevels) job->output_level = level_index(*output);
}

// "Compaction start summary: Base version 11 Base level 0, inputs: [27(2051KB) 25(2055KB)],
// [16(..." Sizes of files that were made before the LOG begins.
void EventReader::compaction_summary(const LogLine& line) {
  if (line.thread != compacting_thread_) return;
  std::string_view text = line.text;
  const std::size_t begin = text.find("inputs: ");
  if (begin == std::string_view::npos) return;
  text.remove_prefix(begin + 8);
  for (const std::uint32_t level : compacting_levels_) {
    if (!skip_prefix(text, "[")) break;
    while (true) {
      const auto number = read_whole(text);
      if (!number || !skip_prefix(text, "(")) break;
      const auto bytes = read_human_bytes(text);
      if (!bytes || !skip_prefix(text, ")")) break;
      const auto key = static_cast<std::uint64_t>(*number);
      if (!state_.files.get(key)) {
        state_.problems.add(LogProblemKind::unknown_file, line.text);
        state_.files.put(key, TableFile{*bytes, 0, level, true});
      }
      skip_prefix(text, " ");
    }
    if (!skip_prefix(text, "]")) break;
    skip_prefix(text, ", ");
  }
  compacting_levels_.clear();
}

void EventReader::compaction_started(EventFields& fields) {
  const auto number = fields.whole(kJob);
  if (!number) return;
  Job* const job = job_of(*number);
  if (job == nullptr) return;
  job->kind = Kind::compaction;
  job->start_s = state_.now_s();
  job->manual = fields.text("\"compaction_reason\": ") == "ManualCompaction";
  stops_running(*job);  // a second start under one number: the first one's end is lost
  job->total_input_bytes = EventFields(fields).whole_or_zero(kTotalInput);
  state_.running_compactions += 1;
  state_.running_input_bytes += job->total_input_bytes;
  job->input_bytes = {};
  job->input_files = {};
  job->runs.clear();
  read_inputs(fields, *job, job->total_input_bytes);
  job->started = true;
  const FamilyState& family = family_of(*job);
  for (std::size_t level = 0; level < kMostLogLevels; ++level)
    job->size_at_start[level] = family.result.levels[level].live_bytes;
}

void EventReader::read_inputs(EventFields& fields, Job& job, double total_bytes) {
  constexpr std::array<std::string_view, kMostLogLevels> kNames = {
      "\"files_L0\": ",  "\"files_L1\": ",  "\"files_L2\": ",  "\"files_L3\": ",
      "\"files_L4\": ",  "\"files_L5\": ",  "\"files_L6\": ",  "\"files_L7\": ",
      "\"files_L8\": ",  "\"files_L9\": ",  "\"files_L10\": ", "\"files_L11\": ",
      "\"files_L12\": ", "\"files_L13\": ", "\"files_L14\": ", "\"files_L15\": "};
  double exact = 0;
  double approximate = 0;
  double unknown_files = 0;
  LevelArray approximate_by_level{};
  LevelArray unknown_by_level{};
  double deeper_records = 0;
  bool records_known = true;
  for (std::size_t level = 0; level < kMostLogLevels; ++level) {
    std::string_view numbers = fields.array(kNames[level]);
    while (!numbers.empty()) {
      const auto number = read_whole(numbers);
      if (!number) break;
      ++job.input_files[level];
      const auto file = state_.files.get(static_cast<std::uint64_t>(*number));
      if (!file) {
        ++unknown_files;
        ++unknown_by_level[level];
        records_known = false;
      } else if (file->approximate) {
        approximate += file->bytes;
        approximate_by_level[level] += file->bytes;
        records_known = false;
      } else {
        exact += file->bytes;
        job.input_bytes[level] += file->bytes;
        if (level == 0)
          job.runs.push_back(file->records);
        else
          deeper_records += file->records;
      }
      if (!skip_prefix(numbers, ", ")) break;
    }
  }
  job.runs.push_back(deeper_records);
  if (!records_known) job.runs.clear();
  // The total is exact, so what is known of single files only says how it is shared out.
  const double rest = std::max(0.0, total_bytes - exact);
  if (unknown_files > 0) {
    state_.problems.add(LogProblemKind::unknown_file, "a compaction's input");
    const double each = std::max(0.0, rest - approximate) / unknown_files;
    for (std::size_t level = 0; level < kMostLogLevels; ++level)
      job.input_bytes[level] += approximate_by_level[level] + each * unknown_by_level[level];
  } else if (approximate > 0) {
    for (std::size_t level = 0; level < kMostLogLevels; ++level)
      job.input_bytes[level] += rest * approximate_by_level[level] / approximate;
  }
}

void EventReader::compacted_to(const LogLine& line) {
  auto* const known = std::find(failed_threads_.begin(), failed_threads_.end(), line.thread);
  if (known != failed_threads_.end()) *known = 0;
  if (line.text.find(") OK, records in") != std::string_view::npos) return;
  failed_threads_[next_failed_] = line.thread;
  next_failed_ = (next_failed_ + 1) % failed_threads_.size();
}

}  // namespace lsmtuned::model
