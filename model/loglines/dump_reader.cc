#include "model/loglines/dump_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr std::array<std::pair<std::string_view, double LogCounters::*>, 8> kTickers = {{
    {"bytes.written", &LogCounters::batch_bytes},
    {"number.keys.written", &LogCounters::keys},
    {"write.self", &LogCounters::write_groups},
    {"wal.bytes", &LogCounters::wal_bytes},
    {"flush.write.bytes", &LogCounters::flush_write_bytes},
    {"compact.read.bytes", &LogCounters::compaction_read_bytes},
    {"compact.write.bytes", &LogCounters::compaction_write_bytes},
    {"stall.micros", &LogCounters::stall_seconds},
}};

constexpr std::array<double LogCounters::*, 8> kAllCounters = {&LogCounters::batch_bytes,
                                                               &LogCounters::keys,
                                                               &LogCounters::write_groups,
                                                               &LogCounters::wal_bytes,
                                                               &LogCounters::flush_write_bytes,
                                                               &LogCounters::compaction_read_bytes,
                                                               &LogCounters::compaction_write_bytes,
                                                               &LogCounters::stall_seconds};

constexpr std::array<double EventTotals::*, 6> kAllEvents = {&EventTotals::user_bytes,
                                                             &EventTotals::records,
                                                             &EventTotals::flush_bytes,
                                                             &EventTotals::compaction_read_bytes,
                                                             &EventTotals::compaction_write_bytes,
                                                             &EventTotals::failed_write_bytes};

bool went_back(const LogCounters& from, const LogCounters& to) {
  return to.keys < from.keys || to.batch_bytes < from.batch_bytes ||
         to.flush_write_bytes < from.flush_write_bytes;
}

}  // namespace

void DumpReader::dump_begins(const LogLine& line) {
  end_reading();
  printed_s_ = line.time_s;
  opening_dump_ = !have_dump_;
  have_dump_ = true;
}

void DumpReader::message() {
  if (!reading_ && family_ == nullptr) return;
  if (reading_ && reading_->exact) end_reading();
  family_ = nullptr;
  columns_.reset();
}

void DumpReader::statistics_begin(const LogLine& line) {
  printed_s_ = line.time_s;
  begin_reading(true);
}

void DumpReader::begin_reading(bool exact) {
  if (reading_ && !exact) return;
  reading_ = Reading{};
  reading_->exact = exact;
  reading_->events = state_.totals;
  reading_->open_read_bytes = state_.running_input_bytes + state_.failed_input_bytes;
  reading_->open_write_bytes = state_.running_compactions * state_.largest_table_bytes;
  reading_->time_s = state_.now_s();
  reading_->printed_s = printed_s_;
}

// An exact reading follows the rounded one of the same dump and takes its place.
void DumpReader::end_reading() {
  if (!reading_) return;
  const Reading now = *reading_;
  reading_.reset();
  if (first_ && first_->exact && !now.exact) return;
  if (first_ && now.exact && !first_->exact) first_.reset();
  if (last_ && went_back(last_->counters, now.counters)) {
    accumulate();
    first_.reset();
  }
  if (!first_) {
    first_ = now;
    last_.reset();
  } else {
    last_ = now;
  }
  state_.last_counters_printed_s = now.printed_s;
  state_.late_events = EventTotals{};
}

void DumpReader::accumulate() {
  if (!first_ || !last_) return;
  LogAnalysis& result = state_.result;
  for (const auto member : kAllCounters)
    result.counters.*member += std::max(0.0, last_->counters.*member - first_->counters.*member);
  for (const auto member : kAllEvents)
    result.events_at_counters.*member += last_->events.*member - first_->events.*member;
  for (const auto member : kAllEvents)
    result.events_at_counters.*member += state_.late_events.*member;
  state_.late_events = EventTotals{};
  result.open_read_bytes += last_->open_read_bytes;
  result.open_write_bytes += last_->open_write_bytes;
  result.exact_counters = last_->exact;
  result.have_counters = true;
  result.counters_time_s = last_->time_s;
  last_.reset();
}

void DumpReader::opened() {
  finish();
  first_.reset();
  have_dump_ = false;
}

void DumpReader::finish() {
  end_reading();
  accumulate();
  state_.last_counters_printed_s = -1;
  for (const auto& family : state_.families) {
    family->result.dump_flush_bytes += std::exchange(family->flush_bytes_now, 0);
    family->result.dump_ingest_bytes += std::exchange(family->ingest_bytes_now, 0);
    family->last_dump_printed_s = -1;
  }
}

bool DumpReader::continuation(std::string_view line) {
  if (line.empty()) return have_dump_;
  std::string_view text = line;
  switch (line.front()) {
    case 'r':
      return ticker(line);
    case ' ':
      text = without_leading_blanks(line);
      return text.starts_with("rocksdb.") ? ticker(text) : table_line(text);
    case 'C':
      return cumulative(line);
    case '*':
    case 'L':
    case 'P':
    case 'H':
    case 'F':
    case 'A':
    case '-':
      return table_line(line);
    case 'U':
    case 'I':
    case 'S':
    case 'B':
      return have_dump_;
    default:
      return false;
  }
}

bool DumpReader::ticker(std::string_view line) {
  if (!skip_prefix(line, "rocksdb.")) return false;
  if (!reading_ || line.empty()) return true;
  for (const auto& [name, member] : kTickers) {
    if (line.front() != name.front()) continue;
    std::string_view rest = line;
    if (!skip_prefix(rest, name) || !skip_prefix(rest, " COUNT : ")) continue;
    const auto value = read_whole(rest);
    if (!value) {
      state_.problems.add(LogProblemKind::bad_number, line);
      return true;
    }
    const double factor = member == &LogCounters::stall_seconds ? 1e-6 : 1;
    reading_->counters.*member = *value * factor;
  }
  return true;
}

// Counters to two decimals of GB, used where the database keeps no Statistics object.
bool DumpReader::cumulative(std::string_view line) {
  if (line.starts_with("Cumulative writes: ")) begin_reading(false);
  if (!reading_ || reading_->exact) return have_dump_;
  LogCounters& counters = reading_->counters;
  std::string_view rest = line;
  if (skip_prefix(rest, "Cumulative writes: ")) {
    // "1460K writes, 1460K keys, 1460K commit groups, ..., ingest: 0.59 GB, 12.01 MB/s"
    next_word(rest);
    next_word(rest);
    counters.keys = read_human_count(next_word(rest)).value_or(0);
    next_word(rest);
    counters.write_groups = read_human_count(next_word(rest)).value_or(0);
    counters.batch_bytes = number_after(line, "ingest: ").value_or(0) * kGiB;
  } else if (skip_prefix(rest, "Cumulative WAL: ")) {
    counters.wal_bytes = number_after(rest, "written: ").value_or(0) * kGiB;
  } else if (skip_prefix(rest, "Cumulative compaction: ")) {  // flushes included
    counters.compaction_write_bytes += read_decimal(rest).value_or(0) * kGiB;
    counters.compaction_read_bytes += number_after(line, "MB/s write, ").value_or(0) * kGiB;
  } else if (const auto seconds = cumulative_stall_seconds(line)) {
    counters.stall_seconds = *seconds;
  }
  return true;
}

bool DumpReader::table_line(std::string_view line) {
  if (skip_prefix(line, "** Compaction Stats [")) {
    const std::size_t close = line.rfind("] **");
    if (close == std::string_view::npos) return true;
    family_ = &state_.family(line.substr(0, close));
    columns_.reset();
    return true;
  }
  if (family_ == nullptr) return have_dump_;
  if (line.starts_with("Level ")) {
    columns_ = DumpColumns::from_header(line);
    if (!columns_) state_.problems.add(LogProblemKind::unknown_table_format, line);
    if (columns_) table_begins();
    return true;
  }
  if (line.starts_with("Priority ")) {
    columns_.reset();
    return true;
  }
  if (skip_prefix(line, "Flush(GB): cumulative ")) {
    family_->flush_bytes_now = read_decimal(line).value_or(0) * kGiB;
    if (reading_ && !reading_->exact) {
      reading_->counters.flush_write_bytes += family_->flush_bytes_now;
      reading_->counters.compaction_write_bytes -= family_->flush_bytes_now;
    }
    return true;
  }
  if (skip_prefix(line, "AddFile(GB): cumulative ")) {
    family_->ingest_bytes_now = read_decimal(line).value_or(0) * kGiB;
    if (family_->ingest_bytes_now > 0)
      state_.problems.add(LogProblemKind::outside_the_ledger, "AddFile(GB) is above 0");
    return true;
  }
  if (columns_ && !line.starts_with("---")) {
    std::string_view rest = line;
    const std::string_view name = next_word(rest);
    row(name, rest);
  }
  return true;
}

void DumpReader::table_begins() {
  family_->result.last_dump.clear();
  family_->result.last_dump_time_s = state_.now_s();
  family_->last_dump_printed_s = printed_s_;
  family_->net_at_last_dump = family_->net_bytes;
}

// The first table of an open shows the tree as it was found. Where the LOG cannot know it (files
// made before it begins), levels are set to it.
void DumpReader::table_ends() {
  LogFamily& result = family_->result;
  if (!family_->opening_dump_seen) {
    family_->opening_dump_seen = true;
    result.opening_dump = result.last_dump;
    family_->net_at_opening_dump = family_->net_at_last_dump;
  }
  if (!opening_dump_) return;
  bool known = true;
  for (std::size_t level = 0; level < kMostLogLevels; ++level) {
    const double files = level < result.last_dump.size() ? result.last_dump[level].files : 0;
    if (result.levels[level].live_files != files) known = false;
  }
  if (known) return;
  for (std::size_t level = 0; level < kMostLogLevels; ++level) {
    const bool listed = level < result.last_dump.size();
    result.levels[level].live_files = listed ? result.last_dump[level].files : 0;
    result.levels[level].live_bytes = listed ? result.last_dump[level].stats.size_bytes : 0;
  }
  family_->l0_files = result.levels[0].live_files;
}

void DumpReader::row(std::string_view name, std::string_view rest) {
  if (name == "Int" || name.empty()) return;
  const auto level = columns_->row(rest);
  if (!level) {
    state_.problems.add(LogProblemKind::bad_number, rest);
    return;
  }
  LogFamily& result = family_->result;
  if (name == "Sum") {
    result.last_dump_sum = *level;
    table_ends();
    return;
  }
  std::string_view number = name;
  if (!skip_prefix(number, "L")) return;
  const auto index = read_whole(number);
  if (!index || *index >= kMostLogLevels) return;
  const auto at = static_cast<std::size_t>(*index);
  result.last_dump.resize(std::max(result.last_dump.size(), at + 1));
  result.last_dump[at] = *level;
}

}  // namespace lsmtuned::model
