#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/parse.h"

namespace lsmtuned::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TargetConfig target(const std::string& name, TargetKind kind = TargetKind::embedded) {
  TargetConfig target;
  target.name = name;
  target.kind = kind;
  target.path = "/" + name;
  return target;
}

TEST(Restart, ReloadableKeysNeedNone) {
  const DaemonConfig running;
  DaemonConfig wanted;
  wanted.log_level = "debug";
  wanted.history_days = 3;
  wanted.defaults.mode = Mode::advise;
  wanted.defaults.bounds[model::Knob::write_buffer_size] = {1048576, 2097152};
  EXPECT_THAT(changes_needing_restart(running, wanted), IsEmpty());
}

TEST(Restart, SocketsStateThreadsAndOwnDatabasesNeedOne) {
  DaemonConfig running;
  running.targets = {target("a"), target("b"), target("agent-b", TargetKind::agent)};
  DaemonConfig wanted = running;
  wanted.agent_socket = "/other";
  wanted.worker_threads = 9;
  wanted.targets = {target("a"), target("c"), {}};
  wanted.targets[0].path = "/moved";
  wanted.targets[2] = target("agent-b", TargetKind::agent);
  wanted.targets[2].path = "/moved too";
  wanted.targets.push_back(target("agent-c", TargetKind::agent));
  wanted.targets[0].policy.mode = Mode::advise;
  EXPECT_THAT(changes_needing_restart(running, wanted),
              ElementsAre("daemon.agent_socket", "daemon.worker_threads", "target.a.path",
                          "target.b", "target.c"));
}

}  // namespace
}  // namespace lsmtuned::config
