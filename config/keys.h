// Every configuration key, registered once.
//
// From a registration come the parser, the bounds errors, the suggestions, the example file, the
// reference page and the list of changes that need a restart. Adding a key takes one entry in
// daemon_keys.cc or policy_keys.cc and the member it writes to; its default is that member's
// initialiser. Values inside are doubles in base units (bytes, seconds, bytes per second, shares).
// Thread rules: constant data after first use.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "config/policy.h"

namespace lsmtuned::config {

enum class ValueType {
  size,
  duration,
  rate,
  integer,
  number,
  share,
  text,
  choice,
  flag,
  text_list,
  knob_bounds,  // a table: option name = [lowest, highest]
};

using KnobBounds = std::map<model::Knob, std::pair<double, double>>;
using KeyValue = std::variant<bool, double, std::string, std::vector<std::string>, KnobBounds>;

// What is wrong with a text (or with one element of a list); empty when nothing is.
using TextCheck = std::string (*)(const std::string& text);

struct KeyFacts {
  std::string name;
  ValueType type = ValueType::text;
  double minimum = 0;                // of numbers, inclusive, base units
  double maximum = 0;                //
  std::string zero_means;            // non-empty: 0 is allowed besides the range, and means this
  std::vector<std::string> choices;  // of a choice, and of list elements; empty: any text
  TextCheck check = nullptr;
  std::string form;            // what a checked text looks like: "a whole path, starting with /"
  std::string example;         // for texts without a default
  bool required = false;       // no default; only in [[target]]
  bool needs_restart = false;  // otherwise SIGHUP is enough
  std::string help;            // the manual: what, cost either way, when to leave it alone
};

template <class Owner>
struct Key : KeyFacts {
  std::function<KeyValue(const Owner&)> read;
  std::function<void(Owner&, const KeyValue&)> write;
};

const std::vector<Key<DaemonConfig>>& daemon_keys();  // [daemon]
const std::vector<Key<Policy>>& policy_keys();        // [defaults] and [[target]]
const std::vector<Key<TargetConfig>>& target_keys();  // [[target]] only

// A value as it is written in the file: `"10 s"`, `3`, `["a", "b"]`. Not for knob_bounds.
std::string toml_text(const KeyFacts& facts, const KeyValue& value);

// A number of this type for people: "10 s", "3", "64 MiB".
std::string number_of_type(ValueType type, double value);

// "2 s to 1 h", "observe, advise or tune", "any text" ...
std::string allowed_text(const KeyFacts& facts);

// "duration", "size" ...
std::string type_name(ValueType type);

// A knob's bounds are written as sizes, rates, integers or numbers.
ValueType type_of_knob(const model::KnobInfo& knob);

}  // namespace lsmtuned::config
