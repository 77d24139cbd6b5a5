#include "model/loglines/event_fields.h"

#include <string.h>

#include <algorithm>

#include "model/loglines/log_line.h"

namespace lsmtuned::model {

std::size_t find_fast(std::string_view text, std::string_view wanted, std::size_t from) {
  const void* const found =
      memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

bool EventFields::complete(std::size_t inner_objects) const {
  if (json_.size() < inner_objects + 2 || json_.front() != '{') return false;
  const std::string_view end = json_.substr(json_.size() - inner_objects - 1);
  return end.find_first_not_of('}') == std::string_view::npos;
}

std::string_view EventFields::after(std::string_view name) {
  std::size_t at = find_fast(json_, name, cursor_);
  if (at == std::string_view::npos && cursor_ > 0) at = find_fast(json_, name);
  if (at == std::string_view::npos) return {};
  cursor_ = at + name.size();
  return json_.substr(cursor_);
}

std::optional<double> EventFields::whole(std::string_view name) {
  std::string_view rest = after(name);
  if (rest.empty()) return std::nullopt;
  const auto value = read_whole(rest);
  if (!value || rest.empty() || (rest.front() != ',' && rest.front() != '}')) {
    bad_ = true;
    return std::nullopt;
  }
  return value;
}

std::string_view EventFields::text(std::string_view name) {
  std::string_view rest = after(name);
  if (rest.empty() || rest.front() != '"') return {};
  rest.remove_prefix(1);
  return rest.substr(0, std::min(rest.find('"'), rest.size()));
}

std::string_view EventFields::array(std::string_view name) {
  std::string_view rest = after(name);
  if (rest.empty() || rest.front() != '[') return {};
  rest.remove_prefix(1);
  const std::size_t close = rest.find(']');
  return close == std::string_view::npos ? std::string_view() : rest.substr(0, close);
}

}  // namespace lsmtuned::model
