#include "model/loglines/stats_dump.h"

#include <algorithm>
#include <array>
#include <utility>

#include "model/loglines/log_line.h"
#include "model/units.h"

namespace lsmtuned::model {
namespace {

using Column = DumpColumns::Column;

constexpr std::array<std::pair<std::string_view, Column>, 15> kHeaders = {{
    {"Files", Column::files},
    {"Size", Column::size},
    {"Score", Column::score},
    {"Read(GB)", Column::read},
    {"Rn(GB)", Column::read_upper},
    {"Rnp1(GB)", Column::read_this},
    {"Write(GB)", Column::write},
    {"Wnew(GB)", Column::write_new},
    {"Moved(GB)", Column::moved},
    {"W-Amp", Column::amplification},
    {"Comp(sec)", Column::seconds},
    {"CompMergeCPU(sec)", Column::cpu_seconds},
    {"Comp(cnt)", Column::count},
    {"KeyIn", Column::keys_in},
    {"KeyDrop", Column::keys_dropped},
}};

std::optional<double> unit_of(std::string_view& rest) {
  constexpr std::array<std::pair<std::string_view, double>, 5> kUnits = {
      {{"TB", 1024 * kGiB}, {"GB", kGiB}, {"MB", kMiB}, {"KB", kKiB}, {"B", 1}}};
  for (const auto& [name, factor] : kUnits)
    if (skip_prefix(rest, name)) return factor;
  return std::nullopt;
}

void store(Column column, double value, DumpLevel& level) {
  switch (column) {
    case Column::score:
      level.stats.score = value;
      break;
    case Column::read:
      level.stats.read_bytes = value * kGiB;
      break;
    case Column::read_upper:
      level.stats.read_from_upper_bytes = value * kGiB;
      break;
    case Column::read_this:
      level.stats.read_from_this_bytes = value * kGiB;
      break;
    case Column::write:
      level.stats.write_bytes = value * kGiB;
      break;
    case Column::write_new:
      level.new_bytes = value * kGiB;
      break;
    case Column::moved:
      level.stats.moved_bytes = value * kGiB;
      break;
    case Column::amplification:
      level.write_amplification = value;
      break;
    case Column::seconds:
      level.stats.compaction_seconds = value;
      break;
    case Column::cpu_seconds:
      level.stats.compaction_cpu_seconds = value;
      break;
    case Column::count:
      level.stats.compaction_count = value;
      break;
    case Column::keys_in:
      level.stats.keys_in = value;
      break;
    case Column::keys_dropped:
      level.stats.keys_dropped = value;
      break;
    case Column::ignored:
    case Column::files:
    case Column::size:
      break;
  }
}

}  // namespace

std::string_view next_word(std::string_view& rest) {
  rest = without_leading_blanks(rest);
  const std::size_t end = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, end);
  rest.remove_prefix(end);
  return word;
}

std::optional<double> read_human_bytes(std::string_view& rest) {
  rest = without_leading_blanks(rest);
  const auto value = read_decimal(rest);
  if (!value) return std::nullopt;
  rest = without_leading_blanks(rest);
  const auto unit = unit_of(rest);
  if (!unit) return std::nullopt;
  return *value * *unit;
}

std::optional<double> read_human_count(std::string_view word) {
  const auto value = read_decimal(word);
  if (!value) return std::nullopt;
  if (word.empty()) return value;
  if (word == "K") return *value * 1e3;
  if (word == "M") return *value * 1e6;
  if (word == "G") return *value * 1e9;
  return std::nullopt;
}

std::optional<DumpColumns> DumpColumns::from_header(std::string_view line) {
  DumpColumns made;
  std::array<bool, kHeaders.size()> seen{};
  next_word(line);  // "Level"
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
    Column column = Column::ignored;
    for (std::size_t i = 0; i < kHeaders.size(); ++i) {
      if (kHeaders[i].first != word) continue;
      column = kHeaders[i].second;
      seen[i] = true;
    }
    made.columns_.push_back(column);
  }
  if (std::find(seen.begin(), seen.end(), false) != seen.end()) return std::nullopt;
  return made;
}

std::optional<DumpLevel> DumpColumns::row(std::string_view line) const {
  DumpLevel level;
  for (const Column column : columns_) {
    if (column == Column::size) {
      const auto bytes = read_human_bytes(line);
      if (!bytes) return std::nullopt;
      level.stats.size_bytes = *bytes;
      continue;
    }
    std::string_view word = next_word(line);
    if (column == Column::ignored) continue;
    if (column == Column::files) {
      const auto files = read_whole(word);
      if (!files || !skip_prefix(word, "/")) return std::nullopt;
      const auto busy = read_whole(word);
      if (!busy) return std::nullopt;
      level.files = level.stats.files = *files;
      level.files_in_jobs = *busy;
      continue;
    }
    // Written less read from the same level: below zero where a compaction dropped much.
    const bool negative = column == Column::write_new && skip_prefix(word, "-");
    const auto value = read_human_count(word);
    if (!value) return std::nullopt;
    store(column, negative ? -*value : *value, level);
  }
  return level;
}

std::optional<double> number_after(std::string_view line, std::string_view label) {
  const std::size_t at = line.find(label);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = line.substr(at + label.size());
  rest = without_leading_blanks(rest);
  return read_decimal(rest);
}

std::optional<double> cumulative_stall_seconds(std::string_view line) {
  if (!skip_prefix(line, "Cumulative stall: ")) return std::nullopt;
  const auto hours = read_decimal(line);
  if (!hours || !skip_prefix(line, ":")) return std::nullopt;
  const auto minutes = read_decimal(line);
  if (!minutes || !skip_prefix(line, ":")) return std::nullopt;
  const auto seconds = read_decimal(line);
  if (!seconds) return std::nullopt;
  return *hours * 3600 + *minutes * 60 + *seconds;
}

}  // namespace lsmtuned::model
