#include "model/knobs.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "model/knob_coupling.h"
#include "model/ledger/ledger.h"
#include "model/units.h"

namespace lsmtuned::model {
namespace {

TEST(Knobs, EachIsFoundByItsOption) {
  std::set<std::string> options;
  EXPECT_EQ(all_knobs().size(), kKnobCount);
  for (const KnobInfo& about : all_knobs()) {
    EXPECT_TRUE(options.insert(about.option).second) << about.option;
    EXPECT_EQ(knob_from_option(about.option), about.knob);
    EXPECT_STREQ(info(about.knob).option, about.option);
  }
  EXPECT_EQ(knob_from_option("write_buffer"), std::nullopt);
  EXPECT_EQ(knob_from_option(""), std::nullopt);
}

TEST(Knobs, EachSaysWhatBindsIt) {
  for (const KnobInfo& about : all_knobs()) {
    EXPECT_FALSE(std::string(coupling(about.knob).rule).empty()) << about.option;
    ASSERT_FALSE(coupling(about.knob).with.empty()) << about.option;
    for (const Knob other : coupling(about.knob).with) {
      EXPECT_NE(other, about.knob);
      EXPECT_LT(static_cast<std::size_t>(other), kKnobCount) << about.option;
    }
  }
  // Orderings bind both ways.
  const auto bound = [](Knob a, Knob b) {
    const auto with = coupling(a).with;
    return std::find(with.begin(), with.end(), b) != with.end();
  };
  for (const auto& [low, high] :
       {std::pair(Knob::level0_file_num_compaction_trigger, Knob::level0_slowdown_writes_trigger),
        std::pair(Knob::level0_slowdown_writes_trigger, Knob::level0_stop_writes_trigger),
        std::pair(Knob::soft_pending_compaction_bytes_limit,
                  Knob::hard_pending_compaction_bytes_limit),
        std::pair(Knob::target_file_size_base, Knob::max_compaction_bytes)}) {
    EXPECT_TRUE(bound(low, high)) << info(low).option;
    EXPECT_TRUE(bound(high, low)) << info(high).option;
  }
}

// A tree of three levels near its targets, under defaults.
ModelInput ledger_input(bool limited, bool saturated) {
  ModelInput input;
  input.family.name = "default";
  input.family.levels.resize(7);
  for (std::size_t level = 1; level < 4; ++level) {
    input.family.levels[level].size_bytes = std::pow(10.0, static_cast<double>(level)) * 30e6;
    input.family.levels[level].files = std::pow(10.0, static_cast<double>(level));
  }
  input.cpu_cores = 8;
  input.saturated = saturated;
  for (const KnobInfo& knob : all_knobs())
    input.settings.set("default", knob.knob, knob.rocksdb_default);
  if (limited) input.settings.set("", Knob::rate_limiter_bytes_per_second, 15e6);
  return input;
}

bool ledger_sees(Knob knob, const ModelInput& input, const Calibration& calibration) {
  const auto before = predict(input, calibration);
  const double present = *input.settings.get("default", knob);
  bool moves = false;
  for (const double factor : {0.5, 4.0}) {
    ModelInput moved = input;
    moved.settings.set("default", knob,
                       std::clamp(factor * present, info(knob).minimum, info(knob).maximum));
    const auto after = predict(moved, calibration);
    moves = moves || (before && after && !(*before == *after));
  }
  return moves;
}

// What is registered as seen by the ledger moves its prediction somewhere, the rest nowhere.
TEST(Knobs, TheLedgerSeesWhatIsRegisteredSo) {
  for (const KnobInfo& about : all_knobs()) {
    bool moves = false;
    for (const double device : {20e6, 20e9}) {
      for (const double job_speed : {0.0, 30e6}) {
        for (const bool saturated : {true, false}) {
          Calibration calibration;
          calibration.write_bandwidth = device;
          calibration.read_bandwidth = 2 * device;
          calibration.distinct_keys = 1e6;
          calibration.background_cores = 8;
          calibration.job_bytes_per_second = job_speed;
          for (const double horizon_s : {0.0, 600.0}) {
            for (const bool limited : {true, false}) {
              ModelInput input = ledger_input(limited, saturated);
              input.horizon_s = horizon_s;
              moves = moves || ledger_sees(about.knob, input, calibration);
            }
          }
        }
      }
    }
    EXPECT_EQ(moves, coupling(about.knob).in_ledger) << about.option;
  }
}

TEST(Knobs, BoundsHoldTheDefault) {
  for (const KnobInfo& about : all_knobs()) {
    EXPECT_LT(about.minimum, about.maximum) << about.option;
    EXPECT_GE(about.rocksdb_default, about.minimum) << about.option;
    EXPECT_LE(about.rocksdb_default, about.maximum) << about.option;
  }
}

// Values that abort, hang or silently disable something in a live RocksDB 7.8.3 are out of reach.
TEST(Knobs, BoundsExcludeWhatHurts) {
  EXPECT_GE(info(Knob::write_buffer_size).minimum, kMiB);  // 0 and 1 abort
  EXPECT_LE(info(Knob::write_buffer_size).maximum, 4 * kGiB);
  EXPECT_GE(info(Knob::max_write_buffer_number).minimum, 2);  // 0 hangs
  EXPECT_LE(info(Knob::max_background_jobs).maximum, 256);    // 100000 starts that many threads
  EXPECT_GE(info(Knob::max_background_jobs).minimum, 1);
  EXPECT_GE(info(Knob::delayed_write_rate).minimum, 16 * kKiB);  // 0 means 1 byte/s
  EXPECT_GE(info(Knob::level0_file_num_compaction_trigger).minimum, 1);
  for (const KnobInfo& about : all_knobs()) EXPECT_GT(about.minimum, 0) << about.option;
}

TEST(Knobs, OptionTextIsWhatRocksdbParses) {
  EXPECT_EQ(to_option_text(Knob::write_buffer_size, 64 * kMiB), "67108864");
  EXPECT_EQ(to_option_text(Knob::max_compaction_bytes, 9007199254740992.0), "9007199254740992");
  EXPECT_EQ(to_option_text(Knob::max_bytes_for_level_multiplier, 10), "10");
  EXPECT_EQ(to_option_text(Knob::max_bytes_for_level_multiplier, 6.3), "6.3");
}

TEST(Knobs, ReadsOptionText) {
  EXPECT_EQ(from_option_text(Knob::write_buffer_size, "67108864").value(), 67108864);
  EXPECT_EQ(from_option_text(Knob::max_bytes_for_level_multiplier, "10.000000").value(), 10);
  EXPECT_EQ(from_option_text(Knob::max_background_jobs, "-1").value(), -1);
  EXPECT_EQ(from_option_text(Knob::write_buffer_size, "9007199254740992").value(),
            9007199254740992.0);
}

TEST(Knobs, RefusesOptionTextThatIsNotExactlyANumber) {
  for (const char* text : {"", " 1", "1 ", "+1", "64M", "abc", "0x10", "1.5", "1e3", "-5",
                           "9007199254740993", "18446744073709551615", "99999999999999999999999"}) {
    const auto value = from_option_text(Knob::write_buffer_size, text);
    ASSERT_TRUE(value.has_error()) << "'" << text << "'";
    EXPECT_NE(value.error().what.find("write_buffer_size"), std::string::npos);
    EXPECT_FALSE(value.error().remedy.empty());
  }
  for (const char* text : {"nan", "inf", "-inf", "1e300", "10x", ""}) {
    EXPECT_TRUE(from_option_text(Knob::max_bytes_for_level_multiplier, text).has_error()) << text;
  }
}

RC_GTEST_PROP(KnobsProperty, OptionTextRoundTrips, ()) {
  const auto& about =
      *rc::gen::elementOf(std::vector<KnobInfo>(all_knobs().begin(), all_knobs().end()));
  const auto share = *rc::gen::inRange<int>(0, 1'000'000);
  double value = about.minimum + (about.maximum - about.minimum) * share / 1e6;
  if (about.unit != KnobUnit::ratio) value = static_cast<double>(static_cast<std::int64_t>(value));
  RC_ASSERT(from_option_text(about.knob, to_option_text(about.knob, value)).value() == value);
}

}  // namespace
}  // namespace lsmtuned::model
