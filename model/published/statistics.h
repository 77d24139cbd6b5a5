// Small-sample statistics that the published models and their evaluation need.
//
// Valid range: finite values; too few of them give no value (nullopt), never a guess. Pure; thread
// rules: plain functions.
#pragma once

#include <optional>
#include <span>

namespace lsmtuned::model::published {

enum class Deviation { population, sample };  // divisor n, or n - 1

std::optional<double> mean(std::span<const double> values);
std::optional<double> standard_deviation(std::span<const double> values, Deviation kind);

// Standard deviation over mean. None for too few values or a mean of 0.
std::optional<double> variation(std::span<const double> values, Deviation kind);

// Least-squares slope of `values` against 0, 1, 2, ..., so per sample, not per unit of time.
std::optional<double> slope(std::span<const double> values);

// Pearson's r. None for fewer than two pairs, unequal lengths or a constant side.
std::optional<double> correlation(std::span<const double> x, std::span<const double> y);

}  // namespace lsmtuned::model::published
