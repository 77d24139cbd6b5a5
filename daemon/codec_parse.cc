// parse_exact(): Boost.JSON's parser with its conversion of decimals replaced by std::from_chars.
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <string>

#include "daemon/codec.h"

namespace lsmtuned::daemon {

namespace {

using boost::json::error_code;
using boost::json::string_view;

// Receives the parser's events and builds the value. Members are named by Boost.JSON.
struct Handler {
  static constexpr std::size_t max_object_size = boost::json::object::max_size();
  static constexpr std::size_t max_array_size = boost::json::array::max_size();
  static constexpr std::size_t max_key_size = boost::json::string::max_size();
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  boost::json::value_stack stack;
  std::string number;  // parts of a number seen so far

  bool on_document_begin(error_code&) {
    stack.reset();
    return true;
  }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t count, error_code&) {
    stack.push_object(count);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t count, error_code&) {
    stack.push_array(count);
    return true;
  }
  bool on_key_part(string_view part, std::size_t, error_code&) {
    stack.push_chars(part);
    return true;
  }
  bool on_key(string_view part, std::size_t, error_code&) {
    stack.push_key(part);
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    stack.push_chars(part);
    return true;
  }
  bool on_string(string_view part, std::size_t, error_code&) {
    stack.push_string(part);
    return true;
  }
  bool on_number_part(string_view part, error_code&) {
    number.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t value, string_view, error_code&) {
    number.clear();
    stack.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, string_view, error_code&) {
    number.clear();
    stack.push_uint64(value);
    return true;
  }
  bool on_double(double approximate, string_view part, error_code&) {
    number.append(part.data(), part.size());
    double exact = 0;
    const auto [end, failure] =
        std::from_chars(number.data(), number.data() + number.size(), exact);
    // Out of range: the parser's own answer (zero or infinity) stands.
    const bool read = failure == std::errc{} && end == number.data() + number.size();
    stack.push_double(read ? exact : approximate);
    number.clear();
    return true;
  }
  bool on_bool(bool value, error_code&) {
    stack.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }
};

}  // namespace

Result<boost::json::value> parse_exact(std::string_view text) {
  boost::json::basic_parser<Handler> parser({});  // nesting is bounded to 32 by default
  error_code failure;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
  if (!failure && !parser.done()) failure = boost::json::error::incomplete;
  if (!failure && used < text.size()) failure = boost::json::error::extra_data;
  if (failure) {
    return Error{"not valid JSON at byte " + std::to_string(used) + ": " + failure.message(), ""};
  }
  return parser.handler().stack.release();
}

}  // namespace lsmtuned::daemon
