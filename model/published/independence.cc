#include "model/published/independence.h"

#include <Eigen/QR>
#include <cmath>

#include "model/published/statistics.h"

namespace lsmtuned::model::published {
namespace {

constexpr double kExact = 1e-9;  // of 1 - R^2 or 1 - |r|

std::optional<Error> fault_of(std::span<const ParameterSeries> parameters) {
  if (parameters.size() < 2) return Error{"independence: at least two parameters are needed", ""};
  const std::size_t runs = parameters.front().values.size();
  for (const ParameterSeries& parameter : parameters) {
    if (parameter.values.size() != runs) {
      return Error{"independence: " + parameter.name + " has " +
                       std::to_string(parameter.values.size()) + " values, " +
                       parameters.front().name + " has " + std::to_string(runs),
                   "give one value for each run"};
    }
    for (const double value : parameter.values) {
      if (!std::isfinite(value)) {
        return Error{"independence: " + parameter.name + " has a value that is not finite", ""};
      }
    }
  }
  if (runs <= parameters.size()) {
    return Error{"independence: " + std::to_string(runs) + " runs cannot tell " +
                     std::to_string(parameters.size()) + " parameters apart",
                 "record more runs than parameters"};
  }
  return std::nullopt;
}

// Centred and scaled to unit length; empty for a constant.
Eigen::VectorXd standardized(const std::vector<double>& values) {
  Eigen::VectorXd column =
      Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
  const double size = column.norm();
  column.array() -= column.mean();
  if (column.norm() <= kExact * size) return {};
  return column.normalized();
}

// 1 - R^2 of `target` on the columns of `others`.
double unexplained(const Eigen::VectorXd& target, const Eigen::MatrixXd& others) {
  if (others.cols() == 0) return 1;
  const Eigen::VectorXd fit = others * others.colPivHouseholderQr().solve(target);
  return (target - fit).squaredNorm();
}

}  // namespace

Result<IndependenceReport> parameter_independence(std::span<const ParameterSeries> parameters) {
  if (auto error = fault_of(parameters)) return *error;
  IndependenceReport report;
  report.runs = parameters.front().values.size();
  std::vector<Eigen::VectorXd> columns;
  for (const ParameterSeries& parameter : parameters) {
    columns.push_back(standardized(parameter.values));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    ParameterIndependence about;
    about.name = parameters[i].name;
    about.constant = columns[i].size() == 0;
    std::vector<std::optional<double>> row;
    Eigen::MatrixXd others(static_cast<Eigen::Index>(report.runs), 0);
    for (std::size_t j = 0; j < parameters.size(); ++j) {
      if (about.constant || columns[j].size() == 0) {
        row.emplace_back();
        continue;
      }
      const double r = i == j ? 1 : columns[i].dot(columns[j]);
      row.emplace_back(r);
      if (i == j) continue;
      if (j < i && 1 - std::abs(r) < kExact && about.duplicate_of.empty()) {
        about.duplicate_of = parameters[j].name;
      }
      others.conservativeResize(Eigen::NoChange, others.cols() + 1);
      others.col(others.cols() - 1) = columns[j];
    }
    if (!about.constant) {
      const double rest = unexplained(columns[i], others);
      about.determined = rest < kExact;
      if (!about.determined) about.inflation = 1 / rest;
      if (about.determined || *about.inflation > 5) ++report.above_five;
    }
    report.correlations.push_back(std::move(row));
    report.parameters.push_back(std::move(about));
  }
  return report;
}

}  // namespace lsmtuned::model::published
