// Members of the daemon's JSON answers, by path: "trust.open". Missing or oddly typed ones read as
// nothing, zero or empty: an older daemon must not crash a newer client. Pure; thread rules: none.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace lsmtuned::daemon {

const boost::json::value* member(const boost::json::object& object, std::string_view path);
double number(const boost::json::object& object, std::string_view path);
std::string text(const boost::json::object& object, std::string_view path);  // safe to print
bool flag(const boost::json::object& object, std::string_view path);
bool present(const boost::json::object& object, std::string_view path);
const boost::json::object* sub(const boost::json::object& object, std::string_view path);
const boost::json::array& list(const boost::json::object& object, std::string_view path);
std::string rate(const boost::json::object& object, std::string_view path);   // "12 MiB/s"
std::string share(const boost::json::object& object, std::string_view path);  // "12.0 %"

}  // namespace lsmtuned::daemon
