#include "actuators/agent/injection.h"

#include <rocksdb/rate_limiter.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "actuators/agent/counter_statistics.h"

namespace lsmtuned::agent {
namespace {

// RocksDB's own default, which an injected limiter would otherwise replace with its rate.
constexpr std::uint64_t kDefaultDelayedWriteRate = 16777216;

// The bounds of the knob rate_limiter_bytes_per_second (model/knobs.h).
constexpr double kSmallestRate = 64 * 1024;
constexpr double kLargestRate = 1099511627776;

std::shared_ptr<rocksdb::Statistics> make_statistics(const std::string& level) {
  if (level == "latency") return std::make_shared<LatencyStatistics>();
  if (level == "tickers") return std::make_shared<CounterStatistics>();
  return nullptr;
}

}  // namespace

void inject(rocksdb::DBOptions& db_options, const Options& options) {
  std::shared_ptr<rocksdb::Statistics> statistics;
  if (db_options.statistics == nullptr) {
    statistics = make_statistics(options.statistics);
    db_options.statistics = statistics;
  }
  const bool counts = options.statistics != "none";
  db_options.listeners.push_back(std::make_shared<JobListener>(statistics, counts));
  if (options.rate_limit_bytes_per_s > 0 && db_options.rate_limiter == nullptr) {
    const double rate = std::clamp(options.rate_limit_bytes_per_s, kSmallestRate, kLargestRate);
    db_options.rate_limiter.reset(rocksdb::NewGenericRateLimiter(std::llround(rate)));
    if (db_options.delayed_write_rate == 0)
      db_options.delayed_write_rate = kDefaultDelayedWriteRate;
  }
}

Parts find_parts(const rocksdb::DBOptions& db_options) {
  Parts parts;
  parts.statistics = db_options.statistics;
  parts.limiter = db_options.rate_limiter;
  for (const auto& listener : db_options.listeners)
    if (auto ours = std::dynamic_pointer_cast<JobListener>(listener)) parts.listener = ours;
  parts.latency = std::dynamic_pointer_cast<LatencyStatistics>(parts.statistics);
  if (parts.statistics == nullptr) {
    parts.level =
        parts.listener != nullptr && parts.listener->counts_wanted() ? "counters" : "none";
  } else if (parts.latency != nullptr) {
    parts.level = "latency";
  } else if (parts.listener != nullptr && parts.listener->injected(parts.statistics)) {
    parts.level = "tickers";
  } else {
    parts.level = "host";
  }
  return parts;
}

}  // namespace lsmtuned::agent
