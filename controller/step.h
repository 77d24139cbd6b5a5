// The controller: a pure reducer.
//
//   step(State, Event) -> (State, Effects)
//
// Receding-horizon, model-predictive: docs/architecture.md gives the law, controller/transitions.h
// the one transition table that code, tests and docs share. Deterministic: the same state and event
// give the same result, bit for bit; time and seed come in events. Never throws for any event
// sequence. Thread rules: call from one thread at a time per State; no shared data.
#pragma once

#include "controller/events.h"
#include "controller/state.h"

namespace lsmtuned::controller {

StepResult step(State state, const Event& event);

// A fresh state for a target, or one continued from what the daemon persisted.
State initial_state(std::string target, config::Policy policy, PersistentState persistent,
                    double cpu_cores, double now_s);

// For a replay under another policy: the recorded database took these settings by a choice that is
// not this controller's. They are no foreign change, and what was measured before them is over.
void assume_settings(State& state, const model::Settings& settings);

}  // namespace lsmtuned::controller
