// A problem in the ledger's terms, and its bounds in order.
#include "model/analysis/ledger_case.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "support.h"

namespace lsmtuned::model::testing {
namespace {

TEST(LedgerCase, TakesBytesPerRecordDeviceAndRecord) {
  Problem problem = small_problem();
  problem.constants.level_compression = {1, 0.9, 0.8};
  problem.workload.read_bytes_per_s = 8 * kMiB;
  const LedgerCase given = ledger_case(problem);
  EXPECT_DOUBLE_EQ(given.calibration.flush_bytes_per_user_byte, 560.0 / 1040);
  EXPECT_DOUBLE_EQ(given.calibration.memtable_fill, 1040.0 / 1080);
  EXPECT_EQ(given.calibration.record_bytes, 1040);
  EXPECT_EQ(given.calibration.level_compression, (std::vector<double>{0.9, 0.8}));
  EXPECT_EQ(given.calibration.write_bandwidth, 24 * kMiB);
  EXPECT_EQ(given.calibration.read_bandwidth, 40 * kMiB);
  EXPECT_EQ(given.calibration.foreground_bytes_per_second, 150 * kMiB);
  EXPECT_EQ(given.input.family.levels.at(2).size_bytes, 400 * kMiB);
}

TEST(LedgerBounds, AreSortedAndBeginWithTheBindingOne) {
  Problem problem = small_problem();
  problem.settings.set(Knob::rate_limiter_bytes_per_second, 20 * kMiB);
  const auto prediction = ledger_prediction(problem);
  const auto bounds = ledger_bounds(problem);
  ASSERT_TRUE(prediction && bounds);
  ASSERT_GE(bounds->size(), 3U);
  EXPECT_EQ(bounds->front().bound, prediction->bound);
  EXPECT_EQ(bounds->at(1).bound, prediction->runner_up);
  EXPECT_EQ(prediction->bound, Bound::limiter);
  EXPECT_TRUE(
      std::is_sorted(bounds->begin(), bounds->end(), [](const BoundValue& a, const BoundValue& b) {
        return a.put_bytes_per_s < b.put_bytes_per_s;
      }));
}

TEST(LedgerBounds, AWalOnItsOwnDeviceLeavesTheDataDeviceAndBindsByItself) {
  Problem shared = small_problem();
  shared.constants.wal_bytes_per_user_byte = 1.02;
  Problem apart = shared;
  apart.device.wal_write_bytes_per_s = 200 * kMiB;
  const auto on_shared = ledger_prediction(shared);
  const auto on_apart = ledger_prediction(apart);
  ASSERT_TRUE(on_shared && on_apart);
  EXPECT_GT(on_apart->put_bytes_per_s, 1.1 * on_shared->put_bytes_per_s);
  EXPECT_EQ(on_apart->bound, Bound::device);

  apart.device.wal_write_bytes_per_s = 1.02 * kMiB;
  const auto slow = ledger_prediction(apart);
  const auto bounds = ledger_bounds(apart);
  ASSERT_TRUE(slow && bounds);
  EXPECT_DOUBLE_EQ(slow->put_bytes_per_s, kMiB);
  EXPECT_LT(slow->low_bytes_per_s, slow->put_bytes_per_s);
  EXPECT_EQ(slow->bound, Bound::wal_device);
  EXPECT_EQ(bounds->front(), (BoundValue{Bound::wal_device, kMiB}));
}

TEST(LedgerBounds, RefuseWhatIsNotModelled) {
  Problem problem = small_problem();
  problem.facts.style = CompactionStyle::universal;
  EXPECT_FALSE(ledger_prediction(problem));
  EXPECT_FALSE(ledger_bounds(problem));
}

}  // namespace
}  // namespace lsmtuned::model::testing
