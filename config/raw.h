// A configuration file as plain values with positions, before any key is known. The only file that
// sees toml++ is raw.cc.
//
// Lines and columns are 1-based. Dates and times, which no key takes, become std::monostate.
// Thread rules: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lsmtuned::config {

struct Position {
  int line = 0;
  int column = 0;
};

struct RawEntry;

struct Raw {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<Raw>,
               std::vector<RawEntry>>
      value;
  Position at;

  template <class T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
  const std::vector<RawEntry>* table() const { return as<std::vector<RawEntry>>(); }
  const std::vector<Raw>* list() const { return as<std::vector<Raw>>(); }
};

struct RawEntry {
  std::string key;
  Position at;  // of the key
  Raw value;
};

struct RawOutcome {
  Raw root;  // a table; empty after an error
  std::string error;
  Position error_at;
};
RawOutcome read_toml(std::string_view text);

// "integer", "text", "list" ... as it is named to people.
std::string kind_of(const Raw& raw);

}  // namespace lsmtuned::config
