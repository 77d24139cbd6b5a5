#include "model/accuracy.h"

#include <algorithm>
#include <vector>

namespace lsmtuned::model {
namespace {

// Rows enter here from docs/results only.
const std::vector<MeasuredAccuracy>& table() {
  static const std::vector<MeasuredAccuracy> kTable = {};
  return kTable;
}

// The ledger's is the prior that its calibration starts with (Calibration::relative_error).
constexpr double kLedgerPrior = 0.15;
constexpr double kTotalsPrior = 0.10;
constexpr double kFilesPrior = 0.08;

}  // namespace

std::optional<MeasuredAccuracy> measured_accuracy(std::string_view model) {
  const auto found = std::find_if(table().begin(), table().end(),
                                  [&](const MeasuredAccuracy& row) { return model == row.model; });
  if (found == table().end()) return std::nullopt;
  return *found;
}

ModelSpread model_spread(std::string_view model) {
  if (const auto measured = measured_accuracy(model))
    return {measured->log_standard_deviation, true};
  if (model == "files") return {kFilesPrior, false};
  if (model == "totals") return {kTotalsPrior, false};
  return {kLedgerPrior, false};
}

}  // namespace lsmtuned::model
