// RocksDB statistics with the latency of every write, counted into the buckets of
// model/histogram.h, and next to nothing else that costs time.
//
// RocksDB's own histograms cannot be read as windows and keep a maximum for ever. This class keeps
// tickers in RocksDB's implementation, counts DB_WRITE and WRITE_STALL into buckets sharded by
// core, and refuses every other histogram except a few of background jobs, so that RocksDB does not
// even read the clock for them. Unit: microseconds. Thread rules: any thread, no locks.
#pragma once

#include <rocksdb/statistics.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/histogram.h"

namespace lsmtuned::agent {

class BucketCounts {
 public:
  BucketCounts();
  void add(std::uint64_t microseconds);
  std::vector<std::uint64_t> sum() const;  // kHistogramBuckets cumulative counts

 private:
  struct alignas(64) Shard {
    std::atomic<std::uint64_t> buckets[model::kHistogramBuckets];
  };
  std::uint32_t shard_mask_;
  std::unique_ptr<Shard[]> shards_;
};

class LatencyStatistics final : public rocksdb::Statistics {
 public:
  LatencyStatistics();

  const BucketCounts& writes() const { return writes_; }
  const BucketCounts& stalls() const { return stalls_; }

  const char* Name() const override { return "lsmtuned_latency"; }
  uint64_t getTickerCount(uint32_t type) const override { return inner_->getTickerCount(type); }
  void histogramData(uint32_t type, rocksdb::HistogramData* data) const override;
  std::string getHistogramString(uint32_t type) const override;
  void recordTick(uint32_t type, uint64_t count) override { inner_->recordTick(type, count); }
  void setTickerCount(uint32_t type, uint64_t count) override {
    inner_->setTickerCount(type, count);
  }
  uint64_t getAndResetTickerCount(uint32_t type) override {
    return inner_->getAndResetTickerCount(type);
  }
  void reportTimeToHistogram(uint32_t type, uint64_t time) override;
  void recordInHistogram(uint32_t type, uint64_t time) override;
  rocksdb::Status Reset() override { return inner_->Reset(); }
  std::string ToString() const override { return inner_->ToString(); }
  bool getTickerMap(std::map<std::string, uint64_t>* map) const override {
    return inner_->getTickerMap(map);
  }
  bool HistEnabledForType(uint32_t type) const override;

 private:
  const BucketCounts* buckets_of(uint32_t type) const;

  std::shared_ptr<rocksdb::Statistics> inner_;
  BucketCounts writes_;
  BucketCounts stalls_;
};

}  // namespace lsmtuned::agent
