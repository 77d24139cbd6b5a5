// One attached database: its identity, its families, the baseline and what of ours is in force.
//
// The baseline is the text of every knob at the first sight of its family; a value that someone
// else sets becomes the baseline of that knob. Every touch of `root()` happens inside a Gate::Use,
// so that closing waits for it. Thread rules: any thread; values are behind a lock of their own
// that is never held while RocksDB is called.
#pragma once

#include <rocksdb/db.h>

#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "actuators/agent/gate.h"
#include "actuators/agent/injection.h"
#include "actuators/agent/option_text.h"
#include "lsmtuned/agent.h"

namespace lsmtuned::agent {

class Database {
 public:
  // Reads identity, families and baseline. `root` as from root_of().
  Database(rocksdb::DB* root, std::uint64_t number, const Options& options);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  rocksdb::DB* root() const { return root_; }
  std::uint64_t number() const { return number_; }
  const std::string& path() const { return path_; }
  Gate& gate() { return gate_; }
  const Parts& parts() const { return parts_; }
  double uptime_s() const;
  void log(const std::string& line) const noexcept;  // dropped once the database closes

  // Waits for whoever is inside and refuses everyone else. An options call that hangs in a write
  // stop is freed by the first step of RocksDB's own closing, CancelAllBackgroundWork.
  void close();
  // At process exit: the same with an end to patience, and without touching the database.
  bool close_for_exit(std::chrono::milliseconds patience) { return gate_.close(patience); }

  // Inside a Gate::Use: is-write-stopped.
  bool stopped() const;
  // Families that exist or may exist now, in order of id.
  std::vector<std::uint32_t> candidate_ids() const;
  // What was found under an id: a new family gets its baseline, a dropped one is forgotten.
  void saw_family(std::uint32_t id, const std::string& name, const Texts& texts);
  void missed_family(std::uint32_t id);
  std::optional<std::uint32_t> family_id(const std::string& name) const;

  Values baseline() const;
  Values ours() const;
  std::optional<std::string> baseline_text(const std::string& family,
                                           const std::string& option) const;
  // Before we change a knob: a present value that is not ours is the baseline from now on.
  void about_to_change(const std::string& family, const std::string& option,
                       const std::string& present);
  // After a change or restore: what is there, and that it is ours unless it is the baseline.
  void now_in_force(const std::string& family, const std::string& option, const std::string& text);
  // The knob is someone else's; `text` is its baseline.
  void adopt(const Values& values);

  // *database* of docs/protocol.md, families in order of id, as many as fit the budget of bytes.
  boost::json::object description(std::size_t budget) const;

  std::atomic<bool> options_call{false};  // a call of ours is inside RocksDB

 private:
  void scan();

  rocksdb::DB* const root_;
  const std::uint64_t number_;
  const std::chrono::steady_clock::time_point opened_;
  std::string path_;
  std::string database_id_;
  std::uint64_t incarnation_ = 0;
  Parts parts_;
  std::shared_ptr<rocksdb::Logger> info_log_;
  const bool log_to_stderr_;
  mutable Gate gate_;

  mutable std::mutex mutex_;  // all below
  std::map<std::uint32_t, std::string> families_;
  std::uint32_t next_id_ = 0;
  Values baseline_;
  Values ours_;
};

// The texts of a scope within values; `family` empty means the database.
Texts& scope_of(Values& values, const std::string& family);
const Texts* find_scope(const Values& values, const std::string& family);

}  // namespace lsmtuned::agent
