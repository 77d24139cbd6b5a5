#include "model/settings.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "model/units.h"
#include "tests/unit/model/support.h"

namespace lsmtuned::model {
namespace {

using testing::kFamily;

TEST(Settings, FamilyIsIgnoredOutsideFamilyScope) {
  Settings settings;
  settings.set("anything", Knob::max_background_jobs, 4);
  EXPECT_EQ(settings.get("other", Knob::max_background_jobs), 4);
  EXPECT_TRUE(settings.families.empty());
  EXPECT_EQ(settings.get("other", Knob::write_buffer_size), std::nullopt);
}

TEST(Settings, DifferenceIsOrderedAndSkipsAbsentKnobs) {
  Settings from;
  from.set("b", Knob::write_buffer_size, 4 * kMiB);
  from.set("a", Knob::level0_stop_writes_trigger, 36);
  from.set("a", Knob::write_buffer_size, 4 * kMiB);
  from.set("", Knob::rate_limiter_bytes_per_second, 1 * kMiB);
  from.set("", Knob::delayed_write_rate, 1 * kMiB);
  Settings to = from;
  for (auto& [name, values] : to.families) values.set(Knob::write_buffer_size, 8 * kMiB);
  to.set("a", Knob::level0_stop_writes_trigger, 40);
  to.set("a", Knob::target_file_size_base, 2 * kMiB);  // absent before
  to.set("new", Knob::write_buffer_size, 8 * kMiB);    // family absent before
  to.set("", Knob::rate_limiter_bytes_per_second, 2 * kMiB);
  to.set("", Knob::delayed_write_rate, 2 * kMiB);
  const ChangeSet expected = {
      {"", Knob::delayed_write_rate, 1 * kMiB, 2 * kMiB},
      {"", Knob::rate_limiter_bytes_per_second, 1 * kMiB, 2 * kMiB},
      {"a", Knob::write_buffer_size, 4 * kMiB, 8 * kMiB},
      {"a", Knob::level0_stop_writes_trigger, 36, 40},
      {"b", Knob::write_buffer_size, 4 * kMiB, 8 * kMiB},
  };
  EXPECT_EQ(difference(from, to), expected);
}

TEST(Settings, DescribesForPeople) {
  EXPECT_EQ(describe({{"default", Knob::write_buffer_size, 4 * kMiB, 16 * kMiB},
                      {"", Knob::max_background_jobs, 2, 4}}),
            "default.write_buffer_size 4 MiB -> 16 MiB, max_background_jobs 2 -> 4");
  EXPECT_EQ(describe({{"default", Knob::write_buffer_size, 4 * kMiB, 4 * kMiB + 1}}),
            "default.write_buffer_size 4194304 -> 4194305");
  EXPECT_EQ(describe({}), "");
}

Settings any_settings(bool all_knobs_present) {
  Settings settings;
  for (const std::string& family : {std::string("default"), std::string("other")}) {
    for (const KnobInfo& about : all_knobs()) {
      if (!all_knobs_present && *rc::gen::inRange(0, 4) == 0) continue;
      settings.set(family, about.knob, about.minimum + *rc::gen::inRange(0, 3));
    }
  }
  return settings;
}

RC_GTEST_PROP(SettingsProperty, ChangesLeadThereAndBack, ()) {
  const Settings from = any_settings(true);
  const Settings to = any_settings(true);
  const ChangeSet changes = difference(from, to);
  RC_ASSERT(with_changes(from, changes) == to);
  RC_ASSERT(with_changes(to, reversed(changes)) == from);
  RC_ASSERT(reversed(reversed(changes)) == changes);
  RC_ASSERT(difference(from, from).empty());
}

RC_GTEST_PROP(SettingsProperty, ChangesNeverInventKnobs, ()) {
  const Settings from = any_settings(false);
  const Settings to = any_settings(false);
  const Settings moved = with_changes(from, difference(from, to));
  for (const auto& [name, values] : moved.families) {
    for (const KnobInfo& about : all_knobs()) {
      const auto before = from.get(name, about.knob);
      const auto wanted = to.get(name, about.knob);
      RC_ASSERT(moved.get(name, about.knob) == (before && wanted ? wanted : before));
    }
  }
}

}  // namespace
}  // namespace lsmtuned::model
