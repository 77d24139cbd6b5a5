// The strategy `probe`: hill climbing by trials, without a model.
//
// One group of knobs at a time: write_buffer_size with max_bytes_for_level_base, the L0 triggers,
// max_background_jobs. A step multiplies or divides all of a group by 2^step. A step that a trial
// keeps is followed by one of 1.5 times its size in the same direction; one that fails closes its
// direction for policy.failed_memory_s and turns the group round; when both are closed the group is
// stable, its step halves and the next group has its turn.
#include <algorithm>
#include <array>
#include <cmath>

#include "controller/guard.h"
#include "controller/search_space.h"
#include "controller/strategy/strategy.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {

using model::Knob;

constexpr double kGrow = 1.5;
constexpr double kShrink = 0.5;
constexpr double kSmallestStepOctaves = 0.25;

struct GroupInfo {
  const char* name;
  ProbeGroup ProbeMemory::*memory;
  std::vector<Knob> knobs;
};

const std::array<GroupInfo, kProbeGroups>& groups() {
  static const std::array<GroupInfo, kProbeGroups> all = {{
      {"write buffers and level base",
       &ProbeMemory::buffers,
       {Knob::write_buffer_size, Knob::max_bytes_for_level_base}},
      {"L0 triggers",
       &ProbeMemory::triggers,
       {Knob::level0_file_num_compaction_trigger, Knob::level0_slowdown_writes_trigger}},
      {"background jobs", &ProbeMemory::jobs, {Knob::max_background_jobs}},
  }};
  return all;
}

bool holds(const GroupInfo& group, Knob knob) {
  return std::find(group.knobs.begin(), group.knobs.end(), knob) != group.knobs.end();
}

ProbeDirection opposite(ProbeDirection direction) {
  return direction == ProbeDirection::up ? ProbeDirection::down : ProbeDirection::up;
}

double& closed_until(ProbeGroup& group, ProbeDirection direction) {
  return direction == ProbeDirection::up ? group.up_failed_until_wall_s
                                         : group.down_failed_until_wall_s;
}
double closed_until(const ProbeGroup& group, ProbeDirection direction) {
  return direction == ProbeDirection::up ? group.up_failed_until_wall_s
                                         : group.down_failed_until_wall_s;
}

// Both at once where one knob of the group is at the end of its range: the others go on alone.
model::ChangeSet step(const View& view, const SearchSpace& space, const GroupInfo& group,
                      ProbeDirection direction, double octaves) {
  auto values = space.current();
  const double factor = std::exp2(direction == ProbeDirection::up ? octaves : -octaves);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Axis& axis = space.axes()[i];
    if (!holds(group, axis.knob)) continue;
    double wanted = values[i] * factor;
    // A whole number moves by one at least.
    if (model::info(axis.knob).unit == model::KnobUnit::count)
      wanted = direction == ProbeDirection::up ? std::max(wanted, values[i] + 1)
                                               : std::min(wanted, values[i] - 1);
    values[i] = SearchSpace::rounded(axis, wanted);
  }
  return model::difference(view.snapshot().settings, space.settings(values));
}

class ProbeStrategy final : public Strategy {
 public:
  Suggestion suggest(const View& view) const override {
    if (auto nothing = nothing_to_gain(view); !nothing.reason.empty()) return nothing;
    const ProbeMemory& memory = view.state.persistent.probe;
    const SearchSpace space(search_request(view));
    std::vector<Considered> refused;
    for (std::size_t turn = 0; turn < kProbeGroups; ++turn) {
      const GroupInfo& group = groups().at((memory.group + turn) % kProbeGroups);
      const ProbeGroup& known = memory.*group.memory;
      const bool moving = known.direction != ProbeDirection::stable;
      const ProbeDirection first = moving ? known.direction : ProbeDirection::up;
      for (const ProbeDirection direction : {first, opposite(first)}) {
        if (view.wall_s < closed_until(known, direction)) continue;
        const auto changes = step(view, space, group, direction, known.step_octaves);
        if (changes.empty()) continue;
        if (const std::string why = refusal(view, changes); !why.empty()) {
          refused.push_back({changes, 0, why});
          continue;
        }
        Proposal proposal;
        proposal.changes = changes;
        proposal.reason = "probe";
        proposal.explanation = model::describe(changes) + ": a step of the " + group.name + " " +
                               to_text(direction) + " (the group was " + to_text(known.direction) +
                               ")";
        proposal.considered = std::move(refused);
        return proposal;
      }
    }
    return Nothing{"probed",
                   "every group has been tried in both directions lately, or may not move further",
                   std::move(refused)};
  }

  void learn(State& state, const config::Policy& policy, const Decision& ended, bool kept,
             double wall_s) const override {
    if (ended.reason != "probe") return;
    ProbeMemory& memory = state.persistent.probe;
    for (std::size_t i = 0; i < kProbeGroups; ++i) {
      const GroupInfo& group = groups().at(i);
      const auto moved =
          std::find_if(ended.changes.begin(), ended.changes.end(),
                       [&](const model::KnobChange& c) { return holds(group, c.knob); });
      if (moved == ended.changes.end()) continue;
      ProbeGroup& known = memory.*group.memory;
      const auto direction =
          moved->new_value > moved->old_value ? ProbeDirection::up : ProbeDirection::down;
      memory.group = i;
      if (kept) {
        known.direction = direction;
        const double most = std::log2(std::max(1.1, policy.trust_region_factor));
        known.step_octaves = std::min(most, kGrow * known.step_octaves);
        // A step back would only undo it.
        closed_until(known, opposite(direction)) = wall_s + policy.failed_memory_s;
        return;
      }
      closed_until(known, direction) = wall_s + policy.failed_memory_s;
      if (wall_s < closed_until(known, opposite(direction))) {
        known.direction = ProbeDirection::stable;
        known.step_octaves = std::max(kSmallestStepOctaves, kShrink * known.step_octaves);
        memory.group = (i + 1) % kProbeGroups;
      } else {
        known.direction = opposite(direction);
      }
      return;
    }
  }

 private:
  static std::string refusal(const View& view, const model::ChangeSet& changes) {
    const auto verdict = check_settings(view.snapshot(), changes, view.policy, view.state.cpu_cores,
                                        view.state.foreign);
    if (verdict.gate != Gate::open) return verdict.reason + ": " + verdict.explanation;
    for (const auto& failed : failed_here(view.state, view.now_s))
      if (near(changes, failed.changes)) return "failed before: tried and reverted lately";
    if (const auto stall = would_stall(view.snapshot(), changes); !stall.empty())
      return "would stall: " + stall;
    return {};
  }
};

}  // namespace

const Strategy& probe_strategy() {
  static const ProbeStrategy strategy;
  return strategy;
}

}  // namespace lsmtuned::controller
