// What is said about models after they were asked: scores, choice, independence, device reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "model/published/accuracy.h"
#include "model/published/device.h"
#include "model/published/dual_structure.h"
#include "model/published/independence.h"
#include "model/published/v4.h"

namespace lsmtuned::model::published {
namespace {

using ::testing::HasSubstr;

std::vector<Outcome> outcomes(double initial, double middle, double last) {
  return {{initial, 100, Phase::initial}, {middle, 200, Phase::middle}, {last, 400, Phase::final}};
}

TEST(Accuracy, AScoreHasPhasesSpreadAndStability) {
  const auto result = score("m", outcomes(90, 200, 120));  // 90, 100, 30 %
  ASSERT_TRUE(result);
  EXPECT_DOUBLE_EQ(result->overall_percent, 220.0 / 3);
  EXPECT_DOUBLE_EQ(*result->phase_percent[2], 30);
  EXPECT_DOUBLE_EQ(*result->least_percent, 30);
  EXPECT_TRUE(result->unstable);
  EXPECT_FALSE(score("m", outcomes(90, 200, 120), 80)->unstable);
  EXPECT_NEAR(
      *result->consistency,
      std::sqrt(((90 - 220.0 / 3) * (90 - 220.0 / 3) + (100 - 220.0 / 3) * (100 - 220.0 / 3) +
                 (30 - 220.0 / 3) * (30 - 220.0 / 3)) /
                2) /
          (220.0 / 3),
      1e-12);
  EXPECT_FALSE(score("m", {}));
  EXPECT_FALSE(score("m", std::vector<Outcome>{{1, 0, Phase::initial}}));
}

TEST(Accuracy, TheRankingHoldsAConstant) {
  const std::vector<NamedOutcomes> models = {{"far", outcomes(10, 20, 40)},
                                             {"near", outcomes(95, 190, 380)}};
  const auto ranking = rank_models(models);
  ASSERT_TRUE(ranking);
  ASSERT_EQ(ranking->size(), 3u);
  EXPECT_EQ((*ranking)[0].model, "near");
  // The constant predicts 700/3: -33, 83 and 58 %.
  EXPECT_EQ((*ranking)[1].model, kConstantModel);
  EXPECT_NEAR((*ranking)[1].overall_percent, (-100.0 / 3 + 250.0 / 3 + 175.0 / 3) / 3, 1e-9);
  EXPECT_EQ((*ranking)[2].model, "far");
}

TEST(Accuracy, OnlyTheSameRunsCanBeRanked) {
  std::vector<NamedOutcomes> models = {{"a", outcomes(1, 2, 3)}, {"b", outcomes(1, 2, 3)}};
  models[1].outcomes[0].actual = 101;
  EXPECT_THAT(rank_models(models).error().text(), HasSubstr("different runs"));
  models[1].outcomes.clear();
  EXPECT_FALSE(rank_models(models));
  EXPECT_FALSE(rank_models({}));
}

TEST(Accuracy, ModelsAreChosenByWhatWasMeasuredForThePhase) {
  const std::vector<NamedOutcomes> models = {{"v4", outcomes(90, 100, 400)},
                                             {"v4.1-analysis", outcomes(50, 200, 400)}};
  const auto scores = *rank_models(models);
  EXPECT_EQ(choose_model(scores, Phase::initial, "v4"), "v4");
  EXPECT_EQ(choose_model(scores, Phase::middle, "v4"), "v4.1-analysis");
  EXPECT_EQ(choose_model(scores, Phase::final, "v4"), "v4");
  EXPECT_EQ(choose_model({}, Phase::final, "v4"), "v4");
}

TEST(Accuracy, ComplexityNeedsThreeModels) {
  const std::vector<Complexity> models = {{1, 80}, {2, 70}, {3, 60}};
  EXPECT_NEAR(*complexity_correlation(models), -1, 1e-12);
  EXPECT_FALSE(complexity_correlation(std::span(models).first(2)));
  EXPECT_EQ(information_efficiency(60, 5), 12);
  EXPECT_FALSE(information_efficiency(60, 0));
}

TEST(Independence, FindsDuplicatesDerivedAndConstantParameters) {
  const std::vector<double> a = {1, 2, 3, 4, 5, 6, 7, 8};
  const std::vector<double> b = {2, 1, 4, 3, 6, 9, 5, 7};
  std::vector<double> sum;
  std::vector<double> mirror;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum.push_back(a[i] + b[i]);
    mirror.push_back(1 - a[i]);
  }
  const std::vector<ParameterSeries> parameters = {
      {"a", a}, {"b", b}, {"sum", sum}, {"mirror", mirror}, {"same", std::vector<double>(8, 3)}};
  const auto report = parameter_independence(parameters);
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->parameters[2].determined);
  EXPECT_FALSE(report->parameters[2].inflation);
  EXPECT_EQ(report->parameters[3].duplicate_of, "a");
  EXPECT_EQ(report->parameters[0].duplicate_of, "");
  EXPECT_TRUE(report->parameters[4].constant);
  EXPECT_FALSE(report->correlations[0][4]);
  EXPECT_NEAR(*report->correlations[0][3], -1, 1e-12);
  EXPECT_EQ(report->above_five, 4u);
}

TEST(Independence, TwoParametersInflateByTheirCorrelation) {
  const std::vector<ParameterSeries> parameters = {{"x", {1, 2, 3, 4, 5}}, {"y", {2, 1, 4, 3, 5}}};
  const auto report = parameter_independence(parameters);
  ASSERT_TRUE(report);
  const double r = *report->correlations[0][1];
  EXPECT_NEAR(r, 0.8, 1e-12);
  EXPECT_NEAR(*report->parameters[0].inflation, 1 / (1 - r * r), 1e-9);
  EXPECT_EQ(report->above_five, 0u);
}

TEST(Independence, RefusesWhatCannotBeTold) {
  using Series = std::vector<ParameterSeries>;
  EXPECT_FALSE(parameter_independence(Series{{"x", {1, 2, 3}}}));
  EXPECT_THAT(parameter_independence(Series{{"x", {1, 2, 3}}, {"y", {1, 2}}}).error().text(),
              HasSubstr("y has 2 values"));
  EXPECT_THAT(parameter_independence(Series{{"x", {1, 2}}, {"y", {2, 1}}}).error().text(),
              HasSubstr("cannot tell 2 parameters"));
  EXPECT_FALSE(parameter_independence(Series{{"x", {1, 2, std::nan("")}}, {"y", {2, 1, 3}}}));
}

TEST(DualStructure, SharesAddUp) {
  const auto report = dual_structure(4000, 1000, 500);
  ASSERT_TRUE(report);
  EXPECT_DOUBLE_EQ(report->device_degradation_percent, 75);
  EXPECT_DOUBLE_EQ(report->software_degradation_percent, 50);
  EXPECT_DOUBLE_EQ(report->total_degradation_percent, 87.5);
  EXPECT_DOUBLE_EQ(report->software_availability, 0.5);
  EXPECT_DOUBLE_EQ(report->logarithmic.device_percent, 200.0 / 3);
  for (const Shares& shares : {report->additive, report->logarithmic}) {
    EXPECT_DOUBLE_EQ(shares.device_percent + shares.software_percent, 100);
  }
  EXPECT_FALSE(dual_structure(4000, 1000, 0));
  EXPECT_FALSE(dual_structure(4000, 1000, 4000));
}

TEST(AvailableBandwidth, OnlySaturatedIntervalsCount) {
  std::vector<BandwidthSample> samples;
  for (int i = 0; i < 100; ++i) samples.push_back({i * 1.0, 100.0 + i, 1});
  samples.push_back({100, 5, 0.2});  // idle: says nothing of what the device can do
  const auto direct = available_bandwidth(BandwidthMethod::direct, samples, 105);
  EXPECT_EQ(direct->mib_per_s, 199);
  EXPECT_EQ(direct->age_s, 6);
  EXPECT_EQ(available_bandwidth(BandwidthMethod::historical, samples, 105)->mib_per_s, 194);
  // The lag of an exponential mean behind a ramp is (1 - 0.2) / 0.2.
  EXPECT_NEAR(available_bandwidth(BandwidthMethod::progressive, samples, 105)->mib_per_s, 195,
              1e-6);
  EXPECT_FALSE(available_bandwidth(BandwidthMethod::benchmark, samples, 105));
  EXPECT_THAT(
      available_bandwidth(BandwidthMethod::direct, std::span(samples).last(1), 105).error().text(),
      HasSubstr("never saturated"));
}

TEST(Utilisation, IsLearnedByPhase) {
  LearnedUtilisation learned(4);
  EXPECT_FALSE(learned.value(Phase::middle));
  EXPECT_TRUE(learned.learn(Phase::middle, 0.1));
  EXPECT_TRUE(learned.learn(Phase::middle, 0.2));
  EXPECT_NEAR(*learned.value(Phase::middle), 0.15, 1e-12);
  EXPECT_FALSE(learned.value(Phase::final));
  for (const double refused : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_FALSE(learned.learn(Phase::middle, refused));
  }
  for (int i = 0; i < 50; ++i) learned.learn(Phase::middle, 0.3);
  EXPECT_NEAR(*learned.value(Phase::middle), 0.3, 1e-6);
  EXPECT_NEAR(*utilisation_deviation(0.3, published_utilisation(Phase::middle)), 5.383, 1e-3);
  EXPECT_FALSE(utilisation_deviation(0.3, 0));
}

}  // namespace
}  // namespace lsmtuned::model::published
