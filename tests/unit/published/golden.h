// The golden vectors of data/golden.json: reading them, and comparing what was computed.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/published/phase.h"

namespace lsmtuned::model::published::testing {

// Inputs of one vector. Asking for one that is not there throws: the vector fails.
class Given {
 public:
  Given(std::string id, boost::json::object inputs, boost::json::object expected)
      : id_(std::move(id)), inputs_(std::move(inputs)), expected_(std::move(expected)) {}
  const std::string& id() const { return id_; }
  const boost::json::value& raw(const std::string& name) const;
  double number(const std::string& name) const;
  std::optional<double> maybe(const std::string& name) const;  // absent or null: none
  std::vector<double> numbers(const std::string& name) const;
  std::string text(const std::string& name) const;
  Phase phase() const;
  std::string unit_of_expected(const std::string& name) const;

 private:
  std::string id_;
  boost::json::object inputs_;
  boost::json::object expected_;
};

using Answer = std::variant<double, std::string, std::vector<double>, std::vector<std::string>>;

// What our code gave, by the vector's names. `refused` holds the error of a rejected call.
struct Computed {
  std::map<std::string, Answer> values;
  std::optional<std::string> refused;
};

struct GoldenVector {
  Given given;
  std::string model;
  boost::json::object expected;
  double relative = 0;
  double absolute = 0;
};

struct GoldenFile {
  std::vector<GoldenVector> published;
  std::vector<GoldenVector> conformance;
};
GoldenFile read_golden_file();

// Empty when every expected quantity is there and within tolerance; else what differs.
std::string differences(const GoldenVector& vector, const Computed& computed);

using Compute = Computed (*)(const Given&);
// Vectors of a model, by their kind; they call what model/published/ offers to everyone.
const std::map<std::string, Compute>& model_kinds();
// Vectors that are plain arithmetic on the documents' figures.
const std::map<std::string, Compute>& arithmetic_kinds();

}  // namespace lsmtuned::model::published::testing
