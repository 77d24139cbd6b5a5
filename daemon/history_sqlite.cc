#include "daemon/history_sqlite.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace lsmtuned::daemon::sqlite {

namespace {

// The errno of the last failed system call, on the database or on its write-ahead log. SQLite's own
// sqlite3_system_errno() forgets it for some errors.
int last_errno(sqlite3* connection) {
  if (connection == nullptr) return 0;
  int number = sqlite3_system_errno(connection);
  if (number == 0) sqlite3_file_control(connection, "main", SQLITE_FCNTL_LAST_ERRNO, &number);
  if (number != 0) return number;
  sqlite3_file* log = nullptr;
  sqlite3_file_control(connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log != nullptr && log->pMethods != nullptr) {
    log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number);
  }
  return number;
}

bool is_full(int code, int system_errno) {
  if ((code & 0xff) == SQLITE_FULL) return true;
  const bool writing = code == SQLITE_IOERR_WRITE || code == SQLITE_IOERR_TRUNCATE ||
                       code == SQLITE_IOERR_SHMSIZE || code == SQLITE_IOERR_FSYNC;
  return writing && (system_errno == ENOSPC || system_errno == EDQUOT || system_errno == EFBIG);
}

std::string remedy_for(int code, int system_errno, const std::string& path) {
  if (is_full(code, system_errno)) {
    return "free space in " + std::filesystem::path(path).parent_path().string() +
           "; nothing recorded before is lost";
  }
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "restart lsmtuned: it moves a corrupt history aside at start and begins a new one";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process holds the file: stop it";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return "the file and its directory must be writable for the user that runs lsmtuned";
    case SQLITE_IOERR:
      return "check the disk and its file system (kernel log)";
    default:
      return "";
  }
}

}  // namespace

bool is_corrupt(int code) {
  return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB;
}

Error make_error(sqlite3* connection, int code, const std::string& path, const std::string& doing) {
  const int system_errno = last_errno(connection);
  Error error;
  error.what = path + ": " + doing + ": ";
  if (is_full(code, system_errno)) {
    error.what += "no space left";
  } else {
    error.what += sqlite3_errstr(code);
    if ((code & 0xff) == SQLITE_ERROR && connection != nullptr) {
      error.what += std::string(": ") + sqlite3_errmsg(connection);
    }
    const bool system_call = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
    if (system_call && system_errno != 0) {
      error.what += std::string(": ") + std::strerror(system_errno);
    }
  }
  error.remedy = remedy_for(code, system_errno, path);
  return error;
}

Statement& Statement::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_.get(), parameter, value);
  return *this;
}
Statement& Statement::bind(int parameter, double value) {
  sqlite3_bind_double(statement_.get(), parameter, value);
  return *this;
}
Statement& Statement::bind(int parameter, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), parameter, text.data(), text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}
int Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW || code == SQLITE_DONE) return code;
  return sqlite3_extended_errcode(connection_);
}
void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}
std::int64_t Statement::column_int(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}
double Statement::column_double(int column) const {
  return sqlite3_column_double(statement_.get(), column);
}
std::string Statement::column_text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return text == nullptr ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

Result<Connection> Connection::open(const std::string& path, int flags, int* code) {
  sqlite3* raw = nullptr;
  int result = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  Connection connection;
  connection.connection_.reset(raw);  // SQLite hands out a handle on failure too
  connection.path_ = path;
  if (result != SQLITE_OK) {
    if (raw != nullptr) result = sqlite3_extended_errcode(raw);
    if (code != nullptr) *code = result;
    return make_error(raw, result, path, "opening the history");
  }
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, 5000);
  if (code != nullptr) *code = SQLITE_OK;
  return connection;
}

Result<void> Connection::execute(const std::string& sql, const std::string& doing, int* code) {
  const int result = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != nullptr) *code = result;
  if (result != SQLITE_OK) return error(result, doing);
  return {};
}

Result<Statement> Connection::prepare(const std::string& sql, int* code) {
  sqlite3_stmt* raw = nullptr;
  const int result = sqlite3_prepare_v3(handle(), sql.c_str(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != nullptr) *code = result;
  if (result != SQLITE_OK) return error(result, "preparing a statement");
  return Statement(handle(), raw);
}

Result<std::int64_t> Connection::number(const std::string& sql, int* code) {
  auto statement = prepare(sql, code);
  if (!statement) return statement.error();
  const int result = statement->step();
  if (code != nullptr) *code = result;
  if (result == SQLITE_ROW) return statement->column_int(0);
  if (result == SQLITE_DONE) return 0;
  return error(result, "reading");
}

Result<std::string> Connection::text(const std::string& sql, int* code) {
  auto statement = prepare(sql, code);
  if (!statement) return statement.error();
  const int result = statement->step();
  if (code != nullptr) *code = result;
  if (result == SQLITE_ROW) return {boost::system::in_place_value, statement->column_text(0)};
  if (result == SQLITE_DONE) return {boost::system::in_place_value};
  return error(result, "reading");
}

Result<Transaction> Transaction::begin(Connection& connection, const std::string& doing) {
  if (auto begun = connection.execute("BEGIN IMMEDIATE", doing); !begun) return begun.error();
  return Transaction(connection, doing);
}
Result<void> Transaction::commit() {
  auto done = connection_->execute("COMMIT", doing_);
  if (done) connection_ = nullptr;
  return done;
}
Transaction::~Transaction() {
  // After some errors SQLite has rolled back by itself; a second rollback would be one more error.
  if (connection_ != nullptr && sqlite3_get_autocommit(connection_->handle()) == 0) {
    sqlite3_exec(connection_->handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}
Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), doing_(std::move(other.doing_)) {}

}  // namespace lsmtuned::daemon::sqlite
