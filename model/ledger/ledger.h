// The byte ledger: bytes written and read per user byte, and the bounds on the put rate, from
// settings and tree shape (model-proposal.md sections 3 and 4).
//
// Pure functions; units bytes, seconds, bytes per second; valid for leveled compaction only
// (predict() refuses other styles). It can rank settings; it knows nothing of cycles and
// transients: at saturation it uses the fixed point of section 4 (N* grows to the L0 stall
// equilibrium). A simulator replaces it as the decider later: callers depend on Predictor below,
// not on this file.
#pragma once

#include <string>
#include <vector>

#include "model/ledger/uncertainty.h"
#include "model/result.h"
#include "model/settings.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

// Calibrated parameters, each with how much evidence it holds. Names follow model-proposal.md.
struct Calibration {
  double flush_bytes_per_user_byte = 1.0;            // chi: file bytes per user byte at flush
  double wal_bytes_per_user_byte = 0.0;              // omega
  double memtable_fill = 0.9;                        // eta: flushed user bytes / (m * W)
  std::vector<double> overlap = {0.93, 0.55, 0.39};  // o_1.., priors from section 9
  std::vector<double> moved_share;                   // nu_l, l >= 1
  std::vector<double> drop_share;         // q_l, l >= 1: records entering that replace one there
  std::vector<double> level_compression;  // c_l relative to L0
  double record_bytes = 1040;             // key + value
  double distinct_keys = 0;               // 0: unknown; drop_share is then used as it is
  double cpu_seconds_per_byte = 1.8 / (1024.0 * 1024.0 * 1024.0);  // kappa_B
  double cpu_seconds_per_record = 0.25e-6;                         // kappa_R
  double background_cores = 1;                                     // C_bg
  double write_bandwidth = 0;              // u * B_w, bytes/s; 0: unknown, bound not applied
  double read_bandwidth = 0;               // u * B_r
  double mix_exponent = 1;                 // p: 1 serial, larger overlaps reads with writes
  double job_bytes_per_second = 0;         // v: input bytes per second of one job; 0: unknown
  double l0_speed_up_exponent = 1;         // e: sigma(s) = min(s, cores)^e, 0..1
  double flush_bytes_per_second = 0;       // v_f; 0: unknown
  double foreground_bytes_per_second = 0;  // S_fg; 0: never seen unstalled
  double log_residual = 0;                 // rho = ln S_measured - ln S_model, smoothed
  double relative_error = 0.15;            // structural standard deviation of ln S
  double evidence_seconds = 0;             // time covered by accepted intervals
  double evidence_l0_compactions = 0;
  Uncertainty uncertainty;
  bool operator==(const Calibration&) const = default;
};

enum class Bound { device, wal_device, limiter, cpu, slots, l0_lane, flush, foreground, none };
const char* to_text(Bound bound);

// Everything the model needs about the present: one family decides (the worst), the others are
// added to memory only.
struct ModelInput {
  Settings settings;
  FamilySnapshot family;
  double cpu_cores = 1;
  bool saturated = true;  // predict the highest rate; false: calm amplification
  double horizon_s = 0;   // 0: settled state; else the mean over this time, from the present tree
  // L0 already stands at its equilibrium when the horizon begins, as in a trial that is judged only
  // after settling. False: L0 fills up from its present count, which postpones compaction.
  bool l0_settled = false;
};

struct Prediction {
  double put_bytes_per_s = 0;  // S_max, user bytes, settled state
  double low_bytes_per_s = 0;  // 80 % interval
  double high_bytes_per_s = 0;
  double horizon_s = 0;            // 0: settled state without growing debt
  double write_amplification = 0;  // w: device bytes written per user byte, WAL included
  double read_amplification = 0;   // r: compaction bytes read per user byte
  double l0_files = 0;             // N*: files taken by one L0 -> base compaction
  double pending_bytes = 0;        // RocksDB's estimate just after an L0 -> base compaction
  double space_bytes = 0;          // settled SST bytes
  Bound bound = Bound::none;
  Bound runner_up = Bound::none;
  std::string model = "ledger-1";
  bool operator==(const Prediction&) const = default;
};

Result<Prediction> predict(const ModelInput& input, const Calibration& calibration);

struct BoundValue {
  Bound bound = Bound::none;
  double put_bytes_per_s = 0;
  bool operator==(const BoundValue&) const = default;
};
// Every bound that applies, lowest first: the first is the binding one. What is not known sets no
// bound. With a horizon each is taken at the demand of the predicted rate. Errors: as predict().
Result<std::vector<BoundValue>> ranked_bounds(const ModelInput& input,
                                              const Calibration& calibration);

// V4's identity, a diagnostic: the share of the device's bytes that are user bytes,
// U = S / B, and in ledger terms U = u / (w + r * B_w / B_r).
double device_utilisation_v4(double put_bytes_per_s, double device_bytes_per_s);

}  // namespace lsmtuned::model
