#include "config/suggest.h"

#include <gtest/gtest.h>

namespace lsmtuned::config {
namespace {

TEST(Suggest, EditDistance) {
  EXPECT_EQ(edit_distance("", ""), 0U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("lease", "lease"), 0U);
  EXPECT_EQ(edit_distance("leese", "lease"), 1U);
  EXPECT_EQ(edit_distance("laese", "lease"), 1U);  // neighbours swapped
  EXPECT_EQ(edit_distance("cooldwn", "cooldown"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(Suggest, VeryLongNamesAreCutAndDoNotRunAway) {
  EXPECT_EQ(edit_distance(std::string(100000, 'a'), std::string(100000, 'b')), 64U);
}

TEST(Suggest, NearestOrNothing) {
  const std::vector<std::string> known = {"lease", "cooldown", "mode"};
  EXPECT_EQ(nearest("leas", known), "lease");
  EXPECT_EQ(nearest("cool_down", known), "cooldown");
  EXPECT_EQ(nearest("temperature", known), std::nullopt);
  EXPECT_EQ(did_you_mean("mod", known), "did you mean \"mode\"?");
  EXPECT_EQ(did_you_mean("xyzzy", known), "");
}

}  // namespace
}  // namespace lsmtuned::config
