// The five figures of a decision: arithmetic, what is unknown, and the judgement.
#include "controller/kpi.h"

#include <gtest/gtest.h>

#include "model/units.h"

#include "driver.h"

namespace lsmtuned::controller {
namespace {

using model::kMiB;

// Saturated: 10 MiB/s at w = 8 on a device that writes 100 MiB/s, stalled half of the time.
KpiInputs saturated() {
  KpiInputs inputs;
  inputs.before.seconds = 100;
  inputs.before.put_bytes_per_s = 10 * kMiB;
  inputs.before.write_amplification = 8;
  inputs.before.stall_share = 0.5;
  inputs.before.memory_bytes = 64 * kMiB;
  inputs.predicted.put_bytes_per_s = 15 * kMiB;
  inputs.predicted.write_amplification = 6;
  inputs.after = inputs.before;
  inputs.after.put_bytes_per_s = 14 * kMiB;
  inputs.after.write_amplification = 6.25;
  inputs.after.stall_share = 0.3;
  inputs.after.memory_bytes = 80 * kMiB;
  inputs.write_bandwidth = 100 * kMiB;
  inputs.memory_growth_bytes = 32 * kMiB;
  return inputs;
}

TEST(Kpi, FollowsTheDefinitions) {
  const Kpis kpis = kpis_of(saturated());
  EXPECT_DOUBLE_EQ(*kpis.put_rate.before, 10 * kMiB);
  EXPECT_DOUBLE_EQ(*kpis.put_rate.predicted, 15 * kMiB);
  EXPECT_DOUBLE_EQ(*kpis.put_rate.after, 14 * kMiB);
  EXPECT_DOUBLE_EQ(*kpis.write_bandwidth_use.before, 0.8);     // 10 * 8 / 100
  EXPECT_DOUBLE_EQ(*kpis.write_bandwidth_use.predicted, 0.9);  // 15 * 6 / 100
  EXPECT_DOUBLE_EQ(*kpis.write_bandwidth_use.after, 0.875);    // 14 * 6.25 / 100
  EXPECT_DOUBLE_EQ(*kpis.compaction_efficiency.before, 0.125);
  EXPECT_DOUBLE_EQ(*kpis.compaction_efficiency.after, 0.16);
  EXPECT_DOUBLE_EQ(*kpis.stability.before, 0.5);
  EXPECT_DOUBLE_EQ(*kpis.stability.predicted, 0.75);  // 15 of the 20 MiB/s that writers want
  EXPECT_DOUBLE_EQ(*kpis.stability.after, 0.7);
  EXPECT_DOUBLE_EQ(*kpis.resource_use.predicted, 96 * kMiB);  // 64 + 32
  EXPECT_DOUBLE_EQ(*kpis.resource_use.after, 80 * kMiB);
  EXPECT_EQ(kpis.put_rate.judgement, KpiJudgement::better);
  EXPECT_EQ(kpis.write_bandwidth_use.judgement, KpiJudgement::better);  // it bought a higher rate
  EXPECT_EQ(kpis.compaction_efficiency.judgement, KpiJudgement::better);
  EXPECT_EQ(kpis.stability.judgement, KpiJudgement::better);
  EXPECT_EQ(kpis.resource_use.judgement, KpiJudgement::worse);
}

TEST(Kpi, WithinTheNoiseBandNothingIsBetterOrWorse) {
  KpiInputs inputs = saturated();
  inputs.after = inputs.before;
  inputs.before.standard_error = 0.5 * kMiB;
  inputs.after.standard_error = 0.5 * kMiB;  // 1.28 * 0.707 MiB/s = 0.905 MiB/s
  inputs.after.put_bytes_per_s = 10.9 * kMiB;
  EXPECT_EQ(kpis_of(inputs).put_rate.judgement, KpiJudgement::same);
  inputs.after.put_bytes_per_s = 10.95 * kMiB;
  EXPECT_EQ(kpis_of(inputs).put_rate.judgement, KpiJudgement::better);
  inputs.after.put_bytes_per_s = 9 * kMiB;
  EXPECT_EQ(kpis_of(inputs).put_rate.judgement, KpiJudgement::worse);
  inputs.after.stall_share = 0.515;
  EXPECT_EQ(kpis_of(inputs).stability.judgement, KpiJudgement::same);
  inputs.after.stall_share = 0.53;
  EXPECT_EQ(kpis_of(inputs).stability.judgement, KpiJudgement::worse);
  inputs.after.memory_bytes = 66 * kMiB;
  EXPECT_EQ(kpis_of(inputs).resource_use.judgement, KpiJudgement::same);
}

TEST(Kpi, MoreOfTheDeviceIsBetterOnlyForAHigherRate) {
  KpiInputs inputs = saturated();
  inputs.after = inputs.before;
  inputs.after.write_amplification = 10;  // the same rate, more written
  EXPECT_EQ(kpis_of(inputs).write_bandwidth_use.judgement, KpiJudgement::worse);
  inputs.after.write_amplification = 6;  // the same rate, less written
  EXPECT_EQ(kpis_of(inputs).write_bandwidth_use.judgement, KpiJudgement::better);
  inputs.after.put_bytes_per_s = 5 * kMiB;  // less written because less was put
  EXPECT_EQ(kpis_of(inputs).write_bandwidth_use.judgement, KpiJudgement::worse);
}

TEST(Kpi, WhatIsNotKnownStaysEmpty) {
  const Kpis nothing = kpis_of({});
  for (const auto& [name, figure] : kpi_names()) {
    const Kpi& kpi = nothing.*figure;
    EXPECT_FALSE(kpi.before || kpi.predicted || kpi.after) << name;
    EXPECT_EQ(kpi.judgement, KpiJudgement::unknown) << name;
  }
  KpiInputs unpredicted = saturated();  // rules and probe predict nothing
  unpredicted.predicted = {};
  unpredicted.write_bandwidth = 0;
  const Kpis kpis = kpis_of(unpredicted);
  EXPECT_FALSE(kpis.put_rate.predicted || kpis.stability.predicted);
  EXPECT_FALSE(kpis.write_bandwidth_use.before || kpis.write_bandwidth_use.after);
  EXPECT_EQ(kpis.write_bandwidth_use.judgement, KpiJudgement::unknown);
  EXPECT_EQ(kpis.put_rate.judgement, KpiJudgement::better);
}

TEST(Kpi, AdviceIsJudgedByItsPrediction) {
  KpiInputs inputs = saturated();
  inputs.after = {};
  const Kpis kpis = kpis_of(inputs);
  EXPECT_FALSE(kpis.put_rate.after);
  EXPECT_EQ(kpis.put_rate.judgement, KpiJudgement::better);
  EXPECT_EQ(kpis.resource_use.judgement, KpiJudgement::worse);
}

TEST(Kpi, ANoopHoldsThePresentOnly) {
  KpiInputs inputs = saturated();
  inputs.changes = false;
  const Kpis kpis = kpis_of(inputs);
  EXPECT_TRUE(kpis.put_rate.before);
  EXPECT_FALSE(kpis.put_rate.predicted || kpis.put_rate.after || kpis.resource_use.predicted);
}

TEST(Kpi, EveryVerdictCarriesThem) {
  for (const double rate : {13.0, 9.0}) {  // kept, and reverted
    testing::Driver driver;
    driver.tuned_plant.rate = rate * kMiB;
    driver.attach();
    driver.candidate(model::Knob::write_buffer_size, 8 * kMiB);
    ASSERT_TRUE(driver.poll_until(Phase::cooldown, 400));
    const Kpis& kpis = driver.decision(DecisionKind::proposal).kpis;
    ASSERT_TRUE(kpis.put_rate.before && kpis.put_rate.predicted && kpis.put_rate.after);
    EXPECT_NEAR(*kpis.put_rate.after, rate * kMiB, 0.05 * rate * kMiB);
    EXPECT_EQ(kpis.put_rate.judgement, rate > 10 ? KpiJudgement::better : KpiJudgement::worse);
    ASSERT_TRUE(kpis.write_bandwidth_use.before);
    EXPECT_GT(*kpis.write_bandwidth_use.before, 0);
  }
}

}  // namespace
}  // namespace lsmtuned::controller
