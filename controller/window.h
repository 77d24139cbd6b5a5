// Measuring windows: means over whole L0 -> base cycles, with a standard error.
//
// A cycle runs from one completed L0 -> base compaction to the next. A rate taken over a part of a
// cycle says more about its phase than about the settings, so only whole cycles are compared. Pure;
// bytes, seconds; plain values.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "config/policy.h"
#include "controller/decision.h"
#include "model/snapshot.h"

namespace lsmtuned::controller {

// Writes that stall for less of the time are as many as are offered; for more, as many as the
// database takes.
inline constexpr double kCalmStallShare = 0.02;

// Writers that stall for a share of the time would write so much if nothing held them back.
// Infinite where they do nothing but wait.
double demand_bytes_per_s(double put_bytes_per_s, double stall_share);

// What a window needs of one snapshot. Cumulative counters, except the last four.
struct Mark {
  double time_s = 0;
  double user_bytes = 0;
  double keys = 0;
  double reads = 0;
  double stall_s = 0;
  double written_bytes = 0;  // WAL + flush + compaction
  double l0_compactions = 0;
  double pending_bytes = 0;  // sum over families
  double l0_files = 0;       // of the worst family
  double memory_bytes = 0;   // in use: memtables, block cache, table readers
  bool stopped = false;
};
Mark mark_of(const model::Snapshot& snapshot);
std::vector<Mark> marks_of(const std::deque<model::Snapshot>& snapshots);

// A mean with the standard error of the mean.
struct Estimate {
  double mean = 0;
  double standard_error = 0;
  double cycles = 0;
};

// Indices of marks at which at least one L0 -> base compaction had completed since the mark before;
// index 0 too when `starts_at_boundary`.
std::vector<std::size_t> boundaries(std::span<const Mark> marks, bool starts_at_boundary);

// User bytes per second over whole cycles. Fewer than two cycles: a standard error of 15 %.
Estimate put_rate(std::span<const Mark> marks, bool starts_at_boundary);

// What the objective smoothness wants to raise.
inline double smoothness(double stall_share) {
  return 1.02 - stall_share;
}

// What the objective wants to raise: bytes/s (throughput), smoothness(), user bytes per written
// byte (efficiency).
Estimate merit(std::span<const Mark> marks, bool starts_at_boundary, config::Objective objective);

// User bytes per second over the last two whole cycles; 0 before there are two. A step shows here
// long before it shows in the mean of a window.
double latest_rate(std::span<const Mark> marks);

// Everything but latencies, over whole cycles where there are two, else over all marks.
WindowMeasure measure_marks(std::span<const Mark> marks, bool starts_at_boundary);

// Latencies of the window between two snapshots, into `measure`.
void add_latencies(WindowMeasure& measure, const model::Snapshot& from, const model::Snapshot& to);

// Pending bytes when the cycle `back` cycles before the last whole one ended: what an L0 -> base
// compaction leaves standing. Taken at this one phase because within a cycle the figure swings
// between nothing and the whole base level. Without a cycle's end: the last mark's.
double pending_at_cycle_end(std::span<const Mark> marks, bool starts_at_boundary, std::size_t back);

// Mean over the last cycle ends, at most `cycles` of them.
double pending_at_cycle_ends(std::span<const Mark> marks, bool starts_at_boundary,
                             std::size_t cycles);

// Index of the mark from which on L0 no longer fills up: the start of the first whole cycle whose
// peak of L0 files no later one exceeds (by over one, and over 10 %). Higher triggers and larger
// buffers leave room in L0 for several cycles, and writers wait for nothing in them: what such
// cycles show does not last. The last cycle's end where each is exceeded.
std::size_t steady_from(std::span<const Mark> marks, bool starts_at_boundary);

// User bytes per second while the database was what limited writers: where they stalled or were
// stopped, or wrote no less than on average. Time in which less was offered is left out.
double loaded_rate(std::span<const Mark> marks);
// Whether that holds for the time between two marks, where writers write `rate` on average.
bool loaded(const Mark& from, const Mark& to, double rate);

// The marks as if no time had passed, and nothing had been counted, where writers offered little:
// five seconds and more without a stall at under 70 % of `loaded_bytes_per_s`. A load that comes
// and goes is judged by the time in which it is there. Without such time: the marks as they are.
std::vector<Mark> under_load(std::span<const Mark> marks, double loaded_bytes_per_s);

double stopped_share(std::span<const Mark> marks);  // share of time seen stopped
double put_size(std::span<const Mark> marks);       // user bytes per key; 0 without writes
// So far apart that they are another workload; sizes of 0 are not known.
bool put_size_changed(double before_bytes, double now_bytes);
double read_share(std::span<const Mark> marks);  // reads / (reads + writes)

// The level before a trial, kept for its verification: under load, as under_load() says.
struct TrialBaseline {
  Estimate rate;
  Estimate merit;
  double loaded_bytes_per_s = 0;  // loaded_rate()
  double cycle_s = 0;             // mean length of a whole cycle; 0: none was seen
  double stall_share = 0;
  double stopped_share = 0;
  double put_size_bytes = 0;
  double read_share = 0;
  double pending_cycle_end_bytes = 0;  // mean over the last cycles
  double tree_bytes = 0;
  double foreseen_debt_bytes = 0;  // pending at cycle ends as predicted of the change; 0: unknown
};
TrialBaseline trial_baseline(std::span<const Mark> marks, double tree_bytes,
                             config::Objective objective);

}  // namespace lsmtuned::controller
