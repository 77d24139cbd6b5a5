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

constexpr const char* kNoStatistics = "none";
constexpr const char* kAgentKind = "agent";

// How much a level of statistics tells; a program's own, "host", are taken for all of it.
int richness(const std::string& level) {
  const std::vector<std::string> levels = {kNoStatistics, "counters", "tickers", "latency"};
  return static_cast<int>(std::find(levels.begin(), levels.end(), level) - levels.begin());
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
  Identity identity{name, config::policy_for_unknown_target(config_)};
  if (named != nullptr) identity = {named->name, named->policy};
  if (target.info().statistics == kNoStatistics) identity.policy.mode = config::Mode::observe;
  return identity;
}

std::optional<Error> Databases::observed_only(const std::string& name) const {
  if (configured(name) == nullptr)
    return Error{name + " is observed only: no [[target]] names its path",
                 "add a [[target]] with this path to the configuration and reload it"};
  const auto runner = runners_.find(name);
  if (runner != runners_.end() && runner->second->target() &&
      runner->second->target()->info().statistics == kNoStatistics)
    return Error{name + " is observed only: its statistics are \"none\"",
                 "start it with LSMTUNED_STATISTICS=counters"};
  return std::nullopt;
}

void Databases::say_what_is_missing(const actuators::Target& target,
                                    const Identity& identity) const {
  const config::TargetConfig* named = configured(identity.name);
  if (named == nullptr) {
    spdlog::info("{} is observed only: no [[target]] names this path", identity.name);
  } else if (const auto reason = observed_only(identity.name)) {
    spdlog::warn("{}", reason->text());
    return;
  }
  if (target.info().kind != kAgentKind) return;
  const std::string& has = target.info().statistics;
  const std::string& wanted = named != nullptr ? named->statistics : config_.agent_statistics;
  if (richness(has) < richness(wanted))
    spdlog::warn(
        "{}: statistics are \"{}\", the configuration expects \"{}\": start it with "
        "LSMTUNED_STATISTICS={}",
        identity.name, has, wanted, wanted);
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

void Databases::opened(const std::shared_ptr<actuators::Target>& target, const std::string& name) {
  embedded_names_[target.get()] = name;
  found(target);
}

void Databases::found(const std::shared_ptr<actuators::Target>& target) {
  if (closed_) return;
  present_.push_back(target);
  const Identity identity = identify(*target);
  runner_for(identity).attach(target);
  say_what_is_missing(*target, identity);
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
  // A path may have got, lost or changed its name, or two have each other's: all let go before any
  // is taken.
  std::vector<std::pair<std::shared_ptr<actuators::Target>, Identity>> moved;
  for (const auto& target : present_) {
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
    moved.emplace_back(target, identity);
  }
  for (const auto& [target, identity] : moved) {
    TargetRunner& runner = runner_for(identity);
    runner.change_policy(identity.policy);
    runner.attach(target);
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
