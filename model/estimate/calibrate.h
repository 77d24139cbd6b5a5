// Calibration from counter deltas: Calibration x Snapshot x Snapshot -> Calibration.
//
// model-proposal.md sections 6-8. Direct ratios with forgetting (ratios.h), CPU constants by least
// squares (cpu.h), the limits by a filter that learns only the active bound (limits.h, filter.h),
// and the error of the model by what followed its predictions (interval.h). An interval across a
// restart, reset, gap or change of settings, or with values that cannot be, teaches nothing.
// Bounded: every parameter stays within its range (bounds.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "model/estimate/measure.h"
#include "model/ledger/ledger.h"
#include "model/snapshot.h"

namespace lsmtuned::model {

// Why an interval taught something or not.
enum class LessonOutcome : std::uint8_t {
  learned,
  restart,           // another incarnation
  bad_data,          // a snapshot that refuse_reason() refuses: not finite, negative, backwards
  reset,             // a level counter shrank, or the deciding family is not in both snapshots
  gap,               // over an hour: something was asleep
  settings_changed,  // a part of the interval was under other settings
  implausible,       // faster than any device or memory
  too_short,         // no whole L0 -> base compaction
  idle,              // no puts
};
inline constexpr std::size_t kLessonOutcomes = static_cast<std::size_t>(LessonOutcome::idle) + 1;
const char* to_text(LessonOutcome outcome);

struct Lesson {
  Calibration calibration;
  LessonOutcome outcome = LessonOutcome::learned;
  int observations = 0;  // that the filter accepted
  int outliers = 0;      // that it refused
};

// `earlier` and `later` should span several L0 -> base compactions; the caller decides when. When
// refused the calibration is returned unchanged.
Lesson learn(const Calibration& before, const Snapshot& earlier, const Snapshot& later);

// The calibration of learn() alone.
Calibration calibrate(const Calibration& before, const Snapshot& earlier, const Snapshot& later);

// What became of the lessons of a target, counted.
struct LessonCounts {
  std::array<std::uint64_t, kLessonOutcomes> by_outcome{};
  std::uint64_t observations = 0;
  std::uint64_t outliers = 0;
  void add(const Lesson& lesson);
};

// First calibration of a target: priors, with what one snapshot already shows (level sizes, job
// statistics since open).
Calibration prior_from(const Snapshot& first);

}  // namespace lsmtuned::model
