#include "daemon/json_input.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>
#include <system_error>

#include "config/quantity.h"
#include "config/suggest.h"
#include "daemon/json_duplicates.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

constexpr std::size_t kMostDepth = 16;
constexpr std::size_t kMostErrors = 100;

std::string_view view(json::string_view text) {
  return {text.data(), text.size()};
}

const char* kind_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "true or false";
    case json::kind::string:
      return "text";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
    default:
      return "a number";
  }
}

std::string shown_number(double value) {
  return std::abs(value) < 1e15 ? config::number_text(value) : fmt::format("{:g}", value);
}

std::string range_of(const NumberRule& rule) {
  const char* kind = "a number";
  std::string example;
  switch (rule.quantity) {
    case Quantity::number:
      break;
    case Quantity::whole:
      kind = "a whole number";
      break;
    case Quantity::bytes:
      kind = "bytes";
      example = ", as a number or as text such as \"64 MiB\"";
      break;
    case Quantity::rate:
      kind = "bytes a second";
      example = ", as a number or as text such as \"24 MiB/s\"";
      break;
    case Quantity::seconds:
      kind = "seconds";
      example = ", as a number or as text such as \"2 min\"";
      break;
  }
  return fmt::format("{} from {} to {}{}", kind, shown_number(rule.minimum),
                     shown_number(rule.maximum), example);
}

Result<double> parse_quantity(Quantity quantity, std::string_view text) {
  switch (quantity) {
    case Quantity::bytes:
      return config::parse_size(text);
    case Quantity::rate:
      return config::parse_rate(text);
    case Quantity::seconds:
      return config::parse_duration(text);
    case Quantity::number:
    case Quantity::whole:
      break;
  }
  return Error{"it is text, not a number", "the same without quotes"};
}

std::string line_and_column(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n');
  const std::size_t column =
      start == std::string_view::npos ? before.size() + 1 : before.size() - start;
  return fmt::format("line {}, column {}", line, column);
}

}  // namespace

std::string InputError::text() const {
  return (place.empty() ? "" : place + ": ") + what + (allowed.empty() ? "" : " (" + allowed + ")");
}

std::string text_of(const InputErrors& errors) {
  std::string text;
  for (const InputError& error : errors) text += (text.empty() ? "" : "\n") + error.text();
  return text;
}

std::string shown_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > 40 ? "...\"" : "\"");
}

json::value number_json(double value) {
  if (std::abs(value) <= config::kLargestExactInteger && value == std::floor(value))
    return static_cast<std::int64_t>(value);
  return value;
}

Result<json::object> parse_document(std::string_view text) {
  if (text.size() > kMostInputBytes)
    return Error{fmt::format("the document has {} bytes", text.size()),
                 fmt::format("at most {}", kMostInputBytes)};
  json::parse_options options;
  options.max_depth = kMostDepth;
  options.allow_invalid_utf8 = false;
  json::stream_parser parser({}, options);
  json::error_code error;
  const std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error && read < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (error)
    return Error{"not valid JSON at " + line_and_column(text, read) + ": " + error.message(), ""};
  json::value value = parser.release();
  if (!value.is_object())
    return Error{fmt::format("the document is {}", kind_of(value)), "an object is needed: { ... }"};
  if (const auto twice = duplicate_keys(text); !twice.empty()) {
    std::string places;
    for (const std::string& place : twice)
      places += (places.empty() ? "" : ", ") + shown_text(place);
    return Error{"a key is given twice: " + places, "give each once"};
  }
  return std::move(value.get_object());
}

Result<std::string> read_input(const std::string& path) {
  const bool standard = path == "-";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> opened(
      standard ? nullptr : std::fopen(path.c_str(), "rb"), &std::fclose);
  const std::string name = standard ? "standard input" : path;
  if (!standard && !opened)
    return Error{name + ": " + std::generic_category().message(errno),
                 "name a readable JSON file, or - for standard input"};
  std::FILE* const file = standard ? stdin : opened.get();
  std::string text;
  char buffer[65536];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, file)) {
    text.append(buffer, count);
    if (text.size() > kMostInputBytes)
      return Error{name + ": too long", fmt::format("at most {} bytes", kMostInputBytes)};
  }
  if (std::ferror(file) != 0)
    return Error{name + ": " + std::generic_category().message(errno),
                 "name a readable JSON file, or - for standard input"};
  return {boost::system::in_place_value, std::move(text)};
}

bool read_number(const json::value& value, const NumberRule& rule, const std::string& place,
                 InputErrors& errors, double& number) {
  const auto wrong_with = [&](std::string what, std::string allowed) {
    if (errors.size() < kMostErrors) errors.push_back({place, std::move(what), std::move(allowed)});
    return false;
  };
  const auto wrong = [&](std::string what) { return wrong_with(std::move(what), range_of(rule)); };
  double read = 0;
  if (value.is_string()) {
    const Result<double> parsed = parse_quantity(rule.quantity, view(value.get_string()));
    if (!parsed) return wrong_with(parsed.error().what, "a number, or " + parsed.error().remedy);
    read = *parsed;
  } else if (value.is_number()) {
    read = value.to_number<double>();
  } else {
    return wrong(fmt::format("is {}", kind_of(value)));
  }
  if (!std::isfinite(read)) return wrong("is not finite");
  if (rule.quantity == Quantity::whole && read != std::floor(read))
    return wrong(fmt::format("{:g} is not whole", read));
  if (read < rule.minimum) return wrong(fmt::format("{} is too small", shown_number(read)));
  if (read > rule.maximum) return wrong(fmt::format("{} is too large", shown_number(read)));
  number = read;
  return true;
}

std::string Input::place(std::string_view name) const {
  if (name.empty()) return place_;
  return place_.empty() ? std::string(name) : place_ + "." + std::string(name);
}

void Input::add_error(std::string_view name, std::string what, std::string allowed) {
  if (errors_.size() < kMostErrors)
    errors_.push_back({place(name), std::move(what), std::move(allowed)});
}

const json::value* Input::member(std::string_view name) {
  known_.emplace_back(name);
  return object_.if_contains({name.data(), name.size()});
}

void Input::number(std::string_view name, double& value, const NumberRule& rule) {
  if (const json::value* found = member(name))
    read_number(*found, rule, place(name), errors_, value);
}

const json::array* Input::array(std::string_view name, std::size_t most) {
  const json::value* found = member(name);
  if (found == nullptr) return nullptr;
  if (!found->is_array()) {
    add_error(name, fmt::format("is {}", kind_of(*found)), "a list: [ ... ]");
    return nullptr;
  }
  if (found->get_array().size() > most) {
    add_error(name, fmt::format("has {} entries", found->get_array().size()),
              fmt::format("at most {}", most));
    return nullptr;
  }
  return &found->get_array();
}

void Input::numbers(std::string_view name, std::vector<double>& values, const NumberRule& rule,
                    std::size_t most) {
  const json::array* list = array(name, most);
  if (list == nullptr) return;
  std::vector<double> read(list->size());
  bool fine = true;
  for (std::size_t i = 0; i < list->size(); ++i)
    fine = read_number((*list)[i], rule, fmt::format("{}[{}]", place(name), i), errors_, read[i]) &&
           fine;
  if (fine) values = std::move(read);
}

void Input::boolean(std::string_view name, bool& value) {
  const json::value* found = member(name);
  if (found == nullptr) return;
  if (found->is_bool())
    value = found->get_bool();
  else
    add_error(name, fmt::format("is {}", kind_of(*found)), "true or false");
}

void Input::text(std::string_view name, std::string& value) {
  const json::value* found = member(name);
  if (found == nullptr) return;
  if (found->is_string())
    value = std::string(view(found->get_string()));
  else
    add_error(name, fmt::format("is {}", kind_of(*found)), "text");
}

void Input::choice(std::string_view name, std::size_t& value,
                   const std::vector<std::string>& choices) {
  const json::value* found = member(name);
  if (found == nullptr) return;
  const std::string allowed = fmt::format("one of: {}", fmt::join(choices, ", "));
  if (!found->is_string()) return add_error(name, fmt::format("is {}", kind_of(*found)), allowed);
  const std::string_view text = view(found->get_string());
  const auto at = std::find(choices.begin(), choices.end(), text);
  if (at == choices.end()) return add_error(name, shown_text(text) + " is unknown", allowed);
  value = static_cast<std::size_t>(at - choices.begin());
}

const json::object* Input::object(std::string_view name) {
  const json::value* found = member(name);
  if (found == nullptr) return nullptr;
  if (found->is_object()) return &found->get_object();
  add_error(name, fmt::format("is {}", kind_of(*found)), "an object: { ... }");
  return nullptr;
}

void Input::require(std::string_view name, const std::string& what_it_is) {
  if (!object_.contains({name.data(), name.size()})) add_error(name, "is missing", what_it_is);
}

void Input::refuse_unknown() {
  for (const auto& [key, value] : object_) {
    const std::string_view name = view(key);
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    std::string allowed = config::did_you_mean(name, known_);
    if (allowed.empty()) allowed = fmt::format("known: {}", fmt::join(known_, ", "));
    if (errors_.size() < kMostErrors)
      errors_.push_back({place_.empty() ? shown_text(name) : place_ + "." + shown_text(name),
                         "is not a known key", std::move(allowed)});
  }
}

}  // namespace lsmtuned::daemon
