// Thin RAII over SQLite's C interface: a connection and a prepared statement.
//
// Errors are values that name the file and a remedy. Thread rules: one thread at a time; the owner
// serialises.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "model/result.h"

namespace lsmtuned::daemon::sqlite {

// The error of a failed call, with the remedy that fits its code (disk full, corrupt, read-only,
// locked). `doing` is a phrase such as "recording decision 7 of main".
Error make_error(sqlite3* connection, int code, const std::string& path, const std::string& doing);

// Whether a result code says that the file's content cannot be trusted.
bool is_corrupt(int code);

class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* connection, sqlite3_stmt* statement)
      : connection_(connection), statement_(statement) {}

  // Parameters count from 1, columns from 0, as in SQLite. Text is copied.
  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, double value);
  Statement& bind(int parameter, std::string_view text);

  // SQLITE_ROW, SQLITE_DONE or an error code.
  int step();
  // Makes it ready for the next use and forgets the parameters.
  void reset();

  std::int64_t column_int(int column) const;
  double column_double(int column) const;
  std::string column_text(int column) const;
  sqlite3* connection() const { return connection_; }

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  sqlite3* connection_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
};

// Resets a statement at the end of a scope, whatever happened in it.
class Use {
 public:
  explicit Use(Statement& statement) : statement_(statement) {}
  ~Use() { statement_.reset(); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  Statement* operator->() { return &statement_; }

 private:
  Statement& statement_;
};

class Connection {
 public:
  // Flags as for sqlite3_open_v2. `code`, where given, receives SQLite's extended result code.
  static Result<Connection> open(const std::string& path, int flags, int* code = nullptr);

  Result<void> execute(const std::string& sql, const std::string& doing, int* code = nullptr);
  Result<Statement> prepare(const std::string& sql, int* code = nullptr);
  // The first column of the first row as a number; 0 when there is no row.
  Result<std::int64_t> number(const std::string& sql, int* code = nullptr);
  Result<std::string> text(const std::string& sql, int* code = nullptr);

  sqlite3* handle() const { return connection_.get(); }
  const std::string& path() const { return path_; }
  Error error(int code, const std::string& doing) const {
    return make_error(handle(), code, path_, doing);
  }

 private:
  struct Closer {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
  };
  std::unique_ptr<sqlite3, Closer> connection_;
  std::string path_;
};

// BEGIN IMMEDIATE ... COMMIT; rolls back unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Connection& connection, const std::string& doing);
  Result<void> commit();
  ~Transaction();
  Transaction(Transaction&& other) noexcept;
  Transaction& operator=(Transaction&&) = delete;

 private:
  Transaction(Connection& connection, std::string doing)
      : connection_(&connection), doing_(std::move(doing)) {}
  Connection* connection_;
  std::string doing_;
};

}  // namespace lsmtuned::daemon::sqlite
