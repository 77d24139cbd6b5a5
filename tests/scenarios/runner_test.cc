// Every *.txt beside this file is a scenario and a test of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "script.h"

namespace {

std::vector<std::string> scripts() {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(LSMTUNED_SCENARIOS))
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt")
      found.push_back(entry.path().string());
  std::sort(found.begin(), found.end());
  return found;
}

class Scenario : public ::testing::TestWithParam<std::string> {};

TEST_P(Scenario, PlaysAsWritten) {
  EXPECT_EQ(lsmtuned::controller::testing::run_script(GetParam()), "");
}

std::string name_of(const ::testing::TestParamInfo<std::string>& script) {
  return std::filesystem::path(script.param).stem().string();
}
INSTANTIATE_TEST_SUITE_P(Files, Scenario, ::testing::ValuesIn(scripts()), name_of);

TEST(Scenarios, ThereAreSome) {
  EXPECT_GE(scripts().size(), 12U);
}

}  // namespace
