// Databases: which databases are there, by which name and policy, and whose turn it is.
//
// Holds one TargetRunner a name. A name stays while the configuration names it or its database is
// there; two databases with one path happen when a program opens its own again: the newest counts.
// Named databases that are there share memory and take turns (controller/arbitration.h).
//
// Thread rules: everything on the one executor of the services.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actuators/target.h"
#include "config/policy.h"
#include "controller/arbitration.h"
#include "daemon/target_runner.h"
#include "model/result.h"

namespace lsmtuned::daemon {

class Databases {
 public:
  explicit Databases(const config::DaemonConfig& config);  // which outlives this
  // `services` are given to every runner, and outlive this.
  void start(RunnerServices services);

  // A named target is shown, and can be frozen, before its database is there.
  void expect_named();

  void found(const std::shared_ptr<actuators::Target>& target);
  // An embedded one: its name is known, whatever its path.
  void opened(const std::shared_ptr<actuators::Target>& target, const std::string& name);
  void lost(const std::shared_ptr<actuators::Target>& target, const std::string& reason);
  void lease_expired(const std::shared_ptr<actuators::Target>& target);

  // The configuration has others: names, policies and the poll interval follow.
  void follow_configuration();

  // Why the database of this name is observed only, whatever its mode, and what to do; empty where
  // it may be tuned.
  std::optional<Error> observed_only(const std::string& name) const;

  // Called often: nothing is sent that was said already.
  void keep_turns();

  // From here on no database is taken in and no turn given.
  void close() { closed_ = true; }

  std::vector<std::shared_ptr<TargetRunner>> runners() const;

 private:
  struct Identity {
    std::string name;
    config::Policy policy;
  };
  const config::TargetConfig* configured(const std::string& name) const;
  const config::TargetConfig* configured_path(const std::string& path) const;
  Identity identify(const actuators::Target& target) const;
  void say_what_is_missing(const actuators::Target& target, const Identity& identity) const;
  TargetRunner& runner_for(const Identity& identity);

  const config::DaemonConfig& config_;
  RunnerServices services_;
  std::map<std::string, std::shared_ptr<TargetRunner>> runners_;
  std::vector<std::shared_ptr<actuators::Target>> present_;  // in order of appearance
  std::map<const actuators::Target*, std::string> embedded_names_;
  controller::ArbiterMemory arbiter_;
  bool closed_ = false;
};

}  // namespace lsmtuned::daemon
