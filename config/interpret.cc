#include "config/interpret.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "config/quantity.h"
#include "config/suggest.h"

namespace lsmtuned::config {
namespace {

std::string expected(ValueType type) {
  switch (type) {
    case ValueType::size:
      return "a size such as \"64 MiB\" (a bare integer is bytes)";
    case ValueType::duration:
      return "a duration such as \"30 s\" (a bare number is seconds)";
    case ValueType::rate:
      return "a rate such as \"24 MiB/s\" (a bare integer is bytes per second)";
    case ValueType::share:
      return "a share such as \"5 %\" or 0.05";
    case ValueType::integer:
      return "an integer";
    case ValueType::number:
      return "a number";
    case ValueType::flag:
      return "true or false";
    case ValueType::text:
    case ValueType::choice:
      return "text in quotes";
    case ValueType::text_list:
      return "a list of texts, such as [\"a\", \"b\"]";
    case ValueType::knob_bounds:
      return "a table of option = [lowest, highest]";
  }
  return "another type";
}

void wrong_type(ValueType type, const Raw& raw, const std::string& path, Problems& problems,
                const std::string& remedy = {}) {
  problems.add(raw.at, path, "expected " + expected(type) + ", got " + kind_of(raw), remedy);
}

Result<double> parse_quantity(ValueType type, const std::string& text) {
  switch (type) {
    case ValueType::size:
      return parse_size(text);
    case ValueType::rate:
      return parse_rate(text);
    case ValueType::share:
      return parse_share(text);
    default:
      return parse_duration(text);
  }
}

// A number of `type` in base units, finite and not above 2^53 in size; bounds are not checked here.
std::optional<double> number_from(ValueType type, const Raw& raw, const std::string& path,
                                  Problems& problems) {
  const bool has_unit = type == ValueType::size || type == ValueType::rate ||
                        type == ValueType::duration || type == ValueType::share;
  const bool whole =
      type == ValueType::size || type == ValueType::rate || type == ValueType::integer;
  if (const auto* text = raw.as<std::string>(); text != nullptr && has_unit) {
    const Result<double> parsed = parse_quantity(type, *text);
    if (parsed) return *parsed;
    problems.add(raw.at, path, parsed.error().what, parsed.error().remedy);
    return std::nullopt;
  }
  double value = 0;
  if (const auto* integer = raw.as<std::int64_t>()) {
    value = static_cast<double>(*integer);
  } else if (const auto* number = raw.as<double>(); number != nullptr && !whole) {
    value = *number;
  } else {
    const auto* text = raw.as<std::string>();
    wrong_type(type, raw, path, problems, text != nullptr ? "write the number without quotes" : "");
    return std::nullopt;
  }
  if (!std::isfinite(value) || std::abs(value) > kLargestExactInteger) {
    problems.add(raw.at, path, "the number is too large");
    return std::nullopt;
  }
  return value;
}

std::optional<KeyValue> number(const KeyFacts& facts, const Raw& raw, const std::string& path,
                               Problems& problems) {
  const auto value = number_from(facts.type, raw, path, problems);
  if (!value) return std::nullopt;
  if (*value == 0 && !facts.zero_means.empty()) return KeyValue(0.0);
  if (*value < facts.minimum || *value > facts.maximum) {
    problems.add(raw.at, path, number_of_type(facts.type, *value) + " is out of range",
                 "allowed: " + allowed_text(facts));
    return std::nullopt;
  }
  return KeyValue(*value);
}

// A text, or an element of a list, against choices and check.
bool text_is_fine(const KeyFacts& facts, const std::string& text, Position at,
                  const std::string& path, Problems& problems) {
  if (!facts.choices.empty() &&
      std::find(facts.choices.begin(), facts.choices.end(), text) == facts.choices.end()) {
    std::string remedy = did_you_mean(text, facts.choices);
    if (remedy.empty()) {
      KeyFacts as_choice = facts;
      as_choice.type = ValueType::choice;
      remedy = "allowed: " + allowed_text(as_choice);
    }
    problems.add(at, path, "unknown value \"" + printable(text) + "\"", remedy);
    return false;
  }
  if (facts.check == nullptr) return true;
  const std::string wrong = facts.check(text);
  if (wrong.empty()) return true;
  problems.add(at, path, "\"" + printable(text) + "\": " + wrong, "write " + facts.form);
  return false;
}

std::optional<KeyValue> text_list(const KeyFacts& facts, const Raw& raw, const std::string& path,
                                  Problems& problems) {
  const auto* items = raw.list();
  if (items == nullptr) {
    wrong_type(facts.type, raw, path, problems);
    return std::nullopt;
  }
  bool fine = true;
  std::vector<std::string> texts;
  std::set<std::string> seen;
  for (const Raw& item : *items) {
    const auto* text = item.as<std::string>();
    if (text == nullptr) {
      wrong_type(ValueType::text, item, path, problems);
      fine = false;
      continue;
    }
    if (!text_is_fine(facts, *text, item.at, path, problems)) {
      fine = false;
    } else if (!seen.insert(*text).second) {
      problems.add(item.at, path, "\"" + printable(*text) + "\" is listed twice", "remove one");
      fine = false;
    }
    texts.push_back(*text);
  }
  if (!fine) return std::nullopt;
  return KeyValue(std::move(texts));
}

// One end of a range: inside what RocksDB survives.
std::optional<double> bound(const model::KnobInfo& knob, const Raw& raw, const std::string& path,
                            Problems& problems) {
  const ValueType type = type_of_knob(knob);
  const auto value = number_from(type, raw, path, problems);
  if (!value) return std::nullopt;
  if (*value < knob.minimum || *value > knob.maximum) {
    problems.add(raw.at, path,
                 number_of_type(type, *value) + " is outside the absolute bounds of this option",
                 "allowed: " + number_of_type(type, knob.minimum) + " to " +
                     number_of_type(type, knob.maximum));
    return std::nullopt;
  }
  return value;
}

std::vector<std::string> option_names() {
  std::vector<std::string> names;
  for (const model::KnobInfo& knob : model::all_knobs()) names.emplace_back(knob.option);
  return names;
}

bool add_range(const RawEntry& entry, const std::string& path, KnobBounds& bounds,
               Problems& problems) {
  const auto knob = model::knob_from_option(entry.key);
  if (!knob) {
    problems.add(entry.at, path, "unknown option", did_you_mean(entry.key, option_names()));
    return false;
  }
  const auto* ends = entry.value.list();
  if (ends == nullptr || ends->size() != 2) {
    problems.add(
        entry.value.at, path,
        "expected [lowest, highest], got " +
            (ends == nullptr ? kind_of(entry.value) : "a list of " + std::to_string(ends->size())),
        "write both ends, such as [\"1 MiB\", \"256 MiB\"]");
    return false;
  }
  const auto lowest = bound(model::info(*knob), (*ends)[0], path, problems);
  const auto highest = bound(model::info(*knob), (*ends)[1], path, problems);
  if (!lowest || !highest) return false;
  if (*lowest > *highest) {
    problems.add(entry.value.at, path, "the lowest value is above the highest",
                 "write [lowest, highest]");
    return false;
  }
  bounds[*knob] = {*lowest, *highest};
  return true;
}

std::optional<KeyValue> knob_bounds(const Raw& raw, const std::string& path, Problems& problems) {
  const auto* entries = raw.table();
  if (entries == nullptr) {
    wrong_type(ValueType::knob_bounds, raw, path, problems);
    return std::nullopt;
  }
  bool fine = true;
  KnobBounds bounds;
  for (const RawEntry& entry : *entries) {
    fine = add_range(entry, path + "." + printable(entry.key), bounds, problems) && fine;
  }
  if (!fine) return std::nullopt;
  return KeyValue(std::move(bounds));
}

}  // namespace

std::string printable(const std::string& text) {
  std::string out;
  for (const char c : text.substr(0, 80)) out += c >= ' ' && c <= '~' ? c : '?';
  return text.size() > 80 ? out + "..." : out;
}

std::optional<KeyValue> interpret(const KeyFacts& facts, const Raw& raw, const std::string& path,
                                  Problems& problems) {
  switch (facts.type) {
    case ValueType::flag: {
      const bool* flag = raw.as<bool>();
      if (flag != nullptr) return KeyValue(*flag);
      break;
    }
    case ValueType::text:
    case ValueType::choice: {
      const auto* text = raw.as<std::string>();
      if (text == nullptr) break;
      if (!text_is_fine(facts, *text, raw.at, path, problems)) return std::nullopt;
      return KeyValue(*text);
    }
    case ValueType::text_list:
      return text_list(facts, raw, path, problems);
    case ValueType::knob_bounds:
      return knob_bounds(raw, path, problems);
    default:
      return number(facts, raw, path, problems);
  }
  wrong_type(facts.type, raw, path, problems);
  return std::nullopt;
}

}  // namespace lsmtuned::config
