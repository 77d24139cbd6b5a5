// Result<T>: a value, or an Error that says what failed and what to do about it.
//
// Expected failures travel as values of this type through the whole project; exceptions stay inside
// constructors and at library borders. Thread rules: plain values.
#pragma once

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>

namespace lsmtuned {

struct Error {
  std::string what;    // what failed, with its place: file, path, option, errno text
  std::string remedy;  // what a person can do about it; empty where nothing is known

  std::string text() const { return remedy.empty() ? what : what + " (" + remedy + ")"; }
  bool operator==(const Error&) const = default;
};

// Found by argument-dependent lookup when value() is called on an error: a programming error.
[[noreturn]] inline void throw_exception_from_error(const Error& error,
                                                    const boost::source_location&) {
  throw std::logic_error("value() on an error: " + error.text());
}

template <class T>
using Result = boost::system::result<T, Error>;

}  // namespace lsmtuned
