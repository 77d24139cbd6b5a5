#include "model/accuracy.h"

#include <algorithm>
#include <vector>

namespace lsmtuned::model {
namespace {

// Settings bound by the device with one compaction slot, calibrated on two others.
constexpr const char* kOneSlot = "docs/results/model.md";

// Rows enter here from docs/results/model/model.json only ("one_slot"). v1, v2, v2.1 and V5 were
// given each setting's write amplification by the ledger: alone they rank nothing.
const std::vector<MeasuredAccuracy>& table() {
  static const std::vector<MeasuredAccuracy> kTable = {
      {"files", 0.02592, 0.03259, 0.9941, 0.8333, 36, kOneSlot},
      {"totals", 0.02796, 0.03597, 0.9949, 0.8056, 36, kOneSlot},
      {"ledger", 0.08815, 0.1503, 0.9575, 0.8333, 36, kOneSlot},
      {"v1", 0.08808, 0.1502, 0.9575, 0.8333, 36, kOneSlot},
      {"v1-wal", 0.08808, 0.1502, 0.9575, 0.8333, 36, kOneSlot},
      {"v1-bounds", 0.2691, 0.3734, 0.957, 0.8333, 36, kOneSlot},
      {"v2", 0.2309, 0.2227, 0.9578, 0.8611, 36, kOneSlot},
      {"v2.1", 0.986, 4.279, 0.9578, 1, 36, kOneSlot},
      {"v3", 1.972, 1.086, 0.8906, 0.7778, 36, kOneSlot},
      {"v4", 0.8243, 1.966, 0.3157, 0.8056, 36, kOneSlot},
      {"v4.1-analysis", 0.8067, 1.874, 0.1555, 0.8056, 36, kOneSlot},
      {"v4.1-implementation", 0.8067, 1.874, 0.1555, 0.8056, 36, kOneSlot},
      {"v4.2", 0.5895, 1.177, 0.3157, 0.7222, 36, kOneSlot},
      {"v5-original-reconstructed", 0.5637, 0.8936, 0.9151, 0.8611, 36, kOneSlot},
      {"v5-independence", 0.9565, 3.16, 0.9349, 1, 36, kOneSlot},
      {"v5-independence-reconstructed", 0.9251, 2.632, 0.9151, 1, 36, kOneSlot},
  };
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
