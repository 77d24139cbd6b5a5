#include "daemon/ctl_diagnose.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <vector>

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

Result<std::string> read_all(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string content;
  if (file) content.assign(std::istreambuf_iterator<char>(file), {});
  if (!file.is_open() || file.bad())
    return Error{path + ": " + std::generic_category().message(errno != 0 ? errno : EACCES),
                 "run as root or as the process's own user"};
  return {Result<std::string>::in_place_value, std::move(content)};
}

// The path column of a line of /proc/PID/maps.
std::string mapped_path(std::string_view line) {
  const std::size_t slash = line.find('/');
  return slash == std::string_view::npos ? "" : std::string(line.substr(slash));
}

std::string version_in(const std::string& path) {
  const std::size_t at = path.rfind(".so.");
  if (at == std::string::npos) return "";
  std::string version = path.substr(at + 4);
  const std::size_t space = version.find(' ');  // " (deleted)"
  return version.substr(0, space);
}

void read_maps(Diagnosis& diagnosis, const std::string& maps) {
  std::string_view rest = maps;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    const std::string path = mapped_path(rest.substr(0, end));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const std::string name = path.substr(path.rfind('/') + 1);
    if (name.starts_with("librocksdb.so")) {
      diagnosis.rocksdb_library = path;
      diagnosis.rocksdb_version = version_in(path);
    } else if (name.starts_with("liblsmtuned_agent.so")) {
      diagnosis.agent_library = path;
    } else if (name.starts_with("liblsmtuned_agent")) {
      diagnosis.implementation_loaded = true;
    } else if (name.starts_with("ld-linux") || name.starts_with("ld-musl") ||
               name.starts_with("ld-2")) {
      diagnosis.executable_is_dynamic = true;
    }
  }
}

void read_environment(Diagnosis& diagnosis, const std::string& environment) {
  std::size_t at = 0;
  while (at < environment.size()) {
    const std::size_t end = std::min(environment.find('\0', at), environment.size());
    const std::string entry = environment.substr(at, end - at);
    at = end + 1;
    if (entry.starts_with("LD_PRELOAD=")) diagnosis.ld_preload = entry.substr(11);
    if (entry.starts_with("LSMTUNED_SOCKET=")) diagnosis.agent_socket = entry.substr(16);
    if (entry.starts_with("LSMTUNED_DISABLE="))
      diagnosis.disabled_by_environment =
          entry != "LSMTUNED_DISABLE=" && entry != "LSMTUNED_DISABLE=0";
  }
}

// RocksDB's property names sit in every binary that links it, statically too.
bool mentions_rocksdb(const std::string& executable) {
  std::ifstream file(executable, std::ios::binary);
  constexpr std::string_view needle = "rocksdb.estimate-pending-compaction-bytes";
  std::vector<char> block(1 << 20);
  std::string carried;
  while (file) {
    file.read(block.data(), static_cast<std::streamsize>(block.size()));
    carried.append(block.data(), static_cast<std::size_t>(file.gcount()));
    if (carried.find(needle) != std::string::npos) return true;
    if (carried.size() > needle.size()) carried.erase(0, carried.size() - needle.size());
  }
  return false;
}

std::string advice(const Diagnosis& d) {
  if (d.connected.value_or(false)) return "attached: nothing to do.";
  if (d.disabled_by_environment)
    return "LSMTUNED_DISABLE is set in its environment: take it away and restart the program.";
  if (d.rocksdb_library.empty()) {
    if (d.executable_mentions_rocksdb)
      return "RocksDB is linked statically: a preloaded agent cannot reach it. Link the agent's "
             "library into the program instead (docs/attach.md).";
    if (!d.executable_is_dynamic)
      return "the program is linked statically: nothing can be preloaded into it. Link the "
             "agent's library into the program instead (docs/attach.md).";
    return "the program has no RocksDB library loaded: is this the right process?";
  }
  if (!d.rocksdb_version.empty() && !d.rocksdb_version.starts_with("7.8"))
    return "the agent knows RocksDB 7.8 only; with " + d.rocksdb_version +
           " it passes everything through.";
  if (d.agent_library.empty()) {
    if (!d.environment_readable)
      return "the agent is not loaded, and its environment cannot be read: run as root.";
    if (d.ld_preload.find("liblsmtuned_agent") != std::string::npos)
      return "LD_PRELOAD names the agent, but it is not loaded: is the path right and readable, "
             "and is the program set-uid?";
    return "restart it with the agent preloaded: for a service, systemctl edit NAME and add "
           "[Service] Environment=LD_PRELOAD=/usr/lib/lsmtuned/liblsmtuned_agent.so "
           "Environment=LSMTUNED_DAEMON_USER=lsmtuned SupplementaryGroups=lsmtuned, a line each";
  }
  if (!d.implementation_loaded)
    return "the agent waits for the first read-write open of a database; if one is open, its log "
           "(the database's LOG file) says why it passed.";
  if (!d.connected.has_value())
    return "the agent is loaded; whether it is connected is unknown, because no daemon answers: "
           "systemctl start lsmtuned.";
  return "the agent is loaded but not connected: is agent_socket the same on both sides" +
         (d.agent_socket.empty() ? std::string() : " (it uses " + d.agent_socket + ")") +
         ", may its user open it (SupplementaryGroups=lsmtuned), does the agent trust the daemon's "
         "user (LSMTUNED_DAEMON_USER=lsmtuned), is its own user in agent_users, and is a database "
         "open?";
}

std::string yes(bool value) {
  return value ? "yes" : "no";
}

}  // namespace

Result<Diagnosis> diagnose(int pid, const std::string& proc) {
  Diagnosis diagnosis;
  diagnosis.pid = pid;
  const std::string folder = proc + "/" + std::to_string(pid);
  std::error_code code;
  if (!std::filesystem::exists(folder, code))
    return Error{"there is no process " + std::to_string(pid), "ps or systemctl status shows pids"};
  diagnosis.executable = std::filesystem::read_symlink(folder + "/exe", code).string();
  const Result<std::string> maps = read_all(folder + "/maps");
  if (!maps) return maps.error();
  if (maps->empty())
    return Error{folder + "/maps shows nothing", "run as root; a kernel thread has no memory map"};
  read_maps(diagnosis, *maps);
  const Result<std::string> environment = read_all(folder + "/environ");
  diagnosis.environment_readable = environment.has_value();
  if (environment) read_environment(diagnosis, *environment);
  if (diagnosis.rocksdb_library.empty())
    diagnosis.executable_mentions_rocksdb = mentions_rocksdb(folder + "/exe");
  return diagnosis;
}

void note_targets(Diagnosis& diagnosis, const Result<json::object>& targets_answer) {
  if (!targets_answer) {
    diagnosis.daemon_error = targets_answer.error().text();
    return;
  }
  diagnosis.connected = false;
  const json::value* targets = targets_answer->if_contains("targets");
  if (targets == nullptr || !targets->is_array()) return;
  for (const json::value& entry : targets->get_array()) {
    if (!entry.is_object()) continue;
    const json::value* pid = entry.get_object().if_contains("pid");
    const json::value* attached = entry.get_object().if_contains("attached");
    const bool same = pid != nullptr && pid->is_int64() && pid->get_int64() == diagnosis.pid;
    if (same && attached != nullptr && attached->is_bool() && attached->get_bool())
      diagnosis.connected = true;
  }
}

std::string print_diagnosis(const Diagnosis& d) {
  const auto row = [](const char* label, const std::string& value) {
    return fmt::format("{:<20} {}\n", label, value.empty() ? "-" : value);
  };
  std::string result = row("process", fmt::format("{} {}", d.pid, d.executable));
  std::string library = d.rocksdb_library;
  if (library.empty())
    library = d.executable_mentions_rocksdb ? "none; RocksDB is linked statically" : "none";
  result += row("librocksdb", library);
  result += row("RocksDB version", d.rocksdb_version);
  result += row("LD_PRELOAD", d.environment_readable ? d.ld_preload : "not readable");
  result += row("agent loaded", d.agent_library.empty() ? "no" : "yes, " + d.agent_library);
  result += row("agent at work", yes(d.implementation_loaded));
  result += row("connected", d.connected ? yes(*d.connected) : "unknown: " + d.daemon_error);
  return result + advice(d) + "\n";
}

json::object to_json(const Diagnosis& d) {
  json::object object{{"pid", d.pid},
                      {"executable", d.executable},
                      {"rocksdb_library", d.rocksdb_library},
                      {"rocksdb_version", d.rocksdb_version},
                      {"dynamic", d.executable_is_dynamic},
                      {"statically_linked_rocksdb", d.executable_mentions_rocksdb},
                      {"ld_preload", d.ld_preload},
                      {"agent_library", d.agent_library},
                      {"implementation_loaded", d.implementation_loaded},
                      {"disabled", d.disabled_by_environment},
                      {"agent_socket", d.agent_socket},
                      {"advice", advice(d)}};
  object["connected"] = d.connected ? json::value(*d.connected) : json::value(nullptr);
  return object;
}

}  // namespace lsmtuned::daemon
