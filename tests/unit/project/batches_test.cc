// Files compiled together (lsmtuned_together) share their anonymous namespaces. Two constants of
// one name do not compile; two functions of one name become overloads, and a call may then reach
// the wrong one without a word.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace lsmtuned::project {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Names of functions defined at the top of a file's anonymous namespaces.
std::set<std::string> hidden_functions(const std::string& text) {
  static const std::regex definition(R"(^[A-Za-z_][\w:<>,*& ]*[ *&](\w+)\()");
  std::set<std::string> names;
  std::istringstream lines(text);
  int depth = 0;
  bool hidden = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "namespace {") {
      hidden = true;
      depth = 0;
      continue;
    }
    if (line == "}  // namespace") hidden = false;
    if (!hidden) continue;
    std::smatch found;
    if (depth == 0 && std::regex_search(line, found, definition)) names.insert(found[1]);
    for (const char c : line) depth += c == '{' ? 1 : c == '}' ? -1 : 0;
  }
  names.erase("TEST");
  names.erase("TEST_F");
  names.erase("TEST_P");
  return names;
}

// "function: one file, another" for every name that two files of a batch define.
std::vector<std::string> clashes(const std::vector<fs::path>& batch) {
  std::map<std::string, std::string> seen;
  std::vector<std::string> result;
  for (const fs::path& file : batch)
    for (const std::string& name : hidden_functions(text_of(file))) {
      std::string& first = seen[name];
      if (!first.empty())
        result.push_back(name + ": " + first + ", " + file.string());
      else
        first = file.string();
    }
  return result;
}

TEST(Batches, FilesCompiledTogetherShareNoFunctionNames) {
  static const std::regex include(R"re(#include "(/[^"]+)")re");
  // Batches of an earlier configuration stay on disk.
  const std::string rules = text_of(fs::path(LSMTUNED_BINARY_DIR) / "build.ninja");
  std::size_t batches = 0;
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(LSMTUNED_BINARY_DIR)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("unity_") || !name.ends_with("_cxx.cxx")) continue;
    const fs::path relative = fs::relative(entry.path(), LSMTUNED_BINARY_DIR);
    if (!rules.empty() && rules.find(relative.string()) == std::string::npos) continue;
    ++batches;
    const std::string text = text_of(entry.path());
    std::vector<fs::path> batch;
    for (std::sregex_iterator at(text.begin(), text.end(), include), end; at != end; ++at)
      if (fs::exists((*at)[1].str())) batch.emplace_back((*at)[1].str());
    for (std::string& clash : clashes(batch)) found.push_back(std::move(clash));
  }
  EXPECT_GT(batches, 10U);
  EXPECT_THAT(found, testing::IsEmpty());
}

TEST(Batches, AClashIsSeen) {
  const std::string one =
      "namespace {\nconstexpr int kA = 1;\nint twice(int x) {\n  return f(x);\n}\n}  // "
      "namespace\nint open() {\n}\n";
  EXPECT_EQ(hidden_functions(one), std::set<std::string>{"twice"});
  EXPECT_TRUE(hidden_functions("int twice(int x) {\n}\n").empty());
}

}  // namespace
}  // namespace lsmtuned::project
