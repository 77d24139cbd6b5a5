// From the payload of a frame to a JSON object: UTF-8, nesting at most kMaxJsonDepth, one object.
//
// Header-only, so that the agent, which compiles Boost.JSON into itself, and the daemon, which
// links the library, share it. Never throws for any payload but out of memory. Thread rules: pure.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "actuators/wire/frame.h"
#include "model/result.h"

namespace lsmtuned::wire {

inline Result<boost::json::object> parse_payload(std::string_view payload) {
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  options.allow_invalid_utf8 = false;
  boost::json::error_code error;
  boost::json::value value = boost::json::parse(
      boost::json::string_view(payload.data(), payload.size()), error, {}, options);
  if (error) return Error{"a frame is not valid JSON: " + error.message(), ""};
  if (!value.is_object()) return Error{"a frame does not hold a JSON object", ""};
  return std::move(value.get_object());
}

// The member as text, or empty when it is absent or not a string.
inline std::string text_member(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(boost::json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return {};
  return std::string(value->get_string().data(), value->get_string().size());
}

// A non-negative whole number, or nothing when it is absent or anything else.
inline std::optional<std::uint64_t> count_member(const boost::json::object& object,
                                                 std::string_view name) {
  const auto* value = object.if_contains(boost::json::string_view(name.data(), name.size()));
  if (value == nullptr) return std::nullopt;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0)
    return static_cast<std::uint64_t>(value->get_int64());
  return std::nullopt;
}

inline bool true_member(const boost::json::object& object, std::string_view name) {
  const auto* value = object.if_contains(boost::json::string_view(name.data(), name.size()));
  return value != nullptr && value->is_bool() && value->get_bool();
}

// The object ready to be sent. Error: larger than a frame may be.
inline Result<std::string> to_frame(const boost::json::object& object) {
  return encode_frame(boost::json::serialize(object));
}

}  // namespace lsmtuned::wire
