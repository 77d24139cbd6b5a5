#include "controller/false_signals.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <vector>

#include "model/units.h"

namespace lsmtuned::controller {
namespace {

constexpr double kInheritedSlack = 1.05;  // of bytes flushed since the database was opened
constexpr double kPausedS = 30;
constexpr double kTreeShare = 0.1;
constexpr std::size_t kDrainCycles = 3;
constexpr double kDrainedShare = 0.3;    // of the backlog, from one end of the window to the other
constexpr double kDrainedOfTree = 0.05;  // and of the family's bytes on disk
constexpr double kLeastBytes = 256.0 * 1024 * 1024;

double l0_files(const model::FamilySnapshot& family) {
  return family.levels.empty() ? 0 : family.levels[0].files;
}

bool backlog(const model::FamilySnapshot& family, const model::Settings& settings) {
  const auto trigger =
      settings.get(family.name, model::Knob::level0_file_num_compaction_trigger).value_or(0);
  return trigger > 0 && l0_files(family) >= trigger;
}

// Counters begin at the open: more bytes in L0 than were ever written there are older.
bool inherited_backlog(const model::FamilySnapshot& family, const model::Settings& settings) {
  return backlog(family, settings) &&
         family.levels[0].size_bytes > kInheritedSlack * family.levels[0].write_bytes;
}

double tree(const model::Snapshot& snapshot) {
  double bytes = 0;
  for (const auto& family : snapshot.families) bytes += family.sst_bytes;
  return bytes;
}

std::string paused(const std::deque<model::Snapshot>& window, const model::FamilySnapshot& family) {
  const model::Snapshot& last = window.back();
  const auto* first = model::find_family(window.front(), family.name);
  const bool written = first != nullptr && !family.levels.empty() && !first->levels.empty() &&
                       family.levels[0].write_bytes > first->levels[0].write_bytes;
  if (family.facts.disable_auto_compactions)
    return written ? "automatic compaction of " + family.name + " is switched off" : "";
  if (!backlog(family, last.settings)) return "";
  for (auto at = window.rbegin(); at != window.rend(); ++at) {
    const auto* then = model::find_family(*at, family.name);
    if (then == nullptr || !backlog(*then, at->settings) || at->state.running_compactions > 0 ||
        at->state.compactions_completed != last.state.compactions_completed ||
        at->state.l0_compactions_completed != last.state.l0_compactions_completed)
      return "";
    if (last.time_s - at->time_s >= kPausedS)
      return "L0 of " + family.name + " is due, and no compaction has run for " +
             model::format_duration(kPausedS) + ": background work seems paused";
  }
  return "";
}

// Debt from before: it says what writers did then. What they need now shows when it is gone.
std::string draining(const std::deque<model::Snapshot>& window,
                     const model::FamilySnapshot& family) {
  std::vector<double> at_cycle_ends;
  for (std::size_t i = 1; i < window.size(); ++i) {
    if (window[i].state.l0_compactions_completed == window[i - 1].state.l0_compactions_completed)
      continue;
    if (const auto* then = model::find_family(window[i], family.name))
      at_cycle_ends.push_back(then->pending_compaction_bytes);
  }
  if (at_cycle_ends.size() < kDrainCycles) return "";
  const auto mean = [](auto from, auto to) {
    return std::accumulate(from, to, 0.0) / static_cast<double>(std::distance(from, to));
  };
  const auto part = static_cast<std::ptrdiff_t>(at_cycle_ends.size() / 3);
  const double before = mean(at_cycle_ends.begin(), at_cycle_ends.begin() + part);
  const double now = mean(at_cycle_ends.end() - part, at_cycle_ends.end());
  if (before - now < std::max(kDrainedShare * before, kDrainedOfTree * family.sst_bytes)) return "";
  return "a backlog of " + model::format_bytes(before) + " of pending compaction is draining";
}

// Work that somebody else ordered, of which the settings know nothing.
std::string maintenance(const std::deque<model::Snapshot>& window) {
  if (std::any_of(window.begin(), window.end(), [](const model::Snapshot& sample) {
        return sample.state.running_manual_compactions > 0;
      }))
    return "a manual compaction ran in the measured window";
  if (window.back().state.file_deletions_disabled)
    return "obsolete files are kept: a backup or checkpoint seems to be under way";
  const std::uint64_t ranges = window.back().state.range_deletions_flushed -
                               std::min(window.front().state.range_deletions_flushed,
                                        window.back().state.range_deletions_flushed);
  if (ranges > 0)
    return std::to_string(ranges) + " ranges of keys were deleted in the measured window";
  return "";
}

double l0_bytes(const model::Snapshot& snapshot) {
  double bytes = 0;
  for (const auto& family : snapshot.families)
    if (!family.levels.empty()) bytes += family.levels[0].size_bytes;
  return bytes;
}

// Counters grow while a job runs, the tree changes as it ends: an L0 compaction at either end of
// the window has read, and not dropped yet, up to all of L0.
std::string unbalanced(const model::Snapshot& first, const model::Snapshot& last) {
  const auto& from = first.counters;
  const auto& to = last.counters;
  const double accounted = (to.flush_write_bytes - from.flush_write_bytes) +
                           (to.compaction_write_bytes - from.compaction_write_bytes) -
                           (to.compaction_read_bytes - from.compaction_read_bytes);
  const double change = tree(last) - tree(first);
  const double unexplained = change - accounted;
  const double running = l0_bytes(unexplained > 0 ? last : first);
  if (std::abs(unexplained) <= std::max(kLeastBytes, kTreeShare * tree(first)) + running) return "";
  const std::string bytes = model::format_bytes(std::abs(unexplained));
  // The sign of the tree's own change too: reads that a compaction skips leave the balance open.
  if (unexplained > 0 && change > 0) return "a bulk load brought " + bytes + " into the tree";
  if (unexplained < 0 && change < 0) return bytes + " left the tree without a compaction";
  return "";
}

}  // namespace

std::string false_signal(const std::deque<model::Snapshot>& window) {
  if (window.empty()) return "";
  const model::Snapshot& first = window.front();
  const model::Snapshot& last = window.back();
  if (auto why = maintenance(window); !why.empty()) return why;
  for (const auto& family : last.families) {
    const auto* before = model::find_family(first, family.name);
    if (before == nullptr) continue;
    if (inherited_backlog(family, last.settings))
      return "L0 of " + family.name + " still holds files from before the database was opened";
    if (before->base_level != family.base_level)
      return "the base level of " + family.name + " has just moved";
    if (auto why = paused(window, family); !why.empty()) return why;
    if (auto why = draining(window, family); !why.empty()) return why;
  }
  return unbalanced(first, last);
}

}  // namespace lsmtuned::controller
