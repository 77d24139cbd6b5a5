#include "config/raw.h"

#include <toml++/toml.h>

#include <algorithm>
#include <utility>

namespace lsmtuned::config {
namespace {

Position position_of(const toml::source_region& region) {
  return {static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

// toml++ refuses nesting beyond 256 levels, so this recursion is bounded.
Raw convert(const toml::node& node) {
  Raw raw;
  raw.at = position_of(node.source());
  if (const auto* table = node.as_table()) {
    std::vector<RawEntry> entries;
    for (const auto& [key, value] : *table) {
      entries.push_back({std::string(key.str()), position_of(key.source()), convert(value)});
    }
    std::sort(entries.begin(), entries.end(), [](const RawEntry& a, const RawEntry& b) {
      return std::pair(a.at.line, a.at.column) < std::pair(b.at.line, b.at.column);
    });
    raw.value = std::move(entries);
  } else if (const auto* array = node.as_array()) {
    std::vector<Raw> items;
    for (const auto& item : *array) items.push_back(convert(item));
    raw.value = std::move(items);
  } else if (const auto* text = node.as_string()) {
    raw.value = text->get();
  } else if (const auto* integer = node.as_integer()) {
    raw.value = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    raw.value = number->get();
  } else if (const auto* flag = node.as_boolean()) {
    raw.value = flag->get();
  }
  return raw;
}

}  // namespace

RawOutcome read_toml(std::string_view text) {
  RawOutcome outcome;
  outcome.root.value = std::vector<RawEntry>{};
  try {
    outcome.root = convert(toml::parse(text));
  } catch (const toml::parse_error& error) {
    outcome.error = std::string(error.description());
    outcome.error_at = position_of(error.source());
  } catch (const std::exception& error) {
    outcome.error = error.what();
    outcome.error_at = {1, 1};
  }
  return outcome;
}

std::string kind_of(const Raw& raw) {
  struct Names {
    std::string operator()(std::monostate) const { return "a date or time"; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return "integer " + std::to_string(value); }
    std::string operator()(double) const { return "a number with a fraction"; }
    std::string operator()(const std::string&) const { return "text"; }
    std::string operator()(const std::vector<Raw>&) const { return "a list"; }
    std::string operator()(const std::vector<RawEntry>&) const { return "a table"; }
  };
  return std::visit(Names{}, raw.value);
}

}  // namespace lsmtuned::config
