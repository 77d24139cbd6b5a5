#include "config/parse.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "config/cross_check.h"
#include "config/interpret.h"
#include "config/keys.h"
#include "config/problems.h"
#include "config/raw.h"
#include "config/suggest.h"

namespace lsmtuned::config {
namespace {

constexpr std::size_t kLargestFileBytes = 1U << 20U;
constexpr const char* kNewFileRemedy =
    "lsmtuned --print-default-config prints a complete file to start from";

template <class Owner>
std::vector<std::string> names_of(const std::vector<Key<Owner>>& keys) {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const auto& key : keys) names.push_back(key.name);
  return names;
}

template <class Owner>
const Key<Owner>* find_key(const std::vector<Key<Owner>>& keys, const std::string& name) {
  for (const auto& key : keys) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

// Which table would take a key that this one does not.
std::string home_of(const std::string& name) {
  if (find_key(policy_keys(), name) != nullptr) return "[defaults] or [[target]]";
  if (find_key(daemon_keys(), name) != nullptr) return "[daemon]";
  if (find_key(target_keys(), name) != nullptr) return "[[target]]";
  return {};
}

std::string remedy_for_unknown(const std::string& name, const std::vector<std::string>& known) {
  const std::string home = home_of(name);
  if (!home.empty()) return "this key belongs in " + home;
  if (model::knob_from_option(name)) {
    return "options are not set here: narrow one in [defaults.bounds] or [target.bounds]";
  }
  const std::string near = did_you_mean(name, known);
  return near.empty() ? "docs/configuration.md lists the keys; remove it" : near;
}

class Parser {
 public:
  explicit Parser(const std::string& file) : problems_(file) {}

  ParseOutcome run(std::string_view text) {
    const RawOutcome raw = read_toml(text);
    if (!raw.error.empty()) {
      problems_.add(raw.error_at, {}, "not valid TOML: " + printable(raw.error),
                    "texts and values with units are written in quotes, such as \"30 s\"");
    } else if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      problems_.add({1, 1}, {}, "the file is empty", kNewFileRemedy);
    } else {
      read_root(*raw.root.table());
    }
    ParseOutcome outcome;
    outcome.config = std::move(config_);
    outcome.warnings = std::move(warnings_);
    outcome.problems = problems_.take();
    return outcome;
  }

 private:
  void read_root(const std::vector<RawEntry>& root) {
    const RawEntry* targets = nullptr;
    TablePlaces default_places{"defaults", {1, 1}, {}};
    for (const RawEntry& entry : root) {
      if (entry.key == "daemon") {
        TablePlaces places{"daemon", entry.at, {}};
        read_table(daemon_keys(), config_, entry.value, places);
        check_daemon(config_, places, problems_);
      } else if (entry.key == "defaults") {
        default_places.header = entry.at;
        read_table(policy_keys(), config_.defaults, entry.value, default_places);
      } else if (entry.key == "target") {
        targets = &entry;
      } else {
        problems_.add(entry.at, printable(entry.key),
                      entry.value.table() != nullptr ? "unknown table" : "unknown key",
                      remedy_for_unknown(entry.key, {"daemon", "defaults", "target"}));
      }
    }
    if (targets != nullptr) read_targets(*targets);
    check_defaults(config_.defaults, default_places, targets != nullptr, problems_);
    if (targets == nullptr && config_.defaults.mode != Mode::observe) {
      warnings_.push_back("defaults.mode is " + std::string(to_text(config_.defaults.mode)) +
                          ", but no [[target]] names a database: unknown ones are only observed");
    }
  }

  // Every key of one table; unknown ones become problems.
  template <class Owner>
  void read_table(const std::vector<Key<Owner>>& keys, Owner& owner, const Raw& raw,
                  TablePlaces& places) {
    const auto* entries = raw.table();
    if (entries == nullptr) {
      problems_.add(raw.at, places.name, "expected a table, got " + kind_of(raw),
                    "write [" + places.name + "] on a line of its own");
      return;
    }
    for (const RawEntry& entry : *entries) {
      const Key<Owner>* key = find_key(keys, entry.key);
      if (key == nullptr) {
        unknown_key(entry, places, names_of(keys));
      } else {
        take(*key, owner, entry, places);
      }
    }
  }

  template <class Owner>
  void take(const Key<Owner>& key, Owner& owner, const RawEntry& entry, TablePlaces& places) {
    places.keys[key.name] = entry.value.at;
    const auto value = interpret(key, entry.value, places.name + "." + key.name, problems_);
    if (value) key.write(owner, *value);
  }

  void unknown_key(const RawEntry& entry, const TablePlaces& places,
                   const std::vector<std::string>& known) {
    problems_.add(entry.at, places.name + "." + printable(entry.key), "unknown key",
                  remedy_for_unknown(entry.key, known));
  }

  void read_targets(const RawEntry& entry) {
    const auto* list = entry.value.list();
    if (list == nullptr) {
      problems_.add(entry.at, "target", "expected a list of tables, got " + kind_of(entry.value),
                    "write [[target]], with two brackets");
      return;
    }
    for (const Raw& item : *list) {
      if (item.table() == nullptr) {
        problems_.add(item.at, "target", "expected a table, got " + kind_of(item),
                      "write [[target]] on a line of its own");
        continue;
      }
      read_target(item);
    }
  }

  void read_target(const Raw& raw) {
    TargetConfig target;
    target.policy = config_.defaults;
    TablePlaces places{name_of_target(raw), raw.at, {}};
    auto known = names_of(target_keys());
    for (const std::string& name : names_of(policy_keys())) known.push_back(name);
    for (const RawEntry& entry : *raw.table()) {
      if (const auto* own = find_key(target_keys(), entry.key)) {
        take(*own, target, entry, places);
      } else if (const auto* policy = find_key(policy_keys(), entry.key)) {
        take(*policy, target.policy, entry, places);
      } else {
        unknown_key(entry, places, known);
      }
    }
    for (const auto& key : target_keys()) {
      if (key.required && !places.keys.contains(key.name)) {
        problems_.add(raw.at, places.name + "." + key.name, "missing: every target needs it",
                      "add " + key.name + " = \"" + key.example + "\"");
      }
    }
    check_unique("name", target.name, places, names_seen_);
    check_unique("path", without_trailing_slashes(target.path), places, paths_seen_);
    target.path = without_trailing_slashes(target.path);
    check_target(target, places, problems_);
    config_.targets.push_back(std::move(target));
  }

  // "target.main", or "target[0]" where the name cannot be used.
  std::string name_of_target(const Raw& raw) const {
    const KeyFacts& facts = *find_key(target_keys(), "name");
    for (const RawEntry& entry : *raw.table()) {
      const auto* text = entry.value.as<std::string>();
      if (entry.key == facts.name && text != nullptr && facts.check(*text).empty()) {
        return "target." + *text;
      }
    }
    return "target[" + std::to_string(config_.targets.size()) + "]";
  }

  static std::string without_trailing_slashes(std::string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
  }

  void check_unique(const char* key, const std::string& value, const TablePlaces& places,
                    std::map<std::string, Position>& seen) {
    const auto place = places.keys.find(key);
    if (value.empty() || place == places.keys.end()) return;
    const auto [other, is_new] = seen.emplace(value, place->second);
    if (is_new) return;
    problems_.add(place->second, places.name + "." + key,
                  "\"" + printable(value) + "\" is already used by the target in line " +
                      std::to_string(other->second.line),
                  std::string("give every target a ") + key + " of its own");
  }

  Problems problems_;
  DaemonConfig config_;
  std::vector<std::string> warnings_;
  std::map<std::string, Position> names_seen_;
  std::map<std::string, Position> paths_seen_;
};

ParseOutcome unreadable(const std::string& path, const std::string& why,
                        const std::string& remedy) {
  ParseOutcome outcome;
  outcome.problems.push_back({path, 0, 0, {}, why, remedy});
  return outcome;
}

}  // namespace

ParseOutcome parse_text(std::string_view toml, const std::string& file_name) {
  return Parser(file_name).run(toml);
}

ParseOutcome parse_file(const std::string& path) {
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return unreadable(path, std::string("cannot be read: ") + std::strerror(errno),
                      errno == ENOENT ? kNewFileRemedy : "check the path and its permissions");
  }
  std::string text(kLargestFileBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad() || (in.gcount() == 0 && !in.eof())) {
    return unreadable(path, std::string("cannot be read: ") + std::strerror(errno),
                      "name a file, not a directory");
  }
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kLargestFileBytes) {
    return unreadable(path, "is larger than 1 MiB", "this does not look like a configuration");
  }
  return parse_text(text, path);
}

}  // namespace lsmtuned::config
