#include "daemon/history.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <limits>
#include <mutex>
#include <utility>

#include "daemon/codec.h"
#include "daemon/history_lines.h"
#include "daemon/history_schema.h"
#include "daemon/history_sqlite.h"

namespace lsmtuned::daemon {

namespace {

namespace fs = std::filesystem;
using controller::Decision;
using controller::PersistentState;
using sqlite::Connection;
using sqlite::Statement;
using sqlite::Transaction;
using sqlite::Use;

constexpr std::uint64_t kRotateAtBytes = 64ull << 20;
constexpr std::size_t kWarningsKept = 16;
constexpr std::int64_t kDecisionsKept = 100;

Result<void> make_directory(const std::string& directory) {
  std::error_code failure;
  if (fs::is_directory(directory, failure)) return {};
  if (fs::exists(directory, failure)) {
    return Error{directory + ": is not a directory", "set state_directory to a directory"};
  }
  if (::mkdir(directory.c_str(), 0750) != 0) {
    return Error{directory + ": cannot be created: " + std::strerror(errno),
                 "create it, or set state_directory to one whose parent exists and is writable"};
  }
  return {};
}

std::string utc_stamp() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts);
  return text;
}

// Renames the database and what belongs to it, never onto an existing file. The logs go first:
// left beside a new database they would be replayed into it.
Result<std::string> move_aside(const std::string& path) {
  std::string aside = path + ".corrupt-" + utc_stamp();
  for (int i = 2; fs::exists(aside) || fs::exists(aside + "-wal"); ++i) {
    aside = path + ".corrupt-" + utc_stamp() + "-" + std::to_string(i);
  }
  for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
    if (std::rename((path + suffix).c_str(), (aside + suffix).c_str()) != 0 && errno != ENOENT) {
      return Error{path + suffix + ": is corrupt and cannot be renamed: " + std::strerror(errno),
                   "rename it by hand and start again"};
    }
  }
  return {boost::system::in_place_value, std::move(aside)};
}

class SqliteHistory final : public History {
 public:
  SqliteHistory(Connection connection, const std::string& directory)
      : connection_(std::move(connection)),
        lines_(directory + "/decisions.jsonl", kRotateAtBytes,
               [this](std::int64_t after, std::int64_t limit) { return log(after, limit); }) {}

  Result<void> prepare() {
    const std::pair<Statement*, const char*> all[] = {
        {&find_json_, "SELECT json FROM decisions WHERE target = ?1 AND id = ?2"},
        {&put_decision_,
         "INSERT INTO decisions(target, id, status, kind, wall_time, json)"
         " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT(target, id) DO UPDATE SET"
         " status = excluded.status, kind = excluded.kind, wall_time = excluded.wall_time,"
         " json = excluded.json"},
        {&put_log_, "INSERT INTO decision_log(target, id, status, json) VALUES(?1, ?2, ?3, ?4)"},
        {&read_log_, "SELECT seq, json FROM decision_log WHERE seq > ?1 ORDER BY seq LIMIT ?2"},
        {&page_,
         "SELECT json FROM decisions WHERE target = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"},
        {&unfinished_,
         "SELECT json FROM decisions WHERE target = ?1 AND status IN ('intended', 'applied')"
         " ORDER BY id"},
        {&put_state_,
         "INSERT INTO state(target, json) VALUES(?1, ?2)"
         " ON CONFLICT(target) DO UPDATE SET json = excluded.json"},
        {&get_state_, "SELECT json FROM state WHERE target = ?1"},
        {&put_sample_,
         "INSERT OR REPLACE INTO samples VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
         " ?13)"},
        {&get_samples_,
         "SELECT * FROM samples WHERE target = ?1 AND wall_time BETWEEN ?2 AND ?3"
         " ORDER BY wall_time"},
        {&prune_samples_, "DELETE FROM samples WHERE wall_time < ?1"},
        {&prune_decisions_,
         "DELETE FROM decisions WHERE wall_time < ?1 AND status NOT IN ('intended', 'applied')"
         " AND id < (SELECT id FROM decisions AS newer WHERE newer.target = decisions.target"
         " ORDER BY id DESC LIMIT 1 OFFSET ?2)"},
    };
    for (const auto& [statement, sql] : all) {
      auto prepared = connection_.prepare(sql);
      if (!prepared) return prepared.error();
      *statement = std::move(*prepared);
    }
    return {};
  }

  void warn(std::string message) {
    if (warnings_.size() == kWarningsKept) warnings_.erase(warnings_.begin());
    warnings_.push_back(std::move(message));
  }

  // The record is durable already: a JSON Lines file that cannot follow is a warning, told once.
  void write_lines() {
    auto last = connection_.number("SELECT seq FROM sqlite_sequence WHERE name = 'decision_log'");
    std::string repaired;
    auto written = last ? lines_.bring_up_to_date(*last, repaired) : Result<void>(last.error());
    if (!repaired.empty()) warn(std::move(repaired));
    if (!written && written.error().what != lines_failure_) warn(written.error().text());
    lines_failure_ = written ? std::string() : written.error().what;
  }

  Result<void> record(const Decision& decision) override {
    const std::string doing =
        "recording decision " + std::to_string(decision.id) + " of " + decision.target;
    if (decision.id > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return Error{connection_.path() + ": " + doing + ": the id is too large", ""};
    }
    const auto object = to_json(decision);
    if (auto readable = decision_from_json(object); !readable) {
      return Error{connection_.path() + ": " + doing + ": " + readable.error().what,
                   "a record that cannot be read back is not written"};
    }
    const std::string text = boost::json::serialize(object);

    const std::lock_guard lock(mutex_);
    {
      auto transaction = Transaction::begin(connection_, doing);
      if (!transaction) return transaction.error();
      const auto id = static_cast<std::int64_t>(decision.id);
      const char* status = controller::to_text(decision.status);
      bool same = false;
      {
        Use find(find_json_);
        find->bind(1, decision.target).bind(2, id);
        const int code = find->step();
        if (code != SQLITE_ROW && code != SQLITE_DONE) return connection_.error(code, doing);
        same = code == SQLITE_ROW && find->column_text(0) == text;
      }
      if (!same) {
        Use put(put_decision_);
        put->bind(1, decision.target)
            .bind(2, id)
            .bind(3, status)
            .bind(4, controller::to_text(decision.kind))
            .bind(5, decision.wall_time_s)
            .bind(6, text);
        if (const int code = put->step(); code != SQLITE_DONE) {
          return connection_.error(code, doing);
        }
        Use log(put_log_);
        log->bind(1, decision.target).bind(2, id).bind(3, status).bind(4, text);
        if (const int code = log->step(); code != SQLITE_DONE) {
          return connection_.error(code, doing);
        }
      }
      if (auto committed = transaction->commit(); !committed) return committed.error();
    }
    write_lines();
    return {};
  }

  Result<void> save_state(const std::string& target, const PersistentState& state) override {
    const std::string doing = "saving the state of " + target;
    const auto object = to_json(state);
    if (auto readable = state_from_json(object); !readable) {
      return Error{connection_.path() + ": " + doing + ": " + readable.error().what,
                   "a state that cannot be read back is not written"};
    }
    const std::lock_guard lock(mutex_);
    Use put(put_state_);
    put->bind(1, target).bind(2, boost::json::serialize(object));
    if (const int code = put->step(); code != SQLITE_DONE) return connection_.error(code, doing);
    return {};
  }

  Result<std::optional<PersistentState>> load_state(const std::string& target) override {
    const std::string doing = "loading the state of " + target;
    const std::lock_guard lock(mutex_);
    Use get(get_state_);
    get->bind(1, target);
    const int code = get->step();
    if (code == SQLITE_DONE) return std::optional<PersistentState>();
    if (code != SQLITE_ROW) return connection_.error(code, doing);
    auto state = decode<PersistentState>(get->column_text(0), doing, state_from_json);
    if (!state) return state.error();
    return std::optional<PersistentState>(std::move(*state));
  }

  Result<void> add_sample(const SampleRow& sample) override {
    const std::lock_guard lock(mutex_);
    Use put(put_sample_);
    put->bind(1, sample.target)
        .bind(2, sample.wall_time_s)
        .bind(3, sample.phase)
        .bind(4, sample.put_bytes_per_s)
        .bind(5, sample.put_ops_per_s)
        .bind(6, sample.stall_share)
        .bind(7, sample.predicted_put_bytes_per_s)
        .bind(8, sample.l0_files)
        .bind(9, sample.pending_bytes)
        .bind(10, sample.tree_bytes)
        .bind(11, sample.write_amplification)
        .bind(12, sample.device_write_bytes_per_s)
        .bind(13, sample.device_read_bytes_per_s);
    if (const int code = put->step(); code != SQLITE_DONE) {
      return connection_.error(code, "adding a sample of " + sample.target);
    }
    return {};
  }

  Result<std::optional<Decision>> find(const std::string& target, std::uint64_t id) override {
    const std::lock_guard lock(mutex_);
    const std::string doing = "reading decision " + std::to_string(id) + " of " + target;
    Use get(find_json_);
    get->bind(1, target).bind(2, cursor_value(id));
    auto found = decisions_of(get, doing);
    if (!found) return found.error();
    if (found->empty()) return std::optional<Decision>();
    return std::optional<Decision>(std::move(found->front()));
  }

  Result<std::vector<Decision>> decisions(const std::string& target, std::uint64_t before_id,
                                          int limit) override {
    const std::lock_guard lock(mutex_);
    Use page(page_);
    page->bind(1, target)
        .bind(2,
              before_id == 0 ? std::numeric_limits<std::int64_t>::max() : cursor_value(before_id))
        .bind(3, std::int64_t{limit < 0 ? 0 : limit});
    return decisions_of(page, "reading decisions of " + target);
  }

  Result<std::vector<SampleRow>> samples(const std::string& target, double from_wall_s,
                                         double to_wall_s) override {
    const std::lock_guard lock(mutex_);
    std::vector<SampleRow> rows;
    Use get(get_samples_);
    get->bind(1, target).bind(2, from_wall_s).bind(3, to_wall_s);
    int code = get->step();
    for (; code == SQLITE_ROW; code = get->step()) {
      SampleRow row;
      row.target = get->column_text(0);
      row.wall_time_s = get->column_double(1);
      row.phase = get->column_text(2);
      row.put_bytes_per_s = get->column_double(3);
      row.put_ops_per_s = get->column_double(4);
      row.stall_share = get->column_double(5);
      row.predicted_put_bytes_per_s = get->column_double(6);
      row.l0_files = get->column_double(7);
      row.pending_bytes = get->column_double(8);
      row.tree_bytes = get->column_double(9);
      row.write_amplification = get->column_double(10);
      row.device_write_bytes_per_s = get->column_double(11);
      row.device_read_bytes_per_s = get->column_double(12);
      rows.push_back(std::move(row));
    }
    if (code != SQLITE_DONE) return connection_.error(code, "reading samples of " + target);
    return rows;
  }

  Result<std::vector<Decision>> unfinished(const std::string& target) override {
    const std::lock_guard lock(mutex_);
    Use get(unfinished_);
    get->bind(1, target);
    return decisions_of(get, "reading unfinished decisions of " + target);
  }

  Result<void> prune_older_than(double wall_time_s) override {
    const std::lock_guard lock(mutex_);
    const std::string doing = "removing old records";
    auto transaction = Transaction::begin(connection_, doing);
    if (!transaction) return transaction.error();
    {
      Use prune(prune_samples_);
      prune->bind(1, wall_time_s);
      if (const int code = prune->step(); code != SQLITE_DONE) {
        return connection_.error(code, doing);
      }
    }
    {
      Use prune(prune_decisions_);
      prune->bind(1, wall_time_s).bind(2, kDecisionsKept - 1);
      if (const int code = prune->step(); code != SQLITE_DONE) {
        return connection_.error(code, doing);
      }
    }
    return transaction->commit();
  }

  std::vector<std::string> warnings() override {
    const std::lock_guard lock(mutex_);
    return std::exchange(warnings_, {});
  }

 private:
  // Ids above SQLite's range do not exist.
  static std::int64_t cursor_value(std::uint64_t id) {
    constexpr auto kLargest = std::numeric_limits<std::int64_t>::max();
    return id > static_cast<std::uint64_t>(kLargest) ? kLargest : static_cast<std::int64_t>(id);
  }

  template <class T>
  Result<T> decode(const std::string& text, const std::string& doing,
                   Result<T> (*from_json)(const boost::json::value&)) const {
    auto value = parse_exact(text);
    auto decoded = value ? from_json(*value) : Result<T>(value.error());
    if (!decoded) {
      return Error{connection_.path() + ": " + doing + ": " + decoded.error().what,
                   "the record was written by another version of lsmtuned, or damaged"};
    }
    return decoded;
  }

  Result<std::vector<Decision>> decisions_of(Use& rows, const std::string& doing) const {
    std::vector<Decision> found;
    int code = rows->step();
    for (; code == SQLITE_ROW; code = rows->step()) {
      auto decision = decode<Decision>(rows->column_text(0), doing, decision_from_json);
      if (!decision) return decision.error();
      found.push_back(std::move(*decision));
    }
    if (code != SQLITE_DONE) return connection_.error(code, doing);
    return found;
  }

  Result<std::vector<LogLine>> log(std::int64_t after, std::int64_t limit) {
    std::vector<LogLine> versions;
    Use get(read_log_);
    get->bind(1, after).bind(2, limit);
    int code = get->step();
    for (; code == SQLITE_ROW; code = get->step()) {
      versions.push_back(make_log_line(get->column_int(0), get->column_text(1)));
    }
    if (code != SQLITE_DONE) return connection_.error(code, "reading the decision log");
    return versions;
  }

  std::mutex mutex_;
  Connection connection_;
  Statement find_json_, put_decision_, put_log_, read_log_, page_, unfinished_, put_state_,
      get_state_, put_sample_, get_samples_, prune_samples_, prune_decisions_;
  DecisionLines lines_;
  std::string lines_failure_;
  std::vector<std::string> warnings_;
};

}  // namespace

Result<std::unique_ptr<History>> History::open(const std::string& state_directory) {
  if (auto made = make_directory(state_directory); !made) return made.error();
  const std::string path = state_directory + "/history.sqlite";
  std::string moved;
  auto condition = schema::inspect(path);
  if (!condition) return condition.error();
  if (condition->unusable) {
    auto aside = move_aside(path);
    if (!aside) return aside.error();
    moved =
        path + ": " + condition->why + "; it was renamed to " + *aside + " and a new history begun";
  }
  auto connection = schema::open_and_migrate(path);
  if (!connection) return connection.error();
  auto history = std::make_unique<SqliteHistory>(std::move(*connection), state_directory);
  if (!moved.empty()) history->warn(std::move(moved));
  if (auto prepared = history->prepare(); !prepared) return prepared.error();
  history->write_lines();
  return std::unique_ptr<History>(std::move(history));
}

}  // namespace lsmtuned::daemon
