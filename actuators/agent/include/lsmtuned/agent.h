// lsmtuned agent, linked on purpose: hand it your open RocksDB and the daemon beside it can watch
// and tune it.
//
//   rocksdb::DBOptions options = ...;
//   lsmtuned::agent::prepare(options);             // optional: statistics, listener
//   rocksdb::DB::Open(options, ...);
//   auto attachment = lsmtuned::agent::attach(db);  // destroy it before closing the database
//
// Never throws. Does nothing when LSMTUNED_DISABLE is set to anything but 0, or when the database
// was opened read-only. The agent owns one poll thread per process, from the first attach to the
// last detach, and one options worker per database, from its first change to its detach. Thread
// rules: any thread; do not attach the same database twice; call prepare() anew for each open;
// detach (destroy) before `delete db`.
#pragma once

#include <memory>
#include <string>

namespace rocksdb {
class DB;
struct DBOptions;
}  // namespace rocksdb

#define LSMTUNED_AGENT_API __attribute__((visibility("default")))

namespace lsmtuned::agent {

// Defaults come from the environment (docs/attach.md): LSMTUNED_SOCKET, LSMTUNED_STATISTICS,
// LSMTUNED_RATE_LIMIT, LSMTUNED_LOG. The first attach of a process decides the socket.
struct LSMTUNED_AGENT_API Options {
  std::string socket;                 // empty: /run/lsmtuned/agent.sock
  std::string statistics;             // none | counters | tickers | latency; empty: counters
  double rate_limit_bytes_per_s = 0;  // 0: inject no limiter
  bool log_to_stderr = false;         // otherwise: the database's own info log
  static Options from_environment();
};

// Adds statistics (unless the program brought its own), the event listener and, on request, a rate
// limiter with `delayed_write_rate` pinned, to options about to be used for an open.
LSMTUNED_AGENT_API void prepare(rocksdb::DBOptions& db_options,
                                const Options& options = Options::from_environment());

class LSMTUNED_AGENT_API Attachment {
 public:
  ~Attachment();  // waits for a running command, then lets go of the database
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  class Impl;
  explicit Attachment(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

// Null when disabled or when `db` cannot be tuned (read-only, unknown version); the reason is
// logged.
LSMTUNED_AGENT_API std::unique_ptr<Attachment> attach(
    rocksdb::DB* db, const Options& options = Options::from_environment());

}  // namespace lsmtuned::agent
