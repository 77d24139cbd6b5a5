// Everything that the published models can take, in one plain structure, with its valid ranges.
//
// Absent means unknown: a model that needs it refuses and names it. Each single number is
// registered once in input_fields() with name, unit, range and meaning; readers of JSON, help texts
// and validation all use that list. Rates in MiB/s (2^20 bytes), times in the unit of the name.
// Thread rules: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/published/phase.h"
#include "model/published/v3.h"

namespace lsmtuned::model::published {

// One level; index 0 is L0.
struct LevelInputs {
  std::optional<double> wa;  // V4.2's tables; give all three or none
  std::optional<double> ra;
  std::optional<double> io_impact;
  std::optional<double> size_mib;  // v2, equation 6 (L1 and deeper)
  std::optional<double> merge_frequency;
  std::optional<double> written_mib;  // v2.1
  std::optional<double> w_amp;        // v2.1: as RocksDB logs it for the level
  std::optional<double> measured_wa;  // live, shown beside the tables; enters no model
  std::optional<double> measured_ra;
};

// v3's own inputs; device bandwidths come from PublishedInputs.
struct V3LevelInputs {
  std::string name;
  double capacity_factor = 1;
  Concurrency concurrency;
  double write_factor = 0;
  double read_factor = 0;
  double write_share = 0;
  double read_share = 0;
};

struct V3Inputs {
  std::uint64_t steps = 0;
  double step_s = 1;
  std::vector<TimedValue> offered_mib_per_s;    // U(t); one entry: constant
  std::vector<TimedValue> read_share;           // rho_r(t); empty: PublishedInputs::read_share
  std::vector<TimedValue> write_amplification;  // WA*(t), log-driven mode
  std::vector<TimedValue> read_amplification;   // RA*(t)
  double concurrency_level = 1;
  double stall_sensitivity_per_file = 0.4;  // not published
  double stall_threshold_files = 20;
  double l0_file_mib = 64;
  double l0_files = 0;
  V3Mode mode = V3Mode::fixed_factors;
  std::vector<V3LevelInputs> levels;
  std::uint64_t sample_every_steps = 0;
};

struct PublishedInputs {
  // Device.
  std::optional<double> write_mib_per_s;
  std::optional<double> read_mib_per_s;
  std::optional<double> mixed_mib_per_s;
  std::optional<double> wal_device_mib_per_s;
  std::optional<double> fresh_write_mib_per_s;
  std::optional<double> fresh_read_mib_per_s;
  std::optional<double> device_degradation;
  std::string bandwidth_source;  // for people: measured how, and when

  // Workload and amplification.
  std::optional<double> record_bytes;
  std::optional<double> write_amplification;
  std::optional<double> read_amplification;
  std::optional<double> compression_ratio;
  std::optional<double> wal_factor;
  std::optional<double> read_share;
  std::optional<double> read_weight;
  std::optional<double> overhead;
  std::optional<double> stall_probability;
  std::optional<double> average_write_amplification;
  std::optional<double> average_read_amplification;

  // Phase and behaviour over time.
  std::optional<Phase> phase;           // the operator's; wins over everything
  std::optional<Phase> detected_phase;  // a detector's
  std::optional<double> runtime_minutes;
  std::optional<double> utilisation;
  std::optional<double> put_rate_variation;
  std::optional<double> trend_slope;
  std::optional<double> compaction_intensity;
  std::optional<double> level_depth;
  std::optional<double> amplification_constraint_ops;
  std::optional<double> volatility_constraint_ops;
  bool degradation_by_phase = false;  // V4.2: fresh, half way, degraded, instead of degraded

  std::string workload = "FillRandom";  // what V4.2 was made for; others get a note
  std::vector<LevelInputs> levels;
  std::optional<V3Inputs> v3;
};

struct InputField {
  const char* name;
  const char* unit;
  double minimum;
  double maximum;
  bool above_minimum;  // the minimum itself is not allowed
  const char* meaning;
  std::optional<double> PublishedInputs::*member;
};

std::span<const InputField> input_fields();
std::string allowed_range(const InputField& field);  // "above 0 and at most 1e+09 MiB/s"

struct LevelField {
  const char* name;
  double minimum;
  double maximum;
  std::optional<double> LevelInputs::*member;
};
std::span<const LevelField> level_fields();

// Every value that is given but outside its range, one sentence each, with what is allowed.
std::vector<std::string> faults(const PublishedInputs& inputs);

}  // namespace lsmtuned::model::published
