#include "actuators/agent/latency_statistics.h"

#include <vector>

namespace lsmtuned::agent {
namespace {

// Histograms of background jobs: a handful of records a second at most.
bool background(uint32_t type) {
  switch (type) {
    case rocksdb::FLUSH_TIME:
    case rocksdb::COMPACTION_TIME:
    case rocksdb::COMPACTION_CPU_TIME:
    case rocksdb::WAL_FILE_SYNC_MICROS:
    case rocksdb::COMPACTION_OUTFILE_SYNC_MICROS:
    case rocksdb::MANIFEST_FILE_SYNC_MICROS:
    case rocksdb::NUM_FILES_IN_SINGLE_COMPACTION:
      return true;
    default:
      return false;
  }
}

double quantile_us(const std::vector<std::uint64_t>& counts, std::uint64_t total, double q) {
  const double wanted = q * static_cast<double>(total);
  double seen = 0;
  for (std::uint32_t bucket = 0; bucket < counts.size(); ++bucket) {
    seen += static_cast<double>(counts[bucket]);
    if (counts[bucket] > 0 && seen >= wanted) return model::histogram_bucket_upper_us(bucket);
  }
  return 0;
}

}  // namespace

LatencyStatistics::LatencyStatistics() : background_(rocksdb::CreateDBStatistics()) {
  // The lowest level at which RocksDB 7.8 reads the clock for DB_WRITE and WRITE_STALL.
  set_stats_level(rocksdb::kExceptDetailedTimers);
  background_->set_stats_level(rocksdb::kExceptDetailedTimers);
}

const BucketCounts* LatencyStatistics::buckets_of(uint32_t type) const {
  if (type == rocksdb::DB_WRITE) return &writes_;
  if (type == rocksdb::WRITE_STALL) return &stalls_;
  return nullptr;
}

bool LatencyStatistics::HistEnabledForType(uint32_t type) const {
  return type == rocksdb::DB_WRITE || type == rocksdb::WRITE_STALL || background(type);
}

void LatencyStatistics::reportTimeToHistogram(uint32_t type, uint64_t time) {
  if (get_stats_level() <= rocksdb::kExceptTimers) return;
  LatencyStatistics::recordInHistogram(type, time);
}

void LatencyStatistics::recordInHistogram(uint32_t type, uint64_t time) {
  if (type == rocksdb::DB_WRITE) {
    writes_.add(model::histogram_bucket(time), 1);
  } else if (type == rocksdb::WRITE_STALL) {
    stalls_.add(model::histogram_bucket(time), 1);
  } else if (background(type)) {
    background_->recordInHistogram(type, time);
  }
}

void LatencyStatistics::histogramData(uint32_t type, rocksdb::HistogramData* data) const {
  const BucketCounts* buckets = buckets_of(type);
  if (buckets == nullptr) {
    background_->histogramData(type, data);
    return;
  }
  const std::vector<std::uint64_t> counts = buckets->all();
  *data = rocksdb::HistogramData();
  double sum = 0;
  for (std::uint32_t bucket = 0; bucket < counts.size(); ++bucket) {
    if (counts[bucket] == 0) continue;
    data->count += counts[bucket];
    data->max = model::histogram_bucket_upper_us(bucket);
    sum += data->max * static_cast<double>(counts[bucket]);
  }
  if (data->count == 0) return;
  data->sum = static_cast<uint64_t>(sum);
  data->average = sum / static_cast<double>(data->count);
  data->median = quantile_us(counts, data->count, 0.5);
  data->percentile95 = quantile_us(counts, data->count, 0.95);
  data->percentile99 = quantile_us(counts, data->count, 0.99);
}

rocksdb::Status LatencyStatistics::Reset() {
  for (std::uint32_t bucket = 0; bucket < model::kHistogramBuckets; ++bucket) {
    writes_.exchange(bucket, 0);
    stalls_.exchange(bucket, 0);
  }
  const rocksdb::Status background = background_->Reset();
  return background.ok() ? CounterStatistics::Reset() : background;
}

std::string LatencyStatistics::getHistogramString(uint32_t type) const {
  if (buckets_of(type) == nullptr) return background_->getHistogramString(type);
  rocksdb::HistogramData data;
  histogramData(type, &data);
  return "Count: " + std::to_string(data.count) + " Median: " + std::to_string(data.median) +
         " P95: " + std::to_string(data.percentile95) +
         " P99: " + std::to_string(data.percentile99) + " Max: " + std::to_string(data.max);
}

}  // namespace lsmtuned::agent
