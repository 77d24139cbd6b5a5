#include "model/loglines/log_state.h"

#include <algorithm>

namespace lsmtuned::model {
namespace {

// A buffered message is written when its job ends: seconds at most. More is not believed.
constexpr double kLongestBuffering_s = 60;

}  // namespace

double LogState::event_s(const LogLine& line) const {
  const double ago = line.time_s - line.event_time_s;
  return ago > 0 && ago < kLongestBuffering_s ? std::max(0.0, now_s_ - ago) : now_s_;
}

void LogState::advance(const LogLine& line) {
  if (printed_s_ >= 0) {
    const double passed = line.time_s - printed_s_;
    if (passed >= 0) now_s_ += passed;
    // Threads take the time before they queue for the file, so lines swap within a scheduler's
    // turn.
    else if (passed < -1)
      problems.add(LogProblemKind::time_backwards, line.text);
    else
      return;
  }
  printed_s_ = line.time_s;
}

FamilyState& LogState::family(std::string_view name) {
  for (const auto& known : families)
    if (known->result.name == name) return *known;
  if (families.size() >= kMostFamilies) {
    problems.add(LogProblemKind::limit_reached, name);
    return *families.back();
  }
  families.push_back(std::make_unique<FamilyState>(name, [this](double from_s, double to_s,
                                                                bool stopped) {
    series.add(from_s, to_s, stopped ? &ActivityInterval::stopped_s : &ActivityInterval::delayed_s,
               to_s - from_s);
  }));
  families.back()->memtable_since_s = families.back()->l0_since_s = now_s_;
  return *families.back();
}

FamilyState& LogState::unnamed_family() {
  return families.size() == 1 ? *families.front() : family("default");
}

void LogState::add_bytes(FamilyState& at, std::size_t level, double bytes, double file_count,
                         bool late) {
  LogLevel& changed = at.result.levels[level];
  changed.live_bytes = std::max(0.0, changed.live_bytes + bytes);
  if (!at.counts_logged) changed.live_files = std::max(0.0, changed.live_files + file_count);
  at.net_bytes[level] += bytes;
  if (late) at.net_at_last_dump[level] += bytes;
}

void LogState::set_file_counts(FamilyState& at, std::string_view text, double time_s) {
  const std::size_t begin = text.find("files[");
  if (begin == std::string_view::npos) return;
  text.remove_prefix(begin + 6);
  at.counts_logged = true;
  for (std::size_t level = 0; level < kMostLogLevels; ++level) {
    const auto count = read_whole(text);
    if (!count) break;
    if (level == 0) {
      const double from_s = std::min(at.l0_since_s, time_s);
      series.add(from_s, time_s, &ActivityInterval::l0_file_seconds,
                 at.l0_files * (time_s - from_s));
      at.l0_since_s = time_s;
      at.l0_files = *count;
    }
    at.result.levels[level].live_files = *count;
    if (!skip_prefix(text, " ")) break;
  }
}

}  // namespace lsmtuned::model
