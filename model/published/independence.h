// Whether parameters of a model say different things: correlations and variance inflation.
//
// Seed 001 asks for it; its own counts cannot be computed from what it prints. VIF_j =
// 1 / (1 - R^2) of parameter j regressed on all others; above 5 is the usual warning. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/result.h"

namespace lsmtuned::model::published {

struct ParameterSeries {
  std::string name;
  std::vector<double> values;  // one for each recorded run
};

struct ParameterIndependence {
  std::string name;
  bool constant = false;            // never varied: nothing can be said
  std::optional<double> inflation;  // VIF; absent when constant or fully determined by the others
  bool determined = false;          // an exact linear function of the others
  std::string duplicate_of;         // the first earlier parameter with |r| = 1; else empty
};

struct IndependenceReport {
  std::vector<ParameterIndependence> parameters;
  // correlations[i][j]; absent where one side is constant.
  std::vector<std::vector<std::optional<double>>> correlations;
  std::size_t above_five = 0;  // inflated beyond 5, determined ones included
  std::size_t runs = 0;
};

// Errors: fewer than two parameters, unequal lengths, values not finite, or not more runs than
// parameters (then every parameter is determined by the others and VIF means nothing).
Result<IndependenceReport> parameter_independence(std::span<const ParameterSeries> parameters);

}  // namespace lsmtuned::model::published
