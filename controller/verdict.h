// The judgement of a trial: a sequential test on whole L0 -> base cycles.
//
// Compares the mean after the change with the mean before it, both with standard errors from
// per-cycle means. Pure; bytes/s, seconds, shares.
#pragma once

#include <span>
#include <string>

#include "config/policy.h"
#include "controller/window.h"

namespace lsmtuned::controller {

enum class Verdict { go_on, keep, worse, no_gain, inconclusive };

struct Judgement {
  Verdict verdict = Verdict::go_on;
  std::string evidence;
};

// `after` begins at a cycle boundary, when the change had settled. Nothing is kept, before the
// longest time of a trial, for what was seen while L0 still filled up (steady_from).
// `behind_bytes`: what writers took in less since the call than at the loaded rate before; below 0:
// more.
Judgement judge(const config::Policy& policy, const TrialBaseline& before,
                std::span<const Mark> after, double behind_bytes);

}  // namespace lsmtuned::controller
