#include "daemon/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <type_traits>

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;
using controller::Decision;
using controller::DecisionKind;
using controller::DecisionStatus;
using controller::PersistentState;
using controller::WindowMeasure;
using ::testing::HasSubstr;

// Members of each record, as a tuple of references. A structured binding must name all members, so
// a member added to a record stops this file from compiling until it is covered here.
auto fields_of(const model::KnobChange& c) {
  const auto& [a, b, d, e] = c;
  return std::tie(a, b, d, e);
}
auto fields_of(const controller::Considered& c) {
  const auto& [a, b, d] = c;
  return std::tie(a, b, d);
}
auto fields_of(const WindowMeasure& m) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l] = m;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l);
}
auto fields_of(const controller::Kpi& x) {
  const auto& [a, b, c, d] = x;
  return std::tie(a, b, c, d);
}
auto fields_of(const controller::Kpis& x) {
  const auto& [a, b, c, d, e] = x;
  return std::tie(a, b, c, d, e);
}
auto fields_of(const model::Prediction& p) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l] = p;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l);
}
auto fields_of(const model::Uncertainty& x) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k] = x;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k);
}
auto fields_of(const model::Calibration& x) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y] = x;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, y);
}
auto fields_of(const Decision& x) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v] = x;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v);
}
auto fields_of(const controller::ProbeGroup& x) {
  const auto& [a, b, c, d] = x;
  return std::tie(a, b, c, d);
}
auto fields_of(const controller::ProbeMemory& x) {
  const auto& [a, b, c, d] = x;
  return std::tie(a, b, c, d);
}
auto fields_of(const controller::KeptChange& x) {
  const auto& [a, b, c, d, e] = x;
  return std::tie(a, b, c, d, e);
}
auto fields_of(const PersistentState& x) {
  const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s] = x;
  return std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s);
}

// Equality to the bit: doubles by their representation, so that -0.0 differs from 0.0.
template <class T>
bool same(const T& a, const T& b);
template <class T>
bool same_list(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!same(a[i], b[i])) return false;
  }
  return true;
}
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
bool same(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
  } else if constexpr (IsVector<T>::value) {
    return same_list(a, b);
  } else if constexpr (requires { fields_of(a); }) {
    return std::apply(
        [&](const auto&... left) {
          return std::apply([&](const auto&... right) { return (same(left, right) && ...); },
                            fields_of(b));
        },
        fields_of(a));
  } else if constexpr (std::is_same_v<T, std::optional<Decision>> ||
                       std::is_same_v<T, std::optional<controller::KeptChange>> ||
                       std::is_same_v<T, std::optional<double>>) {
    return a.has_value() == b.has_value() && (!a || same(*a, *b));
  } else {
    return a == b;
  }
}

// ---- random values ------------------------------------------------------------------------------

// RapidCheck gives the seed; the records are too large to build (and shrink) from its generators.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t bits() { return engine_(); }
  int below(int limit) { return std::uniform_int_distribution(0, limit - 1)(engine_); }

 private:
  std::mt19937_64 engine_;
};
thread_local Random* random_source = nullptr;
struct Seeded {
  explicit Seeded(std::uint64_t seed) : random(seed) { random_source = &random; }
  ~Seeded() { random_source = nullptr; }
  Random random;
};

double any_double() {
  Random& random = *random_source;
  switch (random.below(6)) {
    case 0:
      return 0.0;
    case 1:
      return -0.0;
    case 2:
      return static_cast<double>(static_cast<std::int64_t>(random.bits()));
    case 3:
      return static_cast<double>(random.bits()) * 0x1p-64;
    case 4:
      return std::numeric_limits<double>::denorm_min() * random.below(1000000);
    default: {
      const auto value = std::bit_cast<double>(random.bits());
      return std::isfinite(value) ? value : 0.1;
    }
  }
}
std::string any_text() {
  static const char* const kStarts[] = {"", "Schl\u00fcssel \"x\"\\\n\t", "gain"};
  std::string text = kStarts[random_source->below(3)];
  for (int i = random_source->below(10); i > 0; --i) {
    text += static_cast<char>(random_source->below(128));
  }
  return text;
}
bool any_bool() {
  return random_source->below(2) == 1;
}
template <class E>
E any_of(E last) {
  return static_cast<E>(random_source->below(static_cast<int>(last) + 1));
}
model::Knob any_knob() {
  return any_of(static_cast<model::Knob>(model::kKnobCount - 1));
}
template <class Make>
auto some(Make make) {
  std::vector<decltype(make())> list(static_cast<std::size_t>(random_source->below(4)));
  for (auto& element : list) element = make();
  return list;
}
model::Settings any_settings() {
  model::Settings settings;
  for (const auto& knob : model::all_knobs()) {
    if (any_bool()) {
      auto& values = knob.scope == model::KnobScope::family ? settings.families[any_text()]
                                                            : settings.database;
      values.set(knob.knob, any_double());
    }
  }
  return settings;
}
model::KnobChange any_change() {
  return {any_text(), any_knob(), any_double(), any_double()};
}
controller::Considered any_considered() {
  return {some(any_change), any_double(), any_text()};
}
model::Prediction any_prediction() {
  return {any_double(),
          any_double(),
          any_double(),
          any_double(),
          any_double(),
          any_double(),
          any_double(),
          any_double(),
          any_double(),
          any_of(model::Bound::none),
          any_of(model::Bound::none),
          any_text()};
}
WindowMeasure any_measure() {
  return {any_double(), any_double(), any_double(), any_double(), any_double(), any_double(),
          any_double(), any_double(), any_double(), any_double(), any_double(), any_double()};
}
std::optional<double> any_figure() {
  return any_bool() ? std::optional(any_double()) : std::nullopt;
}
controller::Kpi any_kpi() {
  return {any_figure(), any_figure(), any_figure(), any_of(controller::KpiJudgement::worse)};
}
model::Uncertainty any_uncertainty() {
  return {any_double(),     some(any_double), some(any_double), some(any_double),
          some(any_double), any_double(),     any_double(),     any_double(),
          any_double(),     any_double(),     any_double()};
}
model::Calibration any_calibration() {
  return {any_double(),     any_double(),     any_double(), some(any_double), some(any_double),
          some(any_double), some(any_double), any_double(), any_double(),     any_double(),
          any_double(),     any_double(),     any_double(), any_double(),     any_double(),
          any_double(),     any_double(),     any_double(), any_double(),     any_double(),
          any_double(),     any_double(),     any_double(), any_uncertainty()};
}
Decision any_decision() {
  return {random_source->bits(),
          any_text(),
          random_source->bits(),
          any_of(DecisionKind::revert),
          any_of(DecisionStatus::noted),
          any_double(),
          any_double(),
          any_text(),
          any_text(),
          any_text(),
          any_settings(),
          some(any_change),
          any_prediction(),
          any_prediction(),
          any_prediction(),
          any_measure(),
          any_measure(),
          {any_kpi(), any_kpi(), any_kpi(), any_kpi(), any_kpi()},
          any_text(),
          any_bool(),
          any_text(),
          some(any_considered)};
}
controller::ProbeGroup any_group() {
  return {any_of(controller::ProbeDirection::down), any_double(), any_double(), any_double()};
}
PersistentState any_state() {
  PersistentState state;
  state.database_id = any_text();
  state.next_decision_id = random_source->bits();
  state.frozen_by_operator = any_bool();
  state.frozen_by = any_text();
  state.storm_latched = any_bool();
  if (any_bool()) state.mode_override = any_of(config::Mode::tune);
  state.baseline = any_settings();
  state.incarnation = random_source->bits();
  state.kept = some(any_change);
  if (any_bool())
    state.last_kept = controller::KeptChange{random_source->bits(), some(any_change), any_double(),
                                             any_double(), any_double()};
  state.revert_wall_times_s = some(any_double);
  state.calibration = any_calibration();
  state.calibrated = any_bool();
  state.prediction_bias = any_double();
  if (any_bool()) state.open_trial = any_decision();
  state.may_land = some(any_change);
  state.reapply = some(any_change);
  state.foreign = some([] { return std::pair(any_text(), any_knob()); });
  state.probe = {random_source->bits(), any_group(), any_group(), any_group()};
  return state;
}

template <class T>
T through_text(const T& value, Result<T> (*from_json)(const json::value&)) {
  const std::string text = json::serialize(to_json(value));
  const auto parsed = parse_exact(text);
  if (!parsed) throw std::runtime_error(parsed.error().text());
  const auto back = from_json(*parsed);
  if (!back) throw std::runtime_error(back.error().text());
  return *back;
}

RC_GTEST_PROP(Codec, DecisionsComeBackToTheBit, (std::uint64_t seed)) {
  const Seeded seeded(seed);
  const auto value = any_decision();
  RC_ASSERT(same(value, through_text(value, decision_from_json)));
}
RC_GTEST_PROP(Codec, StatesComeBackToTheBit, (std::uint64_t seed)) {
  const Seeded seeded(seed);
  const auto value = any_state();
  RC_ASSERT(same(value, through_text(value, state_from_json)));
}
RC_GTEST_PROP(Codec, SettingsComeBackToTheBit, (std::uint64_t seed)) {
  const Seeded seeded(seed);
  const auto value = any_settings();
  RC_ASSERT(through_text(value, settings_from_json) == value);
}
RC_GTEST_PROP(Codec, CalibrationsComeBackToTheBit, (std::uint64_t seed)) {
  const Seeded seeded(seed);
  const auto value = any_calibration();
  RC_ASSERT(same(value, through_text(value, calibration_from_json)));
}
RC_GTEST_PROP(Codec, PredictionsAndMeasuresComeBackToTheBit, (std::uint64_t seed)) {
  const Seeded seeded(seed);
  const auto prediction = any_prediction();
  RC_ASSERT(same(prediction, through_text(prediction, prediction_from_json)));
  const auto measure = any_measure();
  RC_ASSERT(same(measure, through_text(measure, measure_from_json)));
}
RC_GTEST_PROP(Codec, AnyBytesAreAValueOrAnError, (const std::string& bytes)) {
  if (const auto value = parse_exact(bytes)) {
    static_cast<void>(decision_from_json(*value));
    static_cast<void>(state_from_json(*value));
  }
}

TEST(Codec, WholeNumbersAreWrittenAsIntegers) {
  model::Settings settings;
  settings.database.set(model::Knob::max_background_jobs, 2);
  settings.families["default"].set(model::Knob::write_buffer_size, 4194304);
  EXPECT_EQ(json::serialize(to_json(settings)),
            R"({"database":{"max_background_jobs":2},)"
            R"("families":{"default":{"write_buffer_size":4194304}}})");
}

TEST(Codec, ChangesNameTheOption) {
  const model::ChangeSet changes = {{"default", model::Knob::write_buffer_size, 1.5, 3}};
  EXPECT_EQ(json::serialize(to_json(changes)),
            R"([{"family":"default","option":"write_buffer_size","old":1.5E0,"new":3}])");
}

TEST(Codec, NotFiniteIsNullAndNullIsAnError) {
  Decision decision;
  decision.predicted_after.put_bytes_per_s = std::nan("");
  const auto object = to_json(decision);
  EXPECT_TRUE(object.at("predicted_after").at("put_bytes_per_s").is_null());
  const auto back = decision_from_json(object);
  ASSERT_FALSE(back);
  EXPECT_EQ(back.error().what,
            "decision.predicted_after.put_bytes_per_s must be a finite number, not null");
  EXPECT_FALSE(decision_from_json(
      *parse_exact(R"({"id":1,"target":"x","kind":"noop","status":"noted","wall_time_s":1e999})")));
}

TEST(Codec, UnknownWordsAreErrorsWithTheWord) {
  auto object = to_json(Decision{});
  object["status"] = "excellent";
  EXPECT_THAT(decision_from_json(object).error().what, HasSubstr("\"excellent\""));
  const auto settings = parse_exact(R"({"database":{"max_foreground_jobs":2}})");
  EXPECT_THAT(settings_from_json(*settings).error().what, HasSubstr("\"max_foreground_jobs\""));
  auto state = to_json(PersistentState{});
  state["mode_override"] = "auto";
  EXPECT_THAT(state_from_json(state).error().what, HasSubstr("\"auto\""));
}

TEST(Codec, EveryWordIsReadBack) {
  for (int i = 0; i <= static_cast<int>(DecisionStatus::noted); ++i) {
    Decision decision;
    decision.status = static_cast<DecisionStatus>(i);
    EXPECT_EQ(decision_from_json(to_json(decision))->status, decision.status);
  }
}

TEST(Codec, TypesAreStrictAndThePathIsNamed) {
  auto object = to_json(Decision{});
  object["short_trial"] = 1;
  EXPECT_EQ(decision_from_json(object).error().what,
            "decision.short_trial must be true or false, not a number");
  object = to_json(Decision{});
  object["id"] = -1;
  EXPECT_FALSE(decision_from_json(object));
  object["id"] = "7";
  EXPECT_FALSE(decision_from_json(object));
  const auto changes = parse_exact(R"([{"family":"","option":"max_background_jobs"}])");
  EXPECT_EQ(changes_from_json(*changes).error().what, "changes[0].old is missing");
  EXPECT_FALSE(decision_from_json(json::value(3)));
  object = to_json(Decision{});
  object["incarnation"] = "18446744073709551616";  // 2^64
  EXPECT_THAT(decision_from_json(object).error().what, HasSubstr("too large"));
}

TEST(Codec, AbsentMembersKeepTheirDefaults) {
  const auto value =
      parse_exact(R"({"id":9,"target":"db","kind":"noop","status":"noted","future":[1,{}]})");
  const auto decision = decision_from_json(*value);
  ASSERT_TRUE(decision) << decision.error().text();
  EXPECT_EQ(decision->id, 9u);
  EXPECT_EQ(decision->predicted_after.model, model::Prediction{}.model);
  const auto state = state_from_json(*parse_exact("{}"));
  ASSERT_TRUE(state);
  EXPECT_TRUE(same(*state, PersistentState{}));
}

TEST(Codec, CalibrationsStoredWithoutUncertaintyStartWithPriors) {
  const auto calibration =
      calibration_from_json(*parse_exact(R"({"write_bandwidth":1e8,"log_residual":0.1})"));
  ASSERT_TRUE(calibration) << calibration.error().text();
  EXPECT_EQ(calibration->write_bandwidth, 1e8);
  EXPECT_EQ(calibration->l0_speed_up_exponent, 1);
  EXPECT_EQ(calibration->uncertainty, model::Uncertainty{});
}

TEST(ParseExact, ReadsDecimalsToTheNearestDouble) {
  for (const char* text : {"0.1", "1.7976931348623157E308", "5E-324", "2.2250738585072011e-308",
                           "9007199254740993.0", "123456789.123456789", "-0E0"}) {
    const auto value = parse_exact(text);
    ASSERT_TRUE(value) << text;
    EXPECT_TRUE(same(value->as_double(), std::strtod(text, nullptr))) << text;
  }
}

TEST(ParseExact, RefusesWhatIsNotOneDocument) {
  for (const char* text : {"", "{", "{}x", "{} {}", "nan", "[1,]", "\"\xff\""}) {
    EXPECT_FALSE(parse_exact(text)) << text;
  }
  EXPECT_FALSE(parse_exact(std::string(40, '[') + std::string(40, ']')));
}

}  // namespace
}  // namespace lsmtuned::daemon
