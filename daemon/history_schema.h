// The tables of history.sqlite: their version, migration, and whether a file can be used at all.
#pragma once

#include <string>

#include "daemon/history_sqlite.h"
#include "model/result.h"

namespace lsmtuned::daemon::schema {

inline constexpr int kVersion = 1;

struct Condition {
  bool unusable = false;  // corrupt, or not a history: to be moved aside
  std::string why;
};
// Looks without writing. Error: a newer lsmtuned wrote it, or it cannot be read at all
// (permission). A missing or empty file is fine.
Result<Condition> inspect(const std::string& path);

// Opens for writing (WAL, synchronous=FULL, foreign keys), creates or migrates the tables.
Result<sqlite::Connection> open_and_migrate(const std::string& path);

}  // namespace lsmtuned::daemon::schema
