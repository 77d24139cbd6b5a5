// A RocksDB that the daemon opens itself: same behaviour as an agent target (baseline, lease,
// deadline, step-aside) by the agent's own code, without a socket.
//
// Observations run on the pool handed in, which must outlive the target; options calls, which can
// hang in a write stop, on a thread of the database's own. The lease is watched by another thread,
// so that a hung event loop still ends in the baseline. When the last reference goes, values that
// are still ours and not kept are put back and the database is closed. Since RocksDB writes every
// change to its options file, a daemon that was killed finds its tuned values at the next open; its
// own record knows what they replaced. Thread rules: as Target; release it on the executor.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <memory>
#include <string>

#include "actuators/target.h"
#include "model/result.h"

namespace lsmtuned::actuators {

struct EmbeddedOptions {
  std::string name;
  std::string path;
  std::string statistics = "counters";  // none | counters | tickers | latency
  // Called on the executor after the baseline was restored because heartbeats had stopped.
  std::function<void(std::shared_ptr<Target>)> lease_expired = {};
};

// Opens an existing database, with its options file and all its column families. Blocks. Errors: no
// database there, open in another process, options that only its own program can provide.
Result<std::shared_ptr<Target>> open_embedded_target(boost::asio::any_io_executor executor,
                                                     boost::asio::thread_pool& workers,
                                                     const EmbeddedOptions& options);

}  // namespace lsmtuned::actuators
