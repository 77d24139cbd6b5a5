#include "actuators/agent/changes.h"

#include <rocksdb/rate_limiter.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actuators/agent/compression.h"
#include "actuators/agent/rocksdb_access.h"
#include "model/invariants.h"

namespace lsmtuned::agent {
namespace {

using OptionMap = std::unordered_map<std::string, std::string>;

struct Present {
  Values values;
  std::map<std::string, model::FamilyFacts> facts;
};

// Present values of the database and of the families named; families that do not exist are absent.
Present read_present(Database& database, const Values& named) {
  rocksdb::DB* const db = database.root();
  Present present;
  present.values.database = database_texts(db->GetDBOptions());
  for (const auto& [name, texts] : named.families) {
    const auto id = database.family_id(name);
    if (!id) continue;
    const FamilyHandle handle = family_handle(db, *id);
    if (handle == nullptr || handle->GetName() != name) continue;
    const rocksdb::Options options = db->GetOptions(handle.get());
    present.values.families[name] = family_texts(options);
    present.facts[name].min_write_buffer_number_to_merge = options.min_write_buffer_number_to_merge;
    present.facts[name].arena_block_bytes = static_cast<double>(options.arena_block_size);
  }
  return present;
}

// Calls f(family, option, text) for every text; the family of the database's scope is empty.
template <class F>
void for_each(const Values& values, F f) {
  for (const auto& [option, text] : values.database) f(std::string(), option, text);
  for (const auto& [family, texts] : values.families)
    for (const auto& [option, text] : texts) f(family, option, text);
}

std::optional<std::string> find_text(const Values& values, const std::string& family,
                                     const std::string& option) {
  const Texts* scope = find_scope(values, family);
  if (scope == nullptr) return std::nullopt;
  const auto found = scope->find(option);
  return found == scope->end() ? std::nullopt : std::optional(found->second);
}

std::string place(const std::string& family, const std::string& option) {
  return family.empty() ? option : family + "." + option;
}

// What of `set` differs from the present.
Values differing(const Values& set, const Values& present) {
  Values different;
  for_each(set, [&](const std::string& family, const std::string& option, const std::string& text) {
    const auto now = find_text(present, family, option);
    if (now && !same_value(option, *now, text)) scope_of(different, family)[option] = text;
  });
  return different;
}

Values merged(Values base, const Values& over) {
  for_each(over, [&](const std::string& family, const std::string& option,
                     const std::string& text) { scope_of(base, family)[option] = text; });
  return base;
}

// Empty, or why the settings that would result must not be sent. Values that go back to the
// baseline were the program's own and need no bounds.
std::string refusal(const Database& database, const Present& present, const Values& plan) {
  model::ChangeSet changed;
  std::string bad;
  for_each(
      plan, [&](const std::string& family, const std::string& option, const std::string& text) {
        const auto base = database.baseline_text(family, option);
        if (base && *base == text) return;
        const auto knob = model::knob_from_option(option);
        const auto value = knob ? model::from_option_text(*knob, text)
                                : Result<double>(Error{option + " is no knob", ""});
        if (!value) {
          bad = place(family, option) + ": " + value.error().text();
          return;
        }
        const auto old = model::from_option_text(*knob, *find_text(present.values, family, option));
        changed.push_back({family, *knob, old ? *old : 0, *value});
      });
  if (!bad.empty() || changed.empty()) return bad;
  model::InvariantInputs inputs;
  inputs.families = present.facts;
  inputs.cpu_cores = std::max(1u, std::thread::hardware_concurrency());
  // The memory budget is the daemon's business; the agent holds no policy.
  inputs.memory_budget_bytes = std::numeric_limits<double>::infinity();
  const auto found = model::violations(to_settings(merged(present.values, plan)), changed, inputs);
  for (const std::string& line : found) bad += (bad.empty() ? "" : "; ") + line;
  return bad;
}

class CallMark {
 public:
  explicit CallMark(Database& database) : database_(database) { database_.options_call = true; }
  ~CallMark() { database_.options_call = false; }
  CallMark(const CallMark&) = delete;
  CallMark& operator=(const CallMark&) = delete;

 private:
  Database& database_;
};

struct Sending {
  std::string error;     // empty: all of it went well
  bool refused = false;  // writes are stopped, and RocksDB was not called
};

constexpr const char* kDelayedRateOption = "delayed_write_rate";

// Setting the rate of delayed writers makes RocksDB forget how far it had lowered it; it does so
// only for a value that differs, so the rate goes one byte a second up and back.
rocksdb::Status set_delayed_rate_again(rocksdb::DB& db) {
  const std::uint64_t rate = db.GetDBOptions().delayed_write_rate;
  rocksdb::Status up = db.SetDBOptions({{kDelayedRateOption, std::to_string(rate + 1)}});
  if (!up.ok()) return up;
  return db.SetDBOptions({{kDelayedRateOption, std::to_string(rate)}});
}

// Sends the plan, up to what goes wrong; what was sent before that stays.
Sending send(Database& database, const Values& plan, bool revert, bool clear_delay) {
  rocksdb::DB* const db = database.root();
  const CallMark mark(database);
  const auto blocked = [&] { return !revert && database.stopped(); };
  Sending sending;
  bool called = false;
  const auto failed = [&](std::string error) {
    sending.error = std::move(error);
    return sending;
  };
  const auto stopped = [&] {
    sending.refused = !called;
    return failed(called ? "writes stopped before all of it was sent" : "writes are stopped");
  };
  for (const auto& [name, texts] : plan.families) {
    const auto id = database.family_id(name);
    const FamilyHandle handle = id ? family_handle(db, *id) : nullptr;
    if (handle == nullptr) return failed(name + ": family dropped");
    if (blocked()) return stopped();
    OptionMap options(texts.begin(), texts.end());
    if (const auto first = options.extract(kFirstCompressedOption)) {
      const auto level =
          model::from_option_text(model::Knob::first_compressed_level, first.mapped());
      if (!level) return failed(name + ": " + level.error().text());
      options[kCompressionPerLevelOption] =
          compression_per_level_text(db->GetOptions(handle.get()), static_cast<int>(*level));
    }
    called = true;
    const rocksdb::Status status = db->SetOptions(handle.get(), options);
    if (!status.ok()) return failed(name + ": " + status.ToString());
  }
  OptionMap options(plan.database.begin(), plan.database.end());
  options.erase(kLimiterOption);
  if (!options.empty()) {
    if (blocked()) return stopped();
    called = true;
    const rocksdb::Status status = db->SetDBOptions(options);
    if (!status.ok()) return failed("database: " + status.ToString());
  } else if (clear_delay) {
    const rocksdb::Status status = set_delayed_rate_again(*db);
    if (!status.ok()) return failed("database: " + status.ToString());
  }
  if (const auto rate = plan.database.find(kLimiterOption); rate != plan.database.end()) {
    const auto value =
        model::from_option_text(model::Knob::rate_limiter_bytes_per_second, rate->second);
    if (!value || *value < 1) return failed(std::string(kLimiterOption) + ": not a rate");
    called = true;
    database.parts().limiter->SetBytesPerSecond(static_cast<std::int64_t>(*value));
  }
  return sending;
}

Outcome not_sent(std::string why) {
  return {"not_sent", {}, std::move(why)};
}

// Sends the plan, reads back everything `named`, and records what is ours now.
Outcome carry_out(Database& database, const Present& present, const Values& plan,
                  const Values& named, bool revert, bool clear_delay = false) {
  for_each(plan, [&](const std::string& family, const std::string& option, const std::string&) {
    if (const auto now = find_text(present.values, family, option))
      database.about_to_change(family, option, *now);
  });
  Outcome outcome;
  if (!plan.empty() || clear_delay) {
    Sending sending = send(database, plan, revert, clear_delay);
    if (sending.refused) return not_sent(std::move(sending.error));
    outcome.error = std::move(sending.error);
  }
  const Present after = read_present(database, named);
  for_each(named,
           [&](const std::string& family, const std::string& option, const std::string& text) {
             const auto now = find_text(after.values, family, option);
             if (!now) {
               if (outcome.error.empty()) outcome.error = place(family, option) + ": gone";
               return;
             }
             scope_of(outcome.values, family)[option] = *now;
             const bool there = same_value(option, *now, text);
             if (there && find_text(plan, family, option))
               database.now_in_force(family, option, *now);
             if (!there && outcome.error.empty())
               outcome.error = place(family, option) + ": RocksDB says " + *now + " after " + text;
           });
  outcome.status = outcome.error.empty() ? "ok" : "failed";
  return outcome;
}

double number(const Texts& texts, const char* option) {
  const auto found = texts.find(option);
  const auto knob = model::knob_from_option(option);
  if (found == texts.end() || !knob) return 0;
  const auto value = model::from_option_text(*knob, found->second);
  return value ? *value : 0;
}

// A revert beside values of someone else can put the triggers out of order, at which RocksDB
// aborts, or leave one memtable too few, at which writers hang. Such a group is left as it is.
std::string drop_dangerous(const Present& present, Values& plan) {
  std::string dropped;
  for (auto& [family, texts] : plan.families) {
    Texts after = present.values.families.at(family);
    for (const auto& [option, text] : texts) after[option] = text;
    const double trigger = number(after, "level0_file_num_compaction_trigger");
    const double slowdown = number(after, "level0_slowdown_writes_trigger");
    const double stop = number(after, "level0_stop_writes_trigger");
    if (trigger > slowdown || slowdown > stop) {
      const auto removed = std::erase_if(
          texts, [](const auto& entry) { return entry.first.starts_with("level0_"); });
      if (removed > 0) dropped += family + ": level0 triggers clash with a value set by others; ";
    }
    const double least = present.facts.at(family).min_write_buffer_number_to_merge + 1;
    if (number(after, "max_write_buffer_number") < std::max(2.0, least))
      if (texts.erase("max_write_buffer_number") > 0)
        dropped += family +
                   ": max_write_buffer_number clashes with min_write_buffer_number_to_"
                   "merge; ";
  }
  std::erase_if(plan.families, [](const auto& entry) { return entry.second.empty(); });
  return dropped;
}

// A revert that had to leave something out has failed, whatever became of the rest.
Outcome incomplete(Outcome outcome, const std::string& dropped) {
  if (dropped.empty()) return outcome;
  outcome.status = "failed";
  outcome.error = dropped + outcome.error;
  return outcome;
}

}  // namespace

Outcome change(Database& database, const Values& asked, bool revert) {
  const Gate::Use use(database.gate());
  if (!use) return not_sent("database is closing");
  if (!revert && database.stopped()) return not_sent("writes are stopped");
  Values set = asked;
  const bool clear_delay = revert && set.database.contains(kDelayedRateOption);
  // Someone else's rate, perhaps set since the daemon last looked, stays what it is.
  if (clear_delay && !find_text(database.ours(), "", kDelayedRateOption))
    set.database.erase(kDelayedRateOption);
  const Present present = read_present(database, set);
  std::string missing;
  for_each(set, [&](const std::string& family, const std::string& option, const std::string&) {
    if (!find_text(present.values, family, option)) missing = place(family, option);
  });
  if (!missing.empty()) return not_sent(missing + ": this database does not have it");
  Values plan = differing(set, present.values);
  // The daemon leaves out what clashes with what it has seen; others may have been quicker.
  const std::string dropped = revert ? drop_dangerous(present, plan) : "";
  if (!dropped.empty()) set = plan;
  if (std::string why = refusal(database, present, plan); !why.empty())
    return not_sent(std::move(why));
  return incomplete(carry_out(database, present, plan, set, revert, clear_delay), dropped);
}

Outcome restore(Database& database, bool clear_delay) {
  const Gate::Use use(database.gate());
  if (!use) return not_sent("database is closing");
  const Values ours = database.ours();
  const Present present = read_present(database, ours);
  Values plan;
  std::string foreign;
  for_each(ours,
           [&](const std::string& family, const std::string& option, const std::string& text) {
             const auto now = find_text(present.values, family, option);
             if (!now) return;  // the family is gone, and its knobs with it
             const auto base = database.baseline_text(family, option);
             if (same_value(option, *now, text) && base) {
               scope_of(plan, family)[option] = *base;
             } else {
               Values theirs;
               scope_of(theirs, family)[option] = *now;
               database.adopt(theirs);
               foreign += (foreign.empty() ? "" : ", ") + place(family, option) + "=" + *now;
             }
           });
  if (!foreign.empty()) database.log("left alone, set by someone else: " + foreign);
  const std::string dropped = drop_dangerous(present, plan);
  return incomplete(carry_out(database, present, plan, plan, true, clear_delay && !plan.empty()),
                    dropped);
}

}  // namespace lsmtuned::agent
