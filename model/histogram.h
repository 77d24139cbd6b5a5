// Log-linear histogram buckets for latencies in microseconds, shared by the agent (which counts)
// and the daemon (which subtracts and reads percentiles).
//
// Values 0..63 have a bucket each; above, each octave is split into 32, so a bucket's width is at
// most 1/32 (3.2 %) of its value. Values above 2^36 us land in the last bucket.
#pragma once

#include <cstdint>

#include "model/snapshot.h"

namespace lsmtuned::model {

inline constexpr std::uint32_t kHistogramSubBuckets = 32;
inline constexpr std::uint32_t kHistogramOctaves = 31;  // 2^6 .. 2^36
inline constexpr std::uint32_t kHistogramBuckets = 64 + kHistogramSubBuckets * kHistogramOctaves;

constexpr std::uint32_t histogram_bucket(std::uint64_t microseconds) {
  if (microseconds < 64) return static_cast<std::uint32_t>(microseconds);
  const std::uint32_t octave = 63 - static_cast<std::uint32_t>(__builtin_clzll(microseconds));
  if (octave > 36) return kHistogramBuckets - 1;
  const auto sub = static_cast<std::uint32_t>((microseconds >> (octave - 5)) & 31);
  return 64 + (octave - 6) * kHistogramSubBuckets + sub;
}

// Largest value, in microseconds, that falls into the bucket.
constexpr double histogram_bucket_upper_us(std::uint32_t bucket) {
  if (bucket < 64) return bucket;
  const std::uint32_t octave = 6 + (bucket - 64) / kHistogramSubBuckets;
  const std::uint32_t sub = (bucket - 64) % kHistogramSubBuckets;
  return static_cast<double>(((32ull + sub + 1) << (octave - 5)) - 1);
}

// later - earlier, bucket by bucket; a bucket that shrank (reset) counts from zero.
LatencyHistogram subtract(const LatencyHistogram& later, const LatencyHistogram& earlier);
std::uint64_t total_count(const LatencyHistogram& histogram);
// Upper bound of the bucket that holds the quantile q in (0, 1]; 0 for an empty histogram. Seconds.
double quantile_s(const LatencyHistogram& histogram, double q);
double maximum_s(const LatencyHistogram& histogram);

}  // namespace lsmtuned::model
