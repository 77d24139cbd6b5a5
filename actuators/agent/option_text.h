// Option values as RocksDB's option text, for the knobs of model/knobs.h: the form in which they
// travel and in which the baseline is kept, so that nothing is lost on the way.
//
// Integers are exact; ratios are the shortest decimal that reads back as the same double. Thread
// rules: plain values.
#pragma once

#include <rocksdb/options.h>

#include <boost/json.hpp>
#include <map>
#include <string>

#include "model/result.h"
#include "model/settings.h"

namespace lsmtuned::agent {

using Texts = std::map<std::string, std::string>;  // option name -> text

struct Values {
  Texts database;  // the limiter's rate too
  std::map<std::string, Texts> families;

  bool empty() const { return database.empty() && families.empty(); }
  bool operator==(const Values&) const = default;
};

inline constexpr const char* kLimiterOption = "rate_limiter_bytes_per_second";

// first_compressed_level where it has a place (actuators/agent/compression.h).
Texts family_texts(const rocksdb::ColumnFamilyOptions& options);
Texts database_texts(const rocksdb::DBOptions& options);  // limiter when there is one

boost::json::object to_json(const Texts& texts);
boost::json::object to_json(const Values& values);

// Errors: not the shape of docs/protocol.md's *values*; an option that is no knob, or one in the
// wrong scope; a text longer than any number.
Result<Values> parse_values(const boost::json::value& json);

// Texts that are not exactly representable are left out.
model::Settings to_settings(const Values& values);

// Numerically equal, or the same text.
bool same_value(const std::string& option, const std::string& a, const std::string& b);

}  // namespace lsmtuned::agent
