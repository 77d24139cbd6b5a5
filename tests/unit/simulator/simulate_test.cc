#include "model/simulator/simulate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/unit/simulator/support.h"

namespace lsmtuned::model {
namespace {

using ::testing::HasSubstr;
using testing::settled_problem;
using testing::small_problem;

class SimulateBothLayers : public ::testing::TestWithParam<SimulationLayer> {
 protected:
  Simulation run(const Problem& problem, SimulationOptions options = {}) {
    options.layer = GetParam();
    const auto result = simulate(problem, options);
    EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().text());
    return result ? *result : Simulation{};
  }
};

INSTANTIATE_TEST_SUITE_P(Simulate, SimulateBothLayers,
                         ::testing::Values(SimulationLayer::totals, SimulationLayer::files),
                         [](const auto& layer) {
                           return layer.param == SimulationLayer::totals ? "totals" : "files";
                         });

// 1 MiB/s of user bytes into empty memtables and an empty tree: 60 MiB in all, at 1 of 24 MiB/s.
// Records: 62,914,560 / 1,040 = 60,495; a memtable of 4,063,232 bytes holds 3,762 of 1,080 bytes:
// 16 flushes.
TEST_P(SimulateBothLayers, APacedWriterIsNotStalled) {
  Problem problem = small_problem();
  problem.workload.offered_bytes_per_s = 1 * kMiB;
  problem.horizon_s = 60;
  const Simulation out = run(problem);
  EXPECT_NEAR(out.put_bytes_per_s, 1 * kMiB, 1);
  EXPECT_NEAR(out.settled_put_bytes_per_s, 1 * kMiB, 1);
  EXPECT_EQ(out.stalls.total(), 0);
  EXPECT_EQ(out.worst_stall_s, 0);
  EXPECT_EQ(out.flushes, 16);
}

// Nothing but flushes: triggers out of reach. 1,040 user bytes cost 1,000 file bytes, the device
// writes 24 MiB/s: 24 x 1.04 = 24.96 MiB/s of user bytes, plus what two memtables and the slice's
// credit (2.4 MiB) take in first: about 7.75 + 2.4 MiB over 60 s.
TEST_P(SimulateBothLayers, FlushesAloneRunAtTheDevicesSpeed) {
  Problem problem = small_problem();
  problem.settings.set(Knob::level0_file_num_compaction_trigger, 5000);
  problem.settings.set(Knob::level0_slowdown_writes_trigger, 5000);
  problem.settings.set(Knob::level0_stop_writes_trigger, 5000);
  problem.settings.set(Knob::max_bytes_for_level_base, 1024 * kGiB);
  problem.workload.distinct_keys = 0;
  problem.horizon_s = 60;
  const Simulation out = run(problem);
  EXPECT_NEAR(out.settled_put_bytes_per_s, 24.96 * kMiB, 0.01 * 24.96 * kMiB);
  EXPECT_NEAR(out.put_bytes_per_s, 24.96 * kMiB + 10.2 * kMiB / 60, 0.02 * 24.96 * kMiB);
  EXPECT_NEAR(out.write_amplification, 1 / 1.04, 0.02);
  EXPECT_GT(out.stalls.memtable_stop, 0.8);
  EXPECT_EQ(out.l0_compactions, 0);
}

// One L0 file of 40 MiB, trigger 1 and an empty base: a trivial move, and the writer never waits.
TEST_P(SimulateBothLayers, BothLayersReportStallsByCause) {
  const Simulation out = run(settled_problem());
  EXPECT_GT(out.stalls.memtable_stop, 0);
  EXPECT_GT(out.stalls.l0_delay, 0);
  EXPECT_EQ(out.stalls.pending_stop, 0);
  EXPECT_LE(out.stalls.total(), 1);
  EXPECT_GT(out.l0_compactions, 1);
  EXPECT_GT(out.deeper_compactions, 10);
  EXPECT_GT(out.worst_stall_s, 0);
  EXPECT_GE(out.l0_files_max, 20);
  EXPECT_LE(out.l0_files_max, 36);
}

// What went in by flushes is what came out: bytes written by jobs are the amplification's.
TEST_P(SimulateBothLayers, JobsAddUpToTheWriteAmplification) {
  SimulationOptions options;
  options.record_events = true;
  const Simulation out = run(settled_problem(), options);
  double written = 0;
  double flushes = 0;
  for (const JobEvent& job : out.jobs) {
    EXPECT_LE(job.start_s, job.end_s);
    written += job.written_bytes;
    flushes += job.kind == JobKind::flush ? 1 : 0;
  }
  EXPECT_EQ(flushes, out.flushes);
  const double user = out.put_bytes_per_s * 60;
  // Jobs that still run at the end have written too: at most one large L0 job.
  EXPECT_GE(out.write_amplification * user, written * 0.999);
  EXPECT_NEAR(out.write_amplification * user, written, 200 * kMiB);
}

TEST_P(SimulateBothLayers, SeriesAndMeansAgree) {
  SimulationOptions options;
  options.sample_every_s = 1;
  const Simulation out = run(settled_problem(), options);
  ASSERT_EQ(out.series.size(), 60U);
  double sum = 0;
  double settled = 0;
  for (const SimulationSample& sample : out.series) {
    sum += sample.put_bytes_per_s;
    if (sample.time_s > 40.5) settled += sample.put_bytes_per_s;
  }
  EXPECT_NEAR(sum / 60, out.put_bytes_per_s, 1);
  EXPECT_NEAR(settled / 20, out.settled_put_bytes_per_s, 1);
}

TEST_P(SimulateBothLayers, WarmUpIsNotCounted) {
  Problem problem = settled_problem();
  SimulationOptions options;
  options.sample_every_s = 1;
  const Simulation whole = run(problem, options);
  options.warmup_s = 20;
  problem.horizon_s = 40;
  const Simulation rest = run(problem, options);
  ASSERT_EQ(rest.series.size(), 40U);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_NEAR(rest.series[i].put_bytes_per_s, whole.series[i + 20].put_bytes_per_s, 1);
  }
}

TEST_P(SimulateBothLayers, Deterministic) {
  SimulationOptions options;
  options.members = 4;
  const Simulation first = run(settled_problem(), options);
  const Simulation second = run(settled_problem(), options);
  EXPECT_EQ(first.put_bytes_per_s, second.put_bytes_per_s);
  EXPECT_EQ(first.tree, second.tree);
  EXPECT_LE(first.low_bytes_per_s, first.put_bytes_per_s);
  EXPECT_GE(first.high_bytes_per_s, first.put_bytes_per_s);
}

// A limiter at 6 MiB/s is worth a device of 6 MiB/s for flushes alone.
TEST_P(SimulateBothLayers, TheLimiterHoldsFlushesAndCompactions) {
  Problem problem = settled_problem();
  const double free_rate = run(problem).put_bytes_per_s;
  problem.settings.set(Knob::rate_limiter_bytes_per_second, 6 * kMiB);
  const Simulation limited = run(problem);
  EXPECT_LT(limited.put_bytes_per_s, free_rate * 0.6);
  EXPECT_LE(limited.write_amplification * limited.put_bytes_per_s, 6 * kMiB * 1.001);
}

// A WAL of 1.02 bytes a user byte on the same device takes its share; on its own device of 2 MiB/s
// it limits the writer to 2 / 1.02 MiB/s.
TEST_P(SimulateBothLayers, TheWalSharesTheDeviceOrHasItsOwn) {
  Problem problem = settled_problem();
  const double without = run(problem).put_bytes_per_s;
  problem.constants.wal_bytes_per_user_byte = 1.02;
  const double with = run(problem).put_bytes_per_s;
  EXPECT_LT(with, without);
  problem.device.wal_write_bytes_per_s = 2 * kMiB;
  EXPECT_LE(run(problem).put_bytes_per_s, 2 * kMiB / 1.02 * 1.0001);
}

// Soft limit far below the debt of this tree: the cause is named.
TEST_P(SimulateBothLayers, PendingBytesDelayAndStop) {
  Problem problem = settled_problem();
  problem.settings.set(Knob::soft_pending_compaction_bytes_limit, 40 * kMiB);
  problem.settings.set(Knob::hard_pending_compaction_bytes_limit, 60 * kMiB);
  const Simulation out = run(problem);
  EXPECT_GT(out.stalls.pending_delay + out.stalls.pending_stop, 0.3);
  EXPECT_LT(out.put_bytes_per_s, run(settled_problem()).put_bytes_per_s);
}

// With the device out of the way, one compaction thread's CPU binds: 10 ns a byte.
TEST_P(SimulateBothLayers, CpuMayBind) {
  Problem problem = settled_problem();
  problem.device.write_bytes_per_s = 10 * kGiB;
  problem.device.read_bytes_per_s = 0;
  const double fast = run(problem).put_bytes_per_s;
  problem.constants.cpu_seconds_per_byte = 1e-8;
  const double slow = run(problem).put_bytes_per_s;
  EXPECT_LT(slow, fast / 2);
}

TEST_P(SimulateBothLayers, ForegroundReadsTakeTheirShareOfReads) {
  Problem problem = settled_problem();
  const double alone = run(problem).put_bytes_per_s;
  problem.workload.read_bytes_per_s = 40 * kMiB;  // leaves 8 of 48
  EXPECT_LT(run(problem).put_bytes_per_s, alone * 0.8);
}

// L0 can never empty: writes stop for good, and the simulation still ends.
TEST_P(SimulateBothLayers, AStopForEverEnds) {
  Problem problem = small_problem();
  problem.settings.set(Knob::level0_file_num_compaction_trigger, 100);
  problem.settings.set(Knob::level0_slowdown_writes_trigger, 4);
  problem.settings.set(Knob::level0_stop_writes_trigger, 5);
  problem.settings.set(Knob::max_bytes_for_level_base, 1 * kGiB);
  problem.horizon_s = 1000;
  const Simulation out = run(problem);
  EXPECT_GT(out.stalls.l0_stop, 0.9);
  EXPECT_EQ(out.settled_put_bytes_per_s, 0);
}

TEST(Simulate, ADynamicBaseLevelThatMovesIsRefused) {
  Problem problem = small_problem();
  problem.facts.dynamic_level_bytes = true;
  const auto result = simulate(problem, {});
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().what, HasSubstr("base level would move"));
}

// Levels 5 and 6 of a dynamic tree: 100 MiB above 1 GiB, the base level stays 5 with 104.9 MB.
TEST(Simulate, ADynamicBaseLevelThatStaysIsSimulated) {
  Problem problem = small_problem();
  problem.facts.dynamic_level_bytes = true;
  problem.settings.set(Knob::max_bytes_for_level_base, 256 * kMiB);
  problem.tree.levels.resize(7);
  problem.tree.levels[5].bytes = 100 * kMiB;
  problem.tree.levels[5].files = 50;
  problem.tree.levels[6].bytes = 800 * kMiB;
  problem.tree.levels[6].files = 400;
  problem.workload.distinct_keys = 850e3;
  problem.horizon_s = 60;
  const auto result = simulate(problem, {});
  ASSERT_TRUE(result.has_value()) << result.error().text();
  EXPECT_GT(result->l0_compactions, 0);
  EXPECT_GT(result->put_bytes_per_s, 0);
  EXPECT_EQ(result->tree.levels[4].bytes, 0);
}

TEST(Simulate, ATreeTooLargeForTheHorizonIsAnError) {
  Problem problem = settled_problem();
  problem.device.write_bytes_per_s = 1e12;
  problem.device.read_bytes_per_s = 0;
  problem.constants.foreground_bytes_per_s = 1e12;
  problem.horizon_s = 86400;
  SimulationOptions options;
  options.layer = SimulationLayer::totals;
  const auto result = simulate(problem, options);
  ASSERT_FALSE(result.has_value());
  EXPECT_THAT(result.error().what, HasSubstr("too many steps"));
}

}  // namespace
}  // namespace lsmtuned::model
