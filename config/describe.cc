// Values, ranges and types of keys as text, for messages and generated pages.
#include "config/keys.h"
#include "config/quantity.h"

namespace lsmtuned::config {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string joined(const std::vector<std::string>& words, const std::string& last_joint) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? last_joint : ", ";
    out += words[i];
  }
  return out;
}

bool is_plain_number(ValueType type) {
  return type == ValueType::integer || type == ValueType::number;
}

}  // namespace

std::string number_of_type(ValueType type, double value) {
  switch (type) {
    case ValueType::size:
      return size_text(value);
    case ValueType::duration:
      return duration_text(value);
    case ValueType::rate:
      return rate_text(value);
    case ValueType::share:
      return share_text(value);
    default:
      return number_text(value);
  }
}

std::string toml_text(const KeyFacts& facts, const KeyValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    std::vector<std::string> items;
    for (const std::string& item : *list) items.push_back(quoted(item));
    return "[" + joined(items, ", ") + "]";
  }
  if (const auto* number = std::get_if<double>(&value)) {
    const std::string text = number_of_type(facts.type, *number);
    return is_plain_number(facts.type) ? text : quoted(text);
  }
  return "{}";
}

std::string allowed_text(const KeyFacts& facts) {
  switch (facts.type) {
    case ValueType::flag:
      return "true or false";
    case ValueType::choice:
      return joined(facts.choices, " or ");
    case ValueType::text:
      return facts.form.empty() ? "any text" : facts.form;
    case ValueType::text_list:
      return "a list of " + (facts.choices.empty() ? facts.form : joined(facts.choices, ", "));
    case ValueType::knob_bounds:
      return "option = [lowest, highest]";
    default:
      break;
  }
  std::string text = number_of_type(facts.type, facts.minimum) + " to " +
                     number_of_type(facts.type, facts.maximum);
  if (!facts.zero_means.empty()) {
    text += ", or " + number_of_type(facts.type, 0) + " (" + facts.zero_means + ")";
  }
  return text;
}

std::string type_name(ValueType type) {
  switch (type) {
    case ValueType::size:
      return "size";
    case ValueType::duration:
      return "duration";
    case ValueType::rate:
      return "rate";
    case ValueType::integer:
      return "integer";
    case ValueType::number:
      return "number";
    case ValueType::share:
      return "share";
    case ValueType::text:
      return "text";
    case ValueType::choice:
      return "choice";
    case ValueType::flag:
      return "true or false";
    case ValueType::text_list:
      return "list of texts";
    case ValueType::knob_bounds:
      return "table of bounds";
  }
  return "unknown";
}

ValueType type_of_knob(const model::KnobInfo& knob) {
  switch (knob.unit) {
    case model::KnobUnit::count:
      return ValueType::integer;
    case model::KnobUnit::bytes:
      return ValueType::size;
    case model::KnobUnit::bytes_per_second:
      return ValueType::rate;
    case model::KnobUnit::ratio:
      return ValueType::number;
  }
  return ValueType::number;
}

}  // namespace lsmtuned::config
