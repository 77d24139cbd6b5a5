// Mutated documents into the readers of problems, published inputs, V4.2 documents, calibrations
// and fio's output: nothing may crash, every refusal is said, and what is accepted is valid.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>
#include <string>

#include "daemon/device_calibration.h"
#include "daemon/problem_json.h"
#include "daemon/published_json.h"

namespace lsmtuned::daemon {
namespace {

namespace json = boost::json;

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = getenv(name);
  return text == nullptr ? otherwise : strtoull(text, nullptr, 10);
}

std::string text_of(const char* name) {
  std::ifstream file(std::string(LSMTUNED_EXAMPLES) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class ProblemFuzz : public ::testing::Test {
 protected:
  ProblemFuzz() { std::cout << "LSMTUNED_FUZZ_SEED=" << seed_ << std::endl; }

  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(random_() % limit); }

  std::uint64_t iterations(std::uint64_t usual) {
    return number_from_environment("LSMTUNED_FUZZ_ITERATIONS", usual);
  }

  std::string mutated(std::string bytes) {
    const std::size_t changes = 1 + below(4);
    for (std::size_t i = 0; i < changes && !bytes.empty(); ++i) {
      const std::size_t at = below(bytes.size());
      const std::size_t size = std::min(bytes.size() - at, 1 + below(16));
      switch (below(5)) {
        case 0:
          bytes[at] = static_cast<char>(random_());
          break;
        case 1:
          bytes.erase(at, size);
          break;
        case 2:
          bytes.insert(at, bytes.substr(below(bytes.size()), size));
          break;
        case 3:
          bytes[at] = "0123456789-.eE[]{},:\"tfn"[below(24)];
          break;
        default:
          std::swap(bytes[at], bytes[below(bytes.size())]);
      }
    }
    return bytes;
  }

  json::value odd_value() {
    static const json::array kOdd = {nullptr,
                                     true,
                                     -1,
                                     0,
                                     1,
                                     1e308,
                                     5e-324,
                                     -0.5,
                                     UINT64_MAX,
                                     INT64_MIN,
                                     "",
                                     "64 MiB",
                                     "1e999 B",
                                     "saturating",
                                     json::array{},
                                     json::object{},
                                     json::array{1, "x", nullptr},
                                     "{{{{{{{{{{{{{{{{{{{{"};
    return kOdd[below(kOdd.size())];
  }

  // One member somewhere replaced, removed, renamed or added.
  void disturb(json::value& value) {
    if (value.is_object() && !value.get_object().empty()) {
      json::object& object = value.get_object();
      auto at = object.begin() + static_cast<std::ptrdiff_t>(below(object.size()));
      switch (below(8)) {
        case 0:
          at->value() = odd_value();
          break;
        case 1:
          object.erase(at);
          break;
        case 2:
          object[mutated(std::string(at->key()))] = odd_value();
          break;
        default:
          disturb(at->value());
      }
    } else if (value.is_array() && !value.get_array().empty()) {
      json::array& list = value.get_array();
      disturb(list[below(list.size())]);
    } else {
      value = odd_value();
    }
  }

  // Reads as any kind of document; true when a problem was accepted.
  bool read(const std::string& text) {
    const ProblemOutcome outcome = read_problem(text);
    for (const InputError& error : outcome.errors) EXPECT_FALSE(error.text().empty());
    if (outcome.errors.empty()) {
      EXPECT_TRUE(outcome.problem.check().empty());
      const ProblemOutcome again = read_problem(problem_json(outcome.problem));
      EXPECT_TRUE(again.errors.empty()) << daemon::text_of(again.errors);
    }
    if (const auto document = parse_document(text)) {
      InputErrors errors;
      const auto sample = read_v42(*document, errors);
      if (errors.empty()) {
        EXPECT_TRUE(model::published::predict("v4.2", sample));
      }
      model::published::PublishedInputs inputs;
      read_published(*document, "published", inputs, errors);
    }
    read_calibration(text);
    parse_fio(text);
    return outcome.errors.empty();
  }

  std::uint64_t seed_ = number_from_environment("LSMTUNED_FUZZ_SEED", std::random_device{}());
  std::mt19937_64 random_{seed_};
};

TEST_F(ProblemFuzz, MutatedBytes) {
  const std::string problem = text_of("problem.json");
  const std::string sample = text_of("v4_2.json");
  std::uint64_t accepted = 0;
  const std::uint64_t times = iterations(3000);
  for (std::uint64_t i = 0; i < times; ++i)
    accepted += read(mutated(i % 4 == 0 ? sample : problem));
  EXPECT_LT(accepted, times);
}

TEST_F(ProblemFuzz, MutatedMembers) {
  const json::value problem = json::parse(text_of("problem.json"));
  const json::value sample = json::parse(text_of("v4_2.json"));
  std::uint64_t accepted = 0;
  const std::uint64_t times = iterations(3000);
  for (std::uint64_t i = 0; i < times; ++i) {
    json::value document = i % 4 == 0 ? sample : problem;
    for (std::size_t changes = 1 + below(3); changes > 0; --changes) disturb(document);
    accepted += read(json::serialize(document));
  }
  EXPECT_GT(accepted, 0U);  // else nothing behind the first check was ever reached
}

}  // namespace
}  // namespace lsmtuned::daemon
