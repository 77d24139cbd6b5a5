#include "model/published/statistics.h"

#include <cmath>
#include <cstddef>
#include <numeric>

namespace lsmtuned::model::published {
namespace {

double count(std::span<const double> values) {
  return static_cast<double>(values.size());
}

double sum_of_squares(std::span<const double> values, double center) {
  double sum = 0;
  for (const double value : values) sum += (value - center) * (value - center);
  return sum;
}

}  // namespace

std::optional<double> mean(std::span<const double> values) {
  if (values.empty()) return std::nullopt;
  return std::accumulate(values.begin(), values.end(), 0.0) / count(values);
}

std::optional<double> standard_deviation(std::span<const double> values, Deviation kind) {
  const double divisor = count(values) - (kind == Deviation::sample ? 1.0 : 0.0);
  if (!(divisor > 0)) return std::nullopt;
  return std::sqrt(sum_of_squares(values, *mean(values)) / divisor);
}

std::optional<double> variation(std::span<const double> values, Deviation kind) {
  const auto deviation = standard_deviation(values, kind);
  if (!deviation || *mean(values) == 0) return std::nullopt;
  return *deviation / *mean(values);
}

std::optional<double> slope(std::span<const double> values) {
  if (values.size() < 2) return std::nullopt;
  const double center_x = (count(values) - 1) / 2;
  const double center_y = *mean(values);
  double products = 0;
  double squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double x = static_cast<double>(i) - center_x;
    products += x * (values[i] - center_y);
    squares += x * x;
  }
  return products / squares;
}

std::optional<double> correlation(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size() || x.size() < 2) return std::nullopt;
  const double center_x = *mean(x);
  const double center_y = *mean(y);
  const double spread = std::sqrt(sum_of_squares(x, center_x) * sum_of_squares(y, center_y));
  if (!(spread > 0)) return std::nullopt;
  double products = 0;
  for (std::size_t i = 0; i < x.size(); ++i) products += (x[i] - center_x) * (y[i] - center_y);
  return products / spread;
}

}  // namespace lsmtuned::model::published
