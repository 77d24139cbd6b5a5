#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <limits>

#include "any_inputs.h"
#include "model/published/registry.h"

namespace lsmtuned::model::published {
namespace {

using testing::any_inputs;

void assert_sound(double value) {
  RC_ASSERT(std::isfinite(value));
  RC_ASSERT(value >= 0);
}

const ModelInfo& any_model() {
  return models()[static_cast<std::size_t>(
      *rc::gen::inRange(0, static_cast<int>(models().size())))];
}

RC_GTEST_PROP(PublishedModels, ValidInputsGiveFiniteRates, ()) {
  const PublishedInputs inputs = any_inputs();
  RC_ASSERT(faults(inputs).empty());
  for (const ModelInfo& model : models()) {
    const auto result = predict(model.id, inputs);
    if (!result) RC_FAIL(std::string(model.id) + ": " + result.error().text());
    assert_sound(result->value);
    assert_sound(result->ops_per_s);
    assert_sound(result->user_mib_per_s);
    for (const Quantity& detail : result->details) RC_ASSERT(std::isfinite(detail.value));
    for (const LevelAnalysis& level : result->levels) {
      if (level.backlog) assert_sound(level.backlog->write_mib);
      if (level.backlog) assert_sound(level.backlog->read_mib);
    }
  }
}

// Whatever single number is out of its range: every model refuses and names it and the range.
RC_GTEST_PROP(PublishedModels, AValueOutOfRangeIsNamed, ()) {
  PublishedInputs inputs = any_inputs();
  const auto fields = input_fields();
  const InputField& field =
      fields[static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(fields.size())))];
  inputs.*(field.member) = *rc::gen::element(
      field.above_minimum ? field.minimum : field.minimum - 1, field.maximum * 1.01 + 1,
      std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
      std::numeric_limits<double>::quiet_NaN());
  const auto result = predict(any_model().id, inputs);
  RC_ASSERT(!result);
  RC_ASSERT(result.error().what.find(std::string(field.name) + ":") != std::string::npos);
  RC_ASSERT(result.error().what.find(allowed_range(field)) != std::string::npos);
}

// Whatever is taken away: an answer, or a refusal that names what was taken.
RC_GTEST_PROP(PublishedModels, AMissingValueIsNamedOrNotNeeded, ()) {
  PublishedInputs inputs = any_inputs();
  const auto fields = input_fields();
  const InputField& field =
      fields[static_cast<std::size_t>(*rc::gen::inRange(0, static_cast<int>(fields.size())))];
  (inputs.*(field.member)).reset();
  const auto result = predict(any_model().id, inputs);
  if (result) return assert_sound(result->value);
  RC_ASSERT(result.error().what.find(std::string(field.name) + " is missing") != std::string::npos);
}

RC_GTEST_PROP(PublishedModels, MoreWriteBandwidthNeverLowersTheRate, ()) {
  PublishedInputs inputs = any_inputs();
  const ModelInfo& model = any_model();
  // A loop with feedback: a larger allocation now can leave less backlog to drain later.
  if (std::string(model.id) == "v3") return;
  inputs.write_mib_per_s = testing::any_between(0, 1e8, true);
  const auto slow = predict(model.id, inputs);
  *inputs.write_mib_per_s *= 2;
  const auto fast = predict(model.id, inputs);
  RC_ASSERT(fast->value >= slow->value * (1 - 1e-12));
}

TEST(PublishedModels, AllFieldsCanBeMissingAtOnce) {
  for (const ModelInfo& model : models()) {
    const auto result = predict(model.id, {});
    ASSERT_FALSE(result) << model.id;
    EXPECT_NE(result.error().what.find("missing"), std::string::npos) << model.id;
    EXPECT_NE(result.error().remedy.find(model.needs), std::string::npos);
  }
}

TEST(PublishedModels, AWrongSimulationIsRefused) {
  const auto refused = [](auto change) {
    PublishedInputs inputs = testing::full_inputs();
    change(*inputs.v3);
    const auto result = predict("v3", inputs);
    return result ? std::string() : result.error().what;
  };
  const auto has = [](const std::string& text, const char* part) {
    return text.find(part) != std::string::npos;
  };
  EXPECT_EQ(refused([](V3Inputs&) {}), "");
  EXPECT_TRUE(has(refused([](V3Inputs& v3) { v3.steps = 0; }), "v3.steps"));
  EXPECT_TRUE(has(refused([](V3Inputs& v3) { v3.steps = 100'000'000; }), "v3.steps"));
  EXPECT_TRUE(has(refused([](V3Inputs& v3) { v3.step_s = 0; }), "v3.step_s"));
  EXPECT_TRUE(has(refused([](V3Inputs& v3) { v3.levels.clear(); }), "v3.levels"));
  EXPECT_TRUE(has(refused([](V3Inputs& v3) { v3.offered_mib_per_s.clear(); }), "v3.offered"));
  EXPECT_TRUE(has(refused([](V3Inputs& v3) { v3.l0_file_mib = 0; }), "v3.l0_file_mib"));
  EXPECT_TRUE(has(refused([](V3Inputs& v3) { v3.read_share = {{0, 1.5}}; }), "v3.read_share"));
  EXPECT_TRUE(has(refused([](V3Inputs& v3) { v3.levels[1].write_share = -1; }), "write_share"));
  EXPECT_TRUE(has(refused([](V3Inputs& v3) {
                    v3.offered_mib_per_s = {{10, 1}, {5, 2}};
                  }),
                  "times must increase"));
  EXPECT_TRUE(has(refused([](V3Inputs& v3) {
                    v3.mode = V3Mode::log_driven;
                    v3.write_amplification.clear();
                  }),
                  "v3.write_amplification is missing"));
}

}  // namespace
}  // namespace lsmtuned::model::published
