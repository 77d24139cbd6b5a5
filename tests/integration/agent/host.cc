// A program that knows nothing of the agent: opens databases and writes, as its arguments say. The
// tests run it with the agent preloaded.
//
//   agent_test_host SCENARIO DIRECTORY [SECONDS]
//
// Scenarios: write, exit (ends without closing), fork (a child that opens its own), child-only (the
// child reads the inherited one), reopen, read-only, transaction, optimistic, ttl,
// snapshot-close, static-close (a static object's destructor closes it), full-static-tls (no space
// is left for thread-local data of libraries loaded from then on). Exit status 0 when everything
// that the program asked of RocksDB worked.
#include <dlfcn.h>
#include <rocksdb/db.h>
#include <rocksdb/utilities/db_ttl.h>
#include <rocksdb/utilities/optimistic_transaction_db.h>
#include <rocksdb/utilities/transaction_db.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;

void require(const rocksdb::Status& status, const char* what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", what, status.ToString().c_str());
  std::_Exit(1);
}

rocksdb::Options options() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.write_buffer_size = 4 << 20;
  return options;
}

std::unique_ptr<rocksdb::DB> open(const std::string& path) {
  rocksdb::DB* db = nullptr;
  require(rocksdb::DB::Open(options(), path, &db), "open");
  return std::unique_ptr<rocksdb::DB>(db);
}

// A few writes at least, then paced until the time is over: too few for a flush, since a forked
// child inherits RocksDB's thread pool without its threads, and would wait for a flush for ever.
void write(rocksdb::DB& db, double seconds) {
  const auto until = Clock::now() + std::chrono::duration<double>(seconds);
  int key = 0;
  do {
    require(db.Put({}, std::to_string(key++), std::string(100, 'v')), "put");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  } while (Clock::now() < until);
}

int fork_and_open(const std::string& directory, double seconds) {
  auto db = open(directory + "/parent");
  write(*db, seconds / 2);
  const pid_t child = fork();
  if (child == 0) {
    auto own = open(directory + "/child");
    write(*own, seconds);
    own.reset();
    std::_Exit(0);
  }
  write(*db, seconds / 2);
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 1;
  db.reset();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int fork_and_exit(const std::string& directory, double seconds) {
  auto db = open(directory + "/parent");
  write(*db, seconds / 2);
  const pid_t child = fork();
  if (child == 0) {
    // The inherited one can be read; closing it would wait for threads that are not here.
    std::string value;
    require(db->Get({}, "0", &value), "get");
    std::_Exit(0);
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child) return 1;
  write(*db, seconds / 2);
  db.reset();
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int close_beside_a_snapshot(const std::string& directory, double seconds) {
  auto db = open(directory + "/db");
  const rocksdb::Snapshot* snapshot = db->GetSnapshot();
  if (!db->Close().IsAborted()) return 2;
  write(*db, seconds);
  db->ReleaseSnapshot(snapshot);
  require(db->Close(), "close");
  return 0;
}

int fill_static_tls_and_write(const std::string& directory, double seconds) {
  int loaded = 0;
  while (true) {
    const std::string copy = directory + "/static-tls-" + std::to_string(loaded) + ".so";
    std::filesystem::copy_file(LSMTUNED_TEST_STATIC_TLS, copy);
    if (dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) break;
    if (++loaded > 10000) return 3;  // this C library knows no such limit
  }
  std::printf("%d libraries, then: %s\n", loaded, dlerror());
  std::fflush(stdout);
  const auto db = open(directory + "/db");
  write(*db, seconds);
  return 0;
}

template <class Database>
int use(Database* raw, double seconds) {
  const std::unique_ptr<Database> db(raw);
  write(*db, seconds);
  return 0;
}

int run(const std::string& scenario, const std::string& directory, double seconds) {
  const std::string path = directory + "/db";
  if (scenario == "write") {
    const auto db = open(path);
    write(*db, seconds);
    return 0;
  }
  if (scenario == "exit") {
    auto db = open(path);
    write(*db, seconds);
    static rocksdb::DB* left_open = db.release();
    static_cast<void>(left_open);
    std::exit(0);
  }
  if (scenario == "fork") return fork_and_open(directory, seconds);
  if (scenario == "child-only") return fork_and_exit(directory, seconds);
  if (scenario == "reopen") {
    for (int i = 0; i < 10; ++i) write(*open(path), seconds / 10);
    return 0;
  }
  if (scenario == "read-only") {
    rocksdb::DB* db = nullptr;
    require(rocksdb::DB::OpenForReadOnly(rocksdb::Options(), path, &db), "open read-only");
    const std::unique_ptr<rocksdb::DB> owned(db);
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    return 0;
  }
  if (scenario == "transaction") {
    rocksdb::TransactionDB* db = nullptr;
    require(rocksdb::TransactionDB::Open(options(), {}, path, &db), "open");
    return use(db, seconds);
  }
  if (scenario == "optimistic") {
    rocksdb::OptimisticTransactionDB* db = nullptr;
    require(rocksdb::OptimisticTransactionDB::Open(options(), path, &db), "open");
    return use(db, seconds);
  }
  if (scenario == "ttl") {
    rocksdb::DBWithTTL* db = nullptr;
    require(rocksdb::DBWithTTL::Open(options(), path, &db, 3600), "open");
    return use(db, seconds);
  }
  if (scenario == "static-close") {
    static const std::unique_ptr<rocksdb::DB> db = open(path);
    write(*db, seconds);
    std::exit(0);
  }
  if (scenario == "full-static-tls") return fill_static_tls_and_write(directory, seconds);
  if (scenario == "snapshot-close") return close_beside_a_snapshot(directory, seconds);
  std::fprintf(stderr, "no scenario %s\n", scenario.c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  return run(argv[1], argv[2], argc > 3 ? std::atof(argv[3]) : 0.2);
}
