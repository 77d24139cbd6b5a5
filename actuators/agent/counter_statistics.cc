#include "actuators/agent/counter_statistics.h"

#include <cinttypes>
#include <cstdio>

namespace lsmtuned::agent {
namespace {

constexpr std::size_t kLongestLine = 200;  // the room RocksDB's own statistics allow themselves

}  // namespace

CounterStatistics::CounterStatistics() {
  set_stats_level(rocksdb::kExceptHistogramOrTimers);
}

uint64_t CounterStatistics::getTickerCount(uint32_t type) const {
  return type < rocksdb::TICKER_ENUM_MAX ? tickers_.get(type) : 0;
}

void CounterStatistics::recordTick(uint32_t type, uint64_t count) {
  if (type >= rocksdb::TICKER_ENUM_MAX || get_stats_level() <= rocksdb::kExceptTickers) return;
  tickers_.add(type, count);
}

void CounterStatistics::setTickerCount(uint32_t type, uint64_t count) {
  if (type < rocksdb::TICKER_ENUM_MAX) tickers_.exchange(type, count);
}

uint64_t CounterStatistics::getAndResetTickerCount(uint32_t type) {
  return type < rocksdb::TICKER_ENUM_MAX ? tickers_.exchange(type, 0) : 0;
}

bool CounterStatistics::getTickerMap(std::map<std::string, uint64_t>* map) const {
  if (map == nullptr) return false;
  map->clear();
  for (const auto& [type, name] : rocksdb::TickersNameMap) (*map)[name] = getTickerCount(type);
  return true;
}

void CounterStatistics::histogramData(uint32_t, rocksdb::HistogramData* data) const {
  if (data != nullptr) *data = rocksdb::HistogramData();
}

std::string CounterStatistics::getHistogramString(uint32_t type) const {
  return rocksdb::CreateDBStatistics()->getHistogramString(type);  // an empty one's text
}

rocksdb::Status CounterStatistics::Reset() {
  for (uint32_t type = 0; type < rocksdb::TICKER_ENUM_MAX; ++type) tickers_.exchange(type, 0);
  return rocksdb::Status::OK();
}

std::string CounterStatistics::ToString() const {
  std::string text;
  char line[kLongestLine];
  for (const auto& [type, name] : rocksdb::TickersNameMap) {
    std::snprintf(line, sizeof line, "%s COUNT : %" PRIu64 "\n", name.c_str(),
                  getTickerCount(type));
    text += line;
  }
  for (const auto& [type, name] : rocksdb::HistogramsNameMap) {
    rocksdb::HistogramData data;
    histogramData(type, &data);
    std::snprintf(line, sizeof line,
                  "%s P50 : %f P95 : %f P99 : %f P100 : %f COUNT : %" PRIu64 " SUM : %" PRIu64 "\n",
                  name.c_str(), data.median, data.percentile95, data.percentile99, data.max,
                  data.count, data.sum);
    text += line;
  }
  return text;
}

}  // namespace lsmtuned::agent
