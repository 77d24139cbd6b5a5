#include "controller/arbitration.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "model/invariants.h"
#include "model/units.h"

namespace lsmtuned::controller {
namespace {

constexpr double kNeedsStallShare = 0.02;
constexpr double kWritesShare = 0.01;
constexpr double kShareMoved = 0.1;

const Contender* find(std::span<const Contender> contenders, const std::string& name) {
  const auto found = std::find_if(contenders.begin(), contenders.end(),
                                  [&](const Contender& c) { return c.name == name; });
  return found == contenders.end() ? nullptr : &*found;
}

bool needs(const Contender& contender) {
  return contender.stall_share > kNeedsStallShare;
}

void end_turn(ArbiterMemory& memory, double now_s) {
  memory.turn_ended_s[memory.holder] = now_s;
  memory.holder.clear();
  memory.holder_changed = false;
}

// The turn of one that used it, found nothing in time, or went away is over.
void review_holder(ArbiterMemory& memory, std::span<const Contender> contenders,
                   const ArbitrationPolicy& policy, double now_s) {
  if (memory.holder.empty()) return;
  const Contender* holder = find(contenders, memory.holder);
  if (holder == nullptr || !holder->tunes) return end_turn(memory, now_s);
  if (holder->changing) {
    memory.holder_changed = true;
    return;
  }
  if (holder->working) return;
  const bool alone = std::count_if(contenders.begin(), contenders.end(),
                                   [](const Contender& c) { return c.tunes; }) == 1;
  const bool nothing_found = !alone && now_s - memory.holder_since_s >= policy.turn_s;
  if (memory.holder_changed || !holder->ready || nothing_found) end_turn(memory, now_s);
}

const Contender* next_in_turn(const ArbiterMemory& memory, std::span<const Contender> contenders,
                              const ArbitrationPolicy& policy, double now_s) {
  const double round_s = policy.turn_s * static_cast<double>(contenders.size());
  // 0: not within the last round.
  const auto last_turn_s = [&](const Contender& c) {
    const auto ended = memory.turn_ended_s.find(c.name);
    return ended != memory.turn_ended_s.end() && now_s - ended->second < round_s ? ended->second
                                                                                 : 0.0;
  };
  const auto rank = [&](const Contender& c) {
    return std::tuple(last_turn_s(c), !needs(c), -c.stall_share, -c.put_bytes_per_s, c.name);
  };
  const Contender* best = nullptr;
  for (const Contender& contender : contenders)
    if (contender.tunes && contender.ready && (best == nullptr || rank(contender) < rank(*best)))
      best = &contender;
  return best;
}

// Whole bytes, never more than the budget in all.
std::map<std::string, double> shares(const ArbiterMemory& memory,
                                     std::span<const Contender> contenders, double budget) {
  std::map<std::string, double> result;
  if (!(budget > 0)) return result;
  double taken = 0;
  double need = 0;
  for (const Contender& c : contenders) {
    taken += c.memory_bytes;
    if (c.tunes && needs(c)) need += c.stall_share;
  }
  if (taken > budget) {
    for (const Contender& c : contenders)
      result[c.name] = std::floor(c.memory_bytes * (budget / taken));
    return result;
  }
  const double spare = budget - taken;
  const auto weight = [&](const Contender& c) {
    if (need > 0) return c.tunes && needs(c) ? c.stall_share / need : 0.0;
    return 1 / static_cast<double>(contenders.size());
  };
  for (const Contender& c : contenders)
    result[c.name] = std::floor(c.memory_bytes + spare * weight(c));
  // A share that moves within a turn would make the candidate of a search too large.
  const Contender* holder = find(contenders, memory.holder);
  if (holder == nullptr || !(memory.holder_memory_bytes > 0)) return result;
  const double most = holder->memory_bytes + spare;
  const double fixed = std::min(memory.holder_memory_bytes, std::floor(most));
  const double rest = std::max(0.0, most - fixed);
  const double others = spare - (result[holder->name] - holder->memory_bytes);
  for (const Contender& c : contenders) {
    if (c.name == holder->name) continue;
    const double part = others > 0 ? (result[c.name] - c.memory_bytes) / others : 0;
    result[c.name] = std::floor(c.memory_bytes + rest * std::clamp(part, 0.0, 1.0));
  }
  result[holder->name] = fixed;
  return result;
}

}  // namespace

Arbitration arbitrate(ArbiterMemory memory, std::span<const Contender> contenders,
                      const ArbitrationPolicy& policy, double now_s) {
  Arbitration result;
  const Contender* busy = nullptr;
  for (const Contender& contender : contenders) {
    if (!contender.changing) continue;
    busy = &contender;
    memory.last_changed = contender.name;
    memory.last_change_s = now_s;
  }
  review_holder(memory, contenders, policy, now_s);
  const auto staggered = [&](const std::string& name) {
    return !memory.last_changed.empty() && memory.last_changed != name &&
           now_s - memory.last_change_s < policy.stagger_s;
  };
  // A turn is only given when nobody believes to have one.
  const bool somebody_holds = std::any_of(
      contenders.begin(), contenders.end(),
      [](const Contender& contender) { return contender.tunes && contender.holds_turn; });
  const Contender* unknown = nullptr;
  if (policy.memory_budget_bytes > 0)
    for (const Contender& contender : contenders)
      if (!(contender.memory_bytes > 0)) unknown = &contender;
  if (memory.holder.empty() && busy == nullptr && !somebody_holds && unknown == nullptr) {
    const Contender* next = next_in_turn(memory, contenders, policy, now_s);
    if (next != nullptr && !staggered(next->name)) {
      memory.holder = next->name;
      memory.holder_since_s = now_s;
      memory.holder_changed = false;
      memory.holder_memory_bytes = 0;
      const auto share = shares(memory, contenders, policy.memory_budget_bytes);
      if (const auto found = share.find(next->name); found != share.end())
        memory.holder_memory_bytes = found->second;
    }
  }
  if (contenders.size() > 1 || policy.memory_budget_bytes > 0) {
    const auto share = shares(memory, contenders, policy.memory_budget_bytes);
    for (const Contender& contender : contenders) {
      Turn turn;
      if (const auto found = share.find(contender.name); found != share.end())
        turn.memory_budget_bytes = found->second;
      if (!contender.tunes && !contender.advises) {
        turn.waits_for = "it neither tunes nor advises";
      } else if (busy != nullptr && busy->name != contender.name) {
        turn.waits_for = busy->name + " is being changed";
      } else if (staggered(contender.name)) {
        turn.waits_for = memory.last_changed + " was changed less than " +
                         model::format_duration(policy.stagger_s) + " ago";
      } else if (contender.tunes && memory.holder != contender.name) {
        if (!memory.holder.empty())
          turn.waits_for = "it is the turn of " + memory.holder;
        else if (unknown != nullptr)
          turn.waits_for = "the memory of " + unknown->name + " is not known yet";
        else
          turn.waits_for = "the next turn";
      } else {
        turn.may_change = true;
      }
      result.turns[contender.name] = std::move(turn);
    }
  }
  result.memory = std::move(memory);
  return result;
}

bool worth_telling(const std::optional<Turn>& said, const Turn& now) {
  if (!said || said->may_change != now.may_change || said->waits_for != now.waits_for) return true;
  const double moved = std::abs(said->memory_budget_bytes - now.memory_budget_bytes);
  return moved > (now.may_change ? 0 : kShareMoved * now.memory_budget_bytes);
}

Contender contender_of(const State& state) {
  Contender contender;
  contender.name = state.target;
  const config::Mode mode = effective_policy(state).mode;
  contender.tunes = state.attached && mode == config::Mode::tune;
  contender.advises = state.attached && mode == config::Mode::advise;
  contender.ready = contender.tunes && state.phase == Phase::steady;
  contender.working =
      state.phase == Phase::steady && (state.search_running || state.candidate.has_value());
  contender.changing = state.phase == Phase::applying || state.phase == Phase::settling ||
                       state.phase == Phase::verifying || state.phase == Phase::reverting;
  contender.holds_turn = contender.tunes && (!state.turn || state.turn->may_change);
  contender.stall_share = state.current_measure.stall_share;
  contender.put_bytes_per_s = state.current_measure.put_bytes_per_s;
  if (!state.last) return contender;
  const auto inputs = model::invariant_inputs(*state.last).memory;
  const auto count = [&](const model::Settings& settings) {
    contender.memory_bytes = std::max(contender.memory_bytes, model::memory_of(settings, inputs));
  };
  count(state.last->settings);
  // A revert, and the end of a lease, wait for no turn.
  model::Settings home = state.last->settings;
  for (const auto& [family, values] : home.families) {
    const auto was = state.persistent.baseline.families.find(family);
    if (was != state.persistent.baseline.families.end()) home.families[family] = was->second;
  }
  if (!state.persistent.baseline.families.empty()) {
    home.database = state.persistent.baseline.database;
    count(home);
  }
  if (state.trial) {
    count(state.trial->decision.before);
    count(model::with_changes(state.trial->decision.before, state.trial->decision.changes));
  }
  return contender;
}

// ---- families -----------------------------------------------------------------------------------

namespace {

double ratio(double value, double limit) {
  return limit > 0 ? value / limit : 0;
}

double pressure_of(const model::FamilySnapshot& family, const model::Settings& settings) {
  const auto limit = [&](model::Knob knob) { return settings.get(family.name, knob).value_or(0); };
  const double l0 = family.levels.empty() ? 0 : family.levels[0].files;
  return std::max(
      {ratio(l0, limit(model::Knob::level0_slowdown_writes_trigger)),
       ratio(family.pending_compaction_bytes,
             limit(model::Knob::soft_pending_compaction_bytes_limit)),
       ratio(family.immutable_memtables + 1, limit(model::Knob::max_write_buffer_number))});
}

double flushed(const model::FamilySnapshot& family) {
  return family.levels.empty() ? 0 : family.levels[0].write_bytes;
}

}  // namespace

std::vector<FamilyNeed> family_needs(const std::deque<model::Snapshot>& recent) {
  std::vector<FamilyNeed> needs;
  if (recent.empty()) return needs;
  double all = 0;
  for (const auto& family : recent.back().families) {
    FamilyNeed need;
    need.name = family.name;
    const auto* before = model::find_family(recent.front(), family.name);
    need.write_share = std::max(0.0, flushed(family) - (before != nullptr ? flushed(*before) : 0));
    all += need.write_share;
    double seen = 0;
    for (const auto& snapshot : recent) {
      const auto* then = model::find_family(snapshot, family.name);
      if (then == nullptr) continue;
      need.pressure += pressure_of(*then, snapshot.settings);
      ++seen;
    }
    need.pressure /= std::max(1.0, seen);
    needs.push_back(std::move(need));
  }
  for (auto& need : needs) need.write_share = all > 0 ? need.write_share / all : 0;
  std::sort(needs.begin(), needs.end(), [](const FamilyNeed& a, const FamilyNeed& b) {
    return std::tuple(-a.pressure, a.name) < std::tuple(-b.pressure, b.name);
  });
  return needs;
}

FamilyChoice choose_family(const State& state, double now_s) {
  FamilyChoice choice;
  const auto* worst = state.last ? model::worst_family(*state.last) : nullptr;
  if (worst == nullptr) return choice;
  choice.family = worst->name;
  if (state.last->families.size() == 1) return choice;
  std::vector<FamilyNeed> needs = family_needs(state.recent);
  std::erase_if(needs, [](const FamilyNeed& need) { return need.write_share < kWritesShare; });
  if (needs.empty()) return choice;
  const auto rests = [&](const std::string& family) {
    return std::any_of(
        state.family_rests.begin(), state.family_rests.end(),
        [&](const FamilyRest& rest) { return rest.family == family && rest.until_s > now_s; });
  };
  const auto awake = std::find_if(needs.begin(), needs.end(),
                                  [&](const FamilyNeed& need) { return !rests(need.name); });
  choice.family = awake != needs.end() ? awake->name : needs.front().name;
  const auto dominant = std::max_element(
      needs.begin(), needs.end(),
      [](const FamilyNeed& a, const FamilyNeed& b) { return a.write_share < b.write_share; });
  choice.database_knobs = choice.family == dominant->name;
  return choice;
}

}  // namespace lsmtuned::controller
