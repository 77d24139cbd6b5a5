#include "model/histogram.h"

#include <algorithm>
#include <cmath>

namespace lsmtuned::model {

LatencyHistogram subtract(const LatencyHistogram& later, const LatencyHistogram& earlier) {
  LatencyHistogram window;
  for (const auto& [bucket, count] : later.buckets) {
    const auto before = earlier.buckets.find(bucket);
    std::uint64_t old_count = before == earlier.buckets.end() ? 0 : before->second;
    if (old_count > count) old_count = 0;
    if (count > old_count)
      window.buckets.emplace_hint(window.buckets.end(), bucket, count - old_count);
  }
  return window;
}

std::uint64_t total_count(const LatencyHistogram& histogram) {
  std::uint64_t total = 0;
  for (const auto& [bucket, count] : histogram.buckets) total += count;
  return total;
}

double quantile_s(const LatencyHistogram& histogram, double q) {
  const std::uint64_t total = total_count(histogram);
  if (total == 0) return 0;
  const double wanted = std::clamp(q, 0.0, 1.0) * static_cast<double>(total);
  std::uint64_t seen = 0;
  for (const auto& [bucket, count] : histogram.buckets) {
    seen += count;
    if (count > 0 && static_cast<double>(seen) >= wanted) {
      return histogram_bucket_upper_us(bucket) * 1e-6;
    }
  }
  return maximum_s(histogram);
}

double maximum_s(const LatencyHistogram& histogram) {
  for (auto at = histogram.buckets.rbegin(); at != histogram.buckets.rend(); ++at) {
    if (at->second > 0) return histogram_bucket_upper_us(at->first) * 1e-6;
  }
  return 0;
}

}  // namespace lsmtuned::model
