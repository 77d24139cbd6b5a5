// How values are written as JSON and read back; the machinery behind codec.h and event_codec.h.
//
// A record is a struct with a function members(visit, record) that names each member once; an
// enumeration has a Words<>. Both are found in this namespace. Reading is strict about types and
// lenient about absence: an absent member keeps its default. Every finite double comes back bit for
// bit through parse_exact().
//
// Style::history writes every member, and a double that is not finite as null, which reading
// refuses. Style::events leaves members out that hold their defaults, and has words for doubles
// that are not finite: what a controller was fed must come back whatever it was.
#pragma once

#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "model/knobs.h"
#include "model/result.h"
#include "model/settings.h"

namespace lsmtuned::daemon::form {

namespace json = boost::json;

enum class Style { history, events };

// What is wrong with a value, with the path to it; empty when it was read.
using Fault = std::string;

template <class T, class Plain>
concept Of = std::same_as<std::remove_const_t<T>, Plain>;

template <class E>
struct Words;  // kLast, text(E)

template <>
struct Words<model::Knob> {
  static constexpr model::Knob kLast = static_cast<model::Knob>(model::kKnobCount - 1);
  static const char* text(model::Knob knob) { return model::info(knob).option; }
};

// For numbers of all 64 bits, which readers with doubles only (JavaScript, jq) would round.
template <class T>
struct DecimalText {
  T& value;
};
template <class T>
DecimalText(T&) -> DecimalText<T>;

template <class T>
struct Form;  // write(value, style), read(json, value, style)

template <class T>
json::value write(const T& value, Style style) {
  return Form<T>::write(value, style);
}
template <class T>
Fault read(const json::value& value, T& out, Style style) {
  return Form<T>::read(value, out, style);
}

inline Fault wanted(const char* what, const json::value& value) {
  const auto kind = [&] {
    switch (value.kind()) {
      case json::kind::null:
        return "null";
      case json::kind::bool_:
        return "true or false";
      case json::kind::string:
        return "text";
      case json::kind::array:
        return "a list";
      case json::kind::object:
        return "an object";
      default:
        return "a number";
    }
  };
  return std::string(" must be ") + what + ", not " + kind();
}
inline Fault within(std::string_view name, Fault fault) {
  if (fault.empty()) return fault;
  return "." + std::string(name) + fault;
}
inline std::string_view view_of(const json::string& text) {
  return {text.data(), text.size()};
}

// ---- plain values -------------------------------------------------------------------------------

template <>
struct Form<double> {
  static json::value write(double value, Style style) {
    if (!std::isfinite(value)) {
      if (style == Style::history) return nullptr;
      return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
    }
    // Whole numbers read better as integers ("4194304", not "4.194304E6") and are as exact; the
    // sign of a negative zero needs the double.
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (std::trunc(value) == value && std::fabs(value) <= kExact &&
        !(value == 0 && std::signbit(value))) {
      return static_cast<std::int64_t>(value);
    }
    return value;
  }
  static Fault read(const json::value& value, double& out, Style style) {
    if (const auto* exact = value.if_double()) {
      if (!std::isfinite(*exact)) return " must be a finite number";
      out = *exact;
    } else if (const auto* whole = value.if_int64()) {
      out = static_cast<double>(*whole);
    } else if (const auto* large = value.if_uint64()) {
      out = static_cast<double>(*large);
    } else if (style == Style::events && value == "nan") {
      out = std::numeric_limits<double>::quiet_NaN();
    } else if (style == Style::events && value == "inf") {
      out = std::numeric_limits<double>::infinity();
    } else if (style == Style::events && value == "-inf") {
      out = -std::numeric_limits<double>::infinity();
    } else {
      return wanted("a finite number", value);
    }
    return {};
  }
};

template <>
struct Form<std::uint64_t> {
  static json::value write(std::uint64_t value, Style) { return value; }
  static Fault read(const json::value& value, std::uint64_t& out, Style) {
    if (const auto* large = value.if_uint64()) {
      out = *large;
    } else if (const auto* whole = value.if_int64(); whole != nullptr && *whole >= 0) {
      out = static_cast<std::uint64_t>(*whole);
    } else {
      return wanted("a whole number from 0", value);
    }
    return {};
  }
};

template <class T>
requires(std::same_as<T, int> || std::same_as<T, std::uint32_t>) struct Form<T> {
  static json::value write(T value, Style) { return value; }
  static Fault read(const json::value& value, T& out, Style) {
    const auto* whole = value.if_int64();
    if (whole == nullptr || !std::in_range<T>(*whole)) return wanted("a small whole number", value);
    out = static_cast<T>(*whole);
    return {};
  }
};

template <>
struct Form<bool> {
  static json::value write(bool value, Style) { return value; }
  static Fault read(const json::value& value, bool& out, Style) {
    if (!value.is_bool()) return wanted("true or false", value);
    out = value.get_bool();
    return {};
  }
};

template <>
struct Form<std::string> {
  static json::value write(const std::string& value, Style) { return json::value(value); }
  static Fault read(const json::value& value, std::string& out, Style) {
    if (!value.is_string()) return wanted("text", value);
    out = view_of(value.get_string());
    return {};
  }
};

template <class E>
std::optional<E> from_word(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(Words<E>::kLast); ++i) {
    const E candidate = static_cast<E>(i);
    if (text == Words<E>::text(candidate)) return candidate;
  }
  return std::nullopt;
}

template <class E>
requires std::is_enum_v<E>
struct Form<E> {
  static json::value write(E value, Style) { return json::value(Words<E>::text(value)); }
  static Fault read(const json::value& value, E& out, Style) {
    if (!value.is_string()) return wanted("a word", value);
    const std::string_view text = view_of(value.get_string());
    const auto found = from_word<E>(text);
    if (!found) return ": unknown word \"" + std::string(text) + "\"";
    out = *found;
    return {};
  }
};

template <class T>
struct Form<DecimalText<T>> {
  static json::value write(const DecimalText<T>& text, Style) {
    return json::value(std::to_string(text.value));
  }
  static Fault read(const json::value& value, DecimalText<T>& out, Style) {
    if (!value.is_string()) return wanted("text", value);
    const std::string text(view_of(value.get_string()));
    if (text.empty() || text.size() > 20 ||
        text.find_first_not_of("0123456789") != std::string::npos) {
      return ": \"" + text + "\" is not a decimal number";
    }
    T number = 0;
    for (const char digit : text) {
      if (__builtin_mul_overflow(number, T{10}, &number) ||
          __builtin_add_overflow(number, static_cast<T>(digit - '0'), &number)) {
        return ": \"" + text + "\" is too large";
      }
    }
    out.value = number;
    return {};
  }
};

// ---- settings: option names to numbers ----------------------------------------------------------

template <>
struct Form<model::KnobValues> {
  static json::value write(const model::KnobValues& values, Style style) {
    json::object object;
    for (const auto& knob : model::all_knobs()) {
      if (const auto value = values.get(knob.knob))
        object[knob.option] = form::write(*value, style);
    }
    return object;
  }
  static Fault read(const json::value& value, model::KnobValues& out, Style style) {
    if (!value.is_object()) return wanted("an object", value);
    for (const auto& [name, number] : value.get_object()) {
      const auto knob = from_word<model::Knob>(std::string_view(name.data(), name.size()));
      if (!knob) return ": unknown word \"" + std::string(name) + "\"";
      double parsed = 0;
      if (auto fault = form::read(number, parsed, style); !fault.empty())
        return within(name, std::move(fault));
      out.set(*knob, parsed);
    }
    return {};
  }
};

template <>
struct Form<model::Settings> {
  static json::value write(const model::Settings& settings, Style style) {
    json::object families;
    for (const auto& [name, values] : settings.families)
      families[name] = form::write(values, style);
    return json::object{{"database", form::write(settings.database, style)},
                        {"families", std::move(families)}};
  }
  static Fault read(const json::value& value, model::Settings& out, Style style) {
    if (!value.is_object()) return wanted("an object", value);
    model::Settings settings;
    if (const auto* database = value.get_object().if_contains("database")) {
      if (auto fault = form::read(*database, settings.database, style); !fault.empty()) {
        return within("database", std::move(fault));
      }
    }
    if (const auto* families = value.get_object().if_contains("families")) {
      if (!families->is_object()) return within("families", wanted("an object", *families));
      for (const auto& [name, values] : families->get_object()) {
        if (auto fault = form::read(values, settings.families[std::string(name)], style);
            !fault.empty()) {
          return within("families", within(name, std::move(fault)));
        }
      }
    }
    out = std::move(settings);
    return {};
  }
};

// ---- what holds others --------------------------------------------------------------------------

template <class T>
struct Form<std::optional<T>> {
  static json::value write(const std::optional<T>& value, Style style) {
    return value ? form::write(*value, style) : json::value(nullptr);
  }
  static Fault read(const json::value& value, std::optional<T>& out, Style style) {
    out.reset();
    if (value.is_null()) return {};
    return form::read(value, out.emplace(), style);
  }
};

template <class List>
struct ListForm {
  static json::value write(const List& list, Style style) {
    json::array array;
    array.reserve(list.size());
    for (const auto& element : list) array.push_back(form::write(element, style));
    return array;
  }
  static Fault read(const json::value& value, List& out, Style style) {
    if (!value.is_array()) return wanted("a list", value);
    out.clear();
    for (const auto& element : value.get_array()) {
      if (auto fault = form::read(element, out.emplace_back(), style); !fault.empty()) {
        return "[" + std::to_string(out.size() - 1) + "]" + fault;
      }
    }
    return {};
  }
};
template <class T>
struct Form<std::vector<T>> : ListForm<std::vector<T>> {};
template <class T>
struct Form<std::deque<T>> : ListForm<std::deque<T>> {};

template <class T, std::size_t size>
struct Form<std::array<T, size>> {
  static json::value write(const std::array<T, size>& list, Style style) {
    json::array array;
    array.reserve(size);
    for (const auto& element : list) array.push_back(form::write(element, style));
    return array;
  }
  static Fault read(const json::value& value, std::array<T, size>& out, Style style) {
    if (!value.is_array()) return wanted("a list", value);
    if (value.get_array().size() != size)
      return " must be a list of " + std::to_string(size) + ", not of " +
             std::to_string(value.get_array().size());
    for (std::size_t i = 0; i < size; ++i) {
      if (auto fault = form::read(value.get_array()[i], out[i], style); !fault.empty())
        return "[" + std::to_string(i) + "]" + fault;
    }
    return {};
  }
};

// ---- records ------------------------------------------------------------------------------------

struct Writer {
  Style style;
  const json::object* defaults = nullptr;  // what may be left out
  json::object object{};

  template <class T>
  void operator()(const char* name, const T& value) {
    json::value written = form::write(value, style);
    if (defaults != nullptr) {
      const auto* usual = defaults->if_contains(name);
      if (usual != nullptr && *usual == written) return;
    }
    object[name] = std::move(written);
  }
  template <class T>
  void required(const char* name, const T& value) {
    object[name] = form::write(value, style);
  }
};

struct Reader {
  const json::object& object;
  Style style;
  Fault fault{};

  template <class T>
  void operator()(const char* name, T& out) {
    if (!fault.empty()) return;
    if (const auto* value = object.if_contains(name))
      fault = within(name, form::read(*value, out, style));
  }
  // Absence would change the meaning: a change of a default knob, a decision without an identity.
  template <class T>
  void required(const char* name, T& out) {
    if (fault.empty() && !object.contains(name)) fault = within(name, " is missing");
    (*this)(name, out);
  }
};

template <class T>
concept Record = requires(Writer& visit, const T& record) {
  members(visit, record);
};

template <class T>
requires Record<T>
struct Form<T> {
  static json::value write(const T& record, Style style) {
    Writer writer{style, nullptr};
    if (style == Style::events) {
      static const json::object defaults = [] {
        Writer whole{Style::events, nullptr};
        const T usual{};
        members(whole, usual);
        return std::move(whole.object);
      }();
      writer.defaults = &defaults;
    }
    members(writer, record);
    return std::move(writer.object);
  }
  static Fault read(const json::value& value, T& record, Style style) {
    if (!value.is_object()) return wanted("an object", value);
    Reader reader{value.get_object(), style};
    members(reader, record);
    return std::move(reader.fault);
  }
};

template <class T>
Result<T> from_json(const char* what, const json::value& value, Style style) {
  T out{};
  if (auto fault = form::read(value, out, style); !fault.empty()) return Error{what + fault, ""};
  return out;
}

}  // namespace lsmtuned::daemon::form
