#include "model/simulator/random.h"

#include <cmath>
#include <numbers>

namespace lsmtuned::model::simulator {

double next_uniform(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  z ^= z >> 31U;
  return static_cast<double>(z >> 11U) * 0x1.0p-53;
}

double next_normal(std::uint64_t& state) {
  const double radius = std::sqrt(-2 * std::log1p(-next_uniform(state)));
  return radius * std::cos(2 * std::numbers::pi * next_uniform(state));
}

}  // namespace lsmtuned::model::simulator
