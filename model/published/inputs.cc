#include "model/published/inputs.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace lsmtuned::model::published {
namespace {

constexpr double kMostBandwidth = 1e9;
constexpr double kMostAmplification = 1e4;
constexpr double kMostSteps = 1e7;
constexpr std::size_t kMostLevels = 64;
constexpr std::size_t kTableLevels = 7;

constexpr auto kFields = std::to_array<InputField>({
    {"write_mib_per_s", "MiB/s", 0, kMostBandwidth, true, "the device's write bandwidth now",
     &PublishedInputs::write_mib_per_s},
    {"read_mib_per_s", "MiB/s", 0, kMostBandwidth, true, "the device's read bandwidth now",
     &PublishedInputs::read_mib_per_s},
    {"mixed_mib_per_s", "MiB/s", 0, kMostBandwidth, true,
     "measured bandwidth of mixed reads and writes; absent: from the harmonic mean",
     &PublishedInputs::mixed_mib_per_s},
    {"wal_device_mib_per_s", "MiB/s", 0, kMostBandwidth, true,
     "write bandwidth of the WAL's own device; absent: it shares the data device",
     &PublishedInputs::wal_device_mib_per_s},
    {"fresh_write_mib_per_s", "MiB/s", 0, kMostBandwidth, true, "write bandwidth when fresh",
     &PublishedInputs::fresh_write_mib_per_s},
    {"fresh_read_mib_per_s", "MiB/s", 0, kMostBandwidth, true, "read bandwidth when fresh",
     &PublishedInputs::fresh_read_mib_per_s},
    {"device_degradation", "", 0, 1, false, "share of the fresh write bandwidth that is lost",
     &PublishedInputs::device_degradation},
    {"record_bytes", "B", 1, 1e9, false, "key + value; absent: 1040, the published records",
     &PublishedInputs::record_bytes},
    {"write_amplification", "", 1, kMostAmplification, false,
     "file bytes written by flush and compaction per file byte flushed",
     &PublishedInputs::write_amplification},
    {"read_amplification", "", 0, kMostAmplification, false,
     "bytes read by compaction per file byte flushed", &PublishedInputs::read_amplification},
    {"compression_ratio", "", 1e-4, 10, false, "file bytes per user byte at flush",
     &PublishedInputs::compression_ratio},
    {"wal_factor", "", 0, 10, false, "WAL bytes per user byte", &PublishedInputs::wal_factor},
    {"read_share", "", 0, 1, false, "share of device bytes that are reads",
     &PublishedInputs::read_share},
    {"read_weight", "", 0, 10, false, "weight of reads in v1's mixed bound; not published",
     &PublishedInputs::read_weight},
    {"overhead", "", 0, kMostAmplification, false, "v2's alpha; not published",
     &PublishedInputs::overhead},
    {"stall_probability", "", 0, 1, false, "share of time stalled",
     &PublishedInputs::stall_probability},
    {"average_write_amplification", "", 0, kMostAmplification, false,
     "V4.2; absent: the weighted mean of the table", &PublishedInputs::average_write_amplification},
    {"average_read_amplification", "", 0, kMostAmplification, false,
     "V4.2; absent: the weighted mean of the table", &PublishedInputs::average_read_amplification},
    {"runtime_minutes", "min", 0, 1e9, false, "since the database was empty",
     &PublishedInputs::runtime_minutes},
    {"utilisation", "", 0, 10, true,
     "V4: user bytes per device byte, V5 reconstruction: scale; absent: the published factor",
     &PublishedInputs::utilisation},
    {"put_rate_variation", "", 0, 3, false, "standard deviation of the put rate over its mean",
     &PublishedInputs::put_rate_variation},
    {"trend_slope", "", -10, 1000, false, "V5 reconstruction: trend of the put rate",
     &PublishedInputs::trend_slope},
    {"compaction_intensity", "", 0, kMostAmplification, false, "V5 reconstruction",
     &PublishedInputs::compaction_intensity},
    {"level_depth", "", 1, kMostLevels, false, "levels in use", &PublishedInputs::level_depth},
    {"amplification_constraint_ops", "ops/s", 0, 1e12, false,
     "V5 Original: a constraint whose formula is not published",
     &PublishedInputs::amplification_constraint_ops},
    {"volatility_constraint_ops", "ops/s", 0, 1e12, false,
     "V5 Original: a constraint whose formula is not published",
     &PublishedInputs::volatility_constraint_ops},
});

constexpr auto kLevelFields = std::to_array<LevelField>({
    {"wa", 0, kMostAmplification, &LevelInputs::wa},
    {"ra", 0, kMostAmplification, &LevelInputs::ra},
    {"io_impact", 0, 1, &LevelInputs::io_impact},
    {"size_mib", 0, 1e12, &LevelInputs::size_mib},
    {"merge_frequency", 0, kMostAmplification, &LevelInputs::merge_frequency},
    {"written_mib", 0, 1e15, &LevelInputs::written_mib},
    {"w_amp", 0, 1e6, &LevelInputs::w_amp},
    {"measured_wa", 0, 1e6, &LevelInputs::measured_wa},
    {"measured_ra", 0, 1e6, &LevelInputs::measured_ra},
});

std::string number(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.12g", value);
  return text.data();
}

std::string range_text(double minimum, double maximum, bool above, const char* unit) {
  const std::string suffix = *unit == 0 ? "" : std::string(" ") + unit;
  return (above ? "above " : "at least ") + number(minimum) + " and at most " + number(maximum) +
         suffix;
}

bool inside(double value, double minimum, double maximum, bool above) {
  return std::isfinite(value) && (above ? value > minimum : value >= minimum) && value <= maximum;
}

class Faults {
 public:
  void require(const std::string& name, double value, double minimum, double maximum,
               bool above = false, const char* unit = "") {
    if (inside(value, minimum, maximum, above)) return;
    found_.push_back(name + ": " + number(value) + " is not allowed; " +
                     range_text(minimum, maximum, above, unit));
  }
  void add(std::string text) { found_.push_back(std::move(text)); }
  std::vector<std::string> take() { return std::move(found_); }

 private:
  std::vector<std::string> found_;
};

void check_series(Faults& faults, const std::string& name, const std::vector<TimedValue>& series,
                  double minimum, double maximum) {
  for (std::size_t i = 0; i < series.size(); ++i) {
    faults.require(name + "[" + std::to_string(i) + "]", series[i].value, minimum, maximum);
    faults.require(name + "[" + std::to_string(i) + "] time", series[i].from_s, 0, 1e12);
    if (i > 0 && !(series[i].from_s > series[i - 1].from_s)) {
      faults.add(name + ": times must increase, entry " + std::to_string(i) + " does not");
    }
  }
}

void check_v3(Faults& faults, const V3Inputs& v3) {
  faults.require("v3.steps", static_cast<double>(v3.steps), 1, kMostSteps);
  faults.require("v3.step_s", v3.step_s, 0, 1e6, true, "s");
  check_series(faults, "v3.offered_mib_per_s", v3.offered_mib_per_s, 0, kMostBandwidth);
  check_series(faults, "v3.read_share", v3.read_share, 0, 1);
  check_series(faults, "v3.write_amplification", v3.write_amplification, 0, kMostAmplification);
  check_series(faults, "v3.read_amplification", v3.read_amplification, 0, kMostAmplification);
  if (v3.offered_mib_per_s.empty()) faults.add("v3.offered_mib_per_s: missing; give U(t) in MiB/s");
  faults.require("v3.concurrency_level", v3.concurrency_level, 0, 1e6);
  faults.require("v3.stall_sensitivity_per_file", v3.stall_sensitivity_per_file, 0, 1e3);
  faults.require("v3.stall_threshold_files", v3.stall_threshold_files, 0, 1e6);
  faults.require("v3.l0_file_mib", v3.l0_file_mib, 1e-6, 1e9, false, "MiB");
  faults.require("v3.l0_files", v3.l0_files, 0, 1e9);
  if (v3.levels.empty()) faults.add("v3.levels: missing; at least L0 is needed");
  if (v3.levels.size() > kMostLevels) {
    faults.add("v3.levels: at most " + std::to_string(kMostLevels) + " are allowed");
  }
  for (std::size_t l = 0; l < v3.levels.size(); ++l) {
    const V3LevelInputs& level = v3.levels[l];
    const std::string at = "v3.levels[" + std::to_string(l) + "].";
    faults.require(at + "capacity_factor", level.capacity_factor, 0, 1e3);
    faults.require(at + "concurrency.least", level.concurrency.least, 0, 1e3);
    faults.require(at + "concurrency.most", level.concurrency.most, 0, 1e3);
    faults.require(at + "concurrency.steepness", level.concurrency.steepness, -1e3, 1e3);
    faults.require(at + "concurrency.middle", level.concurrency.middle, -1e6, 1e6);
    faults.require(at + "write_factor", level.write_factor, 0, kMostAmplification);
    faults.require(at + "read_factor", level.read_factor, 0, kMostAmplification);
    faults.require(at + "write_share", level.write_share, 0, 1);
    faults.require(at + "read_share", level.read_share, 0, 1);
  }
}

}  // namespace

std::span<const InputField> input_fields() {
  return kFields;
}
std::span<const LevelField> level_fields() {
  return kLevelFields;
}

std::string allowed_range(const InputField& field) {
  return range_text(field.minimum, field.maximum, field.above_minimum, field.unit);
}

std::vector<std::string> faults(const PublishedInputs& inputs) {
  Faults found;
  for (const InputField& field : kFields) {
    if (const auto& value = inputs.*(field.member)) {
      found.require(field.name, *value, field.minimum, field.maximum, field.above_minimum,
                    field.unit);
    }
  }
  if (inputs.levels.size() > kMostLevels) {
    found.add("levels: at most " + std::to_string(kMostLevels) + " are allowed");
  }
  for (std::size_t l = 0; l < inputs.levels.size(); ++l) {
    const LevelInputs& level = inputs.levels[l];
    const std::string at = "levels[" + std::to_string(l) + "]";
    for (const LevelField& field : kLevelFields) {
      if (const auto& value = level.*(field.member)) {
        found.require(at + "." + field.name, *value, field.minimum, field.maximum);
      }
    }
    const int tables = level.wa.has_value() + level.ra.has_value() + level.io_impact.has_value();
    if (tables != 0 && tables != 3) found.add(at + ": give wa, ra and io_impact together");
    if (tables != 0 && l >= kTableLevels) found.add(at + ": V4.2 knows L0 to L6 only");
  }
  if (inputs.v3) check_v3(found, *inputs.v3);
  return found.take();
}

}  // namespace lsmtuned::model::published
