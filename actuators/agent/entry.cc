// The functions that the shim calls. Nothing of ours throws past here; what RocksDB throws does.
#include "actuators/agent/entry.h"

#include <dlfcn.h>
#include <rocksdb/options.h>
#include <rocksdb/status.h>

#include <exception>
#include <memory>
#include <optional>
#include <string>

#include "actuators/agent/agent_process.h"
#include "actuators/agent/environment.h"
#include "actuators/agent/injection.h"
#include "actuators/agent/log.h"
#include "actuators/agent/rocksdb_access.h"

namespace {

using lsmtuned::agent::AgentProcess;
using lsmtuned::agent::Options;

const void* base_of(const void* address) {
  Dl_info where;
  return dladdr(address, &where) != 0 ? where.dli_fbase : nullptr;
}

bool matches(lsmtuned_open_function original) {
  const void* base = base_of(reinterpret_cast<const void*>(original));
  return base != nullptr && base == base_of(lsmtuned::agent::bound_rocksdb());
}

std::optional<rocksdb::DBOptions> prepared(const void* db_options, const Options& options) {
  try {
    std::optional<rocksdb::DBOptions> copy(*static_cast<const rocksdb::DBOptions*>(db_options));
    lsmtuned::agent::inject(*copy, options);
    return copy;
  } catch (const std::exception& problem) {
    lsmtuned::agent::log_line(nullptr, options.log_to_stderr,
                              std::string("nothing added to the open: ") + problem.what());
    return std::nullopt;
  }
}

void* open(lsmtuned_open_function original, void* status, const void* db_options, const void* name,
           const void* families, void* handles, void** db, bool seq_per_batch, bool batch_per_txn) {
  const Options options = Options::from_environment();
  const auto copy = prepared(db_options, options);
  void* const result = original(status, copy ? &*copy : db_options, name, families, handles, db,
                                seq_per_batch, batch_per_txn);
  if (!static_cast<const rocksdb::Status*>(status)->ok()) return result;
  try {
    if (rocksdb::DB* const root = lsmtuned::agent::root_of(static_cast<rocksdb::DB*>(*db)))
      AgentProcess::instance().attach(root, options);
  } catch (const std::exception& problem) {
    lsmtuned::agent::log_line(nullptr, options.log_to_stderr,
                              std::string("not attached: ") + problem.what());
  }
  return result;
}

std::shared_ptr<lsmtuned::agent::Attached> release(void* db) {
  AgentProcess* const process = AgentProcess::existing();
  return process == nullptr ? nullptr : process->release(static_cast<rocksdb::DB*>(db));
}

void* close(lsmtuned_close_function original, void* status, void* db) {
  const auto released = release(db);
  void* const result = original(status, db);
  if (released != nullptr) {
    // RocksDB refuses to close beside a live snapshot; the database then goes on as before.
    if (static_cast<const rocksdb::Status*>(status)->IsAborted()) {
      AgentProcess::instance().take_up(released);
    } else {
      AgentProcess::instance().forget(released);
    }
  }
  return result;
}

void forget(void* db) {
  if (const auto released = release(db)) AgentProcess::instance().forget(released);
}

constexpr lsmtuned_agent_functions kFunctions{LSMTUNED_AGENT_ABI, &matches, &open, &close, &forget};

}  // namespace

extern "C" __attribute__((visibility("default"))) const lsmtuned_agent_functions*
lsmtuned_agent_entry(void) {
  return &kFunctions;
}
