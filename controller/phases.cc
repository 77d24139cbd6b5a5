#include <cmath>
#include <cstdio>

#include "controller/reducer.h"
#include "controller/transitions.h"

namespace lsmtuned::controller {

void Reducer::move_to(Phase to) {
  if (to == state.phase) return;
  if (!allowed(state.phase, to)) {
    alert(Alert::Severity::critical, "transition",
          std::string("a move from ") + to_text(state.phase) + " to " + to_text(to) +
              " is not in the table; stopping here until an operator looks");
    state.safe_latched = true;
    to = Phase::safe;
  }
  state.phase = to;
  state.phase_since_s = now();
}

bool in_freeze_window(const config::Policy& policy, double local_minute_of_day) {
  const auto minutes = [](const std::string& text) {
    int hour = 0;
    int minute = 0;
    if (text.size() >= 4 && text.find(':') != std::string::npos) {
      const auto colon = text.find(':');
      for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == colon) continue;
        if (text[i] < '0' || text[i] > '9') return -1.0;
        int& part = i < colon ? hour : minute;
        part = part * 10 + (text[i] - '0');
        if (part > 60) return -1.0;
      }
      return hour * 60.0 + minute;
    }
    return -1.0;
  };
  for (const auto& [from_text, to_text] : policy.freeze_windows) {
    const double from = minutes(from_text);
    const double to = minutes(to_text);
    if (from < 0 || to < 0) continue;
    const bool inside = from < to ? local_minute_of_day >= from && local_minute_of_day < to
                                  : local_minute_of_day >= from || local_minute_of_day < to;
    if (inside) return true;
  }
  return false;
}

bool Reducer::frozen_now() const {
  return state.persistent.frozen_by_operator || event.freeze_file_present ||
         in_freeze_window(policy, event.local_minute_of_day);
}

bool Reducer::observation_over() const {
  return now() - state.attached_since_s >= policy.observation_s;
}

Phase Reducer::resting_phase() const {
  if (storm() || !state.safe_reason.empty() || !state.attached) return Phase::safe;
  if (frozen_now()) return Phase::frozen;
  if (mode() == config::Mode::observe || !observation_over()) return Phase::observing;
  return Phase::cooldown;
}

std::optional<CallOff> Reducer::call_off() const {
  if (state.stopping) return CallOff{"shutdown", "the daemon stops"};
  if (state.restore_wanted_by)
    return CallOff{"operator", "reverted by " + *state.restore_wanted_by};
  if (!state.safe_reason.empty()) return CallOff{"bad_data", state.safe_reason};
  if (storm()) return CallOff{"storm", "too many reverts"};
  if (state.persistent.frozen_by_operator)
    return CallOff{"frozen", "frozen by " + state.persistent.frozen_by + " during the trial"};
  if (event.freeze_file_present)
    return CallOff{"frozen", policy.freeze_file + " appeared during the trial"};
  if (frozen_now()) return CallOff{"frozen", "a freeze window began during the trial"};
  if (mode() == config::Mode::observe)
    return CallOff{"mode", "the mode became observe during the trial"};
  return std::nullopt;
}

// What waits to be sent does so in steady only.
void Reducer::advance() {
  advance_phase();
  if (state.candidate && state.phase != Phase::steady)
    drop_candidate(to_text(state.phase),
                   std::string("the controller went on to phase ") + to_text(state.phase));
}

// Flags decide, whatever event set them: a freeze, the mode, bad data, the end of a wait.
void Reducer::advance_phase() {
  if (!state.attached) return;
  if (state.phase == Phase::settling || state.phase == Phase::verifying) {
    if (const auto stop = call_off())
      revert_trial(DecisionStatus::inconclusive, stop->reason, stop->evidence, stop->counts);
    end_trial_on_both_devices();
  }
  if (state.phase == Phase::reverting) {
    if (!state.outstanding && state.revert && !state.revert->returned &&
        now() >= state.revert->next_attempt_s)
      send_revert();
    if (state.revert && state.revert->returned && !state.safe_reason.empty())
      finish_revert("read-back was not possible: " + state.safe_reason);
    return;
  }
  if (state.phase == Phase::applying || state.phase == Phase::settling ||
      state.phase == Phase::verifying)
    return;
  if (state.restore_wanted_by) {
    const std::string by = *state.restore_wanted_by;
    state.restore_wanted_by.reset();
    if (!state.persistent.kept.empty()) return want_restore(by);
  }
  const Phase rest = resting_phase();
  if (rest == Phase::safe) return move_to(Phase::safe);
  if (state.phase == Phase::safe || state.phase == Phase::frozen) {
    move_to(rest == Phase::frozen ? Phase::frozen : Phase::observing);
  }
  if (state.phase == Phase::frozen) return;
  if (rest == Phase::frozen || rest == Phase::observing) return move_to(rest);
  if (state.phase == Phase::observing ||
      (state.phase == Phase::cooldown &&
       (unverified(policy) || now() - state.phase_since_s >= policy.cooldown_s)))
    move_to(Phase::steady);
}

}  // namespace lsmtuned::controller
