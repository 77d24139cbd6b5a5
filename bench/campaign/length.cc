#include "bench/campaign/length.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace lsmtuned::campaign {
namespace {

constexpr double kAgree = 0.012;
constexpr std::array kShakenAt{0.6, 0.4, 0.2};  // shares of the scenario
constexpr std::array kLonger{1.0, 2.0, 4.0};

bool untuned_plays_agree(const Chosen& chosen) {
  return std::ranges::all_of(kShakenAt, [&](double share) {
    return std::abs(gain_over(chosen.twin, play_shaken(chosen.scenario, share))) <= kAgree;
  });
}

bool comes_and_goes(const Scenario& scenario) {
  return scenario.load.size() > 2;
}

}  // namespace

Chosen make_long_enough(std::uint64_t seed, const ScenarioOptions& options) {
  ScenarioOptions asked = options;
  Chosen chosen;
  for (const double longer : kLonger) {
    asked.longer = options.longer * longer;
    chosen.scenario = make_scenario(seed, asked);
    chosen.twin = play(chosen.scenario, std::nullopt);
    if (longer == kLonger.back() || comes_and_goes(chosen.scenario) ||
        !chosen.twin.plant_error.empty() || untuned_plays_agree(chosen))
      break;
  }
  return chosen;
}

}  // namespace lsmtuned::campaign
