#include "actuators/agent/option_text.h"

#include <rocksdb/rate_limiter.h>

#include <charconv>
#include <string_view>
#include <utility>

#include "actuators/agent/compression.h"
#include "model/knobs.h"

namespace lsmtuned::agent {
namespace {

constexpr std::size_t kLongestText = 64;

std::string shortest(double value) {
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return std::string(text, end);
}

std::string_view view(boost::json::string_view text) {
  return {text.data(), text.size()};
}

Result<Texts> parse_texts(const boost::json::value& json, bool family) {
  const auto* object = json.if_object();
  if (object == nullptr) return Error{"values: a scope is not an object", ""};
  Texts texts;
  for (const auto& member : *object) {
    const std::string option(view(member.key()));
    const auto knob = model::knob_from_option(option);
    if (!knob) return Error{"values: " + option.substr(0, kLongestText) + " is no knob", ""};
    if ((model::info(*knob).scope == model::KnobScope::family) != family)
      return Error{"values: " + option + " does not belong to this scope", ""};
    const auto* text = member.value().if_string();
    if (text == nullptr || text->size() > kLongestText)
      return Error{"values: " + option + " is not a short text", ""};
    texts[option] = std::string(view(*text));
  }
  return texts;
}

}  // namespace

Texts family_texts(const rocksdb::ColumnFamilyOptions& o) {
  Texts texts = {
      {"write_buffer_size", std::to_string(o.write_buffer_size)},
      {"max_write_buffer_number", std::to_string(o.max_write_buffer_number)},
      {"level0_file_num_compaction_trigger", std::to_string(o.level0_file_num_compaction_trigger)},
      {"level0_slowdown_writes_trigger", std::to_string(o.level0_slowdown_writes_trigger)},
      {"level0_stop_writes_trigger", std::to_string(o.level0_stop_writes_trigger)},
      {"max_bytes_for_level_base", std::to_string(o.max_bytes_for_level_base)},
      {"max_bytes_for_level_multiplier", shortest(o.max_bytes_for_level_multiplier)},
      {"target_file_size_base", std::to_string(o.target_file_size_base)},
      {"max_compaction_bytes", std::to_string(o.max_compaction_bytes)},
      {"soft_pending_compaction_bytes_limit",
       std::to_string(o.soft_pending_compaction_bytes_limit)},
      {"hard_pending_compaction_bytes_limit",
       std::to_string(o.hard_pending_compaction_bytes_limit)},
  };
  if (const auto first = first_compressed_level(o))
    texts[kFirstCompressedOption] = std::to_string(*first);
  return texts;
}

Texts database_texts(const rocksdb::DBOptions& o) {
  Texts texts = {
      {"max_background_jobs", std::to_string(o.max_background_jobs)},
      {"max_subcompactions", std::to_string(o.max_subcompactions)},
      {"delayed_write_rate", std::to_string(o.delayed_write_rate)},
  };
  if (o.rate_limiter != nullptr)
    texts[kLimiterOption] = std::to_string(o.rate_limiter->GetBytesPerSecond());
  return texts;
}

boost::json::object to_json(const Texts& texts) {
  boost::json::object object;
  for (const auto& [option, text] : texts) object[option] = text;
  return object;
}

boost::json::object to_json(const Values& values) {
  boost::json::object families;
  for (const auto& [name, texts] : values.families) families[name] = to_json(texts);
  boost::json::object object;
  object["database"] = to_json(values.database);
  object["families"] = std::move(families);
  return object;
}

Result<Values> parse_values(const boost::json::value& json) {
  const auto* object = json.if_object();
  if (object == nullptr) return Error{"values: not an object", ""};
  Values values;
  if (const auto* database = object->if_contains("database")) {
    auto texts = parse_texts(*database, false);
    if (!texts) return texts.error();
    values.database = std::move(*texts);
  }
  if (const auto* families = object->if_contains("families")) {
    const auto* by_name = families->if_object();
    if (by_name == nullptr) return Error{"values: families is not an object", ""};
    for (const auto& member : *by_name) {
      auto texts = parse_texts(member.value(), true);
      if (!texts) return texts.error();
      values.families[std::string(view(member.key()))] = std::move(*texts);
    }
  }
  return values;
}

model::Settings to_settings(const Values& values) {
  model::Settings settings;
  const auto copy = [](const Texts& texts, model::KnobValues& into) {
    for (const auto& [option, text] : texts) {
      const auto knob = model::knob_from_option(option);
      if (!knob) continue;
      const auto value = model::from_option_text(*knob, text);
      if (value) into.set(*knob, *value);
    }
  };
  copy(values.database, settings.database);
  for (const auto& [name, texts] : values.families) copy(texts, settings.families[name]);
  return settings;
}

bool same_value(const std::string& option, const std::string& a, const std::string& b) {
  if (a == b) return true;
  const auto knob = model::knob_from_option(option);
  if (!knob) return false;
  const auto left = model::from_option_text(*knob, a);
  const auto right = model::from_option_text(*knob, b);
  return left && right && *left == *right;
}

}  // namespace lsmtuned::agent
