// From an analysis to the prediction problem that its database was: settings, tree, workload,
// constants. What a LOG cannot know keeps the problem's prior, and a note says so.
//
// Sources: simulator-notes.md "Calibration"; docs/log-analysis.md lists each field with its figure.
// Pure; thread rules: functions may run in parallel.
#pragma once

#include <string>
#include <vector>

#include "model/loglines/analysis.h"
#include "model/result.h"
#include "model/simulator/problem.h"

namespace lsmtuned::model {

struct ModelParameters {
  std::string family;
  Problem problem;
  std::vector<std::string> notes;  // what was assumed, and why
};

// `family` empty: the one that wrote most. Errors: no such family; no flush to learn from.
Result<ModelParameters> parameters_from(const LogAnalysis& analysis,
                                        const std::string& family = {});

}  // namespace lsmtuned::model
