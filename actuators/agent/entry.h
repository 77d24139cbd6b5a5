/* The C interface between the preloaded shim and the implementation for one RocksDB version.
 *
 * The shim is plain C and knows nothing of RocksDB's types: all of them pass through as pointers.
 * `open` and `close` below are RocksDB's own functions with the hidden first argument through which
 * x86-64 System V returns a class (here rocksdb::Status). The implementation never throws through
 * this border. Thread rules: any thread; `db` must not be used by two of these calls at once, which
 * is RocksDB's own rule for closing. */
#ifndef LSMTUNED_ACTUATORS_AGENT_ENTRY_H_
#define LSMTUNED_ACTUATORS_AGENT_ENTRY_H_

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LSMTUNED_AGENT_ABI 1

typedef void* (*lsmtuned_open_function)(void* status, const void* db_options, const void* name,
                                        const void* families, void* handles, void** db,
                                        bool seq_per_batch, bool batch_per_txn);
typedef void* (*lsmtuned_close_function)(void* status, void* db);

struct lsmtuned_agent_functions {
  int abi; /* LSMTUNED_AGENT_ABI */
  /* True when this implementation is bound to the same RocksDB as `original`. */
  bool (*matches)(lsmtuned_open_function original);
  /* Opens with statistics, listener and limiter added, and starts to watch the database. */
  void* (*open)(lsmtuned_open_function original, void* status, const void* db_options,
                const void* name, const void* families, void* handles, void** db,
                bool seq_per_batch, bool batch_per_txn);
  /* Lets go of the database and closes it; takes it up again where RocksDB refuses to close. */
  void* (*close)(lsmtuned_close_function original, void* status, void* db);
  /* Lets go of the database; its destructor follows. Unknown databases are fine. */
  void (*forget)(void* db);
};

/* The one symbol that an implementation exports. */
const struct lsmtuned_agent_functions* lsmtuned_agent_entry(void);

#ifdef __cplusplus
}
#endif

#endif
