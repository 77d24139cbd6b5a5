#include "model/analysis/influence.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lsmtuned::model {
namespace {

// v = x^2 / y where z does nothing, but with x up it doubles: known elasticities and one pair.
const std::vector<Movable> kMovables = {{2, 4, 1}, {3, 6, 1.5}, {5, 10, 5}};

std::optional<double> value(const Moves& moves) {
  double at[3] = {2, 3, 5};
  for (const auto& [index, to] : moves) at[index] = to;
  if (at[1] < 2) return std::nullopt;  // y may not go down
  const double both = at[0] > 2 && at[2] > 5 ? 2 : 1;
  return std::log(both * at[0] * at[0] / at[1]) - std::log(2.0 * 2.0 / 3.0);
}

TEST(Influence, IsTheElasticityOfEachAlone) {
  const auto found = influences(kMovables, value);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_NEAR(found[0].elasticity, 2, 1e-12);
  EXPECT_NEAR(found[0].effect(), std::log(4), 1e-12);
  EXPECT_TRUE(found[0].better_up());
  EXPECT_NEAR(found[1].elasticity, -1, 1e-12);  // one side only: the other is not valid
  EXPECT_FALSE(found[1].down);
  EXPECT_NEAR(found[2].elasticity, 0, 1e-12);
  EXPECT_FALSE(found[2].down);  // no step that way
}

TEST(Influence, PairsActMoreTogetherThanApart) {
  const auto pairs = joint_influences(kMovables, influences(kMovables, value), value);
  ASSERT_EQ(pairs.size(), 3U);
  // v(x up, z up) = 8 v, v(x up) = 4 v, v(z up) = v: 8 - 4 - 1 + 1.
  EXPECT_EQ(pairs[0].first, 0U);
  EXPECT_EQ(pairs[0].second, 2U);
  EXPECT_NEAR(pairs[0].interaction, 4, 1e-12);
  EXPECT_NEAR(pairs[0].together, std::log(8), 1e-12);
}

}  // namespace
}  // namespace lsmtuned::model
