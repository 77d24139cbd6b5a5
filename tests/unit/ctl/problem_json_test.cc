// The problem document: what it gives, every error at once with its place, and back again.
#include "daemon/problem_json.h"

#include <gmock/gmock.h>

#include "model/units.h"
#include "support.h"

namespace lsmtuned::daemon {

void PrintTo(const InputError& error, std::ostream* out) {
  *out << error.text();
}

namespace testing {
namespace {

using model::Knob;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

auto error_at(const std::string& place, const std::string& says) {
  return Contains(AllOf(
      Field(&InputError::place, place),
      ::testing::ResultOf([](const InputError& error) { return error.text(); }, HasSubstr(says))));
}

TEST(ProblemJson, TheDocumentedExampleGivesWhatItSays) {
  const ProblemOutcome read = read_problem(text_of_file(example("problem.json")));
  ASSERT_THAT(read.errors, IsEmpty()) << text_of(read.errors);
  EXPECT_THAT(read.warnings, IsEmpty());
  const model::Problem& problem = read.problem;
  EXPECT_EQ(problem.settings.get(Knob::write_buffer_size), 16 * model::kMiB);
  EXPECT_FALSE(problem.settings.has(Knob::delayed_write_rate));
  EXPECT_EQ(problem.facts.arena_block_bytes, model::kMiB);
  ASSERT_EQ(problem.tree.levels.size(), 3U);
  EXPECT_EQ(problem.tree.levels[0].files, 2);
  EXPECT_EQ(problem.tree.levels[0].bytes, 16500000);
  EXPECT_EQ(problem.tree.levels[0].ranges.at(1).records, 15000);
  EXPECT_EQ(problem.tree.levels[2].bytes, 420 * model::kMiB);
  EXPECT_EQ(problem.workload.offered_bytes_per_s, 0);
  EXPECT_EQ(problem.device.write_bytes_per_s, 24 * model::kMiB);
  EXPECT_EQ(problem.constants.level_compression, (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(problem.horizon_s, 120);
}

// Every key of the format is in the example, so that a reader of the documentation sees them all.
TEST(ProblemJson, TheExampleHasEveryKey) {
  const json::value example_text = json::parse(text_of_file(example("problem.json")));
  const json::object written = problem_json(read_problem(example_text.as_object()).problem);
  for (const auto& [section, members] : written) {
    ASSERT_TRUE(example_text.as_object().contains(section)) << section;
    if (!members.is_object() || section == "settings") continue;
    for (const auto& [name, value] : members.as_object())
      EXPECT_TRUE(example_text.at(section).as_object().contains(name)) << section << "." << name;
  }
}

TEST(ProblemJson, ReadsBackAsTheSameProblem) {
  model::Problem problem = read_problem(text_of_file(example("problem.json"))).problem;
  problem.facts.dynamic_level_bytes = true;
  problem.workload.order = model::KeyOrder::sequential;
  problem.workload.offered_bytes_per_s = 12345678;
  problem.settings.set(Knob::max_bytes_for_level_multiplier, 7.5);
  problem.settings.set(Knob::rate_limiter_bytes_per_second, 5e6);
  problem.tree.delayed_write_rate = 1e6;
  problem.tree.immutable_memtables = 2;
  problem.constants.think_s = 0.25;
  problem.device.wal_write_bytes_per_s = 3e6;
  const ProblemOutcome again = read_problem(json::serialize(problem_json(problem)));
  ASSERT_THAT(again.errors, IsEmpty()) << text_of(again.errors);
  EXPECT_EQ(again.problem.settings, problem.settings);
  EXPECT_EQ(again.problem.tree, problem.tree);
  EXPECT_EQ(again.problem.workload, problem.workload);
  EXPECT_EQ(again.problem.device, problem.device);
  EXPECT_EQ(again.problem.constants, problem.constants);
  EXPECT_EQ(again.problem.horizon_s, problem.horizon_s);
  EXPECT_EQ(again.problem.facts.dynamic_level_bytes, true);
  EXPECT_EQ(again.problem.facts.compression, "kSnappyCompression");
}

TEST(ProblemJson, AllErrorsAtOnceWithPlaceAndWhatIsAllowed) {
  const ProblemOutcome read = read_problem(R"({
    "settings": {"write_bufer_size": 1, "max_write_buffer_number": 2.5,
                 "target_file_size_base": "64 elephants", "max_background_jobs": 0},
    "facts": {"style": "tiered", "dynamic_level_bytes": "yes"},
    "tree": {"levels": [{"bytes": -1}, 7, {"bytes": 10, "files": 2, "ranges": [{"low": 2}]}]},
    "workload": {"key_bytes": 0, "offered_bytes_per_s": "flooding"},
    "device": {"write_bytes_per_s": 0, "read_bytes_per_s": []},
    "calibration": {"overlap": [0.1, "x"]},
    "horizont_s": 5
  })");
  const InputErrors& errors = read.errors;
  EXPECT_THAT(errors, error_at("settings.\"write_bufer_size\"", "did you mean"));
  EXPECT_THAT(errors, error_at("settings.max_write_buffer_number", "whole"));
  EXPECT_THAT(errors, error_at("settings.target_file_size_base", "KiB, MiB"));
  EXPECT_THAT(errors, error_at("settings.max_background_jobs", "not allowed"));
  EXPECT_THAT(errors, error_at("facts.style", "level, universal, fifo, none"));
  EXPECT_THAT(errors, error_at("facts.dynamic_level_bytes", "true or false"));
  EXPECT_THAT(errors, error_at("tree.levels[0].bytes", "too small"));
  EXPECT_THAT(errors, error_at("tree.levels[1]", "not an object"));
  EXPECT_THAT(errors, error_at("tree.levels[2].ranges[0].low", "too large"));
  EXPECT_THAT(errors, error_at("tree.levels[2].files", "ranges lists 1"));
  EXPECT_THAT(errors, error_at("workload.key_bytes", "too small"));
  EXPECT_THAT(errors, error_at("workload.offered_bytes_per_s", "\"flooding\""));
  EXPECT_THAT(errors, error_at("device.write_bytes_per_s", "too small"));
  EXPECT_THAT(errors, error_at("device.read_bytes_per_s", "is a list"));
  EXPECT_THAT(errors, error_at("calibration.overlap[1]", "not a number"));
  EXPECT_THAT(errors, error_at("\"horizont_s\"", "horizon_s"));
}

TEST(ProblemJson, WhatOnlyTheModelsKnowIsSaidInTheDocumentsWords) {
  const ProblemOutcome read = read_problem(R"({"facts": {"style": "fifo"},
      "settings": {"max_write_buffer_number": 1}, "calibration": {"cores": 0.02},
      "device": {"write_bytes_per_s": 1000}})");
  EXPECT_THAT(read.errors, error_at("facts.style", "level"));
  EXPECT_THAT(read.errors, error_at("settings.max_write_buffer_number", "2"));
}

TEST(ProblemJson, ADeviceIsNeeded) {
  EXPECT_THAT(read_problem("{}").errors, error_at("device", "missing"));
  EXPECT_THAT(read_problem(R"({"device": {}})").errors,
              error_at("device.write_bytes_per_s", "missing"));
  EXPECT_THAT(read_problem(R"({"device": {"write_bytes_per_s": 1000}})").errors, IsEmpty());
}

TEST(ProblemJson, SyntaxErrorsHaveLineAndColumn) {
  EXPECT_THAT(text_of(read_problem("{\n  \"device\": {,}\n}").errors),
              HasSubstr("line 2, column 14"));
  EXPECT_THAT(text_of(read_problem("[]").errors), HasSubstr("a list"));
  EXPECT_THAT(text_of(read_problem("").errors), HasSubstr("not valid JSON"));
  EXPECT_THAT(text_of(read_problem("{} {}").errors), HasSubstr("not valid JSON"));
  EXPECT_THAT(text_of(read_problem(std::string(kMostInputBytes + 1, ' ')).errors),
              HasSubstr("at most"));
}

TEST(ProblemJson, AKeyGivenTwiceIsAnError) {
  EXPECT_THAT(
      text_of(
          read_problem(R"({"device": {"write_bytes_per_s": 1, "write_bytes_per_s": 2}})").errors),
      HasSubstr("write_bytes_per_s"));
}

// The models use RocksDB's rule; a value far from it means that something is not as described.
TEST(ProblemJson, PendingBytesFarFromRocksDbsRuleAreRemarkedOn) {
  const auto with_pending = [](const char* value) {
    json::object document = json::parse(text_of_file(example("problem.json"))).as_object();
    document["tree"].as_object()["pending_compaction_bytes"] = value;
    return read_problem(document);
  };
  EXPECT_THAT(with_pending("10 MiB").warnings, IsEmpty());
  ASSERT_EQ(with_pending("5 GiB").warnings.size(), 1U);
  EXPECT_THAT(with_pending("5 GiB").warnings[0], HasSubstr("5 GiB"));
  EXPECT_THAT(with_pending("many").errors, error_at("tree.pending_compaction_bytes", "\"many\""));
}

TEST(ProblemJson, ForeignTextIsNotEchoedRaw) {
  const std::string text = text_of(
      read_problem("{\"a\\u001b[2J\": 1, \"device\": {\"write_bytes_per_s\": \"\\u001b[2J\"}}")
          .errors);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_THAT(text, HasSubstr("?[2J"));
}

}  // namespace
}  // namespace testing
}  // namespace lsmtuned::daemon
