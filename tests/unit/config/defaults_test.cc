// The defaults: an empty table, the printed example and DaemonConfig{} are the same configuration.
#include <gtest/gtest.h>

#include <set>

#include "config/keys.h"
#include "config/parse.h"

namespace lsmtuned::config {
namespace {

TEST(Defaults, PrintedExampleIsTheDefaultConfiguration) {
  const ParseOutcome outcome = parse_text(default_config_text(), "default");
  for (const Problem& problem : outcome.problems) ADD_FAILURE() << problem.text();
  EXPECT_TRUE(outcome.warnings.empty());
  EXPECT_EQ(outcome.config, DaemonConfig{});
}

TEST(Defaults, TablesWithoutKeysAreTheDefaultConfiguration) {
  const ParseOutcome outcome = parse_text("[daemon]\n[defaults]\n", "empty");
  EXPECT_TRUE(outcome.problems.empty());
  EXPECT_EQ(outcome.config, DaemonConfig{});
}

// Uncomments the example's target and bounds: what a reader would do.
TEST(Defaults, CommentedPartsOfTheExampleAreValid) {
  std::string text = default_config_text();
  const std::size_t start = text.find("# [[target]]\n");
  ASSERT_NE(start, std::string::npos);
  std::string target = "[[target]]\n";
  for (const auto& key : target_keys()) {
    const std::size_t at = text.find("\n# " + key.name + " = ", start);
    ASSERT_NE(at, std::string::npos) << key.name;
    const std::size_t end = text.find('\n', at + 1);
    target += text.substr(at + 3, end - at - 3) + "\n";
  }
  const ParseOutcome outcome = parse_text(target, "target");
  for (const Problem& problem : outcome.problems) ADD_FAILURE() << problem.text();
  ASSERT_EQ(outcome.config.targets.size(), 1U);
  EXPECT_EQ(outcome.config.targets[0].name, "main");
  EXPECT_EQ(outcome.config.targets[0].policy, Policy{});

  std::string bounds = "[defaults.bounds]\n";
  for (const model::KnobInfo& knob : model::all_knobs()) {
    const std::size_t at = text.find("\n# " + std::string(knob.option) + " = [");
    ASSERT_NE(at, std::string::npos) << knob.option;
    const std::size_t end = text.find('\n', at + 1);
    bounds += text.substr(at + 3, end - at - 3) + "\n";
  }
  const ParseOutcome with_bounds = parse_text(bounds, "bounds");
  for (const Problem& problem : with_bounds.problems) ADD_FAILURE() << problem.text();
  EXPECT_EQ(with_bounds.config.defaults.bounds.size(), model::all_knobs().size());
  for (const auto& [knob, range] : with_bounds.config.defaults.bounds) {
    EXPECT_EQ(range.first, model::info(knob).minimum) << model::info(knob).option;
    EXPECT_EQ(range.second, model::info(knob).maximum) << model::info(knob).option;
  }
}

TEST(Defaults, EveryKeyIsNamedOnceHasHelpAndADefaultInsideItsBounds) {
  std::set<std::string> names;
  const auto check = [&](const auto& keys, const auto& owner) {
    for (const auto& key : keys) {
      EXPECT_TRUE(names.insert(key.name).second) << key.name << " is registered twice";
      EXPECT_GT(key.help.size(), 40U) << key.name;
      const KeyValue value = key.read(owner);
      if (const double* number = std::get_if<double>(&value)) {
        EXPECT_TRUE((*number == 0 && !key.zero_means.empty()) ||
                    (*number >= key.minimum && *number <= key.maximum))
            << key.name;
      }
    }
  };
  check(daemon_keys(), DaemonConfig{});
  check(policy_keys(), Policy{});
  check(target_keys(), TargetConfig{});
}

TEST(Defaults, JobsAreNotMovedUnlessNamed) {
  for (const model::Knob knob : Policy{}.knobs) {
    EXPECT_NE(knob, model::Knob::max_background_jobs);
    EXPECT_NE(knob, model::Knob::max_subcompactions);
    EXPECT_NE(knob, model::Knob::first_compressed_level);
  }
}

}  // namespace
}  // namespace lsmtuned::config
