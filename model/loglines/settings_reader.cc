#include "model/loglines/settings_reader.h"

#include <algorithm>

#include "model/loglines/log_line.h"

namespace lsmtuned::model {
namespace {

constexpr std::size_t kMostInputs = 64;  // of one call

std::string_view without_trailing_blanks(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

CompactionStyle style_of(std::string_view value) {
  if (value == "kCompactionStyleUniversal") return CompactionStyle::universal;
  if (value == "kCompactionStyleFIFO") return CompactionStyle::fifo;
  if (value == "kCompactionStyleNone") return CompactionStyle::none;
  return CompactionStyle::level;
}

// The list says "Snappy", the enum "kSnappyCompression"; ZSTD is "kZSTD" in both worlds.
std::string compression_name(std::string_view value) {
  if (value == "ZSTD") return "kZSTD";
  return "k" + std::string(value) + (value.ends_with("Compression") ? "" : "Compression");
}

}  // namespace

void SettingsReader::family_begins(std::string_view text) {
  const std::size_t open = text.find('[');
  const std::size_t close = text.rfind(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return;
  family_ = std::string(text.substr(open + 1, close - open - 1));
  state_.family(family_);
}

void SettingsReader::option(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (!skip_prefix(text, "Options.") || colon == std::string_view::npos) return;
  const std::string_view name = without_trailing_blanks(text.substr(0, colon - 8));
  set(family_, name, without_leading_blanks(text.substr(colon - 7)));
}

void SettingsReader::set(const std::string& family, std::string_view name, std::string_view value) {
  const auto knob = knob_from_option(name);
  if (!knob) {
    if (!family.empty()) set_fact(state_.family(family).result.facts, name, value);
    return;
  }
  const auto number = from_option_text(*knob, without_trailing_blanks(value));
  if (!number) {
    state_.problems.add(LogProblemKind::bad_number, name);
    return;
  }
  // max_background_jobs and its like may be set per database only, the others per family.
  if (info(*knob).scope == KnobScope::family && !family.empty())
    state_.family(family).result.settings.set(*knob, *number);
  else if (info(*knob).scope == KnobScope::database)
    state_.result.database_settings.set(*knob, *number);
}

void SettingsReader::set_fact(FamilyFacts& facts, std::string_view name, std::string_view value) {
  const auto number = [&](double& fact) {
    std::string_view rest = value;
    if (const auto read = read_whole(rest)) fact = *read;
  };
  if (name == "num_levels") {
    number(facts.num_levels);
    if (facts.num_levels > static_cast<double>(kMostLogLevels))
      state_.problems.add(LogProblemKind::limit_reached, name);
  } else if (name == "min_write_buffer_number_to_merge") {
    number(facts.min_write_buffer_number_to_merge);
  } else if (name == "arena_block_size") {
    number(facts.arena_block_bytes);
  } else if (name == "level_compaction_dynamic_level_bytes") {
    facts.dynamic_level_bytes = value == "1" || value == "true";
  } else if (name == "disable_auto_compactions") {
    facts.disable_auto_compactions = value == "1" || value == "true";
  } else if (name == "compaction_style") {
    facts.style = style_of(value);
  } else if (name == "compression") {
    facts.compression = compression_name(value);
  }
}

bool SettingsReader::change(const LogLine& line) {
  std::string_view text = line.text;
  if (text.starts_with("SetOptions() on column family [") ||
      text.starts_with("SetDBOptions(), inputs:")) {
    if (text.find("inputs:") == std::string_view::npos) return false;
    changing_ = true;
    changing_thread_ = line.thread;
    inputs_.clear();
    changing_family_.clear();
    if (skip_prefix(text, "SetOptions() on column family ["))
      changing_family_ = std::string(text.substr(0, text.rfind(']')));
    return true;
  }
  if (!changing_ || line.thread != changing_thread_) return false;
  if (text.starts_with("SetOptions() ") || text.starts_with("SetDBOptions() ")) {
    changing_ = false;
    if (text.find(" succeeded") == std::string_view::npos) return true;
    for (const auto& [name, value] : inputs_) set(changing_family_, name, value);
    std::string summary = changing_family_;
    for (const auto& [name, value] : inputs_) summary += " " + name + "=" + value;
    state_.problems.add(LogProblemKind::settings_changed, summary);
    return true;
  }
  const std::size_t colon = text.find(": ");
  if (colon == std::string_view::npos || inputs_.size() >= kMostInputs) return false;
  inputs_.emplace_back(std::string(text.substr(0, colon)), std::string(text.substr(colon + 2)));
  return true;
}

}  // namespace lsmtuned::model
