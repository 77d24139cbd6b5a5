// What each published model is and what may be asked of it. Claims of accuracy that the documents
// make are left out: those that could be checked did not hold (docs/published-models.md).
#include <array>

#include "model/published/registry.h"

namespace lsmtuned::model::published {
namespace {

constexpr const char* kNothing = "nothing";
constexpr const char* kNoSettings = "settings: none enters, every candidate gets the same number";

constexpr auto kModels = std::to_array<ModelInfo>({
    {"v1", "v1 Basic Static", "v1_eq4", "write bandwidth over compressed write amplification",
     "write_mib_per_s, write_amplification, compression_ratio",
     "settings whose write amplification is given, on a write-limited device",
     "settings by themselves", "no WAL, reads, CPU or stalls: an upper bound at best"},
    {"v1-wal", "v1 Basic Static with WAL", "v1_eq7", "write bandwidth over the demand of eq. 7",
     "write_mib_per_s, write_amplification, compression_ratio, wal_factor",
     "settings whose write amplification is given, on a write-limited device",
     "settings by themselves", "no reads, CPU or stalls: an upper bound at best"},
    {"v1-bounds", "v1 with write, read and mixed bound", "v1_bounds",
     "the least of three bandwidth bounds",
     "write_mib_per_s, read_mib_per_s, mixed_mib_per_s or read_share, write_amplification, "
     "compression_ratio, wal_factor, read_weight",
     "settings whose write amplification is given", "settings by themselves",
     "the weight of reads is not published; no CPU or stalls"},
    {"v2", "v2 Enhanced Static", "v2_eq5", "v1 on the mixed bandwidth, over 1 + alpha",
     "mixed_mib_per_s or (write_mib_per_s, read_mib_per_s, read_share), write_amplification or "
     "(levels with size_mib and merge_frequency), compression_ratio, overhead",
     "settings whose write amplification is given", "settings by themselves",
     "alpha is not published: a free scale"},
    {"v2.1", "v2.1 Enhanced Static with level bounds", "v2.1",
     "the least of write, read, mixed and level bounds, times 1 - stall share",
     "write_mib_per_s, read_mib_per_s, read_share, write_amplification, compression_ratio, "
     "wal_factor, stall_probability, levels with written_mib and w_amp",
     kNothing, "settings: the stall share was measured under other ones",
     "reconstructed; level shares cancel; a level's W-Amp is used as its read/write ratio"},
    {"v3", "v3 Dynamic", "v3_algorithm1",
     "step-by-step simulation: stall from L0 files, device mix, capacity and backlog by level",
     "write_mib_per_s, read_mib_per_s, read_share or its series, v3",
     "L0 file size and stall threshold, roughly",
     "anything else: amplification, compression and deeper levels have no effect at equilibrium",
     "L0 drains its own inflow; backlog of deeper levels never stalls writes; capacity factors "
     "are not published and must be calibrated"},
    {"v4", "V4 Device Envelope", "v4_device_envelope", "a share of the device's bytes, by phase",
     "write_mib_per_s", kNothing, kNoSettings,
     "made for fillrandom; the printed shares are not those its own measurements imply"},
    {"v4.1-analysis", "V4.1 Temporal, as in the analysis", "v4_1_temporal",
     "V4 times a factor by phase", "write_mib_per_s", kNothing, kNoSettings,
     "as V4; no published number comes out of either variant"},
    {"v4.1-implementation", "V4.1 Temporal, as in the implementation guide", "v4_1_temporal",
     "V4 times a factor by phase; one more factor in the final phase", "write_mib_per_s", kNothing,
     kNoSettings, "as V4; no published number comes out of either variant"},
    {"v4.2", "V4.2 Enhanced Level-Wise Temporal", "v4.2_enhanced_level_wise_temporal",
     "bandwidth over penalties from amplification by level, times factors by phase",
     "write_mib_per_s", kNothing, "settings: its tables belong to the phase",
     "made for fillrandom; rises with the phases while measured rates fall; most io_impact values "
     "are reconstructed"},
    {"v5-original", "V5 Original, as printed", "v5_original",
     "three constraints, weighted by phase",
     "write_mib_per_s, device_degradation, and by phase amplification_constraint_ops and "
     "volatility_constraint_ops",
     kNothing, kNoSettings,
     "two of the three constraints are not published; the third counts degradation twice"},
    {"v5-original-reconstructed", "V5 Original, reconstructed", "v5_original",
     "bandwidth with penalties by phase",
     "write_mib_per_s, and by phase put_rate_variation, trend_slope, write_amplification, "
     "compaction_intensity, read_amplification, level_depth",
     kNothing, "settings: variation and amplification are outcomes",
     "another formula than the printed one"},
    {"v5-independence", "V5 Independence-Optimized, as printed", "v5_independence_optimized",
     "V4 with penalties on amplification and a bonus on steadiness",
     "write_mib_per_s, and by phase write_amplification, read_amplification, put_rate_variation",
     kNothing, "settings: variation and amplification are outcomes",
     "amplification enters as an arbitrary penalty, not as bytes"},
    {"v5-independence-reconstructed", "V5 Independence-Optimized, reconstructed",
     "v5_independence_optimized", "as printed, with other penalties",
     "write_mib_per_s, and by phase write_amplification, read_amplification, put_rate_variation",
     kNothing, "settings: variation and amplification are outcomes",
     "another formula than the printed one"},
});

}  // namespace

std::span<const ModelInfo> models() {
  return kModels;
}

Result<ModelInfo> find_model(std::string_view id) {
  std::string known;
  for (const ModelInfo& model : kModels) {
    if (id == model.id) return model;
    known += (known.empty() ? "" : ", ") + std::string(model.id);
  }
  return Error{"model: \"" + std::string(id) + "\" is not known", "known models: " + known};
}

const char* to_text(RateUnit unit) {
  return unit == RateUnit::ops_per_s ? "ops/s" : "MiB/s";
}

}  // namespace lsmtuned::model::published
