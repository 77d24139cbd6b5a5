// What a set of plays comes to: gains over the twin, trials, violations, answers.
//
// Gain: accepted bytes over the last third of a scenario, over the twin's, less one. All figures
// are simulated. Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "bench/campaign/play.h"

namespace lsmtuned::campaign {

inline constexpr std::array<config::Strategy, 3> kStrategies = {
    config::Strategy::model, config::Strategy::rules, config::Strategy::probe};

inline constexpr std::size_t kShakes = 7;
// Untuned plays beside each other say how much is chance: of every so many scenarios, and of those
// in which a strategy lost.
inline constexpr std::size_t kChanceEvery = 5;
// The strategies after the first play every so many scenarios.
inline constexpr std::size_t kOthersEvery = 3;

struct Played {
  Scenario scenario;
  Outcome twin;
  std::vector<Outcome>
      shaken;              // play_shaken() at kShakes times; empty where nothing is asked of it
  bool of_chance = false;  // one of every kChanceEvery
  std::array<std::optional<Outcome>, 3> by_strategy;  // in the order of kStrategies
  // The same where a strategy lost, without the operator's revert that the scenario orders: what
  // is obeyed at once may cost, and then it is the order that does.
  std::array<std::optional<Outcome>, 3> without_order;
};

// Plays scenarios first_seed .. first_seed + count - 1, each beside its twin. `progress` may be
// null.
std::vector<Played> play_all(std::uint64_t first_seed, std::size_t count,
                             const ScenarioOptions& options,
                             const std::vector<config::Strategy>& strategies, unsigned threads,
                             std::ostream* progress);

struct AnswerSummary {
  std::size_t count = 0;
  std::size_t unanswered = 0;  // of those the scenario gave at least three cycles
  std::size_t late = 0;        // answered, after more than three cycles
  std::size_t noted = 0;       // late or unanswered, but the fall was noted within three
  double median_cycles = 0;
  double p95_cycles = 0;
  std::vector<std::string> named;  // seeds of those late or unanswered, the first few
};

struct Summary {
  config::Strategy strategy{};
  std::size_t scenarios = 0;
  std::size_t not_simulated = 0;  // the plant gave up
  double median_gain = 0;
  double median_gain_held_back = 0;  // of scenarios whose twin stalled in the last third
  std::size_t held_back = 0;
  double mean_gain = 0;
  double worst_twentieth = 0;  // the 5th percentile of gains
  std::size_t by_all = 0;      // scenarios that every strategy played, and the same of them
  double median_gain_by_all = 0;
  double worst_twentieth_by_all = 0;
  std::size_t worse_2 = 0;  // by more than 2 % than the twin
  std::size_t worse_5 = 0;
  std::size_t beyond_chance_2 = 0;  // by more than 2 % than the worst of all untuned plays
  std::size_t beyond_chance_5 = 0;
  std::size_t not_ordered_2 = 0;  // by more than 2 % without the operator's revert too
  std::size_t not_ordered_5 = 0;
  std::vector<std::string> ordered;  // seeds of the others, with both gains
  double worst = 0;
  std::uint64_t worst_seed = 0;
  int changes = 0;
  int kept = 0;
  int reverted = 0;
  int inconclusive = 0;
  int failed = 0;
  std::size_t storms = 0;
  std::size_t violations = 0;
  std::vector<std::string> violated;                          // seed and rule, the first few
  std::vector<std::pair<double, std::uint64_t>> worst_seeds;  // gain and seed, worst first
  AnswerSummary load_steps;
  AnswerSummary degradations;
  double searches = 0;
  double search_cpu_s = 0;
  double controller_cpu_s = 0;
};

double gain_of(const Played& played, const Outcome& outcome);
// Over the lowest of the twin and the shaken twins: a loss that chance does not explain.
double gain_beyond_chance(const Played& played, const Outcome& outcome);
// With the operator's revert left out, where there was one and the strategy lost.
double gain_without_order(const Played& played, config::Strategy strategy);
Summary summarise(const std::vector<Played>& plays, config::Strategy strategy);

// What the same two comparisons say of plays that nobody tunes: of each shaken twin against the
// twin, and of each against the lowest of the others.
struct Chance {
  std::size_t plays = 0;
  std::size_t worse_2 = 0;
  std::size_t worse_5 = 0;
  std::size_t beyond_chance_2 = 0;
  std::size_t beyond_chance_5 = 0;
  double worst_twentieth = 0;
  double worst = 0;
};
Chance chance_of(const std::vector<Played>& plays);
void print(const std::vector<Summary>& summaries, std::ostream& out);
void print_chance(const Chance& chance, std::ostream& out);
// One line a play, tab-separated.
void print_plays(const std::vector<Played>& plays, std::ostream& out);
std::string to_json(const std::string& name, const std::vector<Summary>& summaries);

}  // namespace lsmtuned::campaign
