#include "daemon/history_schema.h"

#include <sys/stat.h>

#include <array>
#include <filesystem>

namespace lsmtuned::daemon::schema {

namespace {

constexpr std::int64_t kApplicationId = 0x6c736d74;  // "lsmt": tells our file from a foreign one

// kSteps[v] leads from version v to v + 1. A later version appends its step.
constexpr std::array<const char*, kVersion> kSteps = {
    R"sql(
CREATE TABLE schema(version INTEGER NOT NULL);
INSERT INTO schema VALUES(0);
CREATE TABLE decisions(
  target TEXT NOT NULL, id INTEGER NOT NULL, status TEXT NOT NULL, kind TEXT NOT NULL,
  wall_time REAL NOT NULL, json TEXT NOT NULL, PRIMARY KEY(target, id));
CREATE INDEX decisions_unfinished ON decisions(target, id) WHERE status IN ('intended', 'applied');
CREATE TABLE decision_log(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, target TEXT NOT NULL, id INTEGER NOT NULL,
  status TEXT NOT NULL, json TEXT NOT NULL,
  FOREIGN KEY(target, id) REFERENCES decisions(target, id) ON DELETE CASCADE);
CREATE INDEX decision_log_of ON decision_log(target, id);
CREATE TABLE state(target TEXT PRIMARY KEY NOT NULL, json TEXT NOT NULL);
CREATE TABLE samples(
  target TEXT NOT NULL, wall_time REAL NOT NULL, phase TEXT NOT NULL,
  put_bytes_per_s REAL NOT NULL, put_ops_per_s REAL NOT NULL, stall_share REAL NOT NULL,
  predicted_put_bytes_per_s REAL NOT NULL, l0_files REAL NOT NULL, pending_bytes REAL NOT NULL,
  tree_bytes REAL NOT NULL, write_amplification REAL NOT NULL,
  device_write_bytes_per_s REAL NOT NULL, device_read_bytes_per_s REAL NOT NULL,
  PRIMARY KEY(target, wall_time)) WITHOUT ROWID;
)sql"};

Error newer(const std::string& path, std::int64_t version) {
  return {path + ": written by a newer lsmtuned (schema " + std::to_string(version) +
              ", this one knows up to " + std::to_string(kVersion) + ")",
          "install the newer version again, or set state_directory to another directory"};
}

Result<std::int64_t> version_of(sqlite::Connection& connection, int* code) {
  auto exists = connection.number(
      "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema'", code);
  if (!exists || *exists == 0) return exists;
  return connection.number("SELECT version FROM schema", code);
}

// Looks at the file through one connection; `code` is SQLite's answer to the last question.
Result<Condition> inspect_content(const std::string& path, int mode, int* code) {
  auto connection = sqlite::Connection::open(path, mode | SQLITE_OPEN_NOMUTEX, code);
  if (!connection) return connection.error();
  const auto corrupt_or = [&](const Error& error) -> Result<Condition> {
    if (sqlite::is_corrupt(*code)) return Condition{true, "is corrupt or not a SQLite file"};
    return error;
  };

  auto application = connection->number("PRAGMA application_id", code);
  if (!application) return corrupt_or(application.error());
  auto tables = connection->number("SELECT count(*) FROM sqlite_schema", code);
  if (!tables) return corrupt_or(tables.error());
  if (*tables == 0) return Condition{};
  if (*application != kApplicationId) {
    return Condition{true, "is a SQLite file of another program"};
  }
  auto version = version_of(*connection, code);
  if (!version) return corrupt_or(version.error());
  if (*version > kVersion) return newer(path, *version);
  auto verdict = connection->text("PRAGMA quick_check(1)", code);
  if (!verdict) return corrupt_or(verdict.error());
  if (*verdict != "ok") return Condition{true, "is corrupt (" + *verdict + ")"};
  return Condition{};
}

}  // namespace

Result<Condition> inspect(const std::string& path) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (status.type() == std::filesystem::file_type::not_found) return Condition{};
  if (status.type() != std::filesystem::file_type::regular) {
    return Error{path + ": is not a regular file", "remove it, or set another state_directory"};
  }
  if (std::filesystem::file_size(path, failure) == 0) return Condition{};

  int code = SQLITE_OK;
  auto condition = inspect_content(path, SQLITE_OPEN_READONLY, &code);
  // Killed while the file was made, before its journal mode was WAL: only a writer may undo the
  // half-written transaction that lies in the rollback journal.
  if (code == SQLITE_READONLY_ROLLBACK) {
    condition = inspect_content(path, SQLITE_OPEN_READWRITE, &code);
  }
  return condition;
}

Result<sqlite::Connection> open_and_migrate(const std::string& path) {
  auto connection = sqlite::Connection::open(
      path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX);
  if (!connection) return connection;
  ::chmod(path.c_str(), 0640);
  // WAL outlives the process; the other three belong to the connection.
  if (auto set = connection->execute(
          "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
          "PRAGMA journal_size_limit = 16777216",
          "setting up");
      !set) {
    return set.error();
  }
  auto transaction = sqlite::Transaction::begin(*connection, "creating the tables");
  if (!transaction) return transaction.error();
  auto version = version_of(*connection, nullptr);
  if (!version) return version.error();
  if (*version > kVersion) return newer(path, *version);
  for (std::int64_t v = *version; v < kVersion; ++v) {
    const std::string to = std::to_string(v + 1);
    std::string step = kSteps[static_cast<std::size_t>(v)];
    if (auto done =
            connection->execute(step.append("UPDATE schema SET version = ") + to +
                                    "; PRAGMA application_id = " + std::to_string(kApplicationId),
                                "migrating to schema " + to);
        !done) {
      return done.error();
    }
  }
  if (auto committed = transaction->commit(); !committed) return committed.error();
  return connection;
}

}  // namespace lsmtuned::daemon::schema
