#include "daemon/event_codec.h"

#include <algorithm>
#include <array>

#include "daemon/event_members.h"

namespace lsmtuned::daemon {

namespace json = boost::json;

namespace form {

const char* Words<model::CompactionStyle>::text(model::CompactionStyle style) {
  static constexpr std::array kWords = {"level", "universal", "fifo", "none"};
  return kWords.at(static_cast<std::size_t>(style));
}
const char* Words<controller::ApplyStatus>::text(controller::ApplyStatus status) {
  static constexpr std::array kWords = {"ok", "pending", "failed", "not_sent"};
  return kWords.at(static_cast<std::size_t>(status));
}
const char* Words<controller::OperatorCommand::Kind>::text(Kind kind) {
  static constexpr std::array kWords = {"freeze",   "thaw",       "revert",     "apply",
                                        "set_mode", "clear_safe", "try_changes"};
  return kWords.at(static_cast<std::size_t>(kind));
}
const char* Words<controller::Alert::Severity>::text(Severity severity) {
  static constexpr std::array kWords = {"info", "warning", "critical"};
  return kWords.at(static_cast<std::size_t>(severity));
}

json::value Form<model::LatencyHistogram>::write(const model::LatencyHistogram& histogram, Style) {
  json::array pairs;
  pairs.reserve(2 * histogram.buckets.size());
  for (const auto& [bucket, count] : histogram.buckets) {
    pairs.emplace_back(bucket);
    pairs.emplace_back(count);
  }
  return pairs;
}
Fault Form<model::LatencyHistogram>::read(const json::value& value, model::LatencyHistogram& out,
                                          Style style) {
  if (!value.is_array() || value.get_array().size() % 2 != 0)
    return wanted("a list of pairs", value);
  out.buckets.clear();
  const json::array& pairs = value.get_array();
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    std::uint32_t bucket = 0;
    std::uint64_t count = 0;
    Fault fault = form::read(pairs[i], bucket, style);
    if (fault.empty()) fault = form::read(pairs[i + 1], count, style);
    if (!fault.empty()) return fault;
    out.buckets[bucket] = count;
  }
  return {};
}

json::value Form<KnobBounds>::write(const KnobBounds& bounds, Style style) {
  json::object object;
  for (const auto& [knob, range] : bounds)
    object[model::info(knob).option] =
        json::array{form::write(range.first, style), form::write(range.second, style)};
  return object;
}
Fault Form<KnobBounds>::read(const json::value& value, KnobBounds& out, Style style) {
  if (!value.is_object()) return wanted("an object", value);
  out.clear();
  for (const auto& [name, range] : value.get_object()) {
    const auto knob = from_word<model::Knob>(std::string_view(name.data(), name.size()));
    if (!knob) return ": unknown word \"" + std::string(name) + "\"";
    if (!range.is_array() || range.get_array().size() != 2)
      return within(name, wanted("a list of two numbers", range));
    auto& [low, high] = out[*knob];
    Fault fault = form::read(range.get_array()[0], low, style);
    if (fault.empty()) fault = form::read(range.get_array()[1], high, style);
    if (!fault.empty()) return within(name, std::move(fault));
  }
  return {};
}

}  // namespace form

namespace {

constexpr form::Style kStyle = form::Style::events;

using Payload = decltype(controller::Event::payload);

// In the order of the variant.
constexpr std::array kEventWords = {"snapshot", "snapshot_failed", "target_found",  "target_lost",
                                    "search",   "applied",         "record_failed", "policy",
                                    "tick",     "command",         "shutdown",      "turn"};
static_assert(kEventWords.size() == std::variant_size_v<Payload>);
constexpr std::array kEffectWords = {"record", "apply", "search", "adopt", "restore", "alert"};
static_assert(kEffectWords.size() == std::variant_size_v<controller::Effect>);

template <std::size_t at = 0>
form::Fault read_payload(std::size_t wanted, const json::value& value, Payload& out) {
  if constexpr (at < std::variant_size_v<Payload>) {
    if (at != wanted) return read_payload<at + 1>(wanted, value, out);
    return form::read(value, out.template emplace<at>(), kStyle);
  } else {
    return " is of no known kind";
  }
}

}  // namespace

json::object event_to_json(const controller::Event& event) {
  const form::DecimalText seed{event.seed};
  json::object object{{"now_s", form::write(event.now_s, kStyle)},
                      {"wall_s", form::write(event.wall_s, kStyle)},
                      {"minute", form::write(event.local_minute_of_day, kStyle)},
                      {"seed", form::write(seed, kStyle)},
                      {"kind", kEventWords.at(event.payload.index())}};
  if (event.freeze_file_present) object["freeze_file"] = true;
  object["event"] =
      std::visit([](const auto& payload) { return form::write(payload, kStyle); }, event.payload);
  return object;
}

Result<controller::Event> event_from_json(const json::value& value) {
  if (!value.is_object()) return Error{"an event" + form::wanted("an object", value), ""};
  controller::Event event;
  std::string kind;
  form::Reader reader{value.get_object(), kStyle};
  reader.required("now_s", event.now_s);
  reader.required("wall_s", event.wall_s);
  reader.required("minute", event.local_minute_of_day);
  reader("freeze_file", event.freeze_file_present);
  form::DecimalText seed{event.seed};
  reader.required("seed", seed);
  reader.required("kind", kind);
  if (!reader.fault.empty()) return Error{"event" + reader.fault, ""};
  const auto word = std::find(kEventWords.begin(), kEventWords.end(), kind);
  if (word == kEventWords.end()) return Error{"event.kind: unknown word \"" + kind + "\"", ""};
  const json::value* payload = value.get_object().if_contains("event");
  if (payload == nullptr) return Error{"event.event is missing", ""};
  auto fault =
      read_payload(static_cast<std::size_t>(word - kEventWords.begin()), *payload, event.payload);
  if (!fault.empty()) return Error{"event.event" + fault, ""};
  return event;
}

json::object whole_state_to_json(const controller::State& state) {
  return form::write(state, kStyle).as_object();
}

Result<controller::State> whole_state_from_json(const json::value& value) {
  return form::from_json<controller::State>("state", value, kStyle);
}

json::array effects_to_json(const std::vector<controller::Effect>& effects) {
  json::array array;
  for (const controller::Effect& effect : effects) {
    json::object object = std::visit(
        [](const auto& one) {
          if constexpr (std::is_same_v<std::decay_t<decltype(one)>, controller::RequestSearch>) {
            const form::DecimalText seed{one.request.seed};
            return json::object{{"seed", form::write(seed, kStyle)}};
          } else {
            return form::write(one, kStyle).as_object();
          }
        },
        effect);
    object["effect"] = kEffectWords.at(effect.index());
    array.push_back(std::move(object));
  }
  return array;
}

json::object search_result_to_json(const controller::SearchResult& result) {
  return form::write(result, kStyle).as_object();
}

}  // namespace lsmtuned::daemon
