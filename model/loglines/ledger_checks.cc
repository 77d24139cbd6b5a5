#include "model/loglines/ledger_checks.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/framing.h"
#include "model/units.h"

namespace lsmtuned::model {
namespace {

constexpr double kFewestDrops = 1e-4;  // of merged records; below, every key counts as new

// Half of the last digit that RocksDB prints of a level's size ("11.67 MB").
double printed_resolution(double bytes) {
  double unit = 1;
  while (bytes >= 1024 * unit && unit < 1024 * kGiB) unit *= 1024;
  return 0.005 * unit;
}

double size_in(const std::vector<DumpLevel>& dump, std::size_t level) {
  return level < dump.size() ? dump[level].stats.size_bytes : 0;
}

double sum_over(const LogAnalysis& analysis, double LogLevel::*member) {
  double sum = 0;
  for (const LogFamily& family : analysis.families)
    for (const LogLevel& level : family.levels) sum += level.*member;
  return sum;
}

double user_bytes_of(const LogCounters& counters) {
  return user_bytes_from_batch_bytes(counters.batch_bytes, counters.keys, headers_in(counters));
}

// Memtables hold at most this much that was written but not flushed.
double most_memtable_bytes(const LogAnalysis& analysis) {
  double bytes = 0;
  for (const LogFamily& family : analysis.families)
    bytes += family.settings.get_or(Knob::write_buffer_size, 0) *
             family.settings.get_or(Knob::max_write_buffer_number, 2);
  return bytes;
}

void level_checks(LogState& state, LogAnalysis& analysis) {
  for (const auto& known : state.families) {
    const LogFamily& family = known->result;
    if (family.last_dump.empty() || family.last_dump_time_s <= 0) continue;
    for (std::size_t level = 0; level < family.last_dump.size(); ++level) {
      const double opening = size_in(family.opening_dump, level);
      const double closing = size_in(family.last_dump, level);
      const double net = known->net_at_last_dump[level] - known->net_at_opening_dump[level];
      if (opening == 0 && closing == 0 && net == 0) continue;
      LedgerCheck check;
      check.name = family.name + " L" + std::to_string(level) + " size";
      check.left_counts = "size in the first dump, plus what events put in, less what they took";
      check.right_counts = "size in the last dump";
      check.left = opening + net;
      check.right = closing;
      check.resolution = printed_resolution(opening) + printed_resolution(closing);
      analysis.checks.push_back(std::move(check));
    }
  }
}

void event_checks(LogAnalysis& analysis) {
  LedgerCheck flush;
  flush.name = "flush bytes are L0's new bytes";
  flush.left_counts = "table_file_creation of flush and recovery jobs that ended";
  flush.right_counts = "bytes that entered L0 from memtables (flush_finished)";
  flush.left = analysis.events.flush_bytes - analysis.unfinished_flush_bytes;
  flush.right = sum_over(analysis, &LogLevel::flushed_bytes);
  analysis.checks.push_back(flush);

  LedgerCheck written;
  written.name = "compaction output";
  written.left_counts = "table_file_creation of compaction jobs that ended well";
  written.right_counts = "total_output_size of compaction_finished, all levels";
  written.left = analysis.events.compaction_write_bytes - analysis.events.failed_write_bytes -
                 analysis.unfinished_compaction_bytes;
  written.right = sum_over(analysis, &LogLevel::compacted_bytes);
  analysis.checks.push_back(written);

  LedgerCheck moved;
  moved.name = "trivial moves";
  moved.left_counts = "bytes moved out of levels";
  moved.right_counts = "bytes moved into levels";
  moved.left = sum_over(analysis, &LogLevel::moved_out_bytes);
  moved.right = sum_over(analysis, &LogLevel::moved_in_bytes);
  analysis.checks.push_back(moved);
}

void counter_checks(LogAnalysis& analysis) {
  if (!analysis.have_counters) return;
  const LogCounters& counters = analysis.counters;
  const EventTotals& events = analysis.events_at_counters;
  const double rounding = analysis.exact_counters ? 0 : 0.005 * kGiB;
  const std::string source = analysis.exact_counters ? "ticker " : "dump line ";

  LedgerCheck user;
  user.name = "user bytes";
  user.left_counts = "key + value bytes of flushed memtables (flush_started, less framing)";
  user.right_counts = source + "bytes.written, write-batch framing removed";
  user.left = events.user_bytes;
  user.right = user_bytes_of(counters);
  user.resolution = rounding;
  user.open_term =
      "in memtables at the last dump (right) or the first (left), write_buffer_size x "
      "max_write_buffer_number";
  user.open_bytes = user.open_left_bytes = most_memtable_bytes(analysis);
  analysis.checks.push_back(user);

  LedgerCheck flush;
  flush.name = "flush bytes";
  flush.left_counts = "table_file_creation of flush jobs";
  flush.right_counts = source + "flush.write.bytes (all I/O of flush threads)";
  flush.left = events.flush_bytes;
  flush.right = counters.flush_write_bytes;
  flush.resolution = rounding;
  analysis.checks.push_back(flush);

  LedgerCheck written;
  written.name = "compaction bytes written";
  written.left_counts = "table_file_creation of compaction jobs, failed ones too";
  written.right_counts = source + "compact.write.bytes (I/O as it happens)";
  written.left = events.compaction_write_bytes;
  written.right = counters.compaction_write_bytes;
  written.resolution = rounding;
  written.open_term = "tables being written by compactions that ran at the last dump";
  written.open_bytes = analysis.open_write_bytes;
  analysis.checks.push_back(written);

  LedgerCheck read;
  read.name = "compaction bytes read";
  read.left_counts = "input files of finished compactions";
  read.right_counts = source + "compact.read.bytes (I/O as it happens, block-cache hits left out)";
  read.left = events.compaction_read_bytes;
  read.right = counters.compaction_read_bytes;
  read.resolution = rounding;
  read.open_term = "inputs of compactions that ran at the last dump, or failed";
  read.open_bytes = analysis.open_read_bytes;
  analysis.checks.push_back(read);
}

void amplification(LogAnalysis& analysis) {
  const EventTotals& events = analysis.events;
  analysis.amplification.push_back(
      {"LOG events",
       "table files written by flush and compaction / key + value bytes of flushed memtables; no "
       "WAL",
       events.flush_bytes + events.compaction_write_bytes, events.user_bytes});
  if (analysis.have_counters) {
    const LogCounters& counters = analysis.counters;
    const double files = counters.flush_write_bytes + counters.compaction_write_bytes;
    const double user = user_bytes_of(counters);
    analysis.amplification.push_back(
        {"statistics, without WAL",
         "flush.write.bytes + compact.write.bytes / bytes.written less framing", files, user});
    analysis.amplification.push_back(
        {"statistics, with WAL",
         "the same and wal.bytes: bytes sent to the file system per user byte, the definition "
         "that predictions use",
         files + counters.wal_bytes, user});
  }
  double written = 0;
  double entered = 0;
  for (const LogFamily& family : analysis.families) {
    written += family.last_dump_sum.stats.write_bytes;
    entered += family.dump_flush_bytes + family.dump_ingest_bytes;
  }
  if (entered > 0)
    analysis.amplification.push_back(
        {"dump table, row Sum",
         "Write(GB) / bytes of flushed and ingested files: per compressed byte that reached L0, so "
         "larger by the compression of L0 and by keys dropped at flush; GB with one decimal",
         written, entered});
}

double correlation(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  if (x.size() < 3) return 0;
  double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    sx += x[i];
    sy += y[i];
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - sx / n;
    const double dy = y[i] - sy / n;
    sxx += dx * dx;
    syy += dy * dy;
    sxy += dx * dy;
  }
  return sxx > 0 && syy > 0 ? sxy / std::sqrt(sxx * syy) : 0;
}

void correlations(LogAnalysis& analysis) {
  std::vector<double> stalled, l0, stalled_with_puts, amplification_of;
  for (const ActivityInterval& at : analysis.series) {
    const double share = std::min(1.0, (at.delayed_s + at.stopped_s) / analysis.interval_s);
    stalled.push_back(share);
    l0.push_back(at.l0_file_seconds / analysis.interval_s);
    if (!(at.user_bytes > 0)) continue;
    stalled_with_puts.push_back(share);
    amplification_of.push_back((at.flush_bytes + at.compaction_write_bytes) / at.user_bytes);
  }
  analysis.stall_l0_correlation = correlation(stalled, l0);
  analysis.stall_amplification_correlation = correlation(stalled_with_puts, amplification_of);
}

void finish_family(LogState& state, FamilyState& family) {
  LogFamily& result = family.result;
  family.stalls.end(state.now_s());
  state.series.add(family.l0_since_s, state.now_s(), &ActivityInterval::l0_file_seconds,
                   family.l0_files * std::max(0.0, state.now_s() - family.l0_since_s));
  result.stalls = family.stalls.totals();
  result.rates = family.stalls.rates();
  if (family.dropped > kFewestDrops * family.merged_records)
    result.distinct_keys = family.dropped_times_keys / family.dropped;
  for (std::size_t level = 1; level < kMostLogLevels; ++level)
    if (family.overlap_expected[level] > 0) {
      result.overlap.resize(level, 0);
      result.overlap[level - 1] = family.overlap_bytes[level] / family.overlap_expected[level];
    }
  while (!result.levels.empty() && result.levels.back() == LogLevel{}) result.levels.pop_back();
}

}  // namespace

double headers_in(const LogCounters& counters) {
  return counters.write_groups > 0 ? std::min(counters.keys, counters.write_groups) : counters.keys;
}

double LedgerCheck::residual_share() const {
  const double larger = std::max(std::abs(left), std::abs(right));
  double off = left - right;
  off = std::max(0.0, off < 0 ? -off - open_bytes : off - open_left_bytes);
  return larger > 0 ? std::max(0.0, off - resolution) / larger : 0;
}

const LogFamily* LogAnalysis::family(const std::string& name) const {
  for (const LogFamily& known : families)
    if (known.name == name) return &known;
  return nullptr;
}

const LogFamily* LogAnalysis::main_family() const {
  const LogFamily* most = nullptr;
  double most_bytes = -1;
  for (const LogFamily& known : families) {
    double bytes = 0;
    for (const LogLevel& level : known.levels) bytes += level.written_bytes();
    if (bytes > most_bytes) most = &known;
    most_bytes = std::max(most_bytes, bytes);
  }
  return most;
}

LogAnalysis finish_analysis(LogState& state) {
  for (const auto& family : state.families) finish_family(state, *family);
  LogAnalysis analysis = std::move(state.result);
  analysis.duration_s = state.now_s();
  analysis.events = state.totals;
  for (const auto& family : state.families) analysis.families.push_back(family->result);
  analysis.interval_s = state.series.interval_s();
  analysis.series = state.series.intervals();
  event_checks(analysis);
  counter_checks(analysis);
  level_checks(state, analysis);
  amplification(analysis);
  correlations(analysis);
  analysis.problems = state.problems.take();
  return analysis;
}

}  // namespace lsmtuned::model
