#include "daemon/codec.h"

#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/policy.h"
#include "model/knobs.h"

namespace lsmtuned::daemon {

namespace {

namespace json = boost::json;
using controller::Considered;
using controller::Decision;
using controller::DecisionKind;
using controller::DecisionStatus;
using controller::PersistentState;
using controller::WindowMeasure;
using model::Calibration;
using model::ChangeSet;
using model::KnobChange;
using model::Prediction;
using model::Settings;
using model::Uncertainty;

// ---- the members, each named once for writing and reading ---------------------------------------

template <class T, class Plain>
concept Of = std::same_as<std::remove_const_t<T>, Plain>;

// Incarnations use all 64 bits, which readers with doubles only (JavaScript, jq) would round.
template <class T>
struct DecimalText {
  T& value;
};
template <class T>
DecimalText(T&) -> DecimalText<T>;

template <class Visitor, Of<WindowMeasure> T>
void members(Visitor& visit, T& m) {
  visit("seconds", m.seconds);
  visit("put_bytes_per_s", m.put_bytes_per_s);
  visit("put_ops_per_s", m.put_ops_per_s);
  visit("stall_share", m.stall_share);
  visit("worst_stall_s", m.worst_stall_s);
  visit("put_p99_s", m.put_p99_s);
  visit("write_amplification", m.write_amplification);
  visit("pending_bytes_cycle_end", m.pending_bytes_cycle_end);
  visit("l0_files_mean", m.l0_files_mean);
  visit("l0_compactions", m.l0_compactions);
  visit("standard_error", m.standard_error);
}

template <class Visitor, Of<Prediction> T>
void members(Visitor& visit, T& p) {
  visit("put_bytes_per_s", p.put_bytes_per_s);
  visit("low_bytes_per_s", p.low_bytes_per_s);
  visit("high_bytes_per_s", p.high_bytes_per_s);
  visit("horizon_s", p.horizon_s);
  visit("write_amplification", p.write_amplification);
  visit("read_amplification", p.read_amplification);
  visit("l0_files", p.l0_files);
  visit("pending_bytes", p.pending_bytes);
  visit("space_bytes", p.space_bytes);
  visit("bound", p.bound);
  visit("runner_up", p.runner_up);
  visit("model", p.model);
}

template <class Visitor, Of<Uncertainty> T>
void members(Visitor& visit, T& u) {
  visit("reference_write_bandwidth", u.reference_write_bandwidth);
  visit("covariance", u.covariance);
  visit("outlier_streaks", u.outlier_streaks);
  visit("overlap_variance", u.overlap_variance);
  visit("cpu_covariance", u.cpu_covariance);
  visit("error_variance", u.error_variance);
  visit("coverage_log_scale", u.coverage_log_scale);
  visit("predictions", u.predictions);
  visit("predictions_covered", u.predictions_covered);
  visit("gain_error", u.gain_error);
  visit("trials", u.trials);
}

template <class Visitor, Of<Calibration> T>
void members(Visitor& visit, T& c) {
  visit("flush_bytes_per_user_byte", c.flush_bytes_per_user_byte);
  visit("wal_bytes_per_user_byte", c.wal_bytes_per_user_byte);
  visit("memtable_fill", c.memtable_fill);
  visit("overlap", c.overlap);
  visit("moved_share", c.moved_share);
  visit("drop_share", c.drop_share);
  visit("level_compression", c.level_compression);
  visit("record_bytes", c.record_bytes);
  visit("distinct_keys", c.distinct_keys);
  visit("cpu_seconds_per_byte", c.cpu_seconds_per_byte);
  visit("cpu_seconds_per_record", c.cpu_seconds_per_record);
  visit("background_cores", c.background_cores);
  visit("write_bandwidth", c.write_bandwidth);
  visit("read_bandwidth", c.read_bandwidth);
  visit("mix_exponent", c.mix_exponent);
  visit("job_bytes_per_second", c.job_bytes_per_second);
  visit("l0_speed_up_exponent", c.l0_speed_up_exponent);
  visit("flush_bytes_per_second", c.flush_bytes_per_second);
  visit("foreground_bytes_per_second", c.foreground_bytes_per_second);
  visit("log_residual", c.log_residual);
  visit("relative_error", c.relative_error);
  visit("evidence_seconds", c.evidence_seconds);
  visit("evidence_l0_compactions", c.evidence_l0_compactions);
  visit("uncertainty", c.uncertainty);
}

template <class Visitor, Of<KnobChange> T>
void members(Visitor& visit, T& c) {
  visit("family", c.family);
  visit.required("option", c.knob);
  visit.required("old", c.old_value);
  visit.required("new", c.new_value);
}

template <class Visitor, Of<Considered> T>
void members(Visitor& visit, T& c) {
  visit("changes", c.changes);
  visit("predicted_put_bytes_per_s", c.predicted_put_bytes_per_s);
  visit("verdict", c.verdict);
}

template <class Visitor, Of<Decision> T>
void members(Visitor& visit, T& d) {
  visit.required("id", d.id);
  visit.required("target", d.target);
  DecimalText incarnation{d.incarnation};
  visit("incarnation", incarnation);
  visit.required("kind", d.kind);
  visit.required("status", d.status);
  visit("wall_time_s", d.wall_time_s);
  visit("ended_wall_time_s", d.ended_wall_time_s);
  visit("initiator", d.initiator);
  visit("reason", d.reason);
  visit("explanation", d.explanation);
  visit("before", d.before);
  visit("changes", d.changes);
  visit("predicted_before", d.predicted_before);
  visit("predicted_after", d.predicted_after);
  visit("predicted_settled", d.predicted_settled);
  visit("measured_before", d.measured_before);
  visit("measured_after", d.measured_after);
  visit("short_trial", d.short_trial);
  visit("evidence", d.evidence);
  visit("considered", d.considered);
}

template <class Visitor, Of<PersistentState> T>
void members(Visitor& visit, T& s) {
  visit("database_id", s.database_id);
  visit("next_decision_id", s.next_decision_id);
  visit("frozen_by_operator", s.frozen_by_operator);
  visit("frozen_by", s.frozen_by);
  visit("storm_latched", s.storm_latched);
  visit("mode_override", s.mode_override);
  visit("baseline", s.baseline);
  DecimalText incarnation{s.incarnation};
  visit("incarnation", incarnation);
  visit("kept", s.kept);
  visit("revert_wall_times_s", s.revert_wall_times_s);
  visit("calibration", s.calibration);
  visit("calibrated", s.calibrated);
  visit("open_trial", s.open_trial);
  visit("foreign", s.foreign);
}

using FamilyKnob = std::pair<std::string, model::Knob>;
template <class Visitor, Of<FamilyKnob> T>
void members(Visitor& visit, T& k) {
  visit("family", k.first);
  visit.required("option", k.second);
}

template <class T>
concept Record = Of<T, WindowMeasure> || Of<T, Prediction> || Of<T, Uncertainty> ||
    Of<T, Calibration> || Of<T, KnobChange> || Of<T, Considered> || Of<T, Decision> ||
    Of<T, PersistentState> || Of<T, FamilyKnob>;

// ---- words ------------------------------------------------------------------------------------

const char* word(DecisionKind kind) {
  return controller::to_text(kind);
}
const char* word(DecisionStatus status) {
  return controller::to_text(status);
}
const char* word(model::Bound bound) {
  return model::to_text(bound);
}
const char* word(config::Mode mode) {
  return config::to_text(mode);
}
const char* word(model::Knob knob) {
  return model::info(knob).option;
}

template <class E>
inline constexpr E kLast{};
template <>
inline constexpr DecisionKind kLast<DecisionKind> = DecisionKind::revert;
template <>
inline constexpr DecisionStatus kLast<DecisionStatus> = DecisionStatus::noted;
template <>
inline constexpr model::Bound kLast<model::Bound> = model::Bound::none;
template <>
inline constexpr config::Mode kLast<config::Mode> = config::Mode::tune;
template <>
inline constexpr model::Knob kLast<model::Knob> = static_cast<model::Knob>(model::kKnobCount - 1);

template <class E>
std::optional<E> from_word(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(kLast<E>); ++i) {
    const E candidate = static_cast<E>(i);
    if (text == word(candidate)) return candidate;
  }
  return std::nullopt;
}

// ---- writing ----------------------------------------------------------------------------------

json::value write(double value) {
  if (!std::isfinite(value)) return nullptr;
  // Whole numbers read better as integers ("4194304", not "4.194304E6") and are as exact; the sign
  // of a negative zero needs the double.
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (std::trunc(value) == value && std::fabs(value) <= kExact &&
      !(value == 0 && std::signbit(value))) {
    return static_cast<std::int64_t>(value);
  }
  return value;
}
json::value write(std::uint64_t value) {
  return value;
}
json::value write(bool value) {
  return value;
}
json::value write(const std::string& value) {
  return json::value(value);
}
template <class E>
requires std::is_enum_v<E> json::value write(E value) {
  return json::value(word(value));
}
template <class T>
json::value write(const DecimalText<T>& text) {
  return json::value(std::to_string(text.value));
}
json::value write(const model::KnobValues& values) {
  json::object object;
  for (const auto& knob : model::all_knobs()) {
    if (const auto value = values.get(knob.knob)) object[knob.option] = write(*value);
  }
  return object;
}
json::value write(const Settings& settings) {
  json::object families;
  for (const auto& [name, values] : settings.families) families[name] = write(values);
  return json::object{{"database", write(settings.database)}, {"families", std::move(families)}};
}
template <Record T>
json::value write(const T& record);
template <class T>
json::value write(const std::optional<T>& value) {
  return value ? write(*value) : json::value(nullptr);
}
template <class T>
json::value write(const std::vector<T>& list) {
  json::array array;
  array.reserve(list.size());
  for (const auto& element : list) array.push_back(write(element));
  return array;
}

struct Writer {
  json::object object;
  template <class T>
  void operator()(const char* name, const T& value) {
    object[name] = write(value);
  }
  template <class T>
  void required(const char* name, const T& value) {
    (*this)(name, value);
  }
};

template <Record T>
json::value write(const T& record) {
  Writer writer;
  members(writer, record);
  return std::move(writer.object);
}

// ---- reading ----------------------------------------------------------------------------------

// What is wrong with a value, with the path to it; empty when it was read.
using Fault = std::string;

const char* kind_name(const json::value& value) {
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
}
Fault wanted(const char* what, const json::value& value) {
  return std::string(" must be ") + what + ", not " + kind_name(value);
}
Fault within(std::string_view name, Fault fault) {
  if (fault.empty()) return fault;
  return "." + std::string(name) + fault;
}

Fault read(const json::value& value, double& out) {
  if (const auto* exact = value.if_double()) {
    if (!std::isfinite(*exact)) return " must be a finite number";
    out = *exact;
  } else if (const auto* whole = value.if_int64()) {
    out = static_cast<double>(*whole);
  } else if (const auto* large = value.if_uint64()) {
    out = static_cast<double>(*large);
  } else {
    return wanted("a finite number", value);
  }
  return {};
}
Fault read(const json::value& value, std::uint64_t& out) {
  if (const auto* large = value.if_uint64()) {
    out = *large;
  } else if (const auto* whole = value.if_int64(); whole != nullptr && *whole >= 0) {
    out = static_cast<std::uint64_t>(*whole);
  } else {
    return wanted("a whole number from 0", value);
  }
  return {};
}
Fault read(const json::value& value, bool& out) {
  if (!value.is_bool()) return wanted("true or false", value);
  out = value.get_bool();
  return {};
}
Fault read(const json::value& value, std::string& out) {
  if (!value.is_string()) return wanted("text", value);
  out.assign(value.get_string().data(), value.get_string().size());
  return {};
}
template <class E>
requires std::is_enum_v<E> Fault read(const json::value& value, E& out) {
  if (!value.is_string()) return wanted("a word", value);
  const std::string_view text(value.get_string().data(), value.get_string().size());
  const auto found = from_word<E>(text);
  if (!found) return ": unknown word \"" + std::string(text) + "\"";
  out = *found;
  return {};
}
template <class T>
Fault read(const json::value& value, DecimalText<T>& out) {
  std::string text;
  if (auto fault = read(value, text); !fault.empty()) return fault;
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
Fault read(const json::value& value, model::KnobValues& out) {
  if (!value.is_object()) return wanted("an object", value);
  for (const auto& [name, number] : value.get_object()) {
    const auto knob = from_word<model::Knob>(std::string_view(name.data(), name.size()));
    if (!knob) return ": unknown word \"" + std::string(name) + "\"";
    double parsed = 0;
    if (auto fault = read(number, parsed); !fault.empty()) return within(name, std::move(fault));
    out.set(*knob, parsed);
  }
  return {};
}
Fault read(const json::value& value, Settings& out) {
  if (!value.is_object()) return wanted("an object", value);
  Settings settings;
  if (const auto* database = value.get_object().if_contains("database")) {
    if (auto fault = read(*database, settings.database); !fault.empty()) {
      return within("database", std::move(fault));
    }
  }
  if (const auto* families = value.get_object().if_contains("families")) {
    if (!families->is_object()) return within("families", wanted("an object", *families));
    for (const auto& [name, values] : families->get_object()) {
      if (auto fault = read(values, settings.families[std::string(name)]); !fault.empty()) {
        return within("families", within(name, std::move(fault)));
      }
    }
  }
  out = std::move(settings);
  return {};
}
template <Record T>
Fault read(const json::value& value, T& record);
template <class T>
Fault read(const json::value& value, std::optional<T>& out) {
  out.reset();
  if (value.is_null()) return {};
  return read(value, out.emplace());
}
template <class T>
Fault read(const json::value& value, std::vector<T>& out) {
  if (!value.is_array()) return wanted("a list", value);
  out.clear();
  out.reserve(value.get_array().size());
  for (const auto& element : value.get_array()) {
    if (auto fault = read(element, out.emplace_back()); !fault.empty()) {
      return "[" + std::to_string(out.size() - 1) + "]" + fault;
    }
  }
  return {};
}

struct Reader {
  const json::object& object;
  Fault fault;
  template <class T>
  void operator()(const char* name, T& out) {
    if (!fault.empty()) return;
    if (const auto* value = object.if_contains(name)) fault = within(name, read(*value, out));
  }
  // Absence would change the meaning: a change of a default knob, a decision without an identity.
  template <class T>
  void required(const char* name, T& out) {
    if (fault.empty() && !object.contains(name)) fault = within(name, " is missing");
    (*this)(name, out);
  }
};

template <Record T>
Fault read(const json::value& value, T& record) {
  if (!value.is_object()) return wanted("an object", value);
  Reader reader{value.get_object(), {}};
  members(reader, record);
  return std::move(reader.fault);
}

template <class T>
Result<T> from_json(const char* what, const json::value& value) {
  T out{};
  if (auto fault = read(value, out); !fault.empty()) return Error{what + fault, ""};
  return out;
}

}  // namespace

json::object to_json(const Decision& decision) {
  return write(decision).as_object();
}
json::object to_json(const PersistentState& state) {
  return write(state).as_object();
}
json::object to_json(const Settings& settings) {
  return write(settings).as_object();
}
json::array to_json(const ChangeSet& changes) {
  return write(changes).as_array();
}
json::object to_json(const Prediction& prediction) {
  return write(prediction).as_object();
}
json::object to_json(const WindowMeasure& measure) {
  return write(measure).as_object();
}
json::object to_json(const Calibration& calibration) {
  return write(calibration).as_object();
}

Result<Decision> decision_from_json(const json::value& value) {
  return from_json<Decision>("decision", value);
}
Result<PersistentState> state_from_json(const json::value& value) {
  return from_json<PersistentState>("state", value);
}
Result<Settings> settings_from_json(const json::value& value) {
  return from_json<Settings>("settings", value);
}
Result<ChangeSet> changes_from_json(const json::value& value) {
  return from_json<ChangeSet>("changes", value);
}
Result<Prediction> prediction_from_json(const json::value& value) {
  return from_json<Prediction>("prediction", value);
}
Result<WindowMeasure> measure_from_json(const json::value& value) {
  return from_json<WindowMeasure>("measure", value);
}
Result<Calibration> calibration_from_json(const json::value& value) {
  return from_json<Calibration>("calibration", value);
}

}  // namespace lsmtuned::daemon
