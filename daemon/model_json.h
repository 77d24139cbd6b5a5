// The models' answers as JSON, and as text for people. Pure; thread rules: pure functions.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "model/analysis/s_max.h"
#include "model/simulator/simulate.h"

namespace lsmtuned::daemon {

// Measured by us, or null: never a claim.
boost::json::value accuracy_json(std::string_view model);
std::string accuracy_text(std::string_view model);

boost::json::object s_max_json(const model::SMax& s_max, double record_bytes);
// "high", "medium" or "low": what the interval stands on. Not measured is low.
const char* confidence_of(std::string_view model);

boost::json::object simulation_json(const model::Simulation& simulation);

// "12.3 MiB/s (12,405 ops/s)".
std::string rate_text(double put_bytes_per_s, double record_bytes);
std::string grouped(double number);  // 33,132

}  // namespace lsmtuned::daemon
