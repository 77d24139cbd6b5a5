// Reads JSON that a person wrote: every error at once, each with its place, what is wrong and what
// is allowed; a misspelt key gets the nearest known one.
//
// Places are paths such as tree.levels[2].bytes; a syntax error has line and column. Numbers may be
// text with a unit ("64 MiB", "24 MiB/s", "2 min") where their rule names one. Thread rules: plain
// values; an Input holds references and must not outlive the document or the error list.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "model/result.h"

namespace lsmtuned::daemon {

inline constexpr std::size_t kMostInputBytes = std::size_t{16} << 20;

struct InputError {
  std::string place;  // "tree.levels[2].bytes"; empty: the document
  std::string what;
  std::string allowed;  // also a suggestion; empty where nothing helps
  std::string text() const;
  bool operator==(const InputError&) const = default;
};
using InputErrors = std::vector<InputError>;

// One error a line.
std::string text_of(const InputErrors& errors);

// Errors: too long, not JSON (with line and column), not an object, nested too deeply, keys given
// twice.
Result<boost::json::object> parse_document(std::string_view text);

// A file, or standard input for "-". Errors: cannot be read, longer than kMostInputBytes.
Result<std::string> read_input(const std::string& path);

enum class Quantity { number, whole, bytes, rate, seconds };
struct NumberRule {
  Quantity quantity = Quantity::number;
  double minimum = 0;
  double maximum = 1e18;
};

// One object of a document. Every member that is asked for counts as known.
class Input {
 public:
  Input(const boost::json::object& object, std::string place, InputErrors& errors)
      : object_(object), place_(std::move(place)), errors_(errors) {}

  // Each leaves `value` as it is where the member is absent or wrong; the latter is an error.
  void number(std::string_view name, double& value, const NumberRule& rule);
  void numbers(std::string_view name, std::vector<double>& values, const NumberRule& rule,
               std::size_t most);
  void boolean(std::string_view name, bool& value);
  void text(std::string_view name, std::string& value);
  // One of `choices`; `value` is its index.
  void choice(std::string_view name, std::size_t& value, const std::vector<std::string>& choices);

  // Null where absent or wrong.
  const boost::json::object* object(std::string_view name);
  const boost::json::array* array(std::string_view name, std::size_t most);
  const boost::json::value* member(std::string_view name);

  void require(std::string_view name, const std::string& what_it_is);
  void add_error(std::string_view name, std::string what, std::string allowed);
  std::string place(std::string_view name) const;

  // Call last: every member that nobody asked for is an error.
  void refuse_unknown();

 private:
  const boost::json::object& object_;
  std::string place_;
  InputErrors& errors_;
  std::vector<std::string> known_;
};

// A number by `rule`, or nothing and one error at `place`.
bool read_number(const boost::json::value& value, const NumberRule& rule, const std::string& place,
                 InputErrors& errors, double& number);

// Whole numbers as integers, so that a person reads 67108864 and not 6.7108864E7.
boost::json::value number_json(double value);

// Text of a document in a message: control characters and bytes beyond ASCII replaced, cut short.
std::string shown_text(std::string_view text);

}  // namespace lsmtuned::daemon
