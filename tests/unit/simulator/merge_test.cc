#include "model/simulator/merge.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lsmtuned::model::simulator {
namespace {

TableFile file(double low, double high, double records) {
  TableFile made;
  made.low = low;
  made.high = high;
  made.records = records;
  made.bytes = records;
  return made;
}

// One byte a record and ten times a thousand keys: densities are easy to see.
MergeLimits limits(double target, double keys = 1000) {
  MergeLimits made;
  made.target_bytes = target;
  made.max_compaction_bytes = 1e9;
  made.bytes_per_record = 1;
  made.inverse_distinct_keys = keys > 0 ? 1 / keys : 0;
  return made;
}

std::vector<TableFile> merge(const std::vector<TableFile>& upper,
                             const std::vector<TableFile>& lower,
                             const std::vector<TableFile>& grandparents, const MergeLimits& how) {
  std::vector<TableFile> out;
  Merger merger;
  merger.merge(upper, lower, grandparents, how, out);
  return out;
}

double records_of(const std::vector<TableFile>& files) {
  double total = 0;
  for (const TableFile& one : files) total += one.records;
  return total;
}

// 1000 keys; 500 records over all of them and 200 over all of them: 1 - 0.5 x 0.8 = 0.6.
TEST(Merge, OverwrittenRecordsAreDropped) {
  const auto out = merge({file(0, 1, 500)}, {file(0, 1, 200)}, {}, limits(1e9));
  ASSERT_EQ(out.size(), 1U);
  EXPECT_NEAR(out[0].records, 600, 1e-9);
}

// The lower file covers the left half with 400 of its 500 keys: there 1 - 0.5 x 0.2 = 0.9 of 500
// keys, on the right 0.5 of 500.
TEST(Merge, DensityPieceByPiece) {
  const auto out = merge({file(0, 1, 500)}, {file(0, 0.5, 400)}, {}, limits(1e9));
  EXPECT_NEAR(records_of(out), 450 + 250, 1e-9);
}

TEST(Merge, NewKeysAllStay) {
  const auto out = merge({file(0, 1, 500), file(0, 1, 300)}, {file(0, 1, 200)}, {}, limits(1e9, 0));
  EXPECT_NEAR(records_of(out), 1000, 1e-9);
}

// Three L0 files of 500 over 1000 keys: 1 - 0.5^3 = 0.875.
TEST(Merge, ManyUpperFiles) {
  const auto out = merge({file(0, 1, 500), file(0, 1, 500), file(0, 1, 500)}, {}, {}, limits(1e9));
  EXPECT_NEAR(records_of(out), 875, 1e-9);
}

// Without grandparents outputs close at the target: 600 records in files of 100.
TEST(Merge, WithoutGrandparentsFilesReachTheTarget) {
  const auto out = merge({file(0, 1, 600)}, {}, {}, limits(100));
  ASSERT_EQ(out.size(), 6U);
  for (const TableFile& one : out) EXPECT_NEAR(one.bytes, 100, 1e-6);
  EXPECT_DOUBLE_EQ(out.front().low, 0);
  EXPECT_DOUBLE_EQ(out.back().high, 1);
}

// With one grandparent over everything no bound is crossed, so files grow to twice the target.
TEST(Merge, WithGrandparentsFilesMayReachTwiceTheTarget) {
  const auto out = merge({file(0, 1, 600)}, {}, {file(0, 1, 900)}, limits(100));
  ASSERT_EQ(out.size(), 3U);
  for (const TableFile& one : out) EXPECT_NEAR(one.bytes, 200, 1e-6);
}

// Grandparents [0, 0.1], [0.1, 0.2], ...: 60 records each. At 0.1 the file holds 60 and has crossed
// the end of one and the start of the next: 50 + 2 x 5 = 60 % of 100 reached, so it closes. The
// next file begins there and closes the same way.
TEST(Merge, ClosesAtAGrandparentBound) {
  std::vector<TableFile> grandparents;
  for (int i = 0; i < 10; ++i) grandparents.push_back(file(i / 10.0, (i + 1) / 10.0, 60));
  const auto out = merge({file(0, 1, 600)}, {}, grandparents, limits(99));
  ASSERT_EQ(out.size(), 10U);
  for (std::size_t i = 0; i < out.size(); ++i) {
    EXPECT_DOUBLE_EQ(out[i].low, grandparents[i].low);
    EXPECT_DOUBLE_EQ(out[i].high, grandparents[i].high);
  }
}

// The same with a target of 110: 60 < 66 at the first pair of bounds, 120 >= 110 x 70 % at the
// second.
TEST(Merge, EachBoundCrossedRaisesTheThreshold) {
  std::vector<TableFile> grandparents;
  for (int i = 0; i < 10; ++i) grandparents.push_back(file(i / 10.0, (i + 1) / 10.0, 60));
  const auto out = merge({file(0, 1, 600)}, {}, grandparents, limits(110));
  ASSERT_EQ(out.size(), 5U);
  for (const TableFile& one : out) EXPECT_NEAR(one.bytes, 120, 1e-6);
}

// Grandparents of 400 bytes and a compaction limit of 900: entering the second at 0.1 makes 2 x 400
// overlapped + 60 written, entering the third at 0.2 makes 3 x 400 + 120, though the target is far.
TEST(Merge, ClosesBeforeTheNextCompactionWouldBeTooLarge) {
  std::vector<TableFile> grandparents;
  for (int i = 0; i < 10; ++i) grandparents.push_back(file(i / 10.0, (i + 1) / 10.0, 400));
  MergeLimits how = limits(1000);
  how.max_compaction_bytes = 900;
  const auto out = merge({file(0, 1, 600)}, {}, grandparents, how);
  ASSERT_GE(out.size(), 2U);
  EXPECT_DOUBLE_EQ(out.front().high, 0.2);
}

// Nothing between 0.4 and 0.6, where a grandparent of 50 > 100 / 8 lies: the file ends before it.
TEST(Merge, AGapThatSkipsAGrandparentEndsTheFile) {
  const auto out = merge({file(0, 0.4, 20), file(0.6, 1, 20)}, {},
                         {file(0, 0.4, 50), file(0.45, 0.55, 50), file(0.6, 1, 50)}, limits(100));
  ASSERT_EQ(out.size(), 2U);
  EXPECT_DOUBLE_EQ(out[0].high, 0.4);
  EXPECT_DOUBLE_EQ(out[1].low, 0.6);
}

TEST(Merge, L0OutputIsOneFile) {
  MergeLimits how = limits(10);
  how.split = false;
  const auto out = merge({file(0, 1, 500), file(0, 1, 500)}, {}, {}, how);
  ASSERT_EQ(out.size(), 1U);
  EXPECT_NEAR(out[0].records, 750, 1e-9);
}

std::vector<TableFile> any_sorted(double keys) {
  std::vector<double> bounds = *rc::gen::container<std::vector<double>>(
      rc::gen::map(rc::gen::inRange(0, 100001), [](int i) { return i / 100000.0; }));
  std::sort(bounds.begin(), bounds.end());
  std::vector<TableFile> files;
  for (std::size_t i = 0; i + 1 < bounds.size(); i += 2) {
    const double width = bounds[i + 1] - bounds[i];
    if (width <= 0) continue;
    files.push_back(
        file(bounds[i], bounds[i + 1], width * keys * (*rc::gen::inRange(1, 100)) / 100.0));
  }
  return files;
}

// Whatever the inputs: outputs are sorted and disjoint, no larger than allowed, hold no more than
// went in and no less than the fullest input level.
RC_GTEST_PROP(MergeProperty, OutputsAreSoundAndConserveRecords, ()) {
  const double keys = 10000;
  const auto upper = any_sorted(keys);
  const auto lower = any_sorted(keys);
  const auto grandparents = any_sorted(keys);
  const MergeLimits how = limits(*rc::gen::inRange(1, 5000), *rc::gen::element(0.0, keys));
  const auto out = merge(upper, lower, grandparents, how);
  const double in = records_of(upper) + records_of(lower);
  RC_ASSERT(records_of(out) <= in * (1 + 1e-9) + 1e-9);
  RC_ASSERT(records_of(out) >= std::max(records_of(upper), records_of(lower)) * (1 - 1e-9) - 1e-9);
  if (how.inverse_distinct_keys == 0) RC_ASSERT(std::abs(records_of(out) - in) <= 1e-6 * in + 1e-9);
  for (std::size_t i = 0; i < out.size(); ++i) {
    RC_ASSERT(out[i].low <= out[i].high);
    RC_ASSERT(out[i].bytes <= 2 * how.target_bytes * (1 + 1e-6));
    if (i > 0) RC_ASSERT(out[i - 1].high <= out[i].low);
  }
}

}  // namespace
}  // namespace lsmtuned::model::simulator
