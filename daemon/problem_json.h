// A prediction problem (model/simulator/problem.h) as JSON: what predict, simulate, sensitivity,
// plan and bottleneck read, and what the daemon's `problem` command answers (docs/predict.md).
//
// Reading reports every error at once. Absent members keep the defaults of model::Problem; only
// device.write_bytes_per_s has none. Thread rules: pure functions.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/json_input.h"
#include "model/simulator/problem.h"

namespace lsmtuned::daemon {

// A section beside the problem's own, for what only published models take
// (daemon/published_json.h).
inline constexpr const char* kPublishedSection = "published";

struct ProblemOutcome {
  model::Problem problem;  // meaningful only without errors
  InputErrors errors;
  std::vector<std::string> warnings;
};

ProblemOutcome read_problem(std::string_view text);
ProblemOutcome read_problem(const boost::json::object& document);

// Reads back as the same problem.
boost::json::object problem_json(const model::Problem& problem);
boost::json::object tree_json(const model::TreeShape& tree);

const char* style_text(model::CompactionStyle style);

}  // namespace lsmtuned::daemon
