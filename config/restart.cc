// Which changes a reload cannot carry out.
#include <algorithm>

#include "config/keys.h"
#include "config/parse.h"

namespace lsmtuned::config {
namespace {

template <class Owner>
void compare(const std::vector<Key<Owner>>& keys, const Owner& running, const Owner& wanted,
             const std::string& table, std::vector<std::string>& changed) {
  for (const auto& key : keys) {
    if (key.needs_restart && key.read(running) != key.read(wanted)) {
      changed.push_back(table + "." + key.name);
    }
  }
}

const TargetConfig* find_target(const DaemonConfig& config, const std::string& name) {
  const auto found = std::find_if(config.targets.begin(), config.targets.end(),
                                  [&](const TargetConfig& target) { return target.name == name; });
  return found == config.targets.end() ? nullptr : &*found;
}

}  // namespace

std::vector<std::string> changes_needing_restart(const DaemonConfig& running,
                                                 const DaemonConfig& wanted) {
  std::vector<std::string> changed;
  compare(daemon_keys(), running, wanted, "daemon", changed);
  compare(policy_keys(), running.defaults, wanted.defaults, "defaults", changed);
  // A database in another process is taken in, let go or renamed on reload; the daemon's own is
  // opened at its start only.
  for (const TargetConfig& target : running.targets) {
    const std::string table = "target." + target.name;
    if (const TargetConfig* same = find_target(wanted, target.name)) {
      if (target.kind == TargetKind::embedded || same->kind == TargetKind::embedded)
        compare(target_keys(), target, *same, table, changed);
      compare(policy_keys(), target.policy, same->policy, table, changed);
    } else if (target.kind == TargetKind::embedded) {
      changed.push_back(table);
    }
  }
  for (const TargetConfig& target : wanted.targets) {
    if (target.kind == TargetKind::embedded && find_target(running, target.name) == nullptr)
      changed.push_back("target." + target.name);
  }
  return changed;
}

}  // namespace lsmtuned::config
