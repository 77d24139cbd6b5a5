// A small deterministic random stream: equal seeds give equal simulations on every machine.
//
// SplitMix64 (Steele, Lea, Flood 2014) and Box-Muller. Pure; thread rules: state is the caller's.
#pragma once

#include <cstdint>

namespace lsmtuned::model::simulator {

double next_uniform(std::uint64_t& state);  // in [0, 1)
double next_normal(std::uint64_t& state);   // mean 0, standard deviation 1

}  // namespace lsmtuned::model::simulator
