#include "model/snapshot.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/unit/model/support.h"

namespace lsmtuned::model {
namespace {

using testing::family_with;
using ::testing::Test;

Snapshot good(double time) {
  Snapshot snapshot;
  snapshot.incarnation = 1;
  snapshot.time_s = time;
  snapshot.database_uptime_s = time;
  snapshot.families.push_back(family_with({1e6, 1e7}, 3));
  snapshot.settings = testing::default_settings();
  snapshot.counters.user_bytes = time * 1e6;
  snapshot.counters.keys_written = time * 1e3;
  snapshot.device = DeviceSample{};
  return snapshot;
}

TEST(SnapshotCheck, AcceptsAGoodOne) {
  const Snapshot before = good(10);
  EXPECT_EQ(refuse_reason(nullptr, before), "");
  EXPECT_EQ(refuse_reason(&before, good(11)), "");
}

TEST(SnapshotCheck, NamesWhatIsNotFinite) {
  Snapshot now = good(10);
  now.families[0].levels[1].size_bytes = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(refuse_reason(nullptr, now), "family default: L1 size_bytes is not a finite number");
  now = good(10);
  now.counters.wal_bytes = -1;
  EXPECT_EQ(refuse_reason(nullptr, now), "counter wal_bytes is negative");
  now = good(10);
  now.device->free_bytes = std::numeric_limits<double>::infinity();
  EXPECT_NE(refuse_reason(nullptr, now), "");
  now = good(10);
  now.settings.set("default", Knob::write_buffer_size, std::nan(""));
  EXPECT_NE(refuse_reason(nullptr, now), "");
}

TEST(SnapshotCheck, UnknownCompressionIsFine) {
  Snapshot now = good(10);
  now.families[0].levels[1].compression_ratio = -1;
  EXPECT_EQ(refuse_reason(nullptr, now), "");
}

TEST(SnapshotCheck, RefusesContradictions) {
  Snapshot now = good(10);
  now.families.push_back(now.families.front());
  EXPECT_EQ(refuse_reason(nullptr, now), "family default appears twice in one snapshot");
  now.families.clear();
  EXPECT_EQ(refuse_reason(nullptr, now), "the snapshot holds no column family");
  now = good(10);
  now.families[0].levels.clear();
  EXPECT_NE(refuse_reason(nullptr, now), "");
}

TEST(SnapshotCheck, RefusesTimeThatDoesNotAdvance) {
  const Snapshot before = good(10);
  EXPECT_NE(refuse_reason(&before, good(10)), "");
  EXPECT_NE(refuse_reason(&before, good(9)), "");
}

TEST(SnapshotCheck, CountersMayOnlyFallWithANewIncarnation) {
  const Snapshot before = good(10);
  Snapshot now = good(11);
  now.counters.user_bytes = 5;
  EXPECT_EQ(refuse_reason(&before, now),
            "user_bytes went backwards without a reopen of the database");
  now.incarnation = 2;
  EXPECT_EQ(refuse_reason(&before, now), "");
}

TEST(Snapshot, WorstFamilyIsNearestItsSlowdown) {
  Snapshot snapshot = good(1);
  FamilySnapshot other = family_with({0}, 5);
  other.name = "other";
  snapshot.families.push_back(other);
  snapshot.settings.set("default", Knob::level0_slowdown_writes_trigger, 4);  // 3 of 4
  snapshot.settings.set("other", Knob::level0_slowdown_writes_trigger, 20);   // 5 of 20
  ASSERT_NE(worst_family(snapshot), nullptr);
  EXPECT_EQ(worst_family(snapshot)->name, "default");
  EXPECT_EQ(find_family(snapshot, "other"), &snapshot.families[1]);
  EXPECT_EQ(find_family(snapshot, "none"), nullptr);
  snapshot.families.clear();
  EXPECT_EQ(worst_family(snapshot), nullptr);
}

}  // namespace
}  // namespace lsmtuned::model
