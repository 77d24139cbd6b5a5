#include "model/loglines/problem_list.h"

#include <cctype>
#include <utility>

namespace lsmtuned::model {

const char* to_text(LogProblemKind kind) {
  switch (kind) {
    case LogProblemKind::torn_event:
      return "torn or unreadable event, not counted";
    case LogProblemKind::overlong_line:
      return "line longer than 256 KiB, cut";
    case LogProblemKind::unfinished_last_line:
      return "last line has no newline (still being written, or cut)";
    case LogProblemKind::binary_bytes:
      return "binary bytes in a line, not counted";
    case LogProblemKind::bad_number:
      return "a number that is negative, too large or not one; the line is not counted";
    case LogProblemKind::bad_stall_line:
      return "a stall line in a form that is not known, not counted";
    case LogProblemKind::unknown_table_format:
      return "a statistics table with unknown columns, not read";
    case LogProblemKind::other_version:
      return "written by another version than RocksDB 7.8";
    case LogProblemKind::time_backwards:
      return "time goes backwards; that jump is left out of all durations";
    case LogProblemKind::several_opens:
      return "the database was opened again";
    case LogProblemKind::another_database:
      return "another database begins here; the tree known so far is dropped";
    case LogProblemKind::unknown_file:
      return "a compaction reads a file of unknown size; taken from its summary, to three digits";
    case LogProblemKind::unknown_job:
      return "event of a job whose start is not in the LOG";
    case LogProblemKind::failed_table:
      return "a table file that was not finished";
    case LogProblemKind::settings_changed:
      return "settings changed while the database was open; the last values count";
    case LogProblemKind::outside_the_ledger:
      return "bytes outside the ledger (blob files, ingested files)";
    case LogProblemKind::database_error:
      return "RocksDB logged an error";
    case LogProblemKind::limit_reached:
      return "more families, levels, files or jobs than are kept; the rest is not counted";
  }
  return "";
}

void ProblemList::add(LogProblemKind kind, std::string_view example) {
  LogProblem& problem = problems_[static_cast<std::size_t>(kind)];
  problem.kind = kind;
  ++problem.count;
  const bool repeated = !problem.places.empty() && problem.places.back().line == line_;
  if (!repeated && problem.places.size() < kPlaces)
    problem.places.push_back({file_ == nullptr ? std::string() : *file_, line_});
  if (problem.count > 1) return;
  for (const char c : example.substr(0, 120)) {
    const bool printable = std::isprint(static_cast<unsigned char>(c)) != 0;
    problem.example += printable ? c : '?';
  }
}

std::vector<LogProblem> ProblemList::take() {
  std::vector<LogProblem> seen;
  for (LogProblem& problem : problems_)
    if (problem.count > 0) seen.push_back(std::move(problem));
  problems_ = {};
  return seen;
}

}  // namespace lsmtuned::model
