#include "actuators/agent/rocksdb_access.h"

#include <rocksdb/version.h>

#include <cstring>
#include <typeinfo>

#if ROCKSDB_MAJOR != 7 || ROCKSDB_MINOR != 8
#error "this implementation is written for RocksDB 7.8"
#endif

namespace lsmtuned::agent {

// A member function and a free one with the object as first argument are called alike on x86-64
// System V; the returned unique_ptr goes through the same hidden pointer in both.
FamilyHandle rocksdb_family_handle(rocksdb::DB* root, std::uint32_t id) __asm__(
    "_ZN7rocksdb6DBImpl29GetColumnFamily"
    "HandleUnlockedEj");

FamilyHandle family_handle(rocksdb::DB* root, std::uint32_t id) {
  return rocksdb_family_handle(root, id);
}

rocksdb::DB* root_of(rocksdb::DB* db) {
  if (db == nullptr) return nullptr;
  rocksdb::DB* root = db->GetRootDB();
  if (root == nullptr) return nullptr;
  const rocksdb::DB& object = *root;
  return std::strcmp(typeid(object).name(), "N7rocksdb6DBImplE") == 0 ? root : nullptr;
}

const void* bound_rocksdb() {
  return reinterpret_cast<const void*>(&rocksdb_family_handle);
}

}  // namespace lsmtuned::agent
