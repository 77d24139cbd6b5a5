#include "model/analysis/s_max.h"

#include <gmock/gmock.h>

#include "model/accuracy.h"
#include "model/units.h"

#include "support.h"

namespace lsmtuned::model::testing {
namespace {

class EveryModel : public ::testing::TestWithParam<OwnModel> {
 protected:
  ModelChoice choice() const { return {GetParam(), 4, 1}; }
};

TEST_P(EveryModel, StatesRateIntervalHorizonAndBytes) {
  const auto found = predict_s_max(small_problem(), choice());
  ASSERT_TRUE(found) << found.error().text();
  EXPECT_EQ(found->model, GetParam());
  EXPECT_EQ(found->horizon_s, 60);
  EXPECT_GT(found->put_bytes_per_s, kMiB);
  EXPECT_LT(found->low_bytes_per_s, found->put_bytes_per_s);
  EXPECT_GT(found->high_bytes_per_s, found->put_bytes_per_s);
  EXPECT_GT(found->settled_bytes_per_s, 0);
  EXPECT_GT(found->write_amplification, 560.0 / 1040);  // at least the flush
  EXPECT_GT(found->read_amplification, 0);
  EXPECT_EQ(found->bound, Bound::device);
  EXPECT_EQ(found->stall_share.has_value(), GetParam() != OwnModel::ledger);
}

TEST_P(EveryModel, SMaxDoesNotDependOnTheOfferedRate) {
  Problem offered = small_problem();
  offered.workload.offered_bytes_per_s = kMiB;
  EXPECT_EQ(predict_s_max(offered, choice())->put_bytes_per_s,
            predict_s_max(small_problem(), choice())->put_bytes_per_s);
}

TEST_P(EveryModel, TwiceTheDeviceIsAboutTwiceTheRate) {
  Problem faster = small_problem();
  faster.device.write_bytes_per_s *= 2;
  faster.device.read_bytes_per_s *= 2;
  const double ratio = predict_s_max(faster, choice())->put_bytes_per_s /
                       predict_s_max(small_problem(), choice())->put_bytes_per_s;
  EXPECT_GT(ratio, 1.4);
  EXPECT_LT(ratio, 3.0);
}

TEST_P(EveryModel, RefusesStylesThatAreNotModelled) {
  Problem problem = small_problem();
  problem.facts.style = CompactionStyle::fifo;
  EXPECT_FALSE(predict_s_max(problem, choice()));
}

TEST_P(EveryModel, HasAnIdThatReadsBack) {
  EXPECT_EQ(own_model_from_text(to_text(GetParam())), GetParam());
  EXPECT_EQ(info(GetParam()).model, GetParam());
}

INSTANTIATE_TEST_SUITE_P(SMax, EveryModel,
                         ::testing::Values(OwnModel::ledger, OwnModel::totals, OwnModel::files),
                         [](const auto& one) { return std::string(to_text(one.param)); });

TEST(SMax, AnIntervalWithoutMeasurementsSaysSo) {
  const auto found = predict_s_max(small_problem(), {OwnModel::ledger, 1, 1});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->interval_measured, measured_accuracy("ledger").has_value());
  EXPECT_FALSE(measured_accuracy("no such model"));
}

// A light load is put whole; under RocksDB's defaults no less than under saturation is asked for.
TEST_P(EveryModel, OfALoadNoMoreIsPutThanIsOffered) {
  Problem problem = small_problem();
  problem.workload.offered_bytes_per_s = 1 * kMiB;
  const auto light = predict_of_load(problem, choice(), 60);
  ASSERT_TRUE(light);
  EXPECT_NEAR(light->put_bytes_per_s / (1 * kMiB), 1, 0.02);
  EXPECT_LE(light->high_bytes_per_s, 1 * kMiB);
  EXPECT_LE(light->low_bytes_per_s, light->put_bytes_per_s);
  problem.workload.offered_bytes_per_s = 0;
  const auto saturated = predict_of_load(problem, choice(), 60);
  ASSERT_TRUE(saturated);
  EXPECT_GT(saturated->put_bytes_per_s, 2 * kMiB);
}

TEST(Defaults, ReplaceEveryKnobButTheLimiter) {
  Problem problem = small_problem();
  problem.settings.set(Knob::rate_limiter_bytes_per_second, 10 * kMiB);
  const Problem defaults = with_default_settings(problem);
  EXPECT_FALSE(defaults.settings.has(Knob::write_buffer_size));
  EXPECT_EQ(defaults.settings.get(Knob::rate_limiter_bytes_per_second), 10 * kMiB);
  Settings settings;
  settings.set("default", Knob::write_buffer_size, 64 * kMiB);
  settings.set("", Knob::rate_limiter_bytes_per_second, 10 * kMiB);
  EXPECT_TRUE(all_default(settings));
  settings.set("other", Knob::write_buffer_size, 32 * kMiB);
  EXPECT_FALSE(all_default(settings));
}

}  // namespace
}  // namespace lsmtuned::model::testing
