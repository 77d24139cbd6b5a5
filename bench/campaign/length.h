// How long a scenario has to be: so long that what nobody did cannot be taken for what the
// controller did. Plays of nobody that differ by one poll without writes end their last third
// elsewhere in the tree's cycles; where they differ by more than a share of the bounds on losses,
// the same scenario is made longer. Chosen before anything is tuned.
#pragma once

#include <cstdint>

#include "bench/campaign/play.h"
#include "bench/campaign/scenario.h"

namespace lsmtuned::campaign {

struct Chosen {
  Scenario scenario;
  Outcome twin;  // nobody tunes it
};

// make_scenario(), twice or four times as long where plays of nobody do not agree. A load that
// comes and goes keeps its length, which its alternations gave it: searches cost most there. Pure.
Chosen make_long_enough(std::uint64_t seed, const ScenarioOptions& options);

}  // namespace lsmtuned::campaign
