// lsmtunectl's text for people, from the daemon's JSON answers. Pure: strings in, strings out.
//
// Missing or oddly typed members show as "-": an older daemon must not crash a newer client.
#pragma once

#include <boost/json.hpp>
#include <string>

namespace lsmtuned::daemon {

std::string print_status(const boost::json::object& answer);
std::string print_targets(const boost::json::object& answer);
std::string print_decisions(const boost::json::object& answer);
std::string print_explanation(const boost::json::object& decision);
std::string print_advice(const boost::json::object& answer);
std::string print_samples(const boost::json::object& answer);

// A knob's value in its unit; `name` is the option, a family before a dot or not.
std::string value_text(const std::string& name, double value);

// A line a value: "default.write_buffer_size  4 MiB". Of `settings`, or of a change set.
std::string print_changes(const boost::json::value& changes);

// What a monitoring system wants to know of a status answer: empty when all is well, else why not.
std::string problem_in_status(const boost::json::object& answer);

}  // namespace lsmtuned::daemon
