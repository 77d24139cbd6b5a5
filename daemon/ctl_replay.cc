#include "daemon/ctl_replay.h"

#include <memory>
#include <optional>
#include <string>

#include "config/parse.h"
#include "daemon/replay.h"

namespace lsmtuned::daemon {
namespace {

struct Files {
  std::string record;
  std::string configuration;  // empty: the recorded policy
};

// The policy that a configuration has for the recorded target, or for the one named by --target.
std::optional<config::Policy> policy_from(const Call& call, const Files& files) {
  const config::ParseOutcome parsed = config::parse_file(files.configuration);
  for (const config::Problem& problem : parsed.problems) call.err << problem.text() << "\n";
  if (!parsed.problems.empty()) return std::nullopt;
  const std::string name = call.target.empty() ? recorded_target(files.record) : call.target;
  for (const config::TargetConfig& target : parsed.config.targets)
    if (target.name == name) return target.policy;
  call.complain(files.configuration + " has no target \"" + name + "\"",
                "--target names the one whose policy is to be tried");
  return std::nullopt;
}

int replay_files(const Call& call, const Files& files) {
  ReplayOptions options;
  options.as_json = call.as_json;
  if (!files.configuration.empty()) {
    options.policy = policy_from(call, files);
    if (!options.policy) return kExitUsage;
  }
  switch (replay(files.record, options, call.out, call.err)) {
    case ReplayEnd::finished:
      return kExitOk;
    case ReplayEnd::differs:
      return kExitDiffers;
    case ReplayEnd::damaged:
      break;
  }
  return kExitProblem;
}

}  // namespace

void add_replay(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command =
      cli.add_subcommand("replay", "a recorded run through the controller again; no daemon needed");
  const auto files = std::make_shared<Files>();
  command->add_option("FILE", files->record, "event log (record_events in the configuration)")
      ->required()
      ->check(CLI::ExistingFile);
  command
      ->add_option("--policy", files->configuration,
                   "a configuration whose policy for this target is tried instead")
      ->check(CLI::ExistingFile);
  command->callback([files, &call, &code] { code = replay_files(call, *files); });
}

}  // namespace lsmtuned::daemon
