// How wrong each model was on runs of ours: the only accuracy that is ever shown.
//
// One row a model, by the id that `lsmtunectl models` lists, copied from docs/results; a model
// without a row is "not measured". Until a model is measured its interval stands on a prior, and
// says so. Pure; thread rules: constant data.
#pragma once

#include <optional>
#include <string_view>

namespace lsmtuned::model {

struct MeasuredAccuracy {
  const char* model;
  double mean_absolute_error = 0;     // share of the measured put rate
  double log_standard_deviation = 0;  // of ln(measured / predicted): what an interval stands on
  double rank_correlation = 0;        // Spearman, over the settings
  double interval_coverage = 0;       // share of measurements inside the 80 % interval
  int settings = 0;
  const char* source;  // the file of docs/results that holds the runs
};

// Absent: not measured.
std::optional<MeasuredAccuracy> measured_accuracy(std::string_view model);

struct ModelSpread {
  double log_standard_deviation = 0;
  bool measured = false;
};

// Spread of ln(measured / predicted) of this project's own models: measured where it is, else a
// prior.
ModelSpread model_spread(std::string_view model);

}  // namespace lsmtuned::model
