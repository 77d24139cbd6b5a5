#include "actuators/observation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "model/histogram.h"
#include "model/units.h"
#include "support.h"

namespace lsmtuned::actuators {
namespace {

namespace json = boost::json;
using model::Knob;
using ::testing::HasSubstr;

// Recorded from a real RocksDB 7.8.3: two families, a 1 MiB write buffer, latency statistics.
json::object recorded() {
  const auto text = read_file(std::string(ACTUATORS_TEST_DATA) + "/observation.json");
  return json::parse(text).as_object();
}

json::object without_statistics() {
  auto body = recorded();
  body.erase("tickers");
  body.erase("histograms");
  body.erase("latency");
  return body;
}

std::string error_of(const json::object& body) {
  const auto snapshot = parse_observation(body);
  return snapshot ? "" : snapshot.error().what;
}

TEST(Observation, RealOneIsUnderstood) {
  const auto snapshot = parse_observation(recorded()).value();
  ASSERT_EQ(snapshot.families.size(), 2u);
  EXPECT_EQ(snapshot.families[0].name, "default");
  EXPECT_EQ(snapshot.families[1].name, "events");
  EXPECT_EQ(snapshot.families[1].id, 1u);
  EXPECT_EQ(snapshot.families[0].facts.style, model::CompactionStyle::level);
  EXPECT_EQ(snapshot.families[0].facts.num_levels, 7);
  EXPECT_EQ(snapshot.families[0].facts.arena_block_bytes, 131072);
  EXPECT_EQ(snapshot.settings.get("default", Knob::write_buffer_size), 1048576);
  EXPECT_EQ(snapshot.settings.get("events", Knob::level0_stop_writes_trigger), 10);
  EXPECT_TRUE(snapshot.settings.database.has(Knob::max_background_jobs));
  EXPECT_FALSE(snapshot.settings.database.has(Knob::rate_limiter_bytes_per_second));
  EXPECT_GT(snapshot.database_uptime_s, 0);
  EXPECT_EQ(model::refuse_reason(nullptr, snapshot), "");
}

// 30,000 puts of 16 + 1,024 B into one family and 6,000 into the other, one record a batch.
TEST(Observation, UserBytesAreFreeOfFraming) {
  const auto snapshot = parse_observation(recorded()).value();
  EXPECT_EQ(snapshot.counters.keys_written, 36000);
  EXPECT_NEAR(snapshot.counters.user_bytes, 36000.0 * 1040, 36000.0);
  EXPECT_GT(snapshot.counters.batch_bytes, snapshot.counters.user_bytes);
  EXPECT_EQ(snapshot.counters.reads, 500);
}

TEST(Observation, DatabaseStatisticsStandInForTickers) {
  const auto with = parse_observation(recorded()).value().counters;
  const auto without = parse_observation(without_statistics()).value().counters;
  EXPECT_EQ(without.user_bytes, with.user_bytes);
  EXPECT_EQ(without.keys_written, with.keys_written);
  EXPECT_EQ(without.wal_bytes, with.wal_bytes);
  EXPECT_NEAR(without.stall_seconds, with.stall_seconds, 1e-3);
}

// cfstats print 2^30 bytes with six decimals, so a level's figures are within 1 KiB of the truth;
// the sums over levels must come to what the tickers counted.
TEST(Observation, GigabytesOfTheMapAreGibibytes) {
  const auto with = parse_observation(recorded()).value().counters;
  const auto without = parse_observation(without_statistics()).value().counters;
  EXPECT_NEAR(without.flush_write_bytes + without.compaction_write_bytes,
              with.flush_write_bytes + with.compaction_write_bytes, 16 * 1074.0);
  EXPECT_GT(with.compaction_write_bytes, 10 * model::kMiB);
}

TEST(Observation, MergesWithinL0AreNoFlushes) {
  auto body = without_statistics();
  auto& cfstats = body["families"].at("default").at("cfstats").as_object();
  const auto before = parse_observation(body).value().counters;
  const double written = std::stod(std::string(cfstats["compaction.L0.WriteGB"].as_string()));
  cfstats["compaction.L0.WriteGB"] = std::to_string(written + 0.5);  // a job of 0.5 GiB
  cfstats["compaction.L0.ReadGB"] = "0.5";
  const auto after = parse_observation(body).value().counters;
  EXPECT_NEAR(after.flush_write_bytes, before.flush_write_bytes, 2 * 1074.0);
  EXPECT_NEAR(after.compaction_write_bytes - before.compaction_write_bytes, 0.5 * model::kGiB,
              2148);
  EXPECT_NEAR(after.compaction_read_bytes - before.compaction_read_bytes, 0.5 * model::kGiB, 2148);
}

TEST(Observation, StatisticsSwitchedOffByTheProgramDoNotCount) {
  auto body = recorded();
  body["tickers"] = json::object();
  const auto counters = parse_observation(body).value().counters;
  EXPECT_EQ(counters.keys_written, 36000);
  EXPECT_GT(counters.flush_write_bytes, 0);
}

TEST(Observation, LevelsCarrySizesAndWork) {
  const auto snapshot = parse_observation(recorded()).value();
  const auto& family = snapshot.families[0];
  double bytes = 0;
  for (const auto& level : family.levels) bytes += level.size_bytes;
  EXPECT_GT(family.levels[1].write_bytes, 0);
  EXPECT_GT(family.levels[1].keys_in, 0);
  EXPECT_NEAR(family.levels[1].read_bytes,
              family.levels[1].read_from_upper_bytes + family.levels[1].read_from_this_bytes, 3000);
  EXPECT_NEAR(family.sst_bytes, bytes, 1);
}

TEST(Observation, LatencyHistogramCountsEveryPut) {
  const auto snapshot = parse_observation(recorded()).value();
  EXPECT_EQ(model::total_count(snapshot.put_latency), 36000u);
  EXPECT_TRUE(parse_observation(without_statistics()).value().put_latency.buckets.empty());
}

TEST(Observation, ValuesThatADoubleCannotHoldAreLeftOut) {
  auto body = recorded();
  auto& family = body["settings"].at("families").at("default").as_object();
  family["max_compaction_bytes"] = "18446744073709551615";
  family["level0_slowdown_writes_trigger"] = "-1";
  family["level0_stop_writes_trigger"] = "36 files";
  const auto settings = parse_observation(body).value().settings;
  EXPECT_FALSE(settings.get("default", Knob::max_compaction_bytes));
  EXPECT_FALSE(settings.get("default", Knob::level0_slowdown_writes_trigger));
  EXPECT_FALSE(settings.get("default", Knob::level0_stop_writes_trigger));
  EXPECT_TRUE(settings.get("default", Knob::write_buffer_size));
}

TEST(Observation, UnknownCompressionRatioIsNotAnError) {
  auto body = recorded();
  body["families"].at("default").as_object()["compression_at_level"] =
      json::array{"-1.000000", -1, 2.5};
  const auto family = parse_observation(body).value().families[0];
  EXPECT_LT(family.levels[0].compression_ratio, 0);
  EXPECT_EQ(family.levels[2].compression_ratio, 2.5);
}

TEST(Observation, TextMayCarryAUnit) {
  auto body = recorded();
  body["database"].at("dbstats").as_object()["db.uptime"] = "1.5 s";
  body["families"].at("default").at("cfstats").as_object()["compaction.L1.SizeBytes"] = "2 MB";
  EXPECT_EQ(parse_observation(body).value().families[0].levels[1].size_bytes, 2 * model::kMiB);
}

struct Mutation {
  const char* name;
  void (*change)(json::object&);
  const char* expected;  // part of the error
};

class ObservationRefusal : public ::testing::TestWithParam<Mutation> {};

TEST_P(ObservationRefusal, NamesTheMember) {
  auto body = recorded();
  GetParam().change(body);
  EXPECT_THAT(error_of(body), HasSubstr(GetParam().expected));
}

INSTANTIATE_TEST_SUITE_P(
    Each, ObservationRefusal,
    ::testing::Values(
        Mutation{"no_families", [](json::object& o) { o.erase("families"); }, "families"},
        Mutation{"empty_families", [](json::object& o) { o["families"] = json::object(); },
                 "families"},
        Mutation{"no_settings", [](json::object& o) { o.erase("settings"); }, "settings"},
        Mutation{"no_database", [](json::object& o) { o["database"] = nullptr; }, "database"},
        Mutation{"no_uptime", [](json::object& o) { o.erase("uptime_s"); }, "uptime_s"},
        Mutation{"negative_uptime", [](json::object& o) { o["uptime_s"] = -1; }, "uptime_s"},
        Mutation{"uptime_list", [](json::object& o) { o["uptime_s"] = json::array(); }, "uptime_s"},
        Mutation{
            "huge_ticker",
            [](json::object& o) { o["tickers"].as_object()["rocksdb.bytes.written"] = UINT64_MAX; },
            "tickers.rocksdb.bytes.written"},
        Mutation{
            "negative_property",
            [](json::object& o) {
              o["families"].at("default").at("properties").as_object()["num-immutable-mem-table"] =
                  -1;
            },
            "families.default.properties.num-immutable-mem-table"},
        Mutation{"nan_text",
                 [](json::object& o) {
                   o["families"].at("events").at("cfstats").as_object()["compaction.L1.Score"] =
                       "nan";
                 },
                 "families.events.cfstats.compaction.L1.Score"},
        Mutation{"infinite_text",
                 [](json::object& o) {
                   o["families"].at("default").at("cfstats").as_object()["compaction.L0.ReadGB"] =
                       "1e999";
                 },
                 "families.default.cfstats.compaction.L0.ReadGB"},
        Mutation{"unknown_unit",
                 [](json::object& o) {
                   o["database"].at("dbstats").as_object()["db.user_bytes_written"] = "12 bottles";
                 },
                 "database.dbstats.db.user_bytes_written"},
        Mutation{"too_many_levels",
                 [](json::object& o) {
                   o["families"]
                       .at("default")
                       .at("cfstats")
                       .as_object()["compaction.L4000000000.NumFiles"] = "1";
                 },
                 "compaction.L4000000000.NumFiles"},
        Mutation{"long_list",
                 [](json::object& o) {
                   o["families"].at("default").as_object()["files_at_level"] =
                       json::array(65, json::value(0));
                 },
                 "files_at_level"},
        Mutation{"odd_histogram",
                 [](json::object& o) {
                   o["latency"].as_object()["put_us"] = {1, 2, 3};
                 },
                 "latency.put_us"},
        Mutation{"bucket_out_of_range",
                 [](json::object& o) {
                   o["latency"].as_object()["put_us"] = {100000, 2};
                 },
                 "latency.put_us"},
        Mutation{"family_is_a_number",
                 [](json::object& o) { o["families"].as_object()["default"] = 4; },
                 "families.default"},
        Mutation{"unknown_style",
                 [](json::object& o) {
                   o["facts"].at("default").as_object()["compaction_style"] = "vertical";
                 },
                 "facts.default.compaction_style"}),
    [](const auto& mutation) { return std::string(mutation.param.name); });

TEST(Values, RoundTripThroughOptionText) {
  const model::ChangeSet changes = {
      {"", Knob::max_background_jobs, 2, 4},
      {"", Knob::rate_limiter_bytes_per_second, 1e6, 2e6},
      {"default", Knob::write_buffer_size, 4194304, 16777216},
      {"default", Knob::max_bytes_for_level_multiplier, 10, 8.25},
  };
  const auto values = values_from_changes(changes, true);
  EXPECT_EQ(json::serialize(values.at("database").at("max_background_jobs")), "\"4\"");
  const auto settings = parse_values(values).value();
  for (const auto& change : changes)
    EXPECT_EQ(settings.get(change.family, change.knob), change.new_value);
  const auto before = parse_values(values_from_changes(changes, false)).value();
  for (const auto& change : changes)
    EXPECT_EQ(before.get(change.family, change.knob), change.old_value);
}

TEST(Values, StrangersAndWrongScopesAreIgnored) {
  const auto settings = parse_values(json::parse(R"({
      "database": {"max_background_jobs": "4", "write_buffer_size": "1", "wings": "2"},
      "families": {"default": {"max_background_jobs": "9", "write_buffer_size": 7}}})"))
                            .value();
  EXPECT_EQ(settings.get("", Knob::max_background_jobs), 4);
  EXPECT_FALSE(settings.get("default", Knob::write_buffer_size));
}

TEST(Values, WrongShapesAreErrors) {
  for (const char* bad : {"3", "[]", R"({"database": 3})", R"({"families": []})",
                          R"({"families": {"default": "x"}})"})
    EXPECT_FALSE(parse_values(json::parse(bad))) << bad;
}

}  // namespace
}  // namespace lsmtuned::actuators
