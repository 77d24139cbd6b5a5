// A library with the name and the symbols of another RocksDB version: the agent must leave it
// alone.
#include <string>
#include <vector>

namespace rocksdb {

class DB {};
class ColumnFamilyHandle {};
struct ColumnFamilyDescriptor {};
struct DBOptions {};
class Status {
 public:
  explicit Status(unsigned char code) : code_(code) {}
  Status(const Status& other) : code_(other.code_) {}
  ~Status() {}
  unsigned char code() const { return code_; }

 private:
  unsigned char code_;
};

class DBImpl : public DB {
 public:
  virtual ~DBImpl();
  virtual Status Close();
  static Status Open(const DBOptions& options, const std::string& name,
                     const std::vector<ColumnFamilyDescriptor>& families,
                     std::vector<ColumnFamilyHandle*>* handles, DB** db, bool seq_per_batch,
                     bool batch_per_txn);
};

DBImpl::~DBImpl() = default;
Status DBImpl::Close() {
  return Status(42);
}
Status DBImpl::Open(const DBOptions&, const std::string& name,
                    const std::vector<ColumnFamilyDescriptor>&, std::vector<ColumnFamilyHandle*>*,
                    DB** db, bool seq_per_batch, bool batch_per_txn) {
  *db = new DBImpl;
  const bool intact = name == "a name" && seq_per_batch && !batch_per_txn;
  return Status(intact ? 41 : 1);
}

}  // namespace rocksdb

// What the program calls, so that the calls above come from inside this library and through its
// procedure linkage table, as in the real one.
extern "C" int other_rocksdb_run() {
  rocksdb::DB* db = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const rocksdb::Status opened =
      rocksdb::DBImpl::Open({}, "a name", {}, &handles, &db, true, false);
  auto* impl = static_cast<rocksdb::DBImpl*>(db);
  const rocksdb::Status closed = impl->Close();
  delete impl;
  return opened.code() == 41 && closed.code() == 42 ? 0 : 1;
}
