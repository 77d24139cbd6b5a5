#include "model/histogram.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace lsmtuned::model {
namespace {

LatencyHistogram of(const std::vector<std::uint64_t>& microseconds) {
  LatencyHistogram histogram;
  for (const std::uint64_t value : microseconds) ++histogram.buckets[histogram_bucket(value)];
  return histogram;
}

TEST(Histogram, EmptyHasNoQuantiles) {
  EXPECT_EQ(quantile_s({}, 0.99), 0);
  EXPECT_EQ(maximum_s({}), 0);
  EXPECT_EQ(total_count({}), 0u);
}

TEST(Histogram, SmallValuesAreExact) {
  const LatencyHistogram histogram = of({1, 2, 3, 4});
  EXPECT_DOUBLE_EQ(quantile_s(histogram, 0.5), 2e-6);
  EXPECT_DOUBLE_EQ(quantile_s(histogram, 0.51), 3e-6);
  EXPECT_DOUBLE_EQ(quantile_s(histogram, 1), 4e-6);
  EXPECT_DOUBLE_EQ(maximum_s(histogram), 4e-6);
}

TEST(Histogram, LargestValuesShareTheLastBucket) {
  EXPECT_EQ(histogram_bucket(~std::uint64_t{0}), kHistogramBuckets - 1);
  EXPECT_EQ(histogram_bucket((std::uint64_t{1} << 37) - 1), kHistogramBuckets - 1);
}

TEST(Histogram, SubtractKeepsTheWindow) {
  const LatencyHistogram earlier = of({5, 5, 900});
  LatencyHistogram later = earlier;
  later.buckets[histogram_bucket(7)] = 2;
  later.buckets[histogram_bucket(5)] += 1;
  const LatencyHistogram window = subtract(later, earlier);
  EXPECT_EQ(window.buckets, (std::map<std::uint32_t, std::uint64_t>{{5, 1}, {7, 2}}));
}

TEST(Histogram, ABucketThatShrankCountsFromZero) {
  LatencyHistogram earlier;
  earlier.buckets[5] = 10;
  LatencyHistogram later;
  later.buckets[5] = 3;
  EXPECT_EQ(subtract(later, earlier).buckets.at(5), 3u);
}

RC_GTEST_PROP(HistogramProperty, BucketHoldsItsValue, ()) {
  const auto value = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 36);
  const std::uint32_t bucket = histogram_bucket(value);
  RC_ASSERT(histogram_bucket_upper_us(bucket) >= static_cast<double>(value));
  if (bucket > 0) {
    RC_ASSERT(histogram_bucket_upper_us(bucket - 1) < static_cast<double>(value));
  }
  RC_ASSERT(histogram_bucket_upper_us(bucket) <= static_cast<double>(value) * (1 + 1.0 / 32) + 1);
}

RC_GTEST_PROP(HistogramProperty, QuantilesAreWithinABucketOfTheTruth, ()) {
  auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint64_t>>(
      rc::gen::inRange<std::uint64_t>(0, 10'000'000)));
  const double q = *rc::gen::inRange(1, 1001) / 1000.0;
  const LatencyHistogram histogram = of(values);
  std::sort(values.begin(), values.end());
  const auto rank =
      static_cast<std::size_t>(std::max(1.0, std::ceil(q * static_cast<double>(values.size()))));
  const double truth = static_cast<double>(values[rank - 1]) * 1e-6;
  RC_ASSERT(quantile_s(histogram, q) >= truth - 1e-12);
  RC_ASSERT(quantile_s(histogram, q) <= truth * (1 + 1.0 / 32) + 1e-6);
  RC_ASSERT(quantile_s(histogram, q) <= maximum_s(histogram));
  RC_ASSERT(total_count(histogram) == values.size());
}

}  // namespace
}  // namespace lsmtuned::model
