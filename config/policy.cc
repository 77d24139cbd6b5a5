#include "config/policy.h"

namespace lsmtuned::config {

const char* to_text(Mode mode) {
  switch (mode) {
    case Mode::observe:
      return "observe";
    case Mode::advise:
      return "advise";
    case Mode::tune:
      return "tune";
  }
  return "unknown";
}

const char* to_text(Objective objective) {
  switch (objective) {
    case Objective::throughput:
      return "throughput";
    case Objective::smoothness:
      return "smoothness";
    case Objective::efficiency:
      return "efficiency";
  }
  return "unknown";
}

const char* to_text(Strategy strategy) {
  switch (strategy) {
    case Strategy::model:
      return "model";
    case Strategy::rules:
      return "rules";
    case Strategy::probe:
      return "probe";
  }
  return "unknown";
}

const char* to_text(ExitPolicy policy) {
  switch (policy) {
    case ExitPolicy::keep:
      return "keep";
    case ExitPolicy::revert:
      return "revert";
  }
  return "unknown";
}

const char* to_text(TargetKind kind) {
  switch (kind) {
    case TargetKind::agent:
      return "agent";
    case TargetKind::embedded:
      return "embedded";
  }
  return "unknown";
}

std::optional<Mode> mode_from_text(const std::string& text) {
  for (const Mode mode : {Mode::observe, Mode::advise, Mode::tune}) {
    if (text == to_text(mode)) return mode;
  }
  return std::nullopt;
}

Policy policy_for_unknown_target(const DaemonConfig& config) {
  Policy policy = config.defaults;
  policy.mode = Mode::observe;
  return policy;
}

}  // namespace lsmtuned::config
