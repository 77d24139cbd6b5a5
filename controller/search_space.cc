#include "controller/search_space.h"

#include <algorithm>
#include <cmath>

#include "model/knob_coupling.h"
#include "model/stall.h"

namespace lsmtuned::controller {
namespace {

using model::Knob;

constexpr double kSameValue = 1.0 / 64;    // closer to the present value than this: no change
constexpr double kTargetFilesPerJob = 25;  // RocksDB's own default at open
constexpr double kDebtMargin = 1.25;       // soft limit over what the tree owes
constexpr double kHardOverSoft = 2;
// Largest L0 compaction trigger over the slowdown trigger. Equal ones take most from a writer that
// only waits, and delay one who writes half as much while each compaction runs.
constexpr double kRoomInL0 = 0.8;
constexpr double kStopOverL0Files = 2;  // stop trigger over the policy's L0 files
constexpr double kSmallestFileBytes = 2.0 * 1024 * 1024;
constexpr double kLargestWhole = 9007199254740992.0;  // 2^53

bool follows(Knob knob) {
  return knob == Knob::level0_stop_writes_trigger || knob == Knob::max_compaction_bytes ||
         knob == Knob::hard_pending_compaction_bytes_limit;
}

}  // namespace

std::optional<SearchSpace::Range> SearchSpace::range_of(const SearchRequest& request,
                                                        const std::string& family,
                                                        Knob knob) const {
  const auto& policy = request.policy;
  if (std::find(policy.knobs.begin(), policy.knobs.end(), knob) == policy.knobs.end()) return {};
  if (std::find(request.foreign.begin(), request.foreign.end(), std::pair(family, knob)) !=
      request.foreign.end())
    return {};
  const auto current = present_.get(family, knob);
  // Zero means "disabled" for limits: not ours to give a value to.
  if (!current || !(*current > 0) || *current >= kLargestWhole) return {};
  const auto& about = model::info(knob);
  const double factor = std::max(1.0, policy.trust_region_factor);
  Range range{std::max(about.minimum, *current / factor),
              std::min(about.maximum, *current * factor)};
  if (const auto bounds = policy.bounds.find(knob); bounds != policy.bounds.end()) {
    range.low = std::max(range.low, bounds->second.first);
    range.high = std::min(range.high, bounds->second.second);
  }
  if (knob == Knob::max_write_buffer_number)
    range.low = std::max({range.low, 2.0, family_.facts.min_write_buffer_number_to_merge + 1});
  // Read cost: what the policy allows, or what someone already chose.
  if (knob == Knob::level0_file_num_compaction_trigger ||
      knob == Knob::level0_slowdown_writes_trigger)
    range.high = std::min(range.high, std::max(*current, policy.max_l0_files));
  if (knob == Knob::level0_stop_writes_trigger)
    range.high = std::min(range.high, std::max(*current, kStopOverL0Files * policy.max_l0_files));
  // Small files promise finer compactions; what each costs in open tables, metadata and syncs no
  // model here knows.
  if (knob == Knob::target_file_size_base)
    range.low = std::max(range.low, std::min(*current, kSmallestFileBytes));
  if (knob == Knob::max_background_jobs)
    range.high = std::min(range.high, 4 * std::max(1.0, request.cpu_cores));
  if (about.unit != model::KnobUnit::ratio) {
    range.low = std::ceil(range.low);
    range.high = std::floor(range.high);
  }
  // Outside its bounds by someone's choice, or nowhere to go.
  if (range.low > *current || range.high < *current || range.low >= range.high) return {};
  return range;
}

const model::FamilySnapshot* family_of(const SearchRequest& request) {
  const auto* named = model::find_family(request.snapshot, request.family);
  return named != nullptr ? named : model::worst_family(request.snapshot);
}

SearchSpace::SearchSpace(const SearchRequest& request, bool ledger_alone)
    : present_(request.snapshot.settings), l0_files_without_delay_(request.l0_files_without_delay) {
  const auto* chosen = family_of(request);
  if (chosen == nullptr) return;
  family_ = *chosen;
  for (const auto& about : model::all_knobs()) {
    const bool of_family = about.scope == model::KnobScope::family;
    if (!of_family && !request.database_knobs) continue;
    const std::string family = of_family ? family_.name : "";
    const auto range = range_of(request, family, about.knob);
    if (!range) continue;
    if (of_family) movable_[about.knob] = *range;
    const bool predicted = !ledger_alone || model::coupling(about.knob).in_ledger;
    if (predicted && !follows(about.knob))
      axes_.push_back(
          {about.knob, family, *present_.get(family, about.knob), range->low, range->high});
  }
}

std::vector<double> SearchSpace::current() const {
  std::vector<double> values;
  for (const auto& axis : axes_) values.push_back(axis.current);
  return values;
}

double SearchSpace::rounded(const Axis& axis, double value) {
  value = std::clamp(value, axis.low, axis.high);
  const auto& about = model::info(axis.knob);
  double step = 1;
  if (about.unit == model::KnobUnit::ratio) {
    step = 0.25;
  } else if (about.unit != model::KnobUnit::count) {
    step = std::max(1.0, std::exp2(std::floor(std::log2(value)) - 4));
  }
  double result = std::round(value / step) * step;
  if (result > axis.high) result -= step;
  if (result < axis.low) result += step;
  result = std::clamp(result, axis.low, axis.high);
  if (std::abs(result / axis.current - 1) < kSameValue) result = axis.current;
  return result;
}

double SearchSpace::neighbour(const Axis& axis, double value, double direction) {
  const bool count = model::info(axis.knob).unit == model::KnobUnit::count;
  return rounded(axis, count ? value + direction : value * std::exp2(direction * 0.25));
}

void SearchSpace::clear_delay(model::KnobValues& values) const {
  const auto range = movable_.find(Knob::level0_slowdown_writes_trigger);
  const auto slowdown = values.get(Knob::level0_slowdown_writes_trigger);
  if (range == movable_.end() || !slowdown) return;
  const double least = std::min(l0_files_without_delay_ + 1, range->second.high);
  values.set(Knob::level0_slowdown_writes_trigger, std::max(*slowdown, least));
}

void SearchSpace::follow_triggers(model::KnobValues& values) const {
  const auto trigger = values.get(Knob::level0_file_num_compaction_trigger);
  const auto slowdown = values.get(Knob::level0_slowdown_writes_trigger);
  const auto stop = values.get(Knob::level0_stop_writes_trigger);
  if (!trigger || !slowdown || !stop) return;
  const auto& was = present_.families.at(family_.name);
  const bool moved = trigger != was.get(Knob::level0_file_num_compaction_trigger) ||
                     slowdown != was.get(Knob::level0_slowdown_writes_trigger);
  const double room = moved ? kRoomInL0 : 1;
  double slow = *slowdown;
  if (const auto range = movable_.find(Knob::level0_slowdown_writes_trigger);
      range != movable_.end())
    slow = std::max(slow, std::min(std::ceil(*trigger / room), range->second.high));
  double halt = *stop;
  if (slow != *was.get(Knob::level0_slowdown_writes_trigger)) {
    if (const auto range = movable_.find(Knob::level0_stop_writes_trigger);
        range != movable_.end()) {
      const double distance = *stop / std::max(1.0, *was.get(Knob::level0_slowdown_writes_trigger));
      halt = std::clamp(std::ceil(slow * distance), range->second.low, range->second.high);
    }
    if (may(Knob::level0_slowdown_writes_trigger)) slow = std::min(slow, halt);
  }
  values.set(Knob::level0_slowdown_writes_trigger, slow);
  values.set(Knob::level0_stop_writes_trigger, halt);
  if (const auto range = movable_.find(Knob::level0_file_num_compaction_trigger);
      range != movable_.end())
    values.set(Knob::level0_file_num_compaction_trigger,
               std::min({*trigger, slow, std::max(range->second.low, std::floor(room * slow))}));
}

void SearchSpace::follow_file_size(model::KnobValues& values) const {
  const auto file = values.get(Knob::target_file_size_base);
  const auto most = values.get(Knob::max_compaction_bytes);
  const auto was = present_.families.at(family_.name).get(Knob::target_file_size_base);
  if (!file || !most || file == was) return;
  if (const auto range = movable_.find(Knob::max_compaction_bytes); range != movable_.end()) {
    const double wanted =
        std::clamp(kTargetFilesPerJob * *file, range->second.low, range->second.high);
    values.set(Knob::max_compaction_bytes, std::floor(wanted));
  }
  values.set(Knob::target_file_size_base, std::min(*file, *values.get(Knob::max_compaction_bytes)));
}

void SearchSpace::follow_debt(model::KnobValues& values) const {
  const auto soft = movable_.find(Knob::soft_pending_compaction_bytes_limit);
  const auto hard_now = values.get(Knob::hard_pending_compaction_bytes_limit);
  if (soft == movable_.end()) return;
  const double owed = model::estimate_pending_bytes(family_, values);
  double limit = std::max(*values.get(Knob::soft_pending_compaction_bytes_limit),
                          std::ceil(kDebtMargin * owed));
  limit = std::min(limit, soft->second.high);
  if (hard_now && *hard_now > 0) {
    double hard = *hard_now;
    if (const auto range = movable_.find(Knob::hard_pending_compaction_bytes_limit);
        range != movable_.end() && hard < kHardOverSoft * limit &&
        limit != *present_.families.at(family_.name).get(Knob::soft_pending_compaction_bytes_limit))
      hard = std::clamp(kHardOverSoft * limit, range->second.low, range->second.high);
    values.set(Knob::hard_pending_compaction_bytes_limit, hard);
    limit = std::min(limit, hard);
  }
  values.set(Knob::soft_pending_compaction_bytes_limit, limit);
}

model::Settings SearchSpace::settings(const std::vector<double>& values) const {
  model::Settings wanted = present_;
  for (std::size_t i = 0; i < axes_.size(); ++i)
    wanted.set(axes_[i].family, axes_[i].knob, rounded(axes_[i], values[i]));
  if (const auto found = wanted.families.find(family_.name); found != wanted.families.end()) {
    if (l0_files_without_delay_ > 0 && wanted != present_) clear_delay(found->second);
    follow_triggers(found->second);
    follow_file_size(found->second);
    follow_debt(found->second);
  }
  return wanted;
}

}  // namespace lsmtuned::controller
