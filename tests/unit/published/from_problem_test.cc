#include "model/published/from_problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/published/registry.h"
#include "model/units.h"

namespace lsmtuned::model::published {
namespace {

using ::testing::HasSubstr;

Problem problem() {
  Problem at;
  at.device.write_bytes_per_s = 24 * kMiB;
  at.device.read_bytes_per_s = 48 * kMiB;
  at.workload.key_bytes = 16;
  at.workload.value_bytes = 1024;
  at.constants.file_bytes_per_record = 520;  // half of key + value
  at.constants.wal_bytes_per_user_byte = 1;
  at.settings.set(Knob::write_buffer_size, 16 * kMiB);
  at.settings.set(Knob::level0_slowdown_writes_trigger, 12);
  at.tree.levels = {{10 * kMiB, 5, {}}, {100 * kMiB, 50, {}}, {400 * kMiB, 200, {}}};
  at.horizon_s = 90;
  return at;
}

RunFacts facts() {
  RunFacts run;
  run.written_per_user_byte = 4;
  run.read_per_user_byte = 2;
  run.stall_share = 0.25;
  run.put_rate_variation = 0.1;
  run.trend_slope = 0;
  run.runtime_minutes = 100;
  run.fresh_write_bytes_per_s = 30 * kMiB;
  run.levels = {{100, 0, 0}, {300, 250, 100}, {200, 150, 100}};
  return run;
}

TEST(FromProblem, BytesAreCountedOnce) {
  const PublishedInputs inputs = published_inputs(problem(), facts());
  EXPECT_TRUE(faults(inputs).empty());
  EXPECT_DOUBLE_EQ(*inputs.write_mib_per_s, 24);
  EXPECT_DOUBLE_EQ(*inputs.compression_ratio, 0.5);
  EXPECT_DOUBLE_EQ(*inputs.write_amplification, 6);  // (4 - 1) / 0.5
  EXPECT_DOUBLE_EQ(*inputs.read_amplification, 4);
  EXPECT_DOUBLE_EQ(*inputs.read_share, 2.0 / 6);
  EXPECT_DOUBLE_EQ(*inputs.device_degradation, 0.2);
  EXPECT_DOUBLE_EQ(*inputs.level_depth, 3);
  // v1 with WAL is then exactly bandwidth over device bytes written per user byte.
  EXPECT_DOUBLE_EQ(predict("v1-wal", inputs)->user_mib_per_s, 24.0 / 4);
}

TEST(FromProblem, LevelsCarryTrafficAndMeasuredAmplification) {
  const PublishedInputs inputs = published_inputs(problem(), facts());
  ASSERT_EQ(inputs.levels.size(), 3u);
  EXPECT_EQ(inputs.levels[1].w_amp, 3);
  EXPECT_EQ(inputs.levels[1].measured_wa, 3);
  EXPECT_EQ(inputs.levels[2].measured_ra, 1.5);
  EXPECT_EQ(inputs.levels[0].w_amp, 0);
  EXPECT_EQ(inputs.levels[1].size_mib, 100);
}

TEST(FromProblem, TheSimulationStartsFromThePresentTree) {
  const PublishedInputs inputs = published_inputs(problem(), facts());
  ASSERT_TRUE(inputs.v3);
  EXPECT_EQ(inputs.v3->mode, V3Mode::log_driven);
  EXPECT_EQ(inputs.v3->steps, 90u);
  EXPECT_EQ(inputs.v3->stall_threshold_files, 12);
  EXPECT_EQ(inputs.v3->l0_files, 5);
  EXPECT_DOUBLE_EQ(inputs.v3->l0_file_mib, 8);
  EXPECT_DOUBLE_EQ(inputs.v3->levels[1].write_share, 0.5);
  EXPECT_DOUBLE_EQ(inputs.v3->offered_mib_per_s[0].value, 150);
  EXPECT_DOUBLE_EQ(inputs.v3->write_amplification[0].value, 3);
}

TEST(FromProblem, EveryModelCanBeScoredOnAFullyMeasuredRun) {
  for (const ModelInfo& model : models()) {
    PublishedInputs inputs = published_inputs(problem(), facts());
    const auto result = predict(model.id, inputs);
    if (std::string(model.id) == "v5-original") {
      // Nobody can: two of its constraints are not published.
      EXPECT_THAT(result.error().what, HasSubstr("constraint"));
      continue;
    }
    ASSERT_TRUE(result) << model.id << ": " << result.error().text();
    EXPECT_GT(result->user_mib_per_s, 0) << model.id;
  }
}

TEST(FromProblem, WhatIsUnknownStaysUnknown) {
  Problem at = problem();
  at.device.read_bytes_per_s = 0;
  const PublishedInputs inputs = published_inputs(at, {});
  EXPECT_FALSE(inputs.read_mib_per_s);
  EXPECT_FALSE(inputs.write_amplification);
  EXPECT_FALSE(inputs.v3);
  EXPECT_THAT(predict("v1", inputs).error().what, HasSubstr("write_amplification is missing"));
  EXPECT_TRUE(predict("v4", inputs));
  EXPECT_TRUE(predict("v4.2", inputs));
}

}  // namespace
}  // namespace lsmtuned::model::published
