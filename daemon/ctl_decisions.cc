#include "daemon/ctl_decisions.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include "daemon/codec.h"
#include "daemon/ctl_answer.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

constexpr int kPageSize = 200;
constexpr std::size_t kMostDecisions = 10000;

using Decisions = std::vector<controller::Decision>;

int ask_daemon(const Call& call, bool present_incarnation, Decisions& decisions) {
  std::uint64_t before = 0;
  while (decisions.size() < kMostDecisions) {
    json::object answer;
    const int code =
        call.ask({{"command", "decisions"}, {"before", before}, {"limit", kPageSize}}, answer);
    if (code != kExitOk) return code;
    for (const json::value& entry : list(answer, "decisions")) {
      auto decision = decision_from_json(entry);
      if (!decision) {
        call.complain("a decision of the daemon: " + decision.error().what,
                      "an older or newer daemon?");
        return kExitRefused;
      }
      if (present_incarnation && !decisions.empty() &&
          decision->incarnation != decisions.front().incarnation) {
        std::reverse(decisions.begin(), decisions.end());
        return kExitOk;
      }
      decisions.push_back(std::move(*decision));
    }
    if (!present(answer, "next_before") || list(answer, "decisions").empty()) break;
    before = decisions.back().id;
  }
  std::reverse(decisions.begin(), decisions.end());
  return kExitOk;
}

int read_file(const Call& call, const DecisionSource& source, Decisions& decisions) {
  std::ifstream file(source.file, std::ios::binary);
  if (!file) {
    call.complain(source.file + " cannot be read", "decisions.jsonl of the state directory");
    return kExitUsage;
  }
  std::map<std::uint64_t, controller::Decision> newest;  // later lines are newer versions
  std::set<std::string> targets;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    const auto parsed = parse_exact(line);
    auto decision =
        parsed ? decision_from_json(*parsed) : Result<controller::Decision>(parsed.error());
    if (!decision) {
      if (file.eof()) break;  // without its newline: torn by a crash, and in history whole
      call.complain(source.file + ": line " + std::to_string(number) + ": " + decision.error().what,
                    "decisions.jsonl of the state directory");
      return kExitUsage;
    }
    if (!call.target.empty() && decision->target != call.target) continue;
    targets.insert(decision->target);
    newest[decision->id] = std::move(*decision);
  }
  if (targets.size() > 1) {
    call.complain(source.file + " holds decisions of several targets", "name one with --target");
    return kExitUsage;
  }
  for (auto& [id, decision] : newest) decisions.push_back(std::move(decision));
  if (source.present_incarnation && !decisions.empty())
    std::erase_if(decisions, [newest_one = decisions.back().incarnation](const auto& decision) {
      return decision.incarnation != newest_one;
    });
  return kExitOk;
}

}  // namespace

int load_decisions(const Call& call, const DecisionSource& source, Decisions& decisions) {
  decisions.clear();
  return source.file.empty() ? ask_daemon(call, source.present_incarnation, decisions)
                             : read_file(call, source, decisions);
}

}  // namespace lsmtuned::daemon
