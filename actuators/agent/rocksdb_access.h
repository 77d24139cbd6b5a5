// The few things the agent needs of RocksDB 7.8 beyond its public headers.
//
// GetColumnFamilyHandleUnlocked is an exported member of DBImpl; it takes the database's lock for a
// moment and returns a handle of our own, so that the program's handles are never touched and
// families created later are found by id. Thread rules: any thread; a handle must be released
// before its database closes.
#pragma once

#include <rocksdb/db.h>

#include <cstdint>
#include <memory>

namespace lsmtuned::agent {

using FamilyHandle = std::unique_ptr<rocksdb::ColumnFamilyHandle>;

// Null when there is no such family (any more). `root` must be a DBImpl: see root_of().
FamilyHandle family_handle(rocksdb::DB* root, std::uint32_t id);

// The DBImpl under wrappers such as TransactionDB, or null when it is not a plain DBImpl: read-only
// and secondary instances are classes of their own, and setting an option on one would write into
// a directory that is not theirs.
rocksdb::DB* root_of(rocksdb::DB* db);

// Address of the RocksDB that this code is bound to, for comparing it with the host's.
const void* bound_rocksdb();

}  // namespace lsmtuned::agent
