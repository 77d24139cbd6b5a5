// Everything the controller is fed, and its whole state, come back to the bit; and no member of any
// of these structs is left out.
#include "daemon/event_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <bit>
#include <boost/pfr.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "daemon/codec.h"
#include "daemon/event_members.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
using ::testing::HasSubstr;

// ---- random values of any struct ----------------------------------------------------------------

class Filler {
 public:
  explicit Filler(std::uint64_t seed) : engine_(seed) {}

  void fill(double& value) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const double kinds[] = {0.0,  -0.0,      1e6 * below(1000), std::ldexp(double(bits()), -64),
                            0.15, kInfinity, -kInfinity,        std::bit_cast<double>(bits())};
    value = kinds[below(8)];
  }
  void fill(bool& value) { value = below(2) == 1; }
  void fill(int& value) { value = below(1000) - 500; }
  void fill(std::uint32_t& value) { value = static_cast<std::uint32_t>(bits()); }
  void fill(std::uint64_t& value) { value = bits(); }
  void fill(std::string& value) {
    value = below(2) == 1 ? "Schl\u00fcssel \"x\"\n" : std::string(below(3), 'a');
  }
  template <class E>
  requires std::is_enum_v<E>
  void fill(E& value) {
    value = static_cast<E>(below(static_cast<int>(form::Words<E>::kLast) + 1));
  }
  void fill(model::Settings& settings) {
    for (const auto& knob : model::all_knobs()) {
      double value = 0;
      fill(value);
      if (below(2) == 1) settings.set("default", knob.knob, value);
    }
  }
  void fill(model::LatencyHistogram& histogram) {
    for (int i = below(4); i > 0; --i)
      histogram.buckets[static_cast<std::uint32_t>(bits())] = bits();
  }
  void fill(form::KnobBounds& bounds) {
    for (int i = below(3); i > 0; --i) {
      model::Knob knob{};
      fill(knob);
      fill(bounds[knob].first);
      fill(bounds[knob].second);
    }
  }
  template <class A, class B>
  void fill(std::pair<A, B>& pair) {
    fill(pair.first);
    fill(pair.second);
  }
  template <class T>
  void fill(std::optional<T>& value) {
    if (below(2) == 1) fill(value.emplace());
  }
  template <class T>
  void fill(std::vector<T>& list) {
    list.resize(below(3));
    for (auto& element : list) fill(element);
  }
  template <class T>
  void fill(std::deque<T>& list) {
    list.resize(below(3));
    for (auto& element : list) fill(element);
  }
  template <class T, std::size_t size>
  void fill(std::array<T, size>& list) {
    for (auto& element : list) fill(element);
  }
  template <class T>
  requires std::is_aggregate_v<T>
  void fill(T& record) {
    boost::pfr::for_each_field(record, [this](auto& field) { fill(field); });
  }
  int below(int limit) { return std::uniform_int_distribution(0, limit - 1)(engine_); }

 private:
  std::uint64_t bits() { return engine_(); }
  std::mt19937_64 engine_;
};

// Equal to the bit; all not-a-numbers are one.
template <class T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    return (std::isnan(a) && std::isnan(b)) ||
           std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
  } else if constexpr (std::is_same_v<T, model::KnobValues>) {
    for (const auto& knob : model::all_knobs())
      if (!same(a.get(knob.knob), b.get(knob.knob))) return false;
    return true;
  } else if constexpr (requires { a.value_or(*a); }) {
    return a.has_value() == b.has_value() && (!a || same(*a, *b));
  } else if constexpr (!std::is_same_v<T, std::string> && requires { a.begin(); }) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return same(x, y); });
  } else if constexpr (requires { a.first; }) {
    return same(a.first, b.first) && same(a.second, b.second);
  } else if constexpr (std::is_aggregate_v<T>) {
    bool equal = true;
    boost::pfr::for_each_field(a, [&](const auto& field, auto index) {
      equal = equal && same(field, boost::pfr::get<index.value>(b));
    });
    return equal;
  } else {
    return a == b;
  }
}

template <class T>
json::value through_text(const T& value) {
  const auto parsed = parse_exact(json::serialize(value));
  if (!parsed) throw std::runtime_error(parsed.error().text());
  return *parsed;
}

RC_GTEST_PROP(EventCodec, WholeStatesComeBackToTheBit, (std::uint64_t seed)) {
  controller::State state;
  Filler(seed).fill(state);
  const auto back = whole_state_from_json(through_text(whole_state_to_json(state)));
  if (!back) RC_FAIL(back.error().text());
  RC_ASSERT(same(state, *back));
}

template <std::size_t at = 0>
void fill_payload(Filler& filler, decltype(controller::Event::payload)& payload, std::size_t kind) {
  if constexpr (at < std::variant_size_v<decltype(controller::Event::payload)>) {
    if (at == kind)
      filler.fill(payload.template emplace<at>());
    else
      fill_payload<at + 1>(filler, payload, kind);
  }
}

RC_GTEST_PROP(EventCodec, EventsComeBackToTheBit, (std::uint64_t seed)) {
  Filler filler(seed);
  controller::Event event;
  filler.fill(event.now_s);
  filler.fill(event.wall_s);
  filler.fill(event.local_minute_of_day);
  filler.fill(event.seed);
  const int kinds = static_cast<int>(std::variant_size_v<decltype(event.payload)>);
  fill_payload(filler, event.payload, static_cast<std::size_t>(filler.below(kinds)));
  const auto back = event_from_json(through_text(event_to_json(event)));
  if (!back) RC_FAIL(back.error().text());
  RC_ASSERT(same(event.now_s, back->now_s) && same(event.wall_s, back->wall_s));
  RC_ASSERT(same(event.local_minute_of_day, back->local_minute_of_day));
  RC_ASSERT(event.seed == back->seed && event.payload.index() == back->payload.index());
  RC_ASSERT(std::visit(
      [&](const auto& payload) {
        return same(payload, std::get<std::decay_t<decltype(payload)>>(back->payload));
      },
      event.payload));
}

RC_GTEST_PROP(EventCodec, AnyBytesAreAnEventOrAnError, (const std::string& bytes)) {
  if (const auto value = parse_exact(bytes)) {
    static_cast<void>(event_from_json(*value));
    static_cast<void>(whole_state_from_json(*value));
  }
}

// ---- no member is forgotten ---------------------------------------------------------------------

struct Counter {
  std::size_t count = 0;
  template <class T>
  void operator()(const char*, T&) {
    ++count;
  }
  template <class T>
  void required(const char*, T&) {
    ++count;
  }
};

template <class... T>
void expect_complete() {
  const auto check = []<class One>() {
    One record{};
    Counter counter;
    form::members(counter, record);
    EXPECT_EQ(counter.count, boost::pfr::tuple_size_v<One>) << typeid(One).name();
  };
  (check.template operator()<T>(), ...);
}

TEST(EventCodec, EveryMemberIsNamed) {
  using namespace controller;
  expect_complete<model::LevelStats, model::FamilyFacts, model::StallCauses, model::FamilySnapshot,
                  model::DatabaseCounters, model::DatabaseState, model::DeviceSample,
                  model::Snapshot, model::published::PhaseThresholds, model::WatchRule,
                  config::Policy>();
  expect_complete<SearchResult, Mark, Estimate, TrialBaseline, Forecast, Proposal, WaitingCandidate,
                  Trial, OutstandingCall, RevertInProgress, FailedCandidate, FamilyRest, Turn,
                  ModelAccuracy, RulesMark, RulesReading, RulesMemory, ProbeGroup, ProbeMemory,
                  State, PersistentState, Decision, Considered, WindowMeasure, Kpi, Kpis,
                  model::Prediction, model::Calibration, model::Uncertainty, model::LessonCounts,
                  model::WorkloadWatch, model::DeviceWatch, model::KnobChange>();
  expect_complete<SnapshotArrived, SnapshotFailed, TargetFound, TargetLost, SearchFinished,
                  ApplyFinished, RecordFailed, PolicyChanged, Tick, OperatorCommand, Shutdown,
                  TurnGiven, RecordDecision, ApplyChanges, AdoptBaseline, RestoreBaseline, Alert>();
}

TEST(EventCodec, DefaultsAreLeftOut) {
  controller::Event event;
  event.payload = controller::SnapshotArrived{};
  EXPECT_EQ(json::serialize(event_to_json(event)),
            R"({"now_s":0,"wall_s":0,"minute":0,"seed":"0","kind":"snapshot",)"
            R"("event":{"snapshot":{}}})");
  EXPECT_EQ(json::serialize(whole_state_to_json({})).find("trial"), std::string::npos);
}

TEST(EventCodec, ErrorsNameThePath) {
  const auto failure = [](const char* text) {
    const auto event = event_from_json(*parse_exact(text));
    return event ? std::string("read") : event.error().what;
  };
  EXPECT_THAT(failure("{}"), HasSubstr("event.now_s is missing"));
  const std::string head = R"({"now_s":1,"wall_s":1,"minute":0,"seed":"1","kind":)";
  EXPECT_THAT(failure((head + R"("dance","event":{}})").c_str()), HasSubstr("\"dance\""));
  EXPECT_THAT(failure((head + R"("tick"})").c_str()), HasSubstr("event.event is missing"));
  EXPECT_THAT(
      failure(
          (head + R"("snapshot","event":{"snapshot":{"families":[{"levels":[{"files":"x"}]}]}}})")
              .c_str()),
      HasSubstr("event.event.snapshot.families[0].levels[0].files must be a finite number"));
}

}  // namespace
}  // namespace lsmtuned::daemon
