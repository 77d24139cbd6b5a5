// Inputs that several model tests share.
#pragma once

#include "model/ledger/ledger.h"
#include "model/settings.h"
#include "model/snapshot.h"
#include "model/units.h"

namespace lsmtuned::model::testing {

inline const std::string kFamily = "default";

// RocksDB's defaults for every knob but the rate limiter, which a database need not have.
inline Settings default_settings() {
  Settings settings;
  for (const KnobInfo& about : all_knobs()) {
    if (about.scope != KnobScope::limiter) settings.set(kFamily, about.knob, about.rocksdb_default);
  }
  return settings;
}

inline FamilySnapshot family_with(std::vector<double> level_bytes, double l0_files = 0) {
  FamilySnapshot family;
  family.name = kFamily;
  family.levels.resize(7);
  for (std::size_t i = 0; i < level_bytes.size(); ++i) family.levels[i].size_bytes = level_bytes[i];
  family.levels[0].files = l0_files;
  return family;
}

// Nothing is bound by CPU, so that a test sees one bound at a time.
inline Calibration without_cpu(Calibration calibration) {
  calibration.cpu_seconds_per_byte = 0;
  calibration.cpu_seconds_per_record = 0;
  return calibration;
}

}  // namespace lsmtuned::model::testing
