#include "model/estimate/calibrate.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "model/estimate/bounds.h"
#include "model/estimate/cpu.h"
#include "model/estimate/deltas.h"
#include "model/estimate/interval.h"
#include "model/estimate/limits.h"
#include "model/estimate/ratios.h"
#include "model/estimate/regime.h"

namespace lsmtuned::model {
namespace {

constexpr double kLongestInterval = 3600;  // seconds; beyond it something was asleep
constexpr double kMostKeysPerS = 1e9;
constexpr double kMostJobSeconds = 1e7;  // booked when a job ends, so not bounded by the interval
constexpr double kMostCores = 1024;

// The part of what is known that new evidence of `weight` L0 jobs replaces.
double gain_of(double weight, double evidence, double prior) {
  const double past = std::min(evidence + prior, kMemoryCompactions);
  return weight / (weight + past);
}

bool plausible(const Deltas& deltas, double seconds) {
  const double most = kFastestBytesPerS * seconds;
  if (deltas.user_bytes > most || deltas.wal_bytes > most || deltas.flush_bytes > most ||
      deltas.keys > kMostKeysPerS * seconds || std::abs(deltas.memtable_growth_bytes) > most) {
    return false;
  }
  for (const LevelStats& level : deltas.levels) {
    if (level.size_bytes > kFastestBytesPerS * kLongestInterval || level.read_bytes > most ||
        level.read_from_upper_bytes > most || level.read_from_this_bytes > most ||
        level.write_bytes > most || level.moved_bytes > kFastestBytesPerS * kLongestInterval ||
        level.keys_in > kMostKeysPerS * seconds || level.keys_dropped > level.keys_in ||
        level.compaction_seconds > kMostJobSeconds ||
        level.compaction_cpu_seconds > kMostCores * (level.compaction_seconds + 1)) {
      return false;
    }
  }
  return true;
}

bool plausible(const Interval& interval) {
  const double carried =
      std::max({interval.put_bytes_per_s * interval.write_amplification,
                interval.put_bytes_per_s * interval.read_amplification,
                interval.device_write_bytes_per_s, interval.device_read_bytes_per_s});
  return carried <= kFastestBytesPerS;
}

LessonOutcome refusal_of(const Snapshot& earlier, const Snapshot& later, const Interval& interval,
                         Deltas& deltas) {
  if (earlier.incarnation != later.incarnation) return LessonOutcome::restart;
  if (!refuse_reason(nullptr, earlier).empty() || !refuse_reason(&earlier, later).empty() ||
      !interval.valid) {
    return LessonOutcome::bad_data;
  }
  if (interval.seconds > kLongestInterval) return LessonOutcome::gap;
  if (!(earlier.settings == later.settings)) return LessonOutcome::settings_changed;
  if (!deltas_between(&earlier, later, deltas)) return LessonOutcome::reset;
  if (!plausible(interval) || !plausible(deltas, interval.seconds)) {
    return LessonOutcome::implausible;
  }
  if (interval.l0_compactions < 1) return LessonOutcome::too_short;
  if (!(interval.put_bytes_per_s > 0)) return LessonOutcome::idle;
  return LessonOutcome::learned;
}

// What the calibration before the interval expected of it. The first lesson only replaces priors:
// what they expected says nothing about the model.
std::optional<PredictiveInterval> expected_of(const Calibration& before, const Evidence& evidence) {
  if (!evidence.regime.held_back || !(before.evidence_l0_compactions > 0)) return std::nullopt;
  const ModelInput input = input_of(evidence, before);
  const auto interval = propagate(before, [&](const Calibration& point) -> Result<double> {
    const auto prediction = predict(input, point);
    if (!prediction) return prediction.error();
    return prediction->put_bytes_per_s;
  });
  if (!interval) return std::nullopt;
  return *interval;
}

}  // namespace

const char* to_text(LessonOutcome outcome) {
  switch (outcome) {
    case LessonOutcome::learned:
      return "learned";
    case LessonOutcome::restart:
      return "restart";
    case LessonOutcome::bad_data:
      return "bad data";
    case LessonOutcome::reset:
      return "counter reset";
    case LessonOutcome::gap:
      return "gap";
    case LessonOutcome::settings_changed:
      return "settings changed";
    case LessonOutcome::implausible:
      return "implausible";
    case LessonOutcome::too_short:
      return "no L0 compaction";
    case LessonOutcome::idle:
      return "idle";
  }
  return "unknown";
}

void LessonCounts::add(const Lesson& lesson) {
  ++by_outcome[static_cast<std::size_t>(lesson.outcome)];
  observations += static_cast<std::uint64_t>(lesson.observations);
  outliers += static_cast<std::uint64_t>(lesson.outliers);
}

Lesson learn(const Calibration& before, const Snapshot& earlier, const Snapshot& later) {
  Lesson lesson;
  lesson.calibration = before;
  const Interval interval = measure(earlier, later);
  Deltas deltas;
  lesson.outcome = refusal_of(earlier, later, interval, deltas);
  if (lesson.outcome != LessonOutcome::learned) return lesson;

  Calibration next = bounded(before);
  const double jobs = interval.l0_compactions;
  const double gain = gain_of(jobs, next.evidence_l0_compactions, 0);
  const double gain_with_prior = gain_of(jobs, next.evidence_l0_compactions, kPriorCompactions);
  const Regime regime = regime_of(earlier, later, interval, deltas);
  const Evidence evidence{earlier, later, interval, deltas, regime, gain};
  const auto expected = expected_of(next, evidence);

  learn_ratios(next, deltas, later.settings, gain, gain_with_prior);
  learn_cpu(next, deltas, interval.seconds);
  const Observed observed = learn_limits(next, evidence);
  if (expected) record_outcome(next, *expected, interval.put_bytes_per_s, jobs);
  next.evidence_seconds += interval.seconds;
  next.evidence_l0_compactions += jobs;
  lesson.calibration = bounded(std::move(next));
  lesson.observations = observed.accepted;
  lesson.outliers = observed.outliers;
  return lesson;
}

Calibration calibrate(const Calibration& before, const Snapshot& earlier, const Snapshot& later) {
  return learn(before, earlier, later).calibration;
}

Calibration prior_from(const Snapshot& first) {
  Calibration prior;
  if (!refuse_reason(nullptr, first).empty()) return prior;
  Deltas since_open;
  if (deltas_between(nullptr, first, since_open) &&
      plausible(since_open, std::max(1.0, first.database_uptime_s))) {
    learn_compression(prior, since_open);
    // A database that has flushed and compacted since its open already shows its ratios.
    if (since_open.user_bytes > 0 && since_open.base_jobs >= 1) {
      learn_ratios(prior, since_open, first.settings, 1.0,
                   gain_of(since_open.base_jobs, 0, kPriorCompactions));
      learn_cpu(prior, since_open, first.database_uptime_s);
    }
  }
  if (first.device && first.device->write_limit_bytes_per_s > 0) {
    begin_with_limit(prior, first.device->write_limit_bytes_per_s,
                     first.device->read_limit_bytes_per_s);
  }
  return bounded(std::move(prior));
}

}  // namespace lsmtuned::model
