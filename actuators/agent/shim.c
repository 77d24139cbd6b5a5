/* liblsmtuned_agent.so: the preloaded stage of the agent.
 *
 * References nothing of RocksDB and nothing of C++, so that any program runs with it: a program
 * without RocksDB never notices. It stands in front of three functions of RocksDB by their mangled
 * names, and at the first open loads the implementation that belongs to the RocksDB found there.
 *
 * The original is looked up in the object that called (or that owns the vtable), never by
 * RTLD_NEXT first: a process may carry a second RocksDB inside a plugin, and mixing the two
 * crashes it. Thread rules: any thread; no locks, so a fork leaves nothing behind. */
#define _GNU_SOURCE
#if !defined(__x86_64__) || !defined(__linux__)
#error "the agent's shim relies on the x86-64 System V calling convention"
#endif

#include <dlfcn.h>
#include <elf.h>
#include <limits.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actuators/agent/entry.h"

#define EXPORT __attribute__((visibility("default")))
#define OPEN_SYMBOL                                                                              \
  "_ZN7rocksdb6DBImpl4OpenERKNS_9DBOptionsERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcE" \
  "EERKSt6vectorINS_22ColumnFamilyDescriptorESaISD_EEPSC_IPNS_18ColumnFamilyHandleESaISJ_EEPPNS" \
  "_2DBEbb"
#define CLOSE_SYMBOL "_ZN7rocksdb6DBImpl5CloseEv"
#define DESTRUCTOR_0_SYMBOL "_ZN7rocksdb6DBImplD0Ev"
#define DESTRUCTOR_1_SYMBOL "_ZN7rocksdb6DBImplD1Ev"
#define DESTRUCTOR_2_SYMBOL "_ZN7rocksdb6DBImplD2Ev"

static void say(const char* format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char* format, ...) {
  const char* log = secure_getenv("LSMTUNED_LOG");
  if (log == NULL || strcmp(log, "stderr") != 0) return;
  va_list arguments;
  va_start(arguments, format);
  char line[1024];
  const int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length > 0) dprintf(STDERR_FILENO, "lsmtuned agent: %s\n", line);
}

/* Once for each kind of message in the life of the process. */
#define SAY_ONCE(...)                                                       \
  do {                                                                      \
    static int said;                                                        \
    if (!__atomic_exchange_n(&said, 1, __ATOMIC_RELAXED)) say(__VA_ARGS__); \
  } while (0)

static bool disabled(void) {
  const char* value = secure_getenv("LSMTUNED_DISABLE");
  return value != NULL && value[0] != '\0' && strcmp(value, "0") != 0;
}

static const void* base_of(const void* address) {
  Dl_info where;
  return dladdr(address, &where) != 0 ? where.dli_fbase : NULL;
}

/* The definition of `symbol` that code at `address` would reach without us. */
static void* original_for(const void* address, const char* symbol) {
  const void* own = base_of((const void*)&original_for);
  Dl_info where;
  if (dladdr(address, &where) != 0 && where.dli_fname != NULL && where.dli_fbase != own) {
    void* object = dlopen(where.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (object != NULL) {
      void* found = dlsym(object, symbol);
      dlclose(object); /* RTLD_NOLOAD counted one use; the caller's code keeps it loaded */
      if (found != NULL && base_of(found) != own) return found;
    }
  }
  /* The caller does not carry RocksDB itself: what it was linked to comes next in the search. */
  void* found = dlsym(RTLD_NEXT, symbol);
  if (found == NULL) {
    dprintf(STDERR_FILENO, "lsmtuned agent: no definition of %s left in this process\n", symbol);
    abort(); /* without us the dynamic linker would have ended the process here */
  }
  return found;
}

/* Writes the "7.8" of "librocksdb.so.7.8" for the object at `address`; false when it is not one. */
static bool rocksdb_version(const void* address, char* version, size_t size) {
  Dl_info where;
  struct link_map* map = NULL;
  if (dladdr1(address, &where, (void**)&map, RTLD_DL_LINKMAP) == 0 || map == NULL) return false;
  const char* strings = NULL;
  ElfW(Xword) soname = 0;
  bool named = false;
  for (const ElfW(Dyn)* entry = map->l_ld; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag == DT_STRTAB) strings = (const char*)entry->d_un.d_ptr;
    if (entry->d_tag == DT_SONAME) {
      soname = entry->d_un.d_val;
      named = true;
    }
  }
  if (!named || strings == NULL) return false;
  static const char prefix[] = "librocksdb.so.";
  const char* name = strings + soname;
  if (strncmp(name, prefix, sizeof prefix - 1) != 0) return false;
  name += sizeof prefix - 1;
  const size_t length = strlen(name);
  if (length == 0 || length >= size || strspn(name, "0123456789.") != length) return false;
  memcpy(version, name, length + 1);
  return true;
}

static const struct lsmtuned_agent_functions* load_implementation(const char* version) {
  char path[PATH_MAX];
  const char* folder = secure_getenv("LSMTUNED_AGENT_DIR");
  Dl_info self;
  char own_folder[PATH_MAX];
  if (folder == NULL || folder[0] == '\0') {
    if (dladdr((const void*)&load_implementation, &self) == 0 || self.dli_fname == NULL)
      return NULL;
    const char* slash = strrchr(self.dli_fname, '/');
    const size_t length = slash == NULL ? 0 : (size_t)(slash - self.dli_fname);
    if (slash == NULL || length >= sizeof own_folder) return NULL;
    memcpy(own_folder, self.dli_fname, length);
    own_folder[length] = '\0';
    folder = own_folder;
  }
  const int written =
      snprintf(path, sizeof path, "%s/liblsmtuned_agent_rocksdb%s.so", folder, version);
  if (written <= 0 || (size_t)written >= sizeof path) return NULL;
  if (access(path, R_OK) != 0) {
    SAY_ONCE("RocksDB %s: no implementation at %s; database left alone", version, path);
    return NULL;
  }
  void* object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (object == NULL) {
    SAY_ONCE("%s cannot be loaded (%s); database left alone", path, dlerror());
    return NULL;
  }
  const struct lsmtuned_agent_functions* (*entry)(void) = NULL;
  void* symbol = dlsym(object, "lsmtuned_agent_entry");
  memcpy(&entry, &symbol, sizeof entry);
  const struct lsmtuned_agent_functions* functions = entry == NULL ? NULL : entry();
  if (functions == NULL || functions->abi != LSMTUNED_AGENT_ABI) {
    SAY_ONCE("%s belongs to another version of the agent; database left alone", path);
    return NULL;
  }
  return functions; /* stays loaded: threads and exit handlers of its own */
}

/* The implementation in use, once there is one. Two threads that race load the same object twice,
 * which the dynamic linker counts as one. */
static const struct lsmtuned_agent_functions* implementation;

static const struct lsmtuned_agent_functions* loaded(void) {
  return __atomic_load_n(&implementation, __ATOMIC_ACQUIRE);
}

static const struct lsmtuned_agent_functions* implementation_for(lsmtuned_open_function original) {
  const void* address;
  memcpy(&address, &original, sizeof address);
  char version[32];
  if (!rocksdb_version(address, version, sizeof version)) {
    SAY_ONCE("a RocksDB that is not librocksdb.so.X.Y was opened; left alone");
    return NULL;
  }
  const struct lsmtuned_agent_functions* functions = loaded();
  if (functions == NULL) {
    functions = load_implementation(version);
    if (functions == NULL) return NULL;
  }
  if (!functions->matches(original)) {
    SAY_ONCE("a second RocksDB (%s) in this process was opened; left alone", version);
    return NULL;
  }
  __atomic_store_n(&implementation, functions, __ATOMIC_RELEASE);
  return functions;
}

EXPORT void* lsmtuned_shim_open(void* status, const void* db_options, const void* name,
                                const void* families, void* handles, void** db, bool seq_per_batch,
                                bool batch_per_txn) __asm__(OPEN_SYMBOL);
EXPORT void* lsmtuned_shim_open(void* status, const void* db_options, const void* name,
                                const void* families, void* handles, void** db, bool seq_per_batch,
                                bool batch_per_txn) {
  void* found = original_for(__builtin_return_address(0), OPEN_SYMBOL);
  lsmtuned_open_function original;
  memcpy(&original, &found, sizeof original);
  const struct lsmtuned_agent_functions* functions =
      disabled() ? NULL : implementation_for(original);
  if (functions == NULL)
    return original(status, db_options, name, families, handles, db, seq_per_batch, batch_per_txn);
  return functions->open(original, status, db_options, name, families, handles, db, seq_per_batch,
                         batch_per_txn);
}

EXPORT void* lsmtuned_shim_close(void* status, void* db) __asm__(CLOSE_SYMBOL);
EXPORT void* lsmtuned_shim_close(void* status, void* db) {
  void* found = original_for(*(void**)db, CLOSE_SYMBOL);
  lsmtuned_close_function original;
  memcpy(&original, &found, sizeof original);
  const struct lsmtuned_agent_functions* functions = loaded();
  return functions == NULL ? original(status, db) : functions->close(original, status, db);
}

static void destroy(void* db, const char* symbol) {
  /* The vtable is read before the original runs and changes it. */
  void* found = original_for(*(void**)db, symbol);
  void (*original)(void*);
  memcpy(&original, &found, sizeof original);
  const struct lsmtuned_agent_functions* functions = loaded();
  if (functions != NULL) functions->forget(db);
  original(db);
}

EXPORT void lsmtuned_shim_destroy_0(void* db) __asm__(DESTRUCTOR_0_SYMBOL);
EXPORT void lsmtuned_shim_destroy_0(void* db) {
  destroy(db, DESTRUCTOR_0_SYMBOL);
}
EXPORT void lsmtuned_shim_destroy_1(void* db) __asm__(DESTRUCTOR_1_SYMBOL);
EXPORT void lsmtuned_shim_destroy_1(void* db) {
  destroy(db, DESTRUCTOR_1_SYMBOL);
}
EXPORT void lsmtuned_shim_destroy_2(void* db) __asm__(DESTRUCTOR_2_SYMBOL);
EXPORT void lsmtuned_shim_destroy_2(void* db) {
  destroy(db, DESTRUCTOR_2_SYMBOL);
}
