// Every golden vector, published number or not, whether the documents' claim holds or not: the
// expected value is always what the stated formula really gives.
#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "golden.h"

namespace lsmtuned::model::published::testing {
namespace {

constexpr std::size_t kPublished = 157;
constexpr std::size_t kConformance = 106;

Compute find_kind(const std::string& model) {
  for (const auto* kinds : {&model_kinds(), &arithmetic_kinds()}) {
    if (const auto found = kinds->find(model); found != kinds->end()) return found->second;
  }
  return nullptr;
}

// Empty when the vector passes.
std::string failure(const GoldenVector& vector) {
  const Compute compute = find_kind(vector.model);
  if (compute == nullptr) return "unknown kind " + vector.model;
  try {
    return differences(vector, compute(vector.given));
  } catch (const std::exception& error) {
    return error.what();
  }
}

std::size_t count_passed(const std::vector<GoldenVector>& vectors, std::set<std::string>& used) {
  std::size_t passed = 0;
  for (const GoldenVector& vector : vectors) {
    const std::string why = failure(vector);
    EXPECT_EQ(why, "") << vector.given.id();
    passed += why.empty();
    used.insert(vector.model);
  }
  return passed;
}

TEST(Golden, EveryVectorPasses) {
  const GoldenFile file = read_golden_file();
  EXPECT_EQ(file.published.size(), kPublished);
  EXPECT_EQ(file.conformance.size(), kConformance);
  std::set<std::string> used;
  const std::size_t passed =
      count_passed(file.published, used) + count_passed(file.conformance, used);
  std::cout << "golden vectors passed: " << passed << " of "
            << file.published.size() + file.conformance.size() << " (" << file.published.size()
            << " published, " << file.conformance.size() << " conformance)\n";
  EXPECT_EQ(passed, kPublished + kConformance);
  for (const auto* kinds : {&model_kinds(), &arithmetic_kinds()}) {
    for (const auto& [kind, compute] : *kinds) EXPECT_TRUE(used.contains(kind)) << kind;
  }
}

TEST(Golden, IdsAreUnique) {
  const GoldenFile file = read_golden_file();
  std::set<std::string> ids;
  for (const auto* list : {&file.published, &file.conformance}) {
    for (const GoldenVector& vector : *list) ids.insert(vector.given.id());
  }
  EXPECT_EQ(ids.size(), kPublished + kConformance);
}

// The comparison itself must be able to fail: each vector is checked against an answer that is off
// by a little more than its tolerance, against no answer, and against a refusal.
TEST(Golden, AWrongAnswerIsSeen) {
  const GoldenFile file = read_golden_file();
  std::size_t shifted = 0;
  for (const auto* list : {&file.published, &file.conformance}) {
    for (const GoldenVector& vector : *list) {
      EXPECT_NE(differences(vector, {}), "") << vector.given.id();
      Computed computed = find_kind(vector.model)(vector.given);
      if (computed.refused) continue;
      for (const auto& [name, entry] : vector.expected) {
        Computed wrong = computed;
        if (auto* number = std::get_if<double>(&wrong.values.at(std::string(name)))) {
          *number += 2 * (vector.absolute + vector.relative * std::abs(*number));
          EXPECT_NE(differences(vector, wrong), "") << vector.given.id() << ' ' << name;
          ++shifted;
        }
      }
      computed.refused = "for no reason";
      EXPECT_NE(differences(vector, computed), "") << vector.given.id();
    }
  }
  EXPECT_GT(shifted, kPublished + kConformance);
}

}  // namespace
}  // namespace lsmtuned::model::published::testing
