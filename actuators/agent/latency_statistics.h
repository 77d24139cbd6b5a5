// RocksDB statistics with the latency of every write, counted into the buckets of
// model/histogram.h, and next to nothing else that costs time.
//
// RocksDB's own histograms cannot be read as windows and keep a maximum for ever. This class counts
// DB_WRITE and WRITE_STALL into buckets of its own, leaves a few histograms of background jobs to
// RocksDB's implementation, and refuses every other one, so that RocksDB does not even read the
// clock for them. Unit: microseconds. Thread rules: those of CounterStatistics.
#pragma once

#include <rocksdb/statistics.h>

#include <cstdint>
#include <memory>
#include <string>

#include "actuators/agent/counter_statistics.h"
#include "actuators/agent/thread_counts.h"
#include "model/histogram.h"

namespace lsmtuned::agent {

using BucketCounts = ThreadCounts<model::kHistogramBuckets>;

class LatencyStatistics final : public CounterStatistics {
 public:
  LatencyStatistics();

  const BucketCounts& writes() const { return writes_; }
  const BucketCounts& stalls() const { return stalls_; }

  const char* Name() const override { return "lsmtuned_latency"; }
  bool HistEnabledForType(uint32_t type) const override;
  void histogramData(uint32_t type, rocksdb::HistogramData* data) const override;
  std::string getHistogramString(uint32_t type) const override;
  void reportTimeToHistogram(uint32_t type, uint64_t time) override;
  void recordInHistogram(uint32_t type, uint64_t time) override;
  rocksdb::Status Reset() override;

 private:
  const BucketCounts* buckets_of(uint32_t type) const;

  const std::shared_ptr<rocksdb::Statistics> background_;  // RocksDB's own
  BucketCounts writes_;
  BucketCounts stalls_;
};

}  // namespace lsmtuned::agent
