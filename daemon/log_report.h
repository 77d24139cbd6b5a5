// What analyze-log shows: a LOG analysis, model parameters, or a live target's counter tables, as
// text for people and as JSON. Pure; thread rules: functions may run in parallel.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "model/loglines/analysis.h"
#include "model/loglines/counter_tables.h"
#include "model/loglines/parameters.h"

namespace lsmtuned::daemon {

std::string print_log_analysis(const model::LogAnalysis& analysis);
std::string print_counter_tables(const model::CounterTables& tables);

boost::json::object to_json(const model::LogAnalysis& analysis);
boost::json::object to_json(const model::CounterTables& tables);
// A problem document as predict and simulate read it (model/simulator/problem.h). Members that the
// LOG could not tell are left out, so that their defaults stand or their absence is reported.
boost::json::object to_json(const model::ModelParameters& parameters);

}  // namespace lsmtuned::daemon
