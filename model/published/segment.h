// Offline segmentation of a recorded run into the phases initial, middle, final.
//
// Seed 001 names the three indicators (variation of the put rate, its trend, compaction activity)
// but prints no algorithm; the rule here is ours. Each window of samples gets a label: initial when
// the rate varies much; middle when it varies somewhat, drifts, or write amplification drifts;
// final otherwise. Then the two boundaries are placed so that the fewest windows disagree with
// initial <= middle <= final in time; a phase may be empty. Linear in the samples. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "model/published/phase.h"
#include "model/result.h"

namespace lsmtuned::model::published {

struct RunSample {
  double time_s = 0;
  double put_rate = 0;                        // any unit, the same throughout
  std::optional<double> write_amplification;  // of the interval
};

struct SegmentRule {
  std::size_t window = 10;  // samples
  double initial_above_variation = 0.3;
  double middle_above_variation = 0.1;
  double drifting_above = 0.1;  // |slope| * window / mean, of rate or amplification
};

struct Segment {
  Phase phase{};
  double from_s = 0;
  double to_s = 0;  // time of its last sample
  std::size_t samples = 0;
  double mean_rate = 0;
  double rate_variation = 0;  // population standard deviation / mean
  double agreement = 0;       // share of its windows that had its label
};

// Errors: fewer samples than one window, times not increasing, values not finite or negative.
Result<std::vector<Segment>> segment_run(std::span<const RunSample> run,
                                         const SegmentRule& rule = {});

// Share of the labels, given while the run went on, that segments of the same run confirm. Labels
// outside every segment count as not confirmed; 0 without labels.
double confirmed_share(std::span<const TimedPhase> labels, std::span<const Segment> segments);

}  // namespace lsmtuned::model::published
