#include "daemon/databases.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace lsmtuned::daemon {
namespace {

std::string canonical(const std::string& path) {
  std::error_code code;
  const std::filesystem::path result = std::filesystem::weakly_canonical(path, code);
  return code ? path : result.string();
}

}  // namespace

Databases::Databases(const config::DaemonConfig& config) : config_(config) {}

void Databases::start(RunnerServices services) {
  services_ = std::move(services);
}

const config::TargetConfig* Databases::configured(const std::string& name) const {
  for (const config::TargetConfig& target : config_.targets)
    if (target.name == name) return &target;
  return nullptr;
}

const config::TargetConfig* Databases::configured_path(const std::string& path) const {
  for (const config::TargetConfig& target : config_.targets)
    if (target.kind == config::TargetKind::agent && canonical(target.path) == path) return &target;
  return nullptr;
}

Databases::Identity Databases::identify(const actuators::Target& target) const {
  const auto embedded = embedded_names_.find(&target);
  const bool known = embedded != embedded_names_.end();
  const std::string name = known ? embedded->second : canonical(target.info().path);
  const config::TargetConfig* named = known ? configured(name) : configured_path(name);
  if (named != nullptr) return {named->name, named->policy};
  return {name, config::policy_for_unknown_target(config_)};
}

TargetRunner& Databases::runner_for(const Identity& identity) {
  auto& runner = runners_[identity.name];
  if (!runner) {
    runner = std::make_shared<TargetRunner>(services_, identity.name, identity.policy,
                                            config_.sample_interval_s);
    runner->start();
  }
  return *runner;
}

void Databases::expect_named() {
  for (const config::TargetConfig& target : config_.targets)
    if (target.kind == config::TargetKind::agent) runner_for({target.name, target.policy});
}

void Databases::opened(std::shared_ptr<actuators::Target> target, const std::string& name) {
  embedded_names_[target.get()] = name;
  found(std::move(target));
}

void Databases::found(std::shared_ptr<actuators::Target> target) {
  if (closed_) return;
  present_.push_back(target);
  const Identity identity = identify(*target);
  if (configured(identity.name) == nullptr)
    spdlog::info("{} is observed only: no [[target]] names this path", identity.name);
  runner_for(identity).attach(std::move(target));
  keep_turns();
}

void Databases::lost(const std::shared_ptr<actuators::Target>& target, const std::string& reason) {
  present_.erase(std::remove(present_.begin(), present_.end(), target), present_.end());
  for (const auto& [name, runner] : runners_) {
    if (runner->target() != target) continue;
    runner->detach(reason);
    for (auto other = present_.rbegin(); other != present_.rend(); ++other) {
      if (identify(**other).name != name || !(*other)->connected()) continue;
      runner->attach(*other);
      break;
    }
    return;
  }
}

void Databases::lease_expired(const std::shared_ptr<actuators::Target>& target) {
  for (const auto& [name, runner] : runners_)
    if (runner->target() == target) runner->lease_expired();
}

void Databases::keep_turns() {
  if (closed_) return;
  std::vector<controller::Contender> contenders;
  std::vector<TargetRunner*> members;
  for (const auto& [name, runner] : runners_) {
    if (configured(name) == nullptr || !runner->target()) continue;
    contenders.push_back(controller::contender_of(runner->state()));
    members.push_back(runner.get());
  }
  controller::ArbitrationPolicy shared;
  shared.memory_budget_bytes = config_.memory_budget_bytes;
  shared.stagger_s = config_.stagger_s;
  controller::Arbitration result =
      controller::arbitrate(std::move(arbiter_), contenders, shared, services_.clock->now_s());
  arbiter_ = std::move(result.memory);
  for (TargetRunner* runner : members) {
    const auto turn = result.turns.find(runner->name());
    if (turn != result.turns.end()) {
      runner->give_turn(turn->second);
    } else if (runner->state().turn) {  // the others are gone
      controller::Turn free;
      free.may_change = true;
      runner->give_turn(free);
    }
  }
}

void Databases::follow_configuration() {
  for (const auto& [name, runner] : runners_)
    runner->change_sample_interval(config_.sample_interval_s);
  // A path may have got, lost or changed its name.
  for (const auto& target : std::vector(present_)) {
    const Identity identity = identify(*target);
    std::shared_ptr<TargetRunner> holder;
    for (const auto& [name, runner] : runners_)
      if (runner->target() == target) holder = runner;
    if (!holder) continue;
    if (holder->name() == identity.name) {
      holder->change_policy(identity.policy);
      continue;
    }
    holder->detach("the configuration now calls it " + identity.name);
    runner_for(identity).attach(target);
  }
  // Those without a database get their policy too, for when it comes back; those that nobody
  // names any more go.
  for (auto entry = runners_.begin(); entry != runners_.end();) {
    TargetRunner& runner = *entry->second;
    const config::TargetConfig* named = configured(runner.name());
    if (runner.target() || named != nullptr) {
      if (!runner.target()) runner.change_policy(named->policy);
      ++entry;
      continue;
    }
    services_.metrics->target_removed(runner.name());
    runner.stop();
    entry = runners_.erase(entry);
  }
  expect_named();
}

std::vector<std::shared_ptr<TargetRunner>> Databases::runners() const {
  std::vector<std::shared_ptr<TargetRunner>> list;
  for (const auto& [name, runner] : runners_) list.push_back(runner);
  return list;
}

}  // namespace lsmtuned::daemon
