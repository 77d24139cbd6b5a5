#include "bench/campaign/report.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <thread>

#include "bench/campaign/length.h"
#include "model/units.h"

namespace lsmtuned::campaign {
namespace {

constexpr double kAnswerCycles = 3;
constexpr std::size_t kSeedsNamed = 10;
constexpr double kLoss = 0.02;
constexpr double kHeavyLoss = 0.05;

double at_share(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const double at = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (at - std::floor(at)) * (values[above] - values[below]);
}

template <class... Values>
std::string text(const char* format, Values... values) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, format, values...);
  return buffer;
}

void add(const Answer& answer, std::uint64_t seed, AnswerSummary& into,
         std::vector<double>& cycles) {
  if (!answer.answered && answer.cycles <= kAnswerCycles) return;  // it had no time to
  ++into.count;
  if (!answer.answered) {
    ++into.unanswered;
  } else if (answer.cycles > kAnswerCycles) {
    ++into.late;
  }
  const bool in_time = answer.answered && answer.cycles <= kAnswerCycles;
  if (!in_time && answer.noted_cycles >= 0 && answer.noted_cycles <= kAnswerCycles) ++into.noted;
  cycles.push_back(answer.cycles);
  if (answer.cycles > kAnswerCycles && into.named.size() < kSeedsNamed)
    into.named.push_back("seed " + std::to_string(seed) + " (" + text("%.0f", answer.cycles) +
                         " cycles: " + answer.how + ")");
}

std::size_t index_of(config::Strategy strategy) {
  return static_cast<std::size_t>(std::find(kStrategies.begin(), kStrategies.end(), strategy) -
                                  kStrategies.begin());
}

bool lost(const Played& played, const std::optional<Outcome>& outcome) {
  return outcome && gain_of(played, *outcome) < -kLoss;
}

bool any_lost(const Played& played) {
  return std::ranges::any_of(played.by_strategy,
                             [&](const auto& outcome) { return lost(played, outcome); });
}

void play_without_order(Played& played) {
  Scenario without = played.scenario;
  if (std::erase_if(without.faults, [](const Fault& fault) {
        return fault.kind == FaultKind::operator_revert;
      }) == 0)
    return;
  for (std::size_t i = 0; i < kStrategies.size(); ++i)
    if (lost(played, played.by_strategy.at(i)))
      played.without_order.at(i) = play(without, kStrategies.at(i));
}

bool played_by_all(const Played& played) {
  return std::ranges::all_of(played.by_strategy,
                             [](const auto& outcome) { return outcome.has_value(); });
}

void shake(Played& played) {
  for (std::size_t i = 0; i < kShakes; ++i)
    played.shaken.push_back(
        play_shaken(played.scenario, 0.1 + 0.5 * static_cast<double>(i) / (kShakes - 1)));
}

}  // namespace

std::vector<Played> play_all(std::uint64_t first_seed, std::size_t count,
                             const ScenarioOptions& options,
                             const std::vector<config::Strategy>& strategies, unsigned threads,
                             std::ostream* progress) {
  std::vector<Played> plays(count);
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  std::mutex printing;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      Played& played = plays[i];
      Chosen chosen = make_long_enough(first_seed + i, options);
      played.scenario = std::move(chosen.scenario);
      played.twin = std::move(chosen.twin);
      for (const auto strategy : strategies)
        if (strategy == strategies.front() || i % kOthersEvery == 0)
          played.by_strategy.at(index_of(strategy)) = play(played.scenario, strategy);
      played.of_chance = i % kChanceEvery == 0;
      if (played.of_chance || any_lost(played)) shake(played);
      play_without_order(played);
      const std::size_t finished = ++done;
      if (progress != nullptr && finished % 100 == 0) {
        const std::lock_guard lock(printing);
        *progress << finished << " of " << count << " scenarios\n" << std::flush;
      }
    }
  };
  std::vector<std::thread> pool;
  for (unsigned i = 1; i < threads; ++i) pool.emplace_back(work);
  work();
  for (auto& thread : pool) thread.join();
  return plays;
}

double gain_of(const Played& played, const Outcome& outcome) {
  return gain_over(played.twin, outcome);
}

double gain_beyond_chance(const Played& played, const Outcome& outcome) {
  double best = gain_of(played, outcome);
  for (const Outcome& shaken : played.shaken)
    if (shaken.plant_error.empty()) best = std::max(best, gain_over(shaken, outcome));
  return best;
}

double gain_without_order(const Played& played, config::Strategy strategy) {
  const auto& without = played.without_order.at(index_of(strategy));
  return gain_of(played, without ? *without : *played.by_strategy.at(index_of(strategy)));
}

Summary summarise(const std::vector<Played>& plays, config::Strategy strategy) {
  Summary summary;
  summary.strategy = strategy;
  std::vector<double> gains;
  std::vector<double> held_back;
  std::vector<double> by_all;
  std::vector<double> load_cycles;
  std::vector<double> device_cycles;
  for (const Played& played : plays) {
    const auto& outcome = played.by_strategy.at(index_of(strategy));
    if (!outcome) continue;
    if (!outcome->plant_error.empty() || !played.twin.plant_error.empty()) {
      ++summary.not_simulated;
      continue;
    }
    ++summary.scenarios;
    const std::uint64_t seed = played.scenario.seed;
    const double gain = gain_of(played, *outcome);
    gains.push_back(gain);
    summary.worst_seeds.emplace_back(gain, seed);
    summary.mean_gain += gain;
    if (played.twin.stall_seconds > 0.02 * played.scenario.seconds / 3) held_back.push_back(gain);
    if (played_by_all(played)) by_all.push_back(gain);
    if (gain < -kLoss) ++summary.worse_2;
    if (gain < -kHeavyLoss) ++summary.worse_5;
    const double beyond = gain_beyond_chance(played, *outcome);
    if (beyond < -kLoss) ++summary.beyond_chance_2;
    if (beyond < -kHeavyLoss) ++summary.beyond_chance_5;
    const double not_ordered = gain_without_order(played, strategy);
    if (gain < -kLoss && not_ordered < -kLoss) ++summary.not_ordered_2;
    if (gain < -kHeavyLoss && not_ordered < -kHeavyLoss) ++summary.not_ordered_5;
    if (played.without_order.at(index_of(strategy)) && summary.ordered.size() < kSeedsNamed)
      summary.ordered.push_back(text("%llu (%.1f %%, without it %.1f %%)",
                                     static_cast<unsigned long long>(seed), 100 * gain,
                                     100 * not_ordered));
    summary.changes += outcome->changes;
    summary.kept += outcome->kept;
    summary.reverted += outcome->reverted;
    summary.inconclusive += outcome->inconclusive;
    summary.failed += outcome->failed;
    summary.storms += outcome->stormed ? 1 : 0;
    summary.violations += outcome->violations.size();
    for (const auto& rule : outcome->violations)
      if (summary.violated.size() < kSeedsNamed)
        summary.violated.push_back("seed " + std::to_string(seed) + " " + rule);
    summary.searches += outcome->searches;
    summary.search_cpu_s += outcome->search_cpu_s;
    summary.controller_cpu_s += outcome->controller_cpu_s;
    for (const Answer& answer : outcome->answers) {
      if (answer.kind == ChangeKind::load_step)
        add(answer, seed, summary.load_steps, load_cycles);
      else
        add(answer, seed, summary.degradations, device_cycles);
    }
  }
  if (gains.empty()) return summary;
  summary.mean_gain /= static_cast<double>(gains.size());
  summary.median_gain = at_share(gains, 0.5);
  summary.held_back = held_back.size();
  summary.median_gain_held_back = at_share(held_back, 0.5);
  summary.worst_twentieth = at_share(gains, 0.05);
  summary.by_all = by_all.size();
  summary.median_gain_by_all = at_share(by_all, 0.5);
  summary.worst_twentieth_by_all = at_share(by_all, 0.05);
  std::sort(summary.worst_seeds.begin(), summary.worst_seeds.end());
  summary.worst = summary.worst_seeds.front().first;
  summary.worst_seed = summary.worst_seeds.front().second;
  summary.load_steps.median_cycles = at_share(load_cycles, 0.5);
  summary.load_steps.p95_cycles = at_share(load_cycles, 0.95);
  summary.degradations.median_cycles = at_share(device_cycles, 0.5);
  summary.degradations.p95_cycles = at_share(device_cycles, 0.95);
  return summary;
}

Chance chance_of(const std::vector<Played>& plays) {
  Chance chance;
  std::vector<double> gains;
  for (const Played& played : plays) {
    if (!played.of_chance) continue;
    std::vector<const Outcome*> untuned;
    if (played.twin.plant_error.empty()) untuned.push_back(&played.twin);
    for (const Outcome& shaken : played.shaken)
      if (shaken.plant_error.empty()) untuned.push_back(&shaken);
    if (untuned.size() < 2 || !(untuned.front()->last_third_bytes > 0)) continue;
    for (std::size_t i = 1; i < untuned.size(); ++i) {
      const double gain = gain_over(*untuned.front(), *untuned[i]);
      gains.push_back(gain);
      ++chance.plays;
      if (gain < -kLoss) ++chance.worse_2;
      if (gain < -kHeavyLoss) ++chance.worse_5;
      double beyond = gain;
      for (std::size_t other = 1; other < untuned.size(); ++other)
        if (other != i) beyond = std::max(beyond, gain_over(*untuned[other], *untuned[i]));
      if (beyond < -kLoss) ++chance.beyond_chance_2;
      if (beyond < -kHeavyLoss) ++chance.beyond_chance_5;
    }
  }
  if (gains.empty()) return chance;
  chance.worst_twentieth = at_share(gains, 0.05);
  chance.worst = *std::min_element(gains.begin(), gains.end());
  return chance;
}

void print_chance(const Chance& chance, std::ostream& out) {
  const double plays = std::max<double>(1, static_cast<double>(chance.plays));
  const auto share = [&](std::size_t part) {
    return text("%.2f %%", 100 * static_cast<double>(part) / plays);
  };
  out << text("by chance alone, %zu untuned plays with one poll without writes before the last ",
              chance.plays)
      << text("third, each against its twin: %s worse by more than 2 %%, ",
              share(chance.worse_2).c_str())
      << text("%s by more than 5 %%; 5th percentile %.1f %%, worst %.1f %%; ",
              share(chance.worse_5).c_str(), 100 * chance.worst_twentieth, 100 * chance.worst)
      << text("than every one of the others, by 2 %%: %s, by 5 %%: %s\n",
              share(chance.beyond_chance_2).c_str(), share(chance.beyond_chance_5).c_str());
}

void print_plays(const std::vector<Played>& plays, std::ostream& out) {
  out << "seed\tstrategy\tgain\tgain beyond chance\tworst untuned\tcycles\ttwin stall "
         "s\tchanges\tkept\treverted\t"
         "inconclusive\tfailed\tsearches\tscenario\n";
  for (const Played& played : plays) {
    double untuned = 0;
    for (const Outcome& shaken : played.shaken)
      untuned = std::min(untuned, gain_of(played, shaken));
    for (std::size_t i = 0; i < kStrategies.size(); ++i) {
      const auto& outcome = played.by_strategy.at(i);
      if (!outcome) continue;
      out << played.scenario.seed << "\t" << config::to_text(kStrategies.at(i)) << "\t"
          << text("%.4f\t%.4f\t%.4f\t%d\t%.1f", gain_of(played, *outcome),
                  gain_beyond_chance(played, *outcome), untuned, played.twin.cycles,
                  played.twin.stall_seconds)
          << "\t" << outcome->changes << "\t" << outcome->kept << "\t" << outcome->reverted << "\t"
          << outcome->inconclusive << "\t" << outcome->failed << "\t" << outcome->searches << "\t"
          << describe(played.scenario) << "\n";
    }
  }
}

void print(const std::vector<Summary>& summaries, std::ostream& out) {
  const auto row = [&](const char* name, const auto& cell) {
    out << text("%-44s", name);
    for (const Summary& s : summaries) out << text("%14s", cell(s).c_str());
    out << "\n";
  };
  const auto percent = [](double share) { return text("%.1f %%", 100 * share); };
  const auto share = [](std::size_t part, std::size_t all) {
    return text("%zu (%.2f %%)", part,
                all > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(all) : 0.0);
  };
  row("simulated", [](const Summary& s) { return std::string(config::to_text(s.strategy)); });
  row("scenarios", [](const Summary& s) { return std::to_string(s.scenarios); });
  row("not simulated: the plant gave up",
      [](const Summary& s) { return std::to_string(s.not_simulated); });
  row("invariant violations", [](const Summary& s) { return std::to_string(s.violations); });
  row("median gain", [&](const Summary& s) { return percent(s.median_gain); });
  row("median gain where the twin stalls",
      [&](const Summary& s) { return percent(s.median_gain_held_back); });
  row("  such scenarios", [](const Summary& s) { return std::to_string(s.held_back); });
  row("mean gain", [&](const Summary& s) { return percent(s.mean_gain); });
  row("worst 5 % (5th percentile)", [&](const Summary& s) { return percent(s.worst_twentieth); });
  row("  median gain, played by all strategies",
      [&](const Summary& s) { return percent(s.median_gain_by_all); });
  row("  worst 5 %, played by all strategies",
      [&](const Summary& s) { return percent(s.worst_twentieth_by_all); });
  row("  such scenarios", [](const Summary& s) { return std::to_string(s.by_all); });
  row("worse than the twin by more than 2 %",
      [&](const Summary& s) { return share(s.worse_2, s.scenarios); });
  row("worse than the twin by more than 5 %",
      [&](const Summary& s) { return share(s.worse_5, s.scenarios); });
  row("  without the operator's revert too, by 2 %",
      [&](const Summary& s) { return share(s.not_ordered_2, s.scenarios); });
  row("  without the operator's revert too, by 5 %",
      [&](const Summary& s) { return share(s.not_ordered_5, s.scenarios); });
  row("  than every one of 8 untuned plays, by 2 %",
      [&](const Summary& s) { return share(s.beyond_chance_2, s.scenarios); });
  row("  than every one of 8 untuned plays, by 5 %",
      [&](const Summary& s) { return share(s.beyond_chance_5, s.scenarios); });
  row("worst", [&](const Summary& s) { return percent(s.worst); });
  row("  its seed", [](const Summary& s) { return std::to_string(s.worst_seed); });
  row("changes sent", [](const Summary& s) { return std::to_string(s.changes); });
  row("  kept", [](const Summary& s) { return std::to_string(s.kept); });
  row("  reverted", [](const Summary& s) { return std::to_string(s.reverted); });
  row("  inconclusive, reverted", [](const Summary& s) { return std::to_string(s.inconclusive); });
  row("  failed", [](const Summary& s) { return std::to_string(s.failed); });
  row("ended latched by a rollback storm",
      [](const Summary& s) { return std::to_string(s.storms); });
  const auto answers = [&](const char* name, AnswerSummary Summary::*member) {
    out << name << "\n";
    row("  counted", [&](const Summary& s) { return std::to_string((s.*member).count); });
    row("  cycles to the answer, median",
        [&](const Summary& s) { return text("%.0f", (s.*member).median_cycles); });
    row("  cycles to the answer, 95th percentile",
        [&](const Summary& s) { return text("%.0f", (s.*member).p95_cycles); });
    row("  after more than 3 cycles", [&](const Summary& s) {
      return share((s.*member).late + (s.*member).unanswered, (s.*member).count);
    });
  };
  answers("load steps answered", &Summary::load_steps);
  answers("degradations to 26 % answered", &Summary::degradations);
  row("    of these, the fall noted within 3",
      [](const Summary& s) { return std::to_string(s.degradations.noted); });
  row("searches", [](const Summary& s) { return text("%.0f", s.searches); });
  row("  seconds each", [](const Summary& s) {
    return text("%.3f", s.searches > 0 ? s.search_cpu_s / s.searches : 0);
  });
  row("controller seconds a scenario, searches apart", [](const Summary& s) {
    return text("%.3f",
                s.scenarios > 0 ? s.controller_cpu_s / static_cast<double>(s.scenarios) : 0);
  });
  for (const Summary& s : summaries) {
    for (const auto& words : s.violated)
      out << "violation, " << config::to_text(s.strategy) << ": " << words << "\n";
    std::string worst;
    for (std::size_t i = 0; i < std::min(kSeedsNamed, s.worst_seeds.size()); ++i)
      if (s.worst_seeds[i].first < -kLoss)
        worst += text(" %llu (%.1f %%)", static_cast<unsigned long long>(s.worst_seeds[i].second),
                      100 * s.worst_seeds[i].first);
    const auto late = [&](const char* of, const std::vector<std::string>& named) {
      for (const auto& words : named)
        out << "late after a " << of << ", " << config::to_text(s.strategy) << ": " << words
            << "\n";
    };
    for (const auto& words : s.ordered)
      out << "lost after an operator's revert, " << config::to_text(s.strategy) << ": seed "
          << words << "\n";
    late("load step", s.load_steps.named);
    late("degradation", s.degradations.named);
    if (!worst.empty())
      out << "seeds of the worst, " << config::to_text(s.strategy) << ":" << worst << "\n";
  }
}

std::string to_json(const std::string& name, const std::vector<Summary>& summaries) {
  std::string json = "  {\"set\": \"" + name + "\", \"simulated\": true, \"strategies\": [";
  for (std::size_t i = 0; i < summaries.size(); ++i) {
    const Summary& s = summaries[i];
    const auto answers = [](const char* key, const AnswerSummary& a) {
      return text(
          ", \"%s\": {\"count\": %zu, \"unanswered\": %zu, \"late\": %zu, "
          "\"noted\": %zu, \"median_cycles\": %.3f, \"p95_cycles\": %.3f}",
          key, a.count, a.unanswered, a.late, a.noted, a.median_cycles, a.p95_cycles);
    };
    json += i > 0 ? ",\n    " : "\n    ";
    json += text("{\"strategy\": \"%s\", \"scenarios\": %zu, \"violations\": %zu, ",
                 config::to_text(s.strategy), s.scenarios, s.violations);
    json += text("\"median_gain\": %.5f, \"median_gain_held_back\": %.5f, \"mean_gain\": %.5f, ",
                 s.median_gain, s.median_gain_held_back, s.mean_gain);
    json += text(
        "\"worst_5_percent\": %.5f, \"worse_by_2_percent\": %zu, "
        "\"worse_by_5_percent\": %zu, \"not_ordered_by_2_percent\": %zu, "
        "\"not_ordered_by_5_percent\": %zu, \"beyond_chance_by_2_percent\": %zu, "
        "\"beyond_chance_by_5_percent\": %zu, \"worst\": %.5f, \"worst_seed\": %llu, ",
        s.worst_twentieth, s.worse_2, s.worse_5, s.not_ordered_2, s.not_ordered_5,
        s.beyond_chance_2, s.beyond_chance_5, s.worst,
        static_cast<unsigned long long>(s.worst_seed));
    json += text(
        "\"changes\": %d, \"kept\": %d, \"reverted\": %d, \"inconclusive\": %d, "
        "\"failed\": %d, \"storms\": %zu, \"not_simulated\": %zu",
        s.changes, s.kept, s.reverted, s.inconclusive, s.failed, s.storms, s.not_simulated);
    json += answers("load_steps", s.load_steps) + answers("degradations", s.degradations) + "}";
  }
  return json + "]}";
}

}  // namespace lsmtuned::campaign
