// The committed page and example file are what the registration gives.
// LSMTUNED_WRITE_GENERATED=1 in the environment rewrites them instead.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "config/keys.h"
#include "config/parse.h"

namespace lsmtuned::config {
namespace {

void expect_committed(const std::string& file, const std::string& generated) {
  const std::string path = std::string(LSMTUNED_SOURCE_DIR) + "/" + file;
  if (std::getenv("LSMTUNED_WRITE_GENERATED") != nullptr) {
    std::ofstream(path) << generated;
  }
  std::ostringstream committed;
  committed << std::ifstream(path).rdbuf();
  EXPECT_TRUE(committed.str() == generated)
      << file << " is out of date; run: LSMTUNED_WRITE_GENERATED=1 config_tests";
}

TEST(Generated, ReferencePageIsUpToDate) {
  expect_committed("docs/configuration.md", reference_page_markdown());
}

TEST(Generated, ExampleFileIsUpToDate) {
  expect_committed("systemd/lsmtuned.toml", default_config_text());
}

TEST(Generated, PageNamesEveryKeyAndOption) {
  const std::string page = reference_page_markdown();
  const auto check = [&](const auto& keys) {
    for (const auto& key : keys) {
      EXPECT_NE(page.find("### `" + key.name + "`"), std::string::npos) << key.name;
    }
  };
  check(daemon_keys());
  check(policy_keys());
  check(target_keys());
  for (const model::KnobInfo& knob : model::all_knobs()) {
    EXPECT_NE(page.find("| `" + std::string(knob.option) + "` |"), std::string::npos);
  }
}

}  // namespace
}  // namespace lsmtuned::config
