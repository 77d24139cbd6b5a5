// RocksDB statistics that hold tickers only, at next to no cost in the threads that count.
//
// Stands where CreateDBStatistics() at kExceptHistogramOrTimers would, and answers the same: all
// tickers, histograms that exist and stay empty, the same text in the database's LOG. Raising the
// level makes RocksDB read no clock, since every histogram is refused. Thread rules: any thread, no
// locks; nothing throws into RocksDB but for want of memory, in the calls that return text or maps.
#pragma once

#include <rocksdb/statistics.h>

#include <cstdint>
#include <map>
#include <string>

#include "actuators/agent/thread_counts.h"

namespace lsmtuned::agent {

class CounterStatistics : public rocksdb::Statistics {
 public:
  CounterStatistics();

  const char* Name() const override { return "lsmtuned_counters"; }

  // A ticker beyond those of this RocksDB counts nothing and reads as 0.
  uint64_t getTickerCount(uint32_t type) const final;
  void recordTick(uint32_t type, uint64_t count) final;
  void setTickerCount(uint32_t type, uint64_t count) final;
  uint64_t getAndResetTickerCount(uint32_t type) final;
  bool getTickerMap(std::map<std::string, uint64_t>* map) const final;

  bool HistEnabledForType(uint32_t) const override { return false; }
  void histogramData(uint32_t type, rocksdb::HistogramData* data) const override;
  std::string getHistogramString(uint32_t type) const override;
  void reportTimeToHistogram(uint32_t, uint64_t) override {}
  void measureTime(uint32_t, uint64_t) override {}
  void recordInHistogram(uint32_t, uint64_t) override {}

  rocksdb::Status Reset() override;
  std::string ToString() const final;

 private:
  ThreadCounts<rocksdb::TICKER_ENUM_MAX> tickers_;
};

}  // namespace lsmtuned::agent
