#include "actuators/agent/database.h"

#include <rocksdb/convenience.h>
#include <rocksdb/version.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "actuators/agent/log.h"
#include "actuators/agent/rocksdb_access.h"

namespace lsmtuned::agent {
namespace {

// Ids grow by one with every family created, and those of dropped families stay empty. The first
// scan looks this far past the last one found; later ones look less far, since the listener reports
// the id of every family that is ever flushed.
constexpr std::uint32_t kFirstScanGap = 4096;
constexpr std::uint32_t kScanGap = 64;

// An ordinary options call takes a few milliseconds; one that takes longer while the program
// closes the database is taken to hang in a write stop.
constexpr std::chrono::milliseconds kPatienceAtClose{200};

std::string canonical(const std::string& path) {
  char* resolved = realpath(path.c_str(), nullptr);
  if (resolved == nullptr) return path;
  std::string result(resolved);
  std::free(resolved);
  return result;
}

std::uint64_t mix(std::uint64_t value) {  // splitmix64
  value += 0x9e3779b97f4a7c15u;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
  return value ^ (value >> 31);
}

std::uint64_t make_incarnation(std::uint64_t number) {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  const auto microseconds = static_cast<std::uint64_t>(now.tv_sec) * 1000000 +
                            static_cast<std::uint64_t>(now.tv_nsec) / 1000;
  return mix(mix(microseconds) ^ (static_cast<std::uint64_t>(getpid()) << 32) ^ number);
}

}  // namespace

Texts& scope_of(Values& values, const std::string& family) {
  return family.empty() ? values.database : values.families[family];
}

const Texts* find_scope(const Values& values, const std::string& family) {
  if (family.empty()) return &values.database;
  const auto found = values.families.find(family);
  return found == values.families.end() ? nullptr : &found->second;
}

Database::Database(rocksdb::DB* root, std::uint64_t number, const Options& options)
    : root_(root),
      number_(number),
      opened_(std::chrono::steady_clock::now()),
      path_(canonical(root->GetName())),
      incarnation_(make_incarnation(number)),
      log_to_stderr_(options.log_to_stderr) {
  root_->GetDbIdentity(database_id_);
  const rocksdb::DBOptions db_options = root_->GetDBOptions();
  parts_ = find_parts(db_options);
  info_log_ = db_options.info_log;
  baseline_.database = database_texts(db_options);
  scan();
}

void Database::scan() {
  std::uint32_t end = kFirstScanGap;
  for (std::uint32_t id = 0; id < end; ++id) {
    const FamilyHandle handle = family_handle(root_, id);
    if (handle == nullptr) continue;
    saw_family(id, handle->GetName(), family_texts(root_->GetOptions(handle.get())));
    end = id + kFirstScanGap;
  }
}

double Database::uptime_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - opened_).count();
}

void Database::log(const std::string& line) const noexcept {
  // RocksDB closes its log with the database, and a line after that would go to a closed file.
  const Gate::Use use(gate_);
  if (use || log_to_stderr_) log_line(info_log_.get(), log_to_stderr_, line);
}

void Database::close() {
  if (gate_.close(kPatienceAtClose)) return;
  std::uint64_t snapshots = 0;
  // With a snapshot alive RocksDB refuses to close, so nothing may be cancelled in its name.
  if (options_call.load() && root_->GetIntProperty("rocksdb.num-snapshots", &snapshots) &&
      snapshots == 0) {
    log_line(info_log_.get(), log_to_stderr_,
             "an options call is inside RocksDB while the database closes; cancelling background "
             "work");
    rocksdb::CancelAllBackgroundWork(root_, false);
  }
  gate_.close_and_wait();
}

bool Database::stopped() const {
  std::uint64_t value = 0;
  return root_->GetIntProperty("rocksdb.is-write-stopped", &value) && value != 0;
}

std::vector<std::uint32_t> Database::candidate_ids() const {
  std::vector<std::uint32_t> ids;
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, name] : families_) ids.push_back(id);
  std::uint32_t end = next_id_ + kScanGap;
  if (parts_.listener != nullptr)
    end = std::max(end, std::min(parts_.listener->highest_family_id() + 1, next_id_ + (1u << 20)));
  for (std::uint32_t id = next_id_; id < end; ++id) ids.push_back(id);
  return ids;
}

void Database::saw_family(std::uint32_t id, const std::string& name, const Texts& texts) {
  const std::scoped_lock lock(mutex_);
  next_id_ = std::max(next_id_, id + 1);
  const auto [known, is_new] = families_.try_emplace(id, name);
  if (!is_new) return;
  // A family dropped and created again under its name starts over.
  std::erase_if(families_,
                [&](const auto& other) { return other.second == name && other.first != id; });
  baseline_.families[name] = texts;
  ours_.families.erase(name);
}

void Database::missed_family(std::uint32_t id) {
  const std::scoped_lock lock(mutex_);
  const auto known = families_.find(id);
  if (known == families_.end()) return;
  baseline_.families.erase(known->second);
  ours_.families.erase(known->second);
  families_.erase(known);
}

std::optional<std::uint32_t> Database::family_id(const std::string& name) const {
  const std::scoped_lock lock(mutex_);
  for (const auto& [id, known] : families_)
    if (known == name) return id;
  return std::nullopt;
}

Values Database::baseline() const {
  const std::scoped_lock lock(mutex_);
  return baseline_;
}

Values Database::ours() const {
  const std::scoped_lock lock(mutex_);
  return ours_;
}

std::optional<std::string> Database::baseline_text(const std::string& family,
                                                   const std::string& option) const {
  const std::scoped_lock lock(mutex_);
  const Texts* scope = find_scope(baseline_, family);
  if (scope == nullptr) return std::nullopt;
  const auto found = scope->find(option);
  return found == scope->end() ? std::nullopt : std::optional(found->second);
}

void Database::about_to_change(const std::string& family, const std::string& option,
                               const std::string& present) {
  const std::scoped_lock lock(mutex_);
  const Texts* mine = find_scope(ours_, family);
  if (mine != nullptr) {
    const auto set = mine->find(option);
    if (set != mine->end() && same_value(option, set->second, present)) return;
  }
  scope_of(baseline_, family)[option] = present;
}

void Database::now_in_force(const std::string& family, const std::string& option,
                            const std::string& text) {
  const std::scoped_lock lock(mutex_);
  const Texts* base = find_scope(baseline_, family);
  const bool is_baseline =
      base != nullptr && base->contains(option) && same_value(option, base->at(option), text);
  if (!is_baseline) {
    scope_of(ours_, family)[option] = text;
    return;
  }
  scope_of(ours_, family).erase(option);
  std::erase_if(ours_.families, [](const auto& entry) { return entry.second.empty(); });
}

void Database::adopt(const Values& values) {
  const std::scoped_lock lock(mutex_);
  const auto take = [&](const std::string& family, const Texts& texts) {
    for (const auto& [option, text] : texts) {
      scope_of(baseline_, family)[option] = text;
      scope_of(ours_, family).erase(option);
    }
  };
  take("", values.database);
  for (const auto& [family, texts] : values.families)
    if (baseline_.families.contains(family)) take(family, texts);
  std::erase_if(ours_.families, [](const auto& entry) { return entry.second.empty(); });
}

boost::json::object Database::description(std::size_t budget) const {
  const std::scoped_lock lock(mutex_);
  boost::json::object json;
  json["db"] = number_;
  json["incarnation"] = std::to_string(incarnation_);
  json["path"] = path_;
  json["database_id"] = database_id_;
  json["rocksdb"] = rocksdb::GetRocksVersionAsString();
  json["statistics"] = parts_.level;
  json["rate_limiter"] = parts_.limiter != nullptr;
  boost::json::array families;
  boost::json::object baseline;
  boost::json::object ours;
  std::size_t used = boost::json::serialize(json).size() + 1024;
  for (const auto& [id, name] : families_) {
    boost::json::object family{{"name", name}, {"id", id}};
    boost::json::object texts = to_json(baseline_.families.at(name));
    std::size_t size = boost::json::serialize(family).size() + 4 * name.size() +
                       boost::json::serialize(texts).size() + 64;
    boost::json::object mine;
    if (const auto found = ours_.families.find(name); found != ours_.families.end()) {
      mine = to_json(found->second);
      size += boost::json::serialize(mine).size();
    }
    if (used + size > budget) break;
    used += size;
    families.push_back(std::move(family));
    baseline[name] = std::move(texts);
    if (!mine.empty()) ours[name] = std::move(mine);
  }
  json["families"] = std::move(families);
  json["baseline"] = boost::json::object{{"database", to_json(baseline_.database)},
                                         {"families", std::move(baseline)}};
  json["ours"] =
      boost::json::object{{"database", to_json(ours_.database)}, {"families", std::move(ours)}};
  return json;
}

}  // namespace lsmtuned::agent
