#include "model/loglines/merge_keys.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lsmtuned::model {
namespace {

constexpr int kHalvings = 80;
constexpr double kMostKeys = 1e15;

// The K in [least, kMostKeys] at which the rising function `kept_of` reaches `kept`.
template <class KeptOf>
double solve(double least, double kept, const KeptOf& kept_of) {
  double low = std::log(least);
  double high = std::log(kMostKeys);
  for (int i = 0; i < kHalvings && high - low > 1e-7; ++i) {
    const double middle = (low + high) / 2;
    (kept_of(std::exp(middle)) < kept ? low : high) = middle;
  }
  return std::exp((low + high) / 2);
}

}  // namespace

double keys_from_draws(double draws, double kept) {
  if (!(kept > 0) || !(kept < draws) || !(draws < kMostKeys)) return 0;
  return solve(kept, kept, [&](double keys) { return -keys * std::expm1(-draws / keys); });
}

double keys_from_merge_of(const std::vector<double>& runs, double kept) {
  const double all = std::accumulate(runs.begin(), runs.end(), 0.0);
  const double largest = runs.empty() ? 0 : *std::max_element(runs.begin(), runs.end());
  if (!(kept > 0) || !(kept < all) || !(all < kMostKeys)) return 0;
  return solve(std::max(largest, kept), kept, [&](double keys) {
    double log_missed = 0;
    for (const double run : runs) log_missed += std::log1p(-std::min(run / keys, 1 - 1e-15));
    return -keys * std::expm1(log_missed);
  });
}

}  // namespace lsmtuned::model
