// campaign: seeded scenarios against the tree simulator, each beside a twin that nobody tunes.
#include <CLI/CLI.hpp>
#include <chrono>
#include <fstream>
#include <iostream>

#include "bench/campaign/length.h"
#include "bench/campaign/report.h"

namespace {

using namespace lsmtuned::campaign;
using lsmtuned::config::Strategy;

constexpr const char* kNobody = "none";

std::vector<Strategy> strategies_named(const std::string& name) {
  std::vector<Strategy> found;
  for (const Strategy strategy : kStrategies)
    if (name == "all" || name == lsmtuned::config::to_text(strategy)) found.push_back(strategy);
  return found;
}

int replay(std::uint64_t seed, const ScenarioOptions& options, const std::string& strategy,
           bool verbose) {
  Chosen chosen = make_long_enough(seed, options);
  Played played;
  played.scenario = std::move(chosen.scenario);
  played.twin = std::move(chosen.twin);
  std::cout << "seed " << seed << ": " << describe(played.scenario) << "\n";
  if (strategy == kNobody) {
    play(played.scenario, std::nullopt, verbose ? &std::cout : nullptr);
    return 0;
  }
  bool fine = true;
  for (const Strategy each : strategies_named(strategy)) {
    std::cout << lsmtuned::config::to_text(each) << "\n";
    const Outcome outcome = play(played.scenario, each, verbose ? &std::cout : nullptr);
    if (!outcome.plant_error.empty())
      std::cout << "  not simulated: " << outcome.plant_error << "\n";
    std::printf(
        "  gain %.2f %% (accepted %.1f MiB in the last third, the twin %.1f), "
        "%d changes, %d kept, %d reverted, %d inconclusive, %d failed, %d searches, "
        "%.2f s searching, %.2f s else\n",
        100 * gain_of(played, outcome), outcome.last_third_bytes / 1048576,
        played.twin.last_third_bytes / 1048576, outcome.changes, outcome.kept, outcome.reverted,
        outcome.inconclusive, outcome.failed, outcome.searches, outcome.search_cpu_s,
        outcome.controller_cpu_s);
    for (const Answer& answer : outcome.answers)
      std::printf("  %s: %s after %.0f cycles, %.0f s (%s)\n",
                  answer.kind == ChangeKind::load_step ? "load step" : "degradation",
                  answer.answered ? "answered" : "not answered", answer.cycles, answer.seconds,
                  answer.how.c_str());
    for (const Answer& answer : outcome.answers)
      if (answer.noted_cycles >= 0)
        std::printf("  the fall: noted after %.0f cycles\n", answer.noted_cycles);
    for (const auto& rule : outcome.violations) std::cout << "  violation " << rule << "\n";
    fine = fine && outcome.violations.empty();
  }
  return fine ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulated campaign: the controller against the tree simulator"};
  std::size_t scenarios = 2000;
  std::size_t mismatch_scenarios = 0;
  bool long_run = false;
  unsigned threads = 2;
  std::uint64_t first_seed = 1;
  std::uint64_t seed = 0;
  bool verbose = false;
  double minutes = 30;
  double mismatch = -1;
  int evaluations = 200;
  std::string strategy = "all";
  std::string json;
  double effort = ScenarioOptions{}.effort;
  std::string table_path;
  app.add_option("--scenarios", scenarios, "scenarios of the plain set");
  app.add_option("--mismatch-scenarios", mismatch_scenarios,
                 "scenarios of the mismatch set; default 5 % of the plain set");
  app.add_option("--minutes", minutes, "simulated minutes each, at least")
      ->check(CLI::Range(5.0, 1440.0));
  app.add_option("--threads", threads)->check(CLI::Range(1, 256));
  app.add_option("--strategy", strategy, "none: with --seed, the twin alone")
      ->check(CLI::IsMember({"all", "model", "rules", "probe", kNobody}));
  app.add_option("--mismatch", mismatch,
                 "how far plant constants may be from what the controller begins with; given: only "
                 "such scenarios; default: the plain set, then a mismatch set at 0.5")
      ->check(CLI::Range(0.0, 0.9));
  app.add_option("--evaluations", evaluations, "search_evaluations of the policy");
  app.add_option("--first-seed", first_seed);
  app.add_option("--seed", seed, "play this seed alone");
  app.add_flag("--verbose", verbose, "with --seed: tell what happens");
  app.add_flag("--long", long_run, "200 scenarios of two hours");
  app.add_option("--effort", effort, "of a search, as a share of the daemon's")
      ->check(CLI::Range(0.05, 4.0));
  app.add_option("--table", table_path, "write one line a play, tab-separated");
  app.add_option("--json", json, "write the result as JSON");
  CLI11_PARSE(app, argc, argv);
  if (long_run) {
    scenarios = 200;
    minutes = 120;
  }
  ScenarioOptions options;
  options.minutes = minutes;
  options.evaluations = evaluations;
  options.effort = effort;
  options.mismatch = std::max(0.0, mismatch);
  if (seed != 0) return replay(seed, options, strategy, verbose);

  struct Set {
    std::string name;
    double mismatch;
    std::size_t count;
  };
  std::vector<Set> sets;
  if (mismatch >= 0) {
    sets.push_back({mismatch > 0 ? "mismatch" : "plain", mismatch, scenarios});
  } else {
    sets.push_back({"plain", 0, scenarios});
    sets.push_back({"mismatch", 0.5, mismatch_scenarios > 0 ? mismatch_scenarios : scenarios / 20});
  }
  std::string objects;
  std::ofstream table;
  if (!table_path.empty()) table.open(table_path);
  std::size_t violations = 0;
  for (const Set& set : sets) {
    options.mismatch = set.mismatch;
    const auto started = std::chrono::steady_clock::now();
    const auto plays =
        play_all(first_seed, set.count, options, strategies_named(strategy), threads, &std::cerr);
    const double took =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
    std::vector<Summary> summaries;
    for (const Strategy each : strategies_named(strategy))
      summaries.push_back(summarise(plays, each));
    double hours = 0;
    for (const Played& played : plays) hours += played.scenario.seconds / 3600;
    std::cout << "\n"
              << set.name << " set: " << set.count << " scenarios of at least " << minutes
              << " simulated minutes, " << static_cast<int>(hours) << " hours in all, from seed "
              << first_seed;
    if (set.mismatch > 0) std::cout << ", plant off by up to " << 100 * set.mismatch << " %";
    std::cout << "; " << static_cast<int>(took) << " s on " << threads << " threads\n";
    print(summaries, std::cout);
    print_chance(chance_of(plays), std::cout);
    if (table.is_open()) print_plays(plays, table);
    for (const Summary& s : summaries) violations += s.violations;
    objects += (objects.empty() ? "" : ",\n") + to_json(set.name, summaries);
  }
  if (!json.empty()) {
    std::ofstream file(json);
    file << "[\n" << objects << "\n]\n";
    if (!file) {
      std::cerr << "campaign: could not write " << json << "\n";
      return 2;
    }
  }
  return violations == 0 ? 0 : 1;
}
