// Prints the upper bound of every latency bucket, for the test of the demo's Python twin.
#include <cstdio>

#include "model/histogram.h"

int main() {
  for (std::uint32_t bucket = 0; bucket < lsmtuned::model::kHistogramBuckets; ++bucket) {
    std::printf("%.0f\n", lsmtuned::model::histogram_bucket_upper_us(bucket));
  }
  return 0;
}
