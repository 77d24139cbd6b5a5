#include "model/loglines/analyzer.h"

#include <algorithm>
#include <cstring>

#include "model/loglines/dump_reader.h"
#include "model/loglines/event_reader.h"
#include "model/loglines/ledger_checks.h"
#include "model/loglines/line_splitter.h"
#include "model/loglines/log_state.h"
#include "model/loglines/settings_reader.h"

namespace lsmtuned::model {
namespace {

constexpr std::string_view kKnownVersion = "7.8.";

}  // namespace

class LogAnalyzer::Impl {
 public:
  explicit Impl(std::size_t most_intervals) : state_(most_intervals) {}

  void begin_file(const std::string& name) {
    finish_file();
    file_ = name;
    line_ = 0;
  }
  void feed(std::string_view chunk) {
    state_.result.lines.bytes += static_cast<double>(chunk.size());
    splitter_.feed(chunk, [this](std::string_view line, LineEnd end) { take(line, end); });
  }
  LogAnalysis finish();

 private:
  void finish_file() {
    splitter_.finish([this](std::string_view line, LineEnd end) { take(line, end); });
  }
  void take(std::string_view text, LineEnd end);
  void message(const LogLine& line);
  bool tree_message(const LogLine& line);  // false: nothing that changes the tree
  bool header_message(const LogLine& line);
  void stall(const LogLine& line);
  void job_ended(const LogLine& line);
  void session(std::string_view id, double printed_s);
  void opened();
  void database(std::string_view id);

  LogState state_;
  EventReader events_{state_};
  DumpReader dumps_{state_};
  SettingsReader settings_{state_};
  LineSplitter splitter_;
  std::string file_;
  std::uint64_t line_ = 0;
  std::string session_;
  double last_printed_s_ = -1;
};

void LogAnalyzer::Impl::take(std::string_view text, LineEnd end) {
  ++line_;
  LineCounts& lines = state_.result.lines;
  ++lines.total;
  state_.problems.at(file_, line_);
  if (end == LineEnd::too_long) {
    state_.problems.add(LogProblemKind::overlong_line, text);
    return;
  }
  if (end == LineEnd::end_of_input) state_.problems.add(LogProblemKind::unfinished_last_line, text);
  LogLine line;
  if (parse_log_line(text, line)) {
    state_.advance(line);
    message(line);
    last_printed_s_ = line.time_s;
  } else if (dumps_.continuation(text)) {
    ++lines.dumps;
  } else if (std::memchr(text.data(), '\0', text.size()) != nullptr) {
    state_.problems.add(LogProblemKind::binary_bytes, text);
  } else {
    ++lines.continued;
  }
}

void LogAnalyzer::Impl::message(const LogLine& line) {
  LineCounts& lines = state_.result.lines;
  dumps_.message();
  if (line.error) state_.problems.add(LogProblemKind::database_error, line.text);
  if (line.text.starts_with("Stalling writes ") || line.text.starts_with("Stopping writes ")) {
    stall(line);
    return;
  }
  for (const auto& family : state_.families) family->stalls.other_line(state_.now_s(), line.thread);
  std::string_view json = line.text;
  if (skip_prefix(json, "EVENT_LOG_v1 ")) {
    events_.event(line, json);
  } else if (header_message(line)) {
    ++lines.options;
  } else if (line.text.starts_with("------- DUMPING STATS")) {
    dumps_.dump_begins(line);
    ++lines.dumps;
  } else if (line.text.starts_with("STATISTICS:")) {
    dumps_.statistics_begin(line);
    ++lines.dumps;
  } else {
    tree_message(line);
    ++lines.messages;
  }
}

void LogAnalyzer::Impl::stall(const LogLine& line) {
  const auto parsed = parse_stall(line.text);
  if (!parsed || line.family.empty()) {
    state_.problems.add(LogProblemKind::bad_stall_line, line.text);
    return;
  }
  ++state_.result.lines.stalls;
  FamilyState& family = state_.family(line.family);
  family.stalls.stalled(state_.now_s(), line.thread, *parsed);
}

void LogAnalyzer::Impl::job_ended(const LogLine& line) {
  if (line.family.empty()) return;
  FamilyState& family = state_.family(line.family);
  const double time_s = state_.event_s(line);
  state_.set_file_counts(family, line.text, time_s);
  family.stalls.job_ended(time_s, line.thread);
}

bool LogAnalyzer::Impl::tree_message(const LogLine& line) {
  const std::string_view text = line.text;
  if (text.empty()) return false;
  switch (text.front()) {
    case 'L':
      if (text.starts_with("Level summary: ")) job_ended(line);
      return true;
    case 'c':
      if (text.starts_with("compacted to: ")) {
        events_.compacted_to(line);
        job_ended(line);
      }
      return true;
    case 'C':
      if (text.starts_with("Compacting "))
        events_.compacting(line);
      else if (text.starts_with("Compaction start summary: "))
        events_.compaction_summary(line);
      return true;
    case 'F':
      if (text.starts_with("Flushing memtable ")) events_.flushing(line);
      return true;
    case 'M':
      if (text.starts_with("Moving #"))
        events_.moving(line);
      else if (text.starts_with("Moved #"))
        job_ended(line);
      return true;
    case 'N':
      if (text.starts_with("New memtable created ") && !line.family.empty())
        state_.family(line.family).stalls.memtable_switched(state_.now_s(), line.thread);
      return true;
    default:
      return settings_.change(line);
  }
}

bool LogAnalyzer::Impl::header_message(const LogLine& line) {
  if (line.text.empty()) return false;
  const std::string_view text = without_leading_blanks(line.text);
  if (text.starts_with("Options.")) {
    settings_.option(text);
    return true;
  }
  std::string_view rest = text;
  if (skip_prefix(rest, "--------------- Options for column family [")) {
    settings_.family_begins(text);
    return true;
  }
  if (skip_prefix(rest, "RocksDB version: ")) {
    state_.result.rocksdb_version = std::string(rest.substr(0, 40));
    if (!rest.starts_with(kKnownVersion)) state_.problems.add(LogProblemKind::other_version, text);
    return true;
  }
  if (skip_prefix(rest, "DB Session ID: ")) {
    session(without_leading_blanks(rest), line.time_s);
    return true;
  }
  if (skip_prefix(rest, "DB ID: ")) {
    database(rest);
    return true;
  }
  return false;
}

// A LOG that is cut by size repeats its header in the next file: same session, and time goes on.
void LogAnalyzer::Impl::session(std::string_view id, double printed_s) {
  if (!session_.empty() && id == session_ && printed_s >= last_printed_s_ - 1) return;
  session_ = std::string(id.substr(0, 64));
  opened();
}

void LogAnalyzer::Impl::opened() {
  if (++state_.result.opens > 1)
    state_.problems.add(LogProblemKind::several_opens, "DB Session ID: " + session_);
  events_.forget_jobs();
  dumps_.opened();
  settings_.opened();
  for (const auto& family : state_.families) {
    family->stalls.end(state_.now_s());
    family->memtable_since_s = state_.now_s();
  }
}

void LogAnalyzer::Impl::database(std::string_view id) {
  LogAnalysis& result = state_.result;
  if (!result.database_id.empty() && result.database_id != id) {
    state_.problems.add(LogProblemKind::another_database, id);
    state_.files.clear();
    for (const auto& family : state_.families)
      for (LogLevel& level : family->result.levels) level.live_bytes = level.live_files = 0;
  }
  result.database_id = std::string(id.substr(0, 64));
}

LogAnalysis LogAnalyzer::Impl::finish() {
  finish_file();
  events_.forget_jobs();
  dumps_.finish();
  return finish_analysis(state_);
}

LogAnalyzer::LogAnalyzer(std::size_t most_intervals)
    : impl_(std::make_unique<Impl>(most_intervals)) {}
LogAnalyzer::~LogAnalyzer() = default;
void LogAnalyzer::begin_file(const std::string& name) {
  impl_->begin_file(name);
}
void LogAnalyzer::feed(std::string_view chunk) {
  impl_->feed(chunk);
}
LogAnalysis LogAnalyzer::finish() {
  return impl_->finish();
}

}  // namespace lsmtuned::model
