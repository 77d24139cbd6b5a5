// Whatever snapshots say, parameters stay finite and within their ranges.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "model/estimate/bounds.h"
#include "model/estimate/calibrate.h"
#include "model/estimate/filter.h"
#include "model/estimate/interval.h"
#include "tests/unit/estimate/plant.h"

namespace lsmtuned::model {
namespace {

class Spoiler {
 public:
  explicit Spoiler(std::uint64_t seed) : random_(seed) {}
  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }

  double value(double present) {
    switch (below(9)) {
      case 0:
        return std::numeric_limits<double>::quiet_NaN();
      case 1:
        return std::numeric_limits<double>::infinity();
      case 2:
        return -present - 1;
      case 3:
        return 0;
      case 4:
        return 1e300;
      case 5:
        return std::numeric_limits<double>::denorm_min();
      case 6:
        return present + std::pow(10.0, static_cast<double>(below(16)));
      default:
        return present * std::pow(10.0, static_cast<double>(below(9)) - 4);
    }
  }
  void spoil(double& field) { field = value(field); }

  void spoil(Snapshot& s) {
    LevelStats& level = s.families[0].levels[below(s.families[0].levels.size())];
    DatabaseCounters& c = s.counters;
    FamilySnapshot& f = s.families[0];
    double* const fields[] = {&level.size_bytes,
                              &level.read_bytes,
                              &level.read_from_upper_bytes,
                              &level.read_from_this_bytes,
                              &level.write_bytes,
                              &level.moved_bytes,
                              &level.compaction_seconds,
                              &level.compaction_cpu_seconds,
                              &level.compaction_count,
                              &level.keys_in,
                              &level.keys_dropped,
                              &level.compression_ratio,
                              &c.user_bytes,
                              &c.keys_written,
                              &c.wal_bytes,
                              &c.flush_write_bytes,
                              &c.compaction_read_bytes,
                              &c.compaction_write_bytes,
                              &c.stall_seconds,
                              &f.all_memtables_bytes,
                              &f.base_level,
                              &f.levels[0].files,
                              &f.facts.min_write_buffer_number_to_merge,
                              &f.stalls.l0_slowdown,
                              &s.time_s,
                              &s.database_uptime_s,
                              &s.state.delayed_write_rate,
                              &s.device->write_bytes,
                              &s.device->busy_seconds,
                              &s.device->write_limit_bytes_per_s,
                              &s.device->read_limit_bytes_per_s};
    spoil(*fields[below(std::size(fields))]);
    if (chance(8)) s.state.l0_compactions_completed = random_();
    if (chance(8)) s.state.flushes_completed = random_();
    if (chance(20)) ++s.incarnation;
    if (chance(20)) f.levels.resize(below(3));
    if (chance(20)) s.families.clear();
    if (chance(20)) s.device.reset();
  }

 private:
  std::mt19937_64 random_;
};

void check(const Calibration& calibration) {
  RC_ASSERT(bounded(calibration) == calibration);  // also false for any NaN
  const Uncertainty& about = calibration.uncertainty;
  for (const auto* values : {&about.covariance, &about.cpu_covariance}) {
    for (const double value : *values) RC_ASSERT(std::isfinite(value));
  }
  if (!about.covariance.empty()) {
    // Accepted as it is, and not replaced by priors.
    const Belief belief = belief_of(calibration);
    RC_ASSERT(belief.covariance(1, 0) == about.covariance[4]);
    RC_ASSERT(belief.covariance(3, 3) == about.covariance[15]);
  }
}

RC_GTEST_PROP(Garbage, LeavesEveryParameterWithinBounds, (std::uint64_t seed)) {
  Spoiler spoiler(seed);
  testing::Plant plant;
  Snapshot seen = plant.now();
  if (spoiler.chance(2)) spoiler.spoil(seen);
  Calibration calibration = prior_from(seen);
  check(calibration);
  int learned = 0;
  for (int i = 0; i < 40; ++i) {
    plant.bandwidth = std::pow(10.0, 5 + static_cast<double>(spoiler.below(6)));
    plant.cpu_bound = spoiler.chance(3) ? 1e6 : 0;
    Snapshot next = plant.advance(1 + static_cast<double>(spoiler.below(200)));
    if (spoiler.chance(2)) {
      for (std::size_t n = spoiler.below(3); n < 3; ++n) {
        if (!next.families.empty() && next.families[0].levels.size() > 2 && next.device) {
          spoiler.spoil(next);
        }
      }
    }
    const Lesson lesson = learn(calibration, seen, next);
    learned += lesson.outcome == LessonOutcome::learned;
    calibration = lesson.calibration;
    check(calibration);
    ModelInput input{plant.now().settings, plant.now().families[0], 2, true, 60, true};
    if (const auto prediction = predict_with_interval(input, calibration)) {
      RC_ASSERT(std::isfinite(prediction->put_bytes_per_s));
      RC_ASSERT(prediction->low_bytes_per_s <= prediction->put_bytes_per_s);
      RC_ASSERT(prediction->put_bytes_per_s <= prediction->high_bytes_per_s);
      RC_ASSERT(std::isfinite(prediction->high_bytes_per_s));
    }
    seen = next;
  }
  RC_CLASSIFY(learned >= 5, "taught at least five lessons");
}

// A stored calibration may hold anything that JSON can.
RC_GTEST_PROP(Garbage, AStoredCalibrationIsBroughtWithinBounds, (std::uint64_t seed)) {
  Spoiler spoiler(seed);
  Calibration calibration;
  double* const fields[] = {&calibration.flush_bytes_per_user_byte,
                            &calibration.memtable_fill,
                            &calibration.distinct_keys,
                            &calibration.write_bandwidth,
                            &calibration.read_bandwidth,
                            &calibration.l0_speed_up_exponent,
                            &calibration.foreground_bytes_per_second,
                            &calibration.log_residual,
                            &calibration.relative_error,
                            &calibration.evidence_l0_compactions,
                            &calibration.cpu_seconds_per_byte,
                            &calibration.uncertainty.reference_write_bandwidth,
                            &calibration.uncertainty.coverage_log_scale,
                            &calibration.uncertainty.error_variance,
                            &calibration.uncertainty.gain_error};
  for (double* field : fields) {
    if (spoiler.chance(3)) spoiler.spoil(*field);
  }
  for (auto* values :
       {&calibration.overlap, &calibration.uncertainty.covariance,
        &calibration.uncertainty.cpu_covariance, &calibration.uncertainty.outlier_streaks}) {
    if (!spoiler.chance(2)) continue;
    values->resize(spoiler.below(20));
    for (double& value : *values) spoiler.spoil(value);
  }
  testing::Plant plant;
  for (int i = 0; i < 5; ++i) {
    const Snapshot before = plant.now();
    const Lesson lesson = learn(calibration, before, plant.advance());
    RC_ASSERT(lesson.outcome == LessonOutcome::learned);
    calibration = lesson.calibration;
    check(calibration);
  }
}

}  // namespace
}  // namespace lsmtuned::model
