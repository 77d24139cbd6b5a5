#include "daemon/json_duplicates.h"

#include <boost/json/basic_parser_impl.hpp>
#include <cstddef>
#include <cstdint>
#include <set>

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

// Follows a parse and keeps, for every open object, the keys seen.
class KeyHandler {
 public:
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;

  using Code = json::error_code;
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code&) {
    open_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, Code&) {
    open_.pop_back();
    return true;
  }
  bool on_array_begin(Code& code) { return on_object_begin(code); }
  bool on_array_end(std::size_t size, Code& code) { return on_object_end(size, code); }
  bool on_key_part(json::string_view part, std::size_t, Code&) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t size, Code& code) {
    on_key_part(part, size, code);
    open_.back().current = key_;
    if (!open_.back().seen.insert(std::move(key_)).second) found.push_back(path());
    key_.clear();
    return true;
  }
  bool on_string_part(json::string_view, std::size_t, Code&) { return true; }
  bool on_string(json::string_view, std::size_t, Code&) { return true; }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, Code&) { return true; }
  bool on_double(double, json::string_view, Code&) { return true; }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }

  std::vector<std::string> found;

 private:
  struct Open {
    std::set<std::string> seen;
    std::string current;  // empty for an array
  };
  std::string path() const {
    std::string text;
    for (const Open& open : open_) {
      if (open.current.empty()) continue;
      if (!text.empty()) text += ".";
      text += open.current;
    }
    return text;
  }

  std::vector<Open> open_;
  std::string key_;
};

}  // namespace

std::vector<std::string> duplicate_keys(std::string_view text) {
  json::basic_parser<KeyHandler> parser{json::parse_options()};
  json::error_code code;
  parser.write_some(false, text.data(), text.size(), code);
  return std::move(parser.handler().found);
}

}  // namespace lsmtuned::daemon
