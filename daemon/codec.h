// JSON forms of decisions, settings, predictions, persistent state: one form for history,
// lsmtunectl --json and JSON Lines. Reading is strict about types and lenient about absence, so
// that a record written by an older version loads.
//
// Finite doubles come back bit for bit when the text is read with parse_exact(). A double that is
// not finite is written as null, and null is an error when read. Unknown words (of an enumeration,
// or option names) are errors that quote the word. Pure functions; thread rules: plain values.
#pragma once

#include <boost/json.hpp>
#include <string_view>

#include "controller/decision.h"
#include "controller/state.h"
#include "model/published/phase.h"
#include "model/result.h"
#include "model/snapshot.h"

namespace lsmtuned::daemon {

boost::json::object to_json(const controller::Decision& decision);
Result<controller::Decision> decision_from_json(const boost::json::value& value);
boost::json::object to_json(const controller::PersistentState& state);
Result<controller::PersistentState> state_from_json(const boost::json::value& value);
boost::json::object to_json(const model::Settings& settings);  // option names to numbers
Result<model::Settings> settings_from_json(const boost::json::value& value);
boost::json::array to_json(const model::ChangeSet& changes);
Result<model::ChangeSet> changes_from_json(const boost::json::value& value);
boost::json::object to_json(const model::Prediction& prediction);
boost::json::object to_json(const controller::WindowMeasure& measure);
boost::json::object to_json(const model::Calibration& calibration);
boost::json::object to_json(const model::published::PhaseThresholds& thresholds);
Result<model::Prediction> prediction_from_json(const boost::json::value& value);
Result<controller::WindowMeasure> measure_from_json(const boost::json::value& value);
Result<model::Calibration> calibration_from_json(const boost::json::value& value);
Result<model::published::PhaseThresholds> phase_thresholds_from_json(
    const boost::json::value& value);

// One JSON document. Boost.JSON 1.81 rounds decimals by one unit in the last place now and then;
// this reads each to the nearest double. Errors: invalid JSON, nesting deeper than 32.
Result<boost::json::value> parse_exact(std::string_view text);

}  // namespace lsmtuned::daemon
