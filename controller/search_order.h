// Which knobs a search moves first: by measured influence on its objective, related ones together.
//
// One step of half an octave up and down on each axis, in the ledger (model/analysis/influence.h,
// as `lsmtunectl sensitivity` does for S_max); for the strongest also in pairs. Pure.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "controller/score.h"
#include "controller/search_space.h"
#include "model/analysis/influence.h"

namespace lsmtuned::controller {

using AxisPairs = std::vector<std::pair<std::size_t, std::size_t>>;

struct SearchOrder {
  // All axes, strongest first, each followed by the one that acts together with it most.
  std::vector<std::size_t> axes;
  std::size_t matter = 0;                    // so many at the front move the objective
  AxisPairs related;                         // act together, most first
  std::vector<model::Influence> influences;  // by axis
};

// Takes about two evaluations an axis, and ten for pairs.
SearchOrder search_order(const SearchSpace& space, Scorer& scorer);

}  // namespace lsmtuned::controller
