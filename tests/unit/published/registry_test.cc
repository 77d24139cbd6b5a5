#include "model/published/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "any_inputs.h"

namespace lsmtuned::model::published {
namespace {

using ::testing::HasSubstr;

TEST(Registry, EveryModelSaysWhatItIs) {
  std::set<std::string> ids;
  for (const ModelInfo& model : models()) {
    ids.insert(model.id);
    for (const char* text : {model.title, model.version, model.principle, model.needs,
                             model.can_rank, model.cannot_rank, model.limitations}) {
      EXPECT_NE(std::string(text), "") << model.id;
    }
    EXPECT_EQ(find_model(model.id)->title, model.title);
  }
  EXPECT_EQ(ids.size(), models().size());
  EXPECT_EQ(ids.size(), 14u);
}

TEST(Registry, AnUnknownModelIsRefusedWithTheKnownOnes) {
  const auto result = predict("v6", testing::full_inputs());
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().text(), HasSubstr("\"v6\""));
  for (const ModelInfo& model : models()) {
    EXPECT_THAT(result.error().remedy, HasSubstr(model.id));
  }
}

TEST(Registry, AnAnswerCarriesItsCircumstances) {
  PublishedInputs inputs;
  inputs.write_mib_per_s = 1074.8;
  inputs.runtime_minutes = 45;
  const auto result = predict("v4", inputs);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->model, "v4");
  EXPECT_EQ(result->version, "v4_device_envelope");
  EXPECT_EQ(result->unit, RateUnit::ops_per_s);
  EXPECT_NEAR(result->value, 50932.16, 0.01);
  EXPECT_EQ(result->phase->phase, Phase::middle);
  EXPECT_EQ(result->phase->source, PhaseSource::by_time);
  EXPECT_EQ(result->utilisation, 0.047);
  EXPECT_NEAR(*result->base_ops_per_s, 1083662.97, 0.01);
  EXPECT_EQ(result->confidence, Confidence::high);
  EXPECT_EQ(result->inputs.write_mib_per_s, 1074.8);
  EXPECT_NE(result->note, "");
}

// The documents' own accuracies are never shown: there is none until runs of ours give one.
TEST(Registry, AccuracyIsAbsentUntilMeasured) {
  for (const ModelInfo& model : models()) {
    const auto result = predict(model.id, testing::full_inputs());
    ASSERT_TRUE(result) << model.id << ": " << result.error().text();
    EXPECT_FALSE(result->accuracy) << model.id;
    for (const char* refuted : {"81.4", "78.6", "60.8", "96.9", "86.6", "0.0 %"}) {
      for (const char* text : {model.principle, model.can_rank, model.limitations}) {
        EXPECT_THAT(text, ::testing::Not(HasSubstr(refuted)));
      }
    }
  }
}

TEST(Registry, BothUnitsAgreeThroughTheRecordSize) {
  for (const ModelInfo& model : models()) {
    PublishedInputs inputs = testing::full_inputs();
    inputs.record_bytes = 524288;  // two records a MiB
    const auto result = predict(model.id, inputs);
    ASSERT_TRUE(result) << model.id;
    EXPECT_DOUBLE_EQ(result->ops_per_s, 2 * result->user_mib_per_s) << model.id;
    EXPECT_EQ(result->value,
              result->unit == RateUnit::ops_per_s ? result->ops_per_s : result->user_mib_per_s);
  }
}

TEST(Registry, AnOperatorsPhaseWinsAndIsShownAsManual) {
  PublishedInputs inputs = testing::full_inputs();
  inputs.runtime_minutes = 5;
  inputs.detected_phase = Phase::middle;
  inputs.phase = Phase::final;
  EXPECT_EQ(predict("v4", inputs)->phase->source, PhaseSource::manual);
  EXPECT_EQ(predict("v4", inputs)->phase->phase, Phase::final);
  inputs.phase.reset();
  EXPECT_EQ(predict("v4", inputs)->phase->phase, Phase::middle);
  EXPECT_EQ(predict("v4", inputs)->phase->source, PhaseSource::detected);
  inputs.detected_phase.reset();
  EXPECT_EQ(predict("v4", inputs)->phase->phase, Phase::initial);
  inputs.runtime_minutes.reset();
  const auto assumed = predict("v4", inputs);
  EXPECT_EQ(assumed->phase->source, PhaseSource::assumed);
  EXPECT_THAT(assumed->note, HasSubstr("middle is assumed"));
}

TEST(Registry, AllThatIsMissingIsNamedAtOnce) {
  const auto result = predict("v1-wal", {});
  ASSERT_FALSE(result);
  for (const char* field :
       {"write_mib_per_s", "write_amplification", "compression_ratio", "wal_factor"}) {
    EXPECT_THAT(result.error().what, HasSubstr(std::string(field) + " is missing"));
  }
  EXPECT_THAT(result.error().what, HasSubstr("above 0 and at most 1000000000 MiB/s"));
}

TEST(Registry, UnpublishedConstraintsAreAskedForNotInvented) {
  PublishedInputs inputs = testing::full_inputs();
  inputs.phase = Phase::middle;
  inputs.amplification_constraint_ops.reset();
  inputs.volatility_constraint_ops.reset();
  const auto result = predict("v5-original", inputs);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().what, HasSubstr("amplification_constraint_ops is missing"));
  EXPECT_THAT(result.error().what, HasSubstr("volatility_constraint_ops is missing"));
}

TEST(Registry, AWalDeviceOfItsOwnIsABoundOfItsOwn) {
  PublishedInputs inputs;
  inputs.write_mib_per_s = 100;
  inputs.write_amplification = 4;
  inputs.compression_ratio = 1;
  inputs.wal_factor = 1;
  EXPECT_DOUBLE_EQ(predict("v1-wal", inputs)->value, 20);  // 100 / (4 + 1)
  inputs.wal_device_mib_per_s = 1000;
  EXPECT_DOUBLE_EQ(predict("v1-wal", inputs)->value, 25);  // 100 / 4
  inputs.wal_device_mib_per_s = 10;
  EXPECT_DOUBLE_EQ(predict("v1-wal", inputs)->value, 10);  // 10 / 1
}

TEST(Registry, V2TakesAmplificationFromLevels) {
  PublishedInputs inputs;
  inputs.mixed_mib_per_s = 110;
  inputs.compression_ratio = 1;
  inputs.overhead = 0;
  inputs.levels.resize(3);
  inputs.levels[1].size_mib = 256;
  inputs.levels[1].merge_frequency = 1;
  inputs.levels[2].size_mib = 2560;
  inputs.levels[2].merge_frequency = 1;
  EXPECT_DOUBLE_EQ(predict("v2", inputs)->value, 10);  // amplification 1 + 10
  inputs.levels[1].merge_frequency.reset();
  EXPECT_THAT(predict("v2", inputs).error().what, HasSubstr("write_amplification is missing"));
}

V42Input sample() {
  V42Input input;
  input.phase = "initial";
  input.device_degradation_data = {4116.6, 5487.2, 1074.8, 1166.1};
  return input;
}

TEST(V42, TheDocumentsSampleGivesTheDocumentsAnswer) {
  const auto inputs = to_inputs(sample());
  ASSERT_TRUE(inputs);
  const auto prediction = predict("v4.2", *inputs);
  ASSERT_TRUE(prediction);
  const auto output = to_v42_output(*prediction);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->predicted_s_max, 33132);
  ASSERT_EQ(output->level_wise_analysis.size(), 7u);
  EXPECT_EQ(output->level_wise_analysis[2].wa, 1.3);
  EXPECT_EQ(output->level_wise_analysis[2].ra, 0.2);
  EXPECT_EQ(output->level_wise_analysis[2].io_impact, 0.30);
  EXPECT_EQ(output->phase_characteristics.performance_factor, 0.3);
  EXPECT_EQ(output->phase_characteristics.stability_factor, 0.2);
  EXPECT_EQ(output->phase_characteristics.io_contention, 0.6);
  EXPECT_FALSE(to_v42_output(*predict("v4", *inputs)));
}

TEST(V42, WrongInputsAreNamed) {
  V42Input input = sample();
  input.phase = "initial|middle|final";
  EXPECT_THAT(to_inputs(input).error().text(), HasSubstr("allowed: initial, middle, final"));
  input = sample();
  input.device_degradation_data.degraded_write_bw = 0;
  EXPECT_THAT(to_inputs(input).error().text(), HasSubstr("degraded_write_bw"));
  input = sample();
  input.workload_characteristics.user_read_ratio = 1.5;
  EXPECT_THAT(to_inputs(input).error().text(), HasSubstr("user_read_ratio"));
}

TEST(V42, TablesGivenExplicitlyEqualTheBuiltInOnes) {
  for (const Phase phase : {Phase::initial, Phase::middle, Phase::final}) {
    PublishedInputs inputs = *to_inputs(sample());
    inputs.phase = phase;
    const double built_in = predict("v4.2", inputs)->value;
    for (const LevelImpact& at : published_levels(phase)) {
      LevelInputs level;
      level.wa = at.wa;
      level.ra = at.ra;
      level.io_impact = at.io_impact;
      inputs.levels.push_back(level);
    }
    EXPECT_DOUBLE_EQ(predict("v4.2", inputs)->value, built_in);
    inputs.levels[1].ra.reset();
    EXPECT_THAT(predict("v4.2", inputs).error().what, HasSubstr("levels[1]: give wa, ra and"));
  }
}

// The document's prose; its algorithm always uses the degraded device.
TEST(V42, DegradationByPhaseIsAnOption) {
  PublishedInputs inputs = *to_inputs(sample());
  inputs.degradation_by_phase = true;
  EXPECT_NEAR(predict("v4.2", inputs)->value, 126900.22, 0.01);
  inputs.phase = Phase::middle;
  EXPECT_NEAR(predict("v4.2", inputs)->value, 287396.35, 0.01);
  inputs.phase = Phase::final;
  EXPECT_NEAR(predict("v4.2", inputs)->value, 250597.92, 0.01);
  inputs.fresh_write_mib_per_s.reset();
  EXPECT_THAT(predict("v4.2", inputs).error().what, HasSubstr("fresh_write_mib_per_s"));
}

TEST(V42, MeasuredLevelsStandBesideTheTables) {
  PublishedInputs inputs = *to_inputs(sample());
  const double before = predict("v4.2", inputs)->value;
  inputs.levels.resize(2);
  inputs.levels[1].measured_wa = 7;
  const auto result = predict("v4.2", inputs);
  ASSERT_EQ(result->levels.size(), 7u);
  EXPECT_EQ(result->levels[1].measured_wa, 7);
  EXPECT_EQ(result->levels[1].table->wa, 1.1);
  EXPECT_EQ(result->value, before);
}

TEST(V3, ReturnsASeriesWhenAsked) {
  PublishedInputs inputs = testing::full_inputs();
  inputs.v3->steps = 10;
  inputs.v3->sample_every_steps = 3;
  const auto result = predict("v3", inputs);
  ASSERT_TRUE(result);
  ASSERT_EQ(result->series.size(), 4u);
  EXPECT_EQ(result->series[1].time_s, 3 * inputs.v3->step_s);
  EXPECT_EQ(result->series[0].put_mib_per_s,
            (1 - result->series[0].stall_probability) * inputs.v3->offered_mib_per_s[0].value);
}

}  // namespace
}  // namespace lsmtuned::model::published
