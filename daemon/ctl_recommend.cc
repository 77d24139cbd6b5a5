// lsmtunectl recommend: what to do now and in the long run, about settings, workload and machine,
// each with its evidence and what it is expected to do.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "daemon/ctl_answer.h"
#include "daemon/ctl_input.h"
#include "daemon/ctl_model_commands.h"
#include "daemon/model_json.h"
#include "model/analysis/recommend.h"
#include "model/units.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

struct RecommendCommand {
  explicit RecommendCommand(const Call& caller) : call(caller) {}
  const Call& call;
  InputOptions input;
  ModelOptions model{"files", 4};

  int run() const;
};

// Counts of a snapshot's histogram, as [bucket, count, ...].
double observations(const json::array& pairs) {
  double count = 0;
  for (std::size_t i = 1; i < pairs.size(); i += 2) count += pairs[i].to_number<double>();
  return count;
}

int load_evidence(const Call& call, model::WorkloadEvidence& seen) {
  json::object answer;
  if (const int code = call.ask({{"command", "snapshot"}}, answer); code != kExitOk) return code;
  seen.seconds = number(answer, "snapshot.database_uptime_s");
  seen.user_bytes = number(answer, "snapshot.counters.user_bytes");
  seen.records = number(answer, "snapshot.counters.keys_written");
  seen.write_calls = observations(list(answer, "snapshot.put_latency"));
  seen.batch_bytes = number(answer, "snapshot.counters.batch_bytes");
  seen.wal_bytes = number(answer, "snapshot.counters.wal_bytes");
  seen.table_bytes = number(answer, "snapshot.counters.flush_write_bytes") +
                     number(answer, "snapshot.counters.compaction_write_bytes");
  seen.reads = number(answer, "snapshot.counters.reads");
  seen.cache_hits = number(answer, "snapshot.counters.block_cache_hits");
  seen.cache_misses = number(answer, "snapshot.counters.block_cache_misses");
  seen.range_deletions = number(answer, "snapshot.state.range_deletions_flushed");
  seen.manual_compactions_running = number(answer, "snapshot.state.running_manual_compactions");
  if (const int code = call.ask({{"command", "status"}}, answer); code != kExitOk) return code;
  seen.stall_share = number(answer, "measured.stall_share");
  seen.put_bytes_per_s = number(answer, "measured.put_bytes_per_s");
  return kExitOk;
}

// The controller's own proposal, where one is open: searched under the policy's guards.
std::optional<model::Recommendation> proposal_of(const json::object& advice) {
  const json::object* decision = sub(advice, "advice");
  if (decision == nullptr) return std::nullopt;
  model::Recommendation one;
  one.kind = model::RecommendationKind::parameter;
  one.term = model::RecommendationTerm::immediate;
  one.what = fmt::format("lsmtunectl apply {:.0f}", number(*decision, "id"));
  one.evidence = text(*decision, "explanation");
  const double before = number(*decision, "predicted_before.put_bytes_per_s");
  const double after = number(*decision, "predicted_after.put_bytes_per_s");
  one.effect = "verified by a trial, and undone if it does not hold";
  if (before > 0 && after > 0) {
    model::PredictedGain gain;
    gain.share = after / before - 1;
    gain.low_share = number(*decision, "predicted_after.low_bytes_per_s") / before - 1;
    gain.high_share = number(*decision, "predicted_after.high_bytes_per_s") / before - 1;
    one.gain = gain;
  }
  return one;
}

json::object recommendation_json(const model::Recommendation& one) {
  json::object out{{"kind", model::to_text(one.kind)},
                   {"term", model::to_text(one.term)},
                   {"what", one.what},
                   {"evidence", one.evidence},
                   {"effect", one.effect},
                   {"worth", one.worth},
                   {"gain", nullptr}};
  if (one.gain)
    out["gain"] = json::object{{"share", one.gain->share},
                               {"low_share", one.gain->low_share},
                               {"high_share", one.gain->high_share},
                               {"interval", 0.8}};
  return out;
}

std::string recommendation_text(const model::Recommendation& one) {
  std::string effect = one.effect;
  if (one.gain)
    effect = fmt::format("{:+.1f} % ({:+.1f} to {:+.1f} %) predicted; {}", 100 * one.gain->share,
                         100 * one.gain->low_share, 100 * one.gain->high_share, one.effect);
  return fmt::format("  {}: {}\n    because {}\n    effect  {}\n", model::to_text(one.kind),
                     one.what, one.evidence, effect);
}

std::string all_text(const std::vector<model::Recommendation>& all, bool judged_workload) {
  const auto part = [&](const char* title, auto wanted) {
    std::string text;
    for (const model::Recommendation& one : all)
      if (wanted(one)) text += recommendation_text(one);
    return text.empty() ? std::string() : std::string(title) + "\n" + text + "\n";
  };
  using model::RecommendationTerm;
  std::string text = part("now", [](const auto& one) {
    return one.worth && one.term == RecommendationTerm::immediate;
  });
  if (text.empty()) text = "now\n  nothing\n\n";
  text += part("in the long run", [](const auto& one) {
    return one.worth && one.term == RecommendationTerm::long_term;
  });
  text += part("not worth it: looked at, predicted to gain nothing",
               [](const auto& one) { return !one.worth; });
  if (!judged_workload) text += "a document has no counters: its workload was not judged\n";
  return text;
}

int RecommendCommand::run() const {
  model::Problem problem;
  if (const int code = load_problem(call, input, problem); code != kExitOk) return code;
  const bool live = input.file.empty();
  std::optional<model::WorkloadEvidence> evidence;
  std::optional<model::Recommendation> proposal;
  if (live) {
    evidence.emplace();
    if (const int code = load_evidence(call, *evidence); code != kExitOk) return code;
    json::object advice;
    if (const int code = call.ask({{"command", "advice"}}, advice); code != kExitOk) return code;
    proposal = proposal_of(advice);
  }
  auto found = model::recommend(problem, model.choice(), evidence);
  if (!found) return complain_of_model(call, found.error());
  if (proposal) found->insert(found->begin(), *proposal);
  json::array list;
  for (const model::Recommendation& one : *found) list.push_back(recommendation_json(one));
  call.print({{"ok", true},
              {"model", model::to_text(model.choice().model)},
              {"workload_judged", live},
              {"recommendations", std::move(list)}},
             [&](const json::object&) { return all_text(*found, live); });
  return kExitOk;
}

}  // namespace

void add_recommend(CLI::App& cli, const Call& call, int& code) {
  CLI::App* command = cli.add_subcommand(
      "recommend", "settings, workload and machine: what to do, why, and what it is worth");
  const auto state = std::make_shared<RecommendCommand>(call);
  state->input.add_to(*command);
  state->model.add_to(*command);
  command->callback([state, &code] { code = state->run(); });
}

}  // namespace lsmtuned::daemon
