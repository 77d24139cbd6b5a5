#include "daemon/options_fragment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <map>

#include "model/knobs.h"

namespace lsmtuned::daemon {
namespace {

bool touches(const controller::Decision& decision, const model::KnobChange& kept) {
  const model::KnobChange* change = model::find_knob(decision.changes, kept);
  return change != nullptr && change->new_value == kept.new_value;
}

// The fragment does not know the program's algorithm, so the operator puts it in.
std::string compression_line(int first) {
  std::string levels;
  for (int level = 1; level < first; ++level) levels += "kNoCompression:";
  return "  # compression_per_level=" + levels + "X, X being the algorithm that compresses now\n";
}

std::string line_of(const model::KnobChange& change) {
  if (change.knob == model::Knob::first_compressed_level)
    return compression_line(static_cast<int>(change.new_value));
  return "  " + std::string(model::info(change.knob).option) + "=" +
         model::to_option_text(change.knob, change.new_value) + "\n";
}

// Family names may hold anything; RocksDB's own writer puts them between quotes as they are, so a
// line break would end the section header.
std::string on_one_line(std::string name) {
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return c < 0x20; }, '?');
  return name;
}

}  // namespace

std::string utc_text(double wall_time_s) {
  const auto whole = static_cast<std::time_t>(std::floor(wall_time_s));
  std::tm utc{};
  gmtime_r(&whole, &utc);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return std::string(text.data(), size);
}

std::string options_fragment(const std::string& target, const model::ChangeSet& kept,
                             const std::vector<controller::Decision>& decisions,
                             double wall_time_s) {
  std::string text = "# Settings kept by lsmtuned for " + on_one_line(target) + ", written " +
                     utc_text(wall_time_s) + ".\n";
  if (kept.empty()) return text + "# Nothing is kept: the database runs its own settings.\n";
  text += "# Online changes may not outlive a restart: put them where the database takes its\n";
  text += "# options from. Only what was changed is listed.\n";
  for (const controller::Decision& decision : decisions) {
    const bool counts = std::any_of(kept.begin(), kept.end(), [&](const model::KnobChange& change) {
      return touches(decision, change);
    });
    if (counts)
      text += "# decision " + std::to_string(decision.id) + ", " + utc_text(decision.wall_time_s) +
              "\n";
  }
  std::string database;
  std::string limiter;
  std::map<std::string, std::string> families;
  for (const model::KnobChange& change : kept) {
    switch (model::info(change.knob).scope) {
      case model::KnobScope::database:
        database += line_of(change);
        break;
      case model::KnobScope::limiter:
        limiter += "# rate limiter (set in the program): " +
                   model::to_option_text(change.knob, change.new_value) + " bytes/s\n";
        break;
      case model::KnobScope::family:
        families[change.family] += line_of(change);
        break;
    }
  }
  text += limiter;
  if (!database.empty()) text += "\n[DBOptions]\n" + database;
  for (const auto& [family, lines] : families)
    text += "\n[CFOptions \"" + on_one_line(family) + "\"]\n" + lines;
  return text;
}

}  // namespace lsmtuned::daemon
