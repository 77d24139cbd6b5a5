// What the agent adds to a database at its open, and how it finds it again afterwards.
//
// Thread rules: any thread. find_parts() works on the options the open database reports.
#pragma once

#include <rocksdb/options.h>

#include <memory>
#include <string>

#include "actuators/agent/latency_statistics.h"
#include "actuators/agent/listener.h"
#include "lsmtuned/agent.h"

namespace lsmtuned::agent {

void inject(rocksdb::DBOptions& db_options, const Options& options);

struct Parts {
  std::shared_ptr<rocksdb::Statistics> statistics;  // ours or the host's; may be null
  std::shared_ptr<LatencyStatistics> latency;       // null unless it is ours at that level
  std::shared_ptr<JobListener> listener;            // null when the open was not prepared
  std::shared_ptr<rocksdb::RateLimiter> limiter;    // anyone's; may be null
  std::string level;                                // none | counters | tickers | latency | host
};
Parts find_parts(const rocksdb::DBOptions& db_options);

}  // namespace lsmtuned::agent
