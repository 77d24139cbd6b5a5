#include "controller/decision.h"
#include "controller/state.h"

namespace lsmtuned::controller {

const char* to_text(DecisionKind kind) {
  switch (kind) {
    case DecisionKind::proposal:
      return "proposal";
    case DecisionKind::noop:
      return "noop";
    case DecisionKind::foreign:
      return "foreign";
    case DecisionKind::reapply:
      return "reapply";
    case DecisionKind::revert:
      return "revert";
  }
  return "unknown";
}

const char* to_text(DecisionStatus status) {
  switch (status) {
    case DecisionStatus::advised:
      return "advised";
    case DecisionStatus::intended:
      return "intended";
    case DecisionStatus::applied:
      return "applied";
    case DecisionStatus::kept:
      return "kept";
    case DecisionStatus::reverted:
      return "reverted";
    case DecisionStatus::inconclusive:
      return "inconclusive";
    case DecisionStatus::failed:
      return "failed";
    case DecisionStatus::refused:
      return "refused";
    case DecisionStatus::noted:
      return "noted";
  }
  return "unknown";
}

const char* to_text(Phase phase) {
  switch (phase) {
    case Phase::observing:
      return "observing";
    case Phase::steady:
      return "steady";
    case Phase::applying:
      return "applying";
    case Phase::settling:
      return "settling";
    case Phase::verifying:
      return "verifying";
    case Phase::cooldown:
      return "cooldown";
    case Phase::reverting:
      return "reverting";
    case Phase::frozen:
      return "frozen";
    case Phase::safe:
      return "safe";
  }
  return "unknown";
}

}  // namespace lsmtuned::controller
