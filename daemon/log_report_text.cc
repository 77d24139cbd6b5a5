#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "daemon/log_report.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

using model::format_bytes;
using model::format_duration;
using model::format_percent;
using model::LogAnalysis;
using model::LogFamily;
using model::LogLevel;

using Text = std::back_insert_iterator<std::string>;

constexpr std::size_t kTimelineRows = 24;

double per(double amount, double base) {
  return base > 0 ? amount / base : 0;
}

void levels(const LogFamily& family, Text out) {
  double written = 0;
  double flushed = 0;
  for (const LogLevel& level : family.levels) {
    written += level.written_bytes();
    flushed += level.flushed_bytes;
  }
  fmt::format_to(out, "\nLevels of {}, from finished jobs (bytes of table files)\n", family.name);
  fmt::format_to(out,
                 "  {:<4}{:>6}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11}{:>7}{:>8}{:>7}{:>7}{:>9}{:>8}\n",
                 "", "files", "size", "written", "of it new", "read up", "read here", "moved in",
                 "W-amp", "share", "R/W", "jobs", "job s", "ratio");
  std::size_t busiest = 0;
  for (std::size_t i = 0; i < family.levels.size(); ++i) {
    const LogLevel& level = family.levels[i];
    if (level.written_bytes() > family.levels[busiest].written_bytes()) busiest = i;
    const double fresh = i == 0 ? level.flushed_bytes : level.read_from_upper_bytes;
    fmt::format_to(
        out,
        "  L{:<3}{:>6.0f}{:>11}{:>11}{:>11}{:>11}{:>11}{:>11}{:>7.2f}{:>8}{:>7.2f}{:>7.0f}{:>9.1f}"
        "{:>8.3f}\n",
        i, level.live_files, format_bytes(level.live_bytes), format_bytes(level.written_bytes()),
        format_bytes(fresh), format_bytes(level.read_from_upper_bytes),
        format_bytes(level.read_from_this_bytes), format_bytes(level.moved_in_bytes),
        per(level.written_bytes(), flushed), format_percent(per(level.written_bytes(), written)),
        per(level.read_from_upper_bytes + level.read_from_this_bytes, level.written_bytes()),
        level.jobs, level.job_seconds, per(level.table_bytes, level.raw_bytes));
  }
  fmt::format_to(
      out,
      "  W-amp: written per flushed byte. share: of all table bytes. R/W: bytes read per "
      "byte written by jobs into the level. ratio: file / uncompressed bytes.\n");
  if (!family.levels.empty()) fmt::format_to(out, "  most bytes are written into L{}\n", busiest);
}

void family_facts(const LogFamily& family, double duration_s, Text out) {
  const model::JobCounts& jobs = family.jobs;
  fmt::format_to(
      out,
      "  jobs: {:.0f} flushes ({:.0f} in recovery), L0 to base {:.0f}, within L0 {:.0f}, "
      "deeper {:.0f}, trivial moves {:.0f} ({:.0f} files), failed {:.0f}, unfinished "
      "{:.0f}, manual {:.0f}\n",
      jobs.flushes, jobs.recovery_flushes, jobs.l0_to_base, jobs.intra_l0, jobs.deeper,
      jobs.trivial_moves, jobs.trivially_moved_files, jobs.failed, jobs.unfinished, jobs.manual);
  const model::MemtableTotals& totals = family.memtables;
  if (totals.records > 0)
    fmt::format_to(out,
                   "  records: {:.0f} flushed, {:.1f} user bytes each, {:.1f} in the memtable, "
                   "{:.1f} in L0 files; overwritten before the flush {}\n",
                   totals.records, per(totals.user_bytes, totals.records),
                   per(totals.memory_bytes, totals.records),
                   per(totals.file_bytes, totals.file_records),
                   format_percent(1 - per(totals.file_records, totals.records)));
  if (family.distinct_keys > 0)
    fmt::format_to(out, "  distinct keys, if drawn uniformly: {:.0f} (from {:.0f} jobs)\n",
                   family.distinct_keys, family.distinct_keys_jobs);
  const model::StallTotals& stalls = family.stalls;
  fmt::format_to(out, "  stalls: {} of the time in {:.0f} spans, longest {}, longest stop {}\n",
                 format_percent(per(stalls.total_s(), duration_s)), stalls.spans,
                 format_duration(stalls.longest_span_s), format_duration(stalls.longest_stop_s));
  for (std::size_t i = 0; i < model::kStallCauses; ++i) {
    if (stalls.delay_lines[i] + stalls.stop_lines[i] == 0) continue;
    fmt::format_to(out, "    {}: delayed {} ({:.0f} lines), stopped {} ({:.0f} lines)\n",
                   to_text(static_cast<model::LoggedStallCause>(i)),
                   format_duration(stalls.delayed_s[i]), stalls.delay_lines[i],
                   format_duration(stalls.stopped_s[i]), stalls.stop_lines[i]);
  }
}

void dump(const LogFamily& family, Text out) {
  if (family.last_dump.empty()) return;
  fmt::format_to(out, "  RocksDB's own last table of {}, at {} (as printed)\n", family.name,
                 format_duration(family.last_dump_time_s));
  fmt::format_to(out, "  {:<4}{:>6}{:>11}{:>7}{:>11}{:>11}{:>11}{:>11}{:>7}{:>9}{:>7}\n", "",
                 "files", "size", "score", "read", "Rn", "Rnp1", "written", "W-amp", "comp s",
                 "count");
  for (std::size_t i = 0; i < family.last_dump.size(); ++i) {
    const model::DumpLevel& level = family.last_dump[i];
    fmt::format_to(
        out, "  L{:<3}{:>6.0f}{:>11}{:>7.1f}{:>11}{:>11}{:>11}{:>11}{:>7.1f}{:>9.1f}{:>7.0f}\n", i,
        level.files, format_bytes(level.stats.size_bytes), level.stats.score,
        format_bytes(level.stats.read_bytes), format_bytes(level.stats.read_from_upper_bytes),
        format_bytes(level.stats.read_from_this_bytes), format_bytes(level.stats.write_bytes),
        level.write_amplification, level.stats.compaction_seconds, level.stats.compaction_count);
  }
}

void checks(const std::vector<model::LedgerCheck>& list, Text out) {
  fmt::format_to(out, "\nByte ledger\n");
  for (const model::LedgerCheck& check : list) {
    fmt::format_to(out, "  {} {}: {} against {}, residual {}\n", check.closes() ? "ok  " : "OPEN",
                   check.name, format_bytes(check.left), format_bytes(check.right),
                   format_percent(check.residual_share()));
    fmt::format_to(out, "       {} | {}\n", check.left_counts, check.right_counts);
    if (check.open_bytes > 0)
      fmt::format_to(out, "       open: {}, at most {}\n", check.open_term,
                     format_bytes(check.open_bytes));
  }
}

void amplification(const std::vector<model::AmplificationView>& views, Text out) {
  fmt::format_to(out, "\nWrite amplification\n");
  for (const model::AmplificationView& view : views)
    fmt::format_to(out, "  {:>7.2f}  {}: {}\n", view.value(), view.source, view.counts);
}

void timeline(const LogAnalysis& analysis, Text out) {
  if (analysis.series.empty()) return;
  const std::size_t step = (analysis.series.size() + kTimelineRows - 1) / kTimelineRows;
  fmt::format_to(out, "\nTimeline\n  {:>10}{:>13}{:>13}{:>9}{:>9}{:>9}{:>8}\n", "from", "user",
                 "tables", "L0", "delayed", "stopped", "W-amp");
  for (std::size_t i = 0; i < analysis.series.size(); i += step) {
    model::ActivityInterval sum;
    const std::size_t end = std::min(i + step, analysis.series.size());
    for (std::size_t j = i; j < end; ++j) {
      const model::ActivityInterval& at = analysis.series[j];
      sum.user_bytes += at.user_bytes;
      sum.flush_bytes += at.flush_bytes + at.compaction_write_bytes;
      sum.delayed_s += at.delayed_s;
      sum.stopped_s += at.stopped_s;
      sum.l0_file_seconds += at.l0_file_seconds;
    }
    const double begin_s = static_cast<double>(i) * analysis.interval_s;
    const double end_s = std::min(static_cast<double>(end) * analysis.interval_s,
                                  std::max(analysis.duration_s, begin_s + 1e-3));
    const double span = end_s - begin_s;
    fmt::format_to(out, "  {:>10}{:>13}{:>13}{:>9.1f}{:>9}{:>9}{:>8.2f}\n",
                   format_duration(begin_s), model::format_rate(sum.user_bytes / span),
                   model::format_rate(sum.flush_bytes / span), sum.l0_file_seconds / span,
                   format_percent(sum.delayed_s / span), format_percent(sum.stopped_s / span),
                   per(sum.flush_bytes, sum.user_bytes));
  }
  fmt::format_to(out,
                 "  stalled share against L0 files: correlation {:.2f}; against W-amp: {:.2f}\n",
                 analysis.stall_l0_correlation, analysis.stall_amplification_correlation);
}

void problems(const LogAnalysis& analysis, Text out) {
  fmt::format_to(out, "\nProblems: {}\n", analysis.problems.empty() ? "none" : "");
  for (const model::LogProblem& problem : analysis.problems) {
    fmt::format_to(out, "  {:.0f} x {}\n    at", problem.count, to_text(problem.kind));
    for (const auto& place : problem.places) fmt::format_to(out, " {}:{}", place.file, place.line);
    if (problem.count > static_cast<double>(problem.places.size())) fmt::format_to(out, " ...");
    if (!problem.example.empty()) fmt::format_to(out, "\n    {}", problem.example);
    fmt::format_to(out, "\n");
  }
}

}  // namespace

std::string print_log_analysis(const LogAnalysis& analysis) {
  std::string text;
  const Text out(text);
  fmt::format_to(out, "RocksDB {}, {:.0f} opens, {} of log: {:.0f} lines, {}\n",
                 analysis.rocksdb_version.empty() ? "of unknown version" : analysis.rocksdb_version,
                 analysis.opens, format_duration(analysis.duration_s), analysis.lines.total,
                 format_bytes(analysis.lines.bytes));
  for (const LogFamily& family : analysis.families) {
    levels(family, out);
    family_facts(family, analysis.duration_s, out);
    dump(family, out);
  }
  const model::LogCounters& counters = analysis.counters;
  if (analysis.have_counters)
    fmt::format_to(
        out,
        "\nRocksDB's counters ({}): user {} in {:.0f} keys with framing, WAL {}, flush "
        "{}, compaction read {}, written {}; writers waited {}\n",
        analysis.exact_counters ? "exact" : "two decimals of GB",
        format_bytes(counters.batch_bytes), counters.keys, format_bytes(counters.wal_bytes),
        format_bytes(counters.flush_write_bytes), format_bytes(counters.compaction_read_bytes),
        format_bytes(counters.compaction_write_bytes), format_duration(counters.stall_seconds));
  else
    fmt::format_to(out,
                   "\nRocksDB's counters: fewer than two dumps in one open, nothing to "
                   "compare (stats_dump_period_sec sets how often)\n");
  checks(analysis.checks, out);
  amplification(analysis.amplification, out);
  timeline(analysis, out);
  problems(analysis, out);
  return text;
}

std::string print_counter_tables(const model::CounterTables& tables) {
  std::string text;
  const Text out(text);
  fmt::format_to(out, "Counters over {}\n", format_duration(tables.seconds));
  for (const model::CounterFamily& family : tables.families) {
    fmt::format_to(out,
                   "\nLevels of {}\n  {:<4}{:>6}{:>11}{:>11}{:>11}{:>11}{:>11}{:>7}{:>8}{:>7}\n",
                   family.name, "", "files", "size", "written", "read up", "read here", "moved in",
                   "W-amp", "share", "R/W");
    for (std::size_t i = 0; i < family.levels.size(); ++i) {
      const model::CounterLevel& level = family.levels[i];
      fmt::format_to(
          out, "  L{:<3}{:>6.0f}{:>11}{:>11}{:>11}{:>11}{:>11}{:>7.2f}{:>8}{:>7.2f}\n", i,
          level.stats.files, format_bytes(level.stats.size_bytes),
          format_bytes(level.stats.write_bytes), format_bytes(level.stats.read_from_upper_bytes),
          format_bytes(level.stats.read_from_this_bytes), format_bytes(level.stats.moved_bytes),
          level.write_amplification, format_percent(level.write_share), level.read_write_ratio);
    }
  }
  checks(tables.checks, out);
  amplification(tables.amplification, out);
  return text;
}

}  // namespace lsmtuned::daemon
