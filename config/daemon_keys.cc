// The keys of [daemon].
#include "config/key_entry.h"
#include "config/text_checks.h"

namespace lsmtuned::config {
namespace {

using DaemonEntry = Entry<DaemonConfig>;
using enum ValueType;

std::vector<Key<DaemonConfig>> make_daemon_keys() {
  std::vector<Key<DaemonConfig>> keys;
  keys.push_back(
      DaemonEntry("agent_socket", text)
          .to(&DaemonConfig::agent_socket)
          .check(check_socket_path, kPathForm)
          .restart()
          .help("Unix socket that agents inside database processes connect to. Agents look for "
                "this path unless LSMTUNED_SOCKET in their environment names another, so moving "
                "it means changing every attached service too. Leave it alone with the packaged "
                "unit, which owns /run/lsmtuned."));
  keys.push_back(
      DaemonEntry("agent_socket_group", text)
          .to(&DaemonConfig::agent_socket_group)
          .check(check_account_name, "the name of an existing group")
          .restart()
          .help("Group that owns the agent socket. Its mode is 0660, so the users that "
                "databases run as must be in this group. Empty leaves the group of the "
                "daemon's own user, lsmtuned with the packaged unit: then add "
                "SupplementaryGroups=lsmtuned to a database's unit, as the packaged example "
                "does. Another group needs the daemon's user in it too."));
  keys.push_back(
      DaemonEntry("agent_users", text_list)
          .to(&DaemonConfig::agent_users)
          .check(check_account_name, "names of existing users")
          .restart()
          .help("Users whose processes may attach. Empty: any local user that the socket's group "
                "and mode let in. An attached process can only offer its own databases, so a wide "
                "list costs little; a narrow one keeps strangers out of the history."));
  keys.push_back(
      DaemonEntry("control_socket", text)
          .to(&DaemonConfig::control_socket)
          .check(check_socket_path, kPathForm)
          .restart()
          .help("Unix socket that lsmtunectl talks to. Whoever may write to it may freeze, revert "
                "and change the mode."));
  keys.push_back(DaemonEntry("state_directory", text)
                     .to(&DaemonConfig::state_directory)
                     .check(check_absolute_path, kPathForm)
                     .restart()
                     .help("Where baselines, intents and decisions are kept (SQLite and JSON "
                           "Lines). It must survive restarts: without it a restarted daemon knows "
                           "neither what it changed nor that it was frozen."));
  keys.push_back(
      DaemonEntry("metrics_listen", text)
          .to(&DaemonConfig::metrics_listen)
          .check(check_listen_address, "address:port, such as \"127.0.0.1:9637\", or \"\"")
          .restart()
          .help("Address and port of the HTTP listener with /metrics. Empty: no listener. It has "
                "no password: keep it on the loopback address, as the packaged unit enforces, and "
                "let a proxy publish it."));
  keys.push_back(
      DaemonEntry("log_level", choice)
          .to(&DaemonConfig::log_level)
          .one_of({"trace", "debug", "info", "warning", "error"})
          .help("Least severity that is logged. info logs changes and their reasons and is "
                "quiet otherwise; debug and trace are for finding faults."));
  keys.push_back(
      DaemonEntry("log_target", choice)
          .to(&DaemonConfig::log_target)
          .one_of({"auto", "journal", "stderr"})
          .restart()
          .help("Where the log goes. auto: the journal when started by systemd, else stderr."));
  keys.push_back(
      DaemonEntry("history", duration)
          .to(&DaemonConfig::history_days, kDay)
          .range(kDay, 3650 * kDay)
          .help("How long samples and decisions are kept. Shorter saves disk; explanations of "
                "older decisions are then gone."));
  keys.push_back(DaemonEntry("sample_interval", duration)
                     .to(&DaemonConfig::sample_interval_s)
                     .range(1, kHour)
                     .help("How often a sample is kept in history. Decisions do not depend on it. "
                           "Shorter: finer charts, more disk."));
  keys.push_back(DaemonEntry("record_events", text)
                     .to(&DaemonConfig::record_events)
                     .check(check_optional_path, "\"\" or a whole path, starting with /")
                     .restart()
                     .help("Folder into which everything the controller is fed is written, one "
                           "file a target, for lsmtunectl replay. Empty: nothing is. A target "
                           "takes about 350 MiB a day at one poll a second."));
  keys.push_back(DaemonEntry("record_events_limit", size)
                     .to(&DaemonConfig::record_events_bytes)
                     .range(16 * kMiB, 1 * kTiB)
                     .restart()
                     .help("Most that the event log of one target may take on disk, in two files "
                           "of half of it: the older one is dropped when the newer one is full. 6 "
                           "GiB hold a week at one "
                           "poll a second."));
  keys.push_back(
      DaemonEntry("worker_threads", integer)
          .to(&DaemonConfig::worker_threads)
          .range(1, 64)
          .restart()
          .help("Threads for searches and for blocking calls of embedded databases. More lets "
                "several targets search at once and takes that CPU time from the databases. Two "
                "serve dozens of targets."));
  keys.push_back(
      DaemonEntry("shared_memory_budget", size)
          .to(&DaemonConfig::memory_budget_bytes)
          .range(4 * kMiB, 64 * kTiB)
          .zero("none: each has its own only")
          .help(
              "Upper limit of the memory of all databases that a [[target]] names, together, "
              "counted as in memory_budget of a target, which stays the limit of that one. What "
              "the databases may take already is theirs; the rest goes to those whose writes "
              "stall, in proportion. Where they may take more than this already, nothing grows."));
  keys.push_back(
      DaemonEntry("stagger", duration)
          .to(&DaemonConfig::stagger_s)
          .range(0, kHour)
          .zero("the next may begin at once")
          .help("Least time between the end of one database's change and the beginning of "
                "another's. Databases in mode tune take turns, one change at a time and the one "
                "that stalls most first; a pause lets flushes and compactions of one change end "
                "before the next is judged. Without effect with one database."));
  keys.push_back(
      DaemonEntry("agent_statistics", choice)
          .to(&DaemonConfig::agent_statistics)
          .one_of(kStatistics)
          .help("Statistics expected of databases that no [[target]] names; see statistics under "
                "[[target]]."));
  return keys;
}

// Mode, limits and what may move.

}  // namespace

const std::vector<Key<DaemonConfig>>& daemon_keys() {
  static const std::vector<Key<DaemonConfig>> keys = make_daemon_keys();
  return keys;
}

}  // namespace lsmtuned::config
