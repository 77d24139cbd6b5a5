// lsmtunectl diagnose PID: why a process is, or is not, attached, and what to do about it.
//
// Reads /proc/PID/{exe,maps,environ}; asks the daemon for its targets where one answers. Blocking.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>

#include "model/result.h"

namespace lsmtuned::daemon {

struct Diagnosis {
  int pid = 0;
  std::string executable;
  std::string rocksdb_library;  // path of librocksdb.so as mapped; empty: not linked dynamically
  std::string rocksdb_version;  // from that path: "7.8.3", "7.8" or empty
  bool executable_is_dynamic = false;        // the dynamic loader is mapped
  bool executable_mentions_rocksdb = false;  // RocksDB's own strings inside: linked statically
  std::string agent_library;                 // the shim as mapped; empty: not loaded
  bool implementation_loaded = false;
  std::string ld_preload;  // from the environment
  bool environment_readable = false;
  bool disabled_by_environment = false;  // LSMTUNED_DISABLE
  std::string agent_socket;              // LSMTUNED_SOCKET, or empty
  std::optional<bool> connected;         // unknown without a daemon
  std::string daemon_error;

  bool healthy() const { return connected.value_or(false); }
};

// Error: no such process, or not permitted to look.
Result<Diagnosis> diagnose(int pid, const std::string& proc = "/proc");
void note_targets(Diagnosis& diagnosis, const Result<boost::json::object>& targets_answer);
std::string print_diagnosis(const Diagnosis& diagnosis);
boost::json::object to_json(const Diagnosis& diagnosis);

}  // namespace lsmtuned::daemon
