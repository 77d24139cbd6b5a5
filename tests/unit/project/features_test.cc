// docs/features.md: every row is there, and every test it names exists.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace lsmtuned {
namespace {

const std::string kRoot = LSMTUNED_SOURCE_DIR;

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A test of `source` by its name "Suite.Test", whichever macro it is written with.
bool holds_test(const std::string& source, const std::string& name) {
  const auto dot = name.find('.');
  return std::regex_search(source, std::regex("\\((?:[A-Za-z]*::)?" + name.substr(0, dot) +
                                              ",\\s*" + name.substr(dot + 1) + "[,)]"));
}

TEST(Features, EveryTestThatIsNamedExists) {
  const std::string page = read(kRoot + "/docs/features.md");
  ASSERT_FALSE(page.empty());
  const std::regex named("`(tests/[^`]+)`(?: `([A-Za-z0-9]+\\.[A-Za-z0-9]+)`)?");
  int tests = 0;
  for (auto at = std::sregex_iterator(page.begin(), page.end(), named);
       at != std::sregex_iterator(); ++at) {
    const std::string source = read(kRoot + "/" + (*at)[1].str());
    EXPECT_FALSE(source.empty()) << (*at)[1];
    if ((*at)[2].matched) {
      EXPECT_TRUE(holds_test(source, (*at)[2])) << (*at)[1] << " " << (*at)[2];
    }
    ++tests;
  }
  EXPECT_GE(tests, 36);
}

TEST(Features, EveryRowIsThereOnceAndNamesATest) {
  const std::string page = read(kRoot + "/docs/features.md");
  std::multiset<std::string> rows;
  const std::regex row("\\n\\| ([A-Z][0-9]+) \\|([^\\n]*)");
  for (auto at = std::sregex_iterator(page.begin(), page.end(), row); at != std::sregex_iterator();
       ++at) {
    rows.insert((*at)[1]);
    EXPECT_NE((*at)[2].str().find("`tests/"), std::string::npos) << (*at)[1];
  }
  const auto expect = [&](char letter, int from, int to) {
    for (int number = from; number <= to; ++number) {
      EXPECT_EQ(rows.count(letter + std::to_string(number)), 1u) << letter << number;
    }
  };
  expect('C', 4, 6);
  expect('D', 1, 9);
  expect('F', 1, 15);
  expect('J', 1, 8);
}

TEST(Features, AMissingTestWouldBeSeen) {
  const std::string source = "TEST_F(Suite, Test) {\nTEST_P(Other, Name) {\n";
  EXPECT_TRUE(holds_test(source, "Suite.Test"));
  EXPECT_FALSE(holds_test(source, "Suite.Tes"));
  EXPECT_FALSE(holds_test(source, "Suite.Name"));
}

}  // namespace
}  // namespace lsmtuned
