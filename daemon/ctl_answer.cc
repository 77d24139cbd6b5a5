#include "daemon/ctl_answer.h"

#include <algorithm>

#include "model/units.h"

namespace lsmtuned::daemon {
namespace json = boost::json;

const json::value* member(const json::object& object, std::string_view path) {
  const json::object* at = &object;
  while (true) {
    const std::size_t dot = path.find('.');
    const std::string_view name = path.substr(0, dot);
    const json::value* value = at->if_contains(json::string_view(name.data(), name.size()));
    if (value == nullptr || dot == std::string_view::npos) return value;
    at = value->if_object();
    if (at == nullptr) return nullptr;
    path.remove_prefix(dot + 1);
  }
}

double number(const json::object& object, std::string_view path) {
  const json::value* value = member(object, path);
  if (value == nullptr) return 0;
  if (value->is_double()) return value->get_double();
  if (value->is_int64()) return static_cast<double>(value->get_int64());
  if (value->is_uint64()) return static_cast<double>(value->get_uint64());
  return 0;
}

std::string text(const json::object& object, std::string_view path) {
  const json::value* value = member(object, path);
  if (value == nullptr || !value->is_string()) return "";
  std::string result(value->get_string().data(), value->get_string().size());
  // Text came from a database or another user: a terminal must not obey it.
  std::replace_if(
      result.begin(), result.end(),
      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return result;
}

bool flag(const json::object& object, std::string_view path) {
  const json::value* value = member(object, path);
  return value != nullptr && value->is_bool() && value->get_bool();
}

bool present(const json::object& object, std::string_view path) {
  const json::value* value = member(object, path);
  return value != nullptr && !value->is_null();
}

const json::object* sub(const json::object& object, std::string_view path) {
  const json::value* value = member(object, path);
  return value == nullptr ? nullptr : value->if_object();
}

const json::array& list(const json::object& object, std::string_view path) {
  static const json::array none;
  const json::value* value = member(object, path);
  const json::array* array = value == nullptr ? nullptr : value->if_array();
  return array == nullptr ? none : *array;
}

std::string rate(const json::object& object, std::string_view path) {
  return model::format_rate(number(object, path));
}

std::string share(const json::object& object, std::string_view path) {
  return model::format_percent(number(object, path));
}

}  // namespace lsmtuned::daemon
