// Mutated configurations never crash the parser, and one without problems is inside every bound.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "config/keys.h"
#include "config/parse.h"

namespace lsmtuned::config {
namespace {

constexpr const char* kSeedText = R"([daemon]
agent_users = ["mysql"]
history = "90 d"
worker_threads = 2
[defaults]
mode = "tune"
memory_budget = "256 MiB"
lease = "10 s"
minimum_gain = "5 %"
freeze_windows = ["22:00-06:00"]
trust_region_factor = 4.5
[defaults.bounds]
write_buffer_size = ["1 MiB", "256 MiB"]
level0_stop_writes_trigger = [8, 60]
[[target]]
name = "main"
path = "/var/lib/db"
reapply_after_restart = true
trial_max = 1800
[target.bounds]
max_write_buffer_number = [2, 6]
)";

const std::vector<std::string> kPieces = {"0",       "-1",      "9223372036854775807",
                                          "1e308",   "nan",     "-inf",
                                          "\"",      "'",       "\"\"\"",
                                          "[",       "]",       "{",
                                          "}",       "=",       "\n",
                                          "#",       "[[",      " MiB",
                                          " s",      "%",       "true",
                                          "\xff",    "\\u0000", "\\",
                                          "[target", ".a.b",    "1979-05-27",
                                          "0x7fff",  "[[[[[",   "lease = 1\n"};

void expect_inside(const KeyFacts& facts, const KeyValue& value) {
  if (const double* number = std::get_if<double>(&value)) {
    EXPECT_TRUE((*number == 0 && !facts.zero_means.empty()) ||
                (*number >= facts.minimum && *number <= facts.maximum))
        << facts.name << " = " << *number;
  }
  const auto fine = [&](const std::string& text) {
    bool known = facts.choices.empty();
    for (const std::string& choice : facts.choices) known = known || choice == text;
    EXPECT_TRUE(known && (facts.check == nullptr || facts.check(text).empty()))
        << facts.name << " = " << text;
  };
  if (const auto* text = std::get_if<std::string>(&value)) fine(*text);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& text : *list) fine(text);
  }
  if (const auto* bounds = std::get_if<KnobBounds>(&value)) {
    for (const auto& [knob, range] : *bounds) {
      EXPECT_LE(model::info(knob).minimum, range.first);
      EXPECT_LE(range.first, range.second);
      EXPECT_LE(range.second, model::info(knob).maximum);
    }
  }
}

void expect_inside(const Policy& policy) {
  for (const auto& key : policy_keys()) expect_inside(key, key.read(policy));
  EXPECT_GE(policy.lease_s, 3 * policy.poll_interval_s);
  EXPECT_LE(policy.trial_min_s, policy.trial_max_s);
}

void expect_inside(const DaemonConfig& config) {
  for (const auto& key : daemon_keys()) expect_inside(key, key.read(config));
  expect_inside(config.defaults);
  for (const TargetConfig& target : config.targets) {
    for (const auto& key : target_keys()) expect_inside(key, key.read(target));
    expect_inside(target.policy);
    EXPECT_TRUE(target.policy.mode != Mode::tune || target.policy.memory_budget_bytes > 0);
  }
}

std::string mutated(std::string text, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const std::size_t changes = 1 + below(4);
  for (std::size_t i = 0; i < changes && !text.empty(); ++i) {
    const std::size_t at = below(text.size());
    switch (below(6)) {
      case 0:
        text[at] = static_cast<char>(below(256));
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        text.insert(at, kPieces[below(kPieces.size())]);
        break;
      case 3:  // another digit: stays valid TOML more often
        if (text[at] >= '0' && text[at] <= '9') text[at] = static_cast<char>('0' + below(10));
        break;
      case 4:
        text.insert(at, text.substr(below(text.size()), below(40)));
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

TEST(ConfigFuzz, MutationsNeverCrashAndNeverPassBadValues) {
  const char* asked = std::getenv("LSMTUNED_FUZZ_ITERATIONS");
  const long iterations = asked != nullptr ? std::strtol(asked, nullptr, 10) : 10000;
  const std::string example = default_config_text();
  long accepted = 0;
  for (long seed = 0; seed < iterations; ++seed) {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    const std::string text = mutated(seed % 20 == 0 ? example : kSeedText, random);
    const ParseOutcome outcome = parse_text(text, "fuzz");
    if (outcome.problems.empty()) {
      ++accepted;
      expect_inside(outcome.config);
    }
    for (const Problem& problem : outcome.problems) {
      EXPECT_GE(problem.line, 1) << problem.text();
      EXPECT_FALSE(problem.message.empty());
    }
    ASSERT_FALSE(testing::Test::HasFailure()) << "seed " << seed << ", text:\n" << text;
  }
  EXPECT_GT(accepted, 0);  // otherwise the bounds were never looked at
}

}  // namespace
}  // namespace lsmtuned::config
