// Whatever the problem: an answer that makes sense or an error, and always an end.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/simulator/simulate.h"
#include "tests/unit/simulator/support.h"

namespace lsmtuned::model {
namespace {

// At full size from the first case on: small trees and short lists show little.
int pick(int low, int end) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(low, end));
}

double log_between(double low, double high) {
  return low * std::pow(high / low, pick(0, 1001) / 1000.0);
}

double whole_between(double low, double high) {
  return std::round(log_between(low, high));
}

LevelShape any_level(double bytes) {
  LevelShape level;
  level.bytes = bytes;
  level.files = pick(0, 200);
  if (pick(0, 3) > 0 || bytes <= 0) {
    if (bytes <= 0) level.files = 0;
    return level;
  }
  const int files = pick(1, 60);
  for (int i = 0; i < files; ++i) {  // gaps, and sometimes touching bounds
    const double low = i / static_cast<double>(files);
    const double width = *rc::gen::element(1.0, 0.9, 0.3, 0.0) / files;
    level.ranges.push_back({low, std::min(1.0, low + width), 0, bytes / files});
  }
  return level;
}

Problem any_problem() {
  Problem problem;
  for (const KnobInfo& about : all_knobs()) {
    // The pending limits stop nearly everything when they are drawn like the rest.
    const bool pending = about.knob == Knob::soft_pending_compaction_bytes_limit ||
                         about.knob == Knob::hard_pending_compaction_bytes_limit;
    if (pick(0, pending ? 10 : 2) != 0) continue;
    // Sizes within what a test can simulate; the extremes have tests of their own.
    const double low =
        about.unit == KnobUnit::bytes ? std::max(about.minimum, 1 * kMiB) : about.minimum;
    const double high = about.unit == KnobUnit::bytes   ? 1 * kGiB
                        : about.unit == KnobUnit::count ? std::min(about.maximum, 100.0)
                                                        : about.maximum;
    problem.settings.set(about.knob, about.unit == KnobUnit::ratio ? log_between(low, high)
                                                                   : whole_between(low, high));
  }
  if (pick(0, 4) > 0) {  // mostly in the order that keeps writes going
    problem.settings.set(Knob::level0_slowdown_writes_trigger, pick(20, 40));
    problem.settings.set(Knob::level0_stop_writes_trigger, pick(40, 60));
    problem.settings.set(Knob::level0_file_num_compaction_trigger, pick(1, 20));
    problem.settings.set(Knob::write_buffer_size, pick(1, 32) * kMiB);
  }
  problem.facts.dynamic_level_bytes = pick(0, 5) == 0;
  problem.facts.num_levels = pick(4, 9);
  problem.tree.levels.resize(4);
  for (LevelShape& level : problem.tree.levels) {
    level = any_level(pick(0, 3) == 0 ? 0 : log_between(1e3, 2e9));
  }
  problem.tree.active_memtable_bytes = *rc::gen::element(0.0, 1e6, 1e9);
  problem.tree.immutable_memtables = pick(0, 4);
  problem.tree.delayed_write_rate = *rc::gen::element(0.0, 0.0, 0.0, 1.0, 1e6, 1e12);
  problem.workload.key_bytes = *rc::gen::element(1.0, 16.0, 500.0);
  problem.workload.value_bytes = *rc::gen::element(100.0, 1024.0, 1e6);
  problem.workload.distinct_keys = *rc::gen::element(0.0, 1.0, 1e4, 1e6, 1e7, 1e12);
  problem.workload.order = *rc::gen::element(KeyOrder::uniform, KeyOrder::sequential);
  problem.workload.offered_bytes_per_s = *rc::gen::element(0.0, 1e5, 1e7);
  problem.workload.read_bytes_per_s = *rc::gen::element(0.0, 1e7, 1e12);
  problem.device.write_bytes_per_s = log_between(1e6, 1e9);
  problem.device.read_bytes_per_s = *rc::gen::element(0.0, 1e6, 1e8);
  problem.device.mix_exponent = *rc::gen::element(1.0, 1.5, 8.0);
  problem.device.wal_write_bytes_per_s = *rc::gen::element(0.0, 0.0, 1e7);
  problem.constants.wal_bytes_per_user_byte = *rc::gen::element(0.0, 1.02);
  problem.constants.level_compression = {1, 1, *rc::gen::element(1.0, 0.5)};
  problem.constants.think_s = *rc::gen::element(0.0, 0.01, 1.0);
  problem.constants.burst_s = *rc::gen::element(0.0, 0.1);
  problem.constants.burst_bytes = *rc::gen::element(0.0, 1e7);
  problem.constants.readahead_bytes = *rc::gen::element(0.0, 131072.0, 2097152.0);
  problem.constants.cores = *rc::gen::element(0.1, 2.0, 64.0);
  problem.horizon_s = *rc::gen::element(1.0, 20.0, 120.0);
  return problem;
}

void expect_sound(const Problem& problem, const Simulation& out) {
  for (const double value :
       {out.put_bytes_per_s, out.settled_put_bytes_per_s, out.low_bytes_per_s, out.high_bytes_per_s,
        out.worst_stall_s, out.write_amplification, out.read_amplification, out.space_amplification,
        out.l0_files_mean, out.l0_files_max, out.pending_bytes_mean, out.pending_bytes_max,
        out.pending_bytes_end, out.flushes, out.l0_compactions, out.device_busy_share,
        out.stalls.total()}) {
    RC_ASSERT(std::isfinite(value));
    RC_ASSERT(value >= 0);
  }
  RC_ASSERT(out.stalls.total() <= 1 + 1e-9);
  RC_ASSERT(out.device_busy_share <= 1 + 1e-9);
  RC_ASSERT(out.worst_stall_s <= problem.horizon_s * (1 + 1e-9));
  if (problem.workload.offered_bytes_per_s > 0) {
    RC_ASSERT(out.put_bytes_per_s <= problem.workload.offered_bytes_per_s * (1 + 1e-6));
  }
  for (const LevelShape& level : out.tree.levels) {
    RC_ASSERT(std::isfinite(level.bytes) && level.bytes >= 0);
    for (const FileRange& file : level.ranges) {
      RC_ASSERT(file.low >= 0 && file.low <= file.high && file.high <= 1 && file.bytes > 0);
    }
  }
}

RC_GTEST_PROP(SimulatorProperty, ValidProblemsGiveSoundAnswers, ()) {
  const Problem problem = any_problem();
  RC_PRE(problem.check().empty());
  SimulationOptions options;
  options.layer = *rc::gen::element(SimulationLayer::totals, SimulationLayer::files);
  options.sample_every_s = *rc::gen::element(0.0, 1.0);
  options.warmup_s = *rc::gen::element(0.0, 5.0);
  options.members = *rc::gen::element(1U, 3U);
  const auto result = simulate(problem, options);
  if (!result) {  // a moving base level, or too many steps; never an invalid problem
    RC_ASSERT(result.error().what.find("not allowed") == std::string::npos);
    RC_TAG("refused");
    return;
  }
  expect_sound(problem, *result);
  RC_CLASSIFY(result->flushes > 10, "flushes");
  RC_CLASSIFY(result->l0_compactions > 2, "L0 to base");
  RC_CLASSIFY(result->intra_l0_compactions > 0, "within L0");
  RC_CLASSIFY(result->deeper_compactions > 2, "deeper");
  RC_CLASSIFY(result->trivial_moves > 0, "moves");
}

// The tree that a simulation leaves is a tree that another may start from.
RC_GTEST_PROP(SimulatorProperty, ItsTreeIsAValidStart, ()) {
  Problem problem = any_problem();
  RC_PRE(problem.check().empty());
  const auto result = simulate(problem, {});
  if (!result) return;
  problem.tree = result->tree;
  RC_ASSERT(problem.check().empty());
}

double any_number() {
  return *rc::gen::element(0.0, -1.0, 1e-300, 1.0, 3.5, 64.0, 1e9, 1e18, 1e300,
                           std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN());
}

// One field of a sound problem turned into nonsense: an error or a sound answer, never a crash.
RC_GTEST_PROP(SimulatorProperty, FuzzedProblemsNeverCrash, ()) {
  Problem problem = testing::settled_problem();
  problem.horizon_s = 5;
  double* const fields[] = {&problem.horizon_s,
                            &problem.device.write_bytes_per_s,
                            &problem.device.read_bytes_per_s,
                            &problem.device.mix_exponent,
                            &problem.device.wal_write_bytes_per_s,
                            &problem.workload.key_bytes,
                            &problem.workload.value_bytes,
                            &problem.workload.distinct_keys,
                            &problem.workload.offered_bytes_per_s,
                            &problem.workload.read_bytes_per_s,
                            &problem.facts.num_levels,
                            &problem.facts.min_write_buffer_number_to_merge,
                            &problem.facts.arena_block_bytes,
                            &problem.tree.active_memtable_bytes,
                            &problem.tree.immutable_memtables,
                            &problem.tree.delayed_write_rate,
                            &problem.tree.levels[0].bytes,
                            &problem.tree.levels[0].files,
                            &problem.tree.levels[2].bytes,
                            &problem.tree.levels[2].files,
                            &problem.constants.file_bytes_per_record,
                            &problem.constants.memtable_bytes_per_record,
                            &problem.constants.wal_bytes_per_user_byte,
                            &problem.constants.flush_weight,
                            &problem.constants.think_s,
                            &problem.constants.burst_bytes,
                            &problem.constants.burst_s,
                            &problem.constants.readahead_bytes,
                            &problem.constants.foreground_bytes_per_s,
                            &problem.constants.cores,
                            &problem.constants.cpu_seconds_per_byte,
                            &problem.constants.cpu_seconds_per_record,
                            &problem.constants.arena_block_bytes};
  const int changes = *rc::gen::inRange(1, 4);
  for (int i = 0; i < changes; ++i) {
    const auto which = *rc::gen::inRange<std::size_t>(0, std::size(fields) + kKnobCount);
    if (which < std::size(fields)) {
      *fields[which] = any_number();
    } else {
      problem.settings.set(static_cast<Knob>(which - std::size(fields)), any_number());
    }
  }
  SimulationOptions options;
  options.layer = *rc::gen::element(SimulationLayer::totals, SimulationLayer::files);
  const auto result = simulate(problem, options);
  if (result) expect_sound(problem, *result);
}

// More device never costs more than 2 % in the ensemble mean. Ten minutes: over two, few cycles fit
// and their phase decides.
TEST(SimulatorEnsemble, MoreBandwidthDoesNotHurt) {
  Problem problem = testing::settled_problem();
  problem.horizon_s = 600;
  SimulationOptions options;
  options.members = 16;
  for (const auto layer : {SimulationLayer::totals, SimulationLayer::files}) {
    options.layer = layer;
    for (const double buffer : {4 * kMiB, 16 * kMiB}) {
      problem.settings.set(Knob::write_buffer_size, buffer);
      double best = 0;
      for (double bandwidth = 8e6; bandwidth < 60e6; bandwidth *= 1.25) {
        problem.device.write_bytes_per_s = bandwidth;
        problem.device.read_bytes_per_s = 2 * bandwidth;
        const auto result = simulate(problem, options);
        ASSERT_TRUE(result.has_value());
        EXPECT_GE(result->put_bytes_per_s, 0.98 * best) << bandwidth << " with " << buffer;
        best = std::max(best, result->put_bytes_per_s);
      }
    }
  }
}

}  // namespace
}  // namespace lsmtuned::model
