#include "golden.h"

#include <cmath>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace lsmtuned::model::published::testing {
namespace {

namespace json = boost::json;

std::vector<GoldenVector> read_list(const json::value& list) {
  std::vector<GoldenVector> vectors;
  for (const json::value& entry : list.as_array()) {
    const json::object& object = entry.as_object();
    const json::object& tolerance = object.at("tolerance").as_object();
    vectors.push_back({Given(json::value_to<std::string>(object.at("id")),
                             object.at("inputs").as_object(), object.at("expected").as_object()),
                       json::value_to<std::string>(object.at("model")),
                       object.at("expected").as_object(), tolerance.at("rel").to_number<double>(),
                       tolerance.at("abs").to_number<double>()});
  }
  return vectors;
}

bool near(double got, double expected, const GoldenVector& vector) {
  return std::abs(got - expected) <= vector.absolute + vector.relative * std::abs(expected);
}

struct Same {
  const json::value& expected;
  const GoldenVector& vector;

  bool operator()(double got) const {
    return expected.is_number() && near(got, expected.to_number<double>(), vector);
  }
  bool operator()(const std::string& got) const {
    return expected.is_string() && expected.as_string() == got;
  }
  template <class T>
  bool operator()(const std::vector<T>& got) const {
    if (!expected.is_array() || expected.as_array().size() != got.size()) return false;
    for (std::size_t i = 0; i < got.size(); ++i) {
      if (!Same{expected.as_array()[i], vector}(got[i])) return false;
    }
    return true;
  }
};

struct Print {
  std::ostream& out;
  void operator()(double value) const { out << value; }
  void operator()(const std::string& value) const { out << value; }
  template <class T>
  void operator()(const std::vector<T>& values) const {
    for (const T& value : values) out << value << ' ';
  }
};

}  // namespace

const json::value& Given::raw(const std::string& name) const {
  const json::value* entry = inputs_.if_contains(name);
  if (entry == nullptr) throw std::runtime_error(id_ + " has no input " + name);
  return entry->as_object().at("value");
}

double Given::number(const std::string& name) const {
  return raw(name).to_number<double>();
}

std::optional<double> Given::maybe(const std::string& name) const {
  if (!inputs_.contains(name) || raw(name).is_null()) return std::nullopt;
  return number(name);
}

std::vector<double> Given::numbers(const std::string& name) const {
  std::vector<double> values;
  for (const json::value& value : raw(name).as_array()) values.push_back(value.to_number<double>());
  return values;
}

std::string Given::text(const std::string& name) const {
  return json::value_to<std::string>(raw(name));
}

Phase Given::phase() const {
  return parse_phase(text("phase")).value();
}

std::string Given::unit_of_expected(const std::string& name) const {
  return json::value_to<std::string>(expected_.at(name).at("unit"));
}

GoldenFile read_golden_file() {
  std::ifstream in(LSMTUNED_GOLDEN_FILE);
  std::stringstream text;
  text << in.rdbuf();
  const json::value document = json::parse(text.str());
  return {read_list(document.at("vectors")), read_list(document.at("conformance"))};
}

std::string differences(const GoldenVector& vector, const Computed& computed) {
  std::ostringstream out;
  out.precision(17);
  if (vector.expected.empty()) out << "nothing is expected; ";
  for (const auto& [name, entry] : vector.expected) {
    if (name == "refused") {
      if (!computed.refused) out << "was not refused; ";
      continue;
    }
    const auto found = computed.values.find(std::string(name));
    if (found == computed.values.end()) {
      out << name << " was not computed; ";
      continue;
    }
    const json::value& expected = entry.as_object().at("value");
    if (std::visit(Same{expected, vector}, found->second)) continue;
    out << name << " is ";
    std::visit(Print{out}, found->second);
    out << ", expected " << expected << "; ";
  }
  if (computed.refused && !vector.expected.contains("refused")) {
    out << "refused: " << *computed.refused;
  }
  return out.str();
}

}  // namespace lsmtuned::model::published::testing
