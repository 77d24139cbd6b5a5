#include "arrows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace lsmtuned::project {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Arrows, ThisProjectKeepsThem) {
  const fs::path root = fs::canonical(LSMTUNED_SOURCE_DIR);
  ASSERT_TRUE(fs::exists(root / "config/policy.h"));
  EXPECT_THAT(forbidden_includes(root), IsEmpty());
  EXPECT_THAT(unknown_folders(root), IsEmpty());
}

class PlantedTree : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/lsmtuned-arrows-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    root_ = name;
    for (const char* folder : {"model", "config", "controller", "actuators", "daemon", "tests"}) {
      fs::create_directory(root_ / folder);
    }
  }
  void TearDown() override { fs::remove_all(root_); }
  void plant(const std::string& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  fs::path root_;
};

TEST_F(PlantedTree, AllowedIncludesPass) {
  plant("model/a.h", "#include <vector>\n#include \"model/b.h\"\n#include \"b.h\"\n");
  plant("model/b.h", "");
  plant("config/policy.h", "#include \"model/a.h\"\n");
  plant("controller/step.cc", "#include \"config/policy.h\"\n#include \"model/a.h\"\n");
  plant("actuators/wire/x.cc", "#include \"config/policy.h\"\n#include <rocksdb/db.h>\n");
  fs::create_directory(root_ / "systemd");
  plant("daemon/main.cc",
        "#include <systemd/sd-daemon.h>\n#include \"actuators/wire/x.h\"\n#include "
        "\"controller/step.h\"\n");
  plant("tests/any.cc", "#include \"daemon/main.h\"\n");
  EXPECT_THAT(forbidden_includes(root_), IsEmpty());
}

TEST_F(PlantedTree, EveryForbiddenArrowIsFoundWithItsLine) {
  plant("model/deep/a.h", "// comment\n#include \"config/policy.h\"\n");
  plant("config/keys.cc", "#include \"daemon/x.h\"\n");
  plant("controller/step.cc", "\n\n  #  include <actuators/target.h>\n");
  plant("actuators/target.h", "");
  plant("actuators/target.cc", "#include \"config/parse.h\"\n#include \"controller/step.h\"\n");
  plant("daemon/main.cc", "#include \"tests/helper.h\"\n");
  EXPECT_THAT(forbidden_includes(root_),
              ElementsAre("actuators/target.cc:1: may not include config/parse.h",
                          "actuators/target.cc:2: may not include controller/step.h",
                          "config/keys.cc:1: may not include daemon/x.h",
                          "controller/step.cc:3: may not include actuators/target.h",
                          "daemon/main.cc:1: may not include tests/helper.h",
                          "model/deep/a.h:2: may not include config/policy.h"));
}

TEST_F(PlantedTree, WaysAroundAreFoundToo) {
  plant("config/policy.h", "");
  plant("model/a.h", "#include \"../config/policy.h\"\n");
  plant("model/b.h", "#include \"model/../config/policy.h\"\n");
  EXPECT_THAT(forbidden_includes(root_),
              ElementsAre("model/a.h:1: may not include config/policy.h",
                          "model/b.h:1: may not include config/policy.h"));
}

TEST_F(PlantedTree, UnknownTopLevelFolder) {
  fs::create_directory(root_ / ".git");
  fs::create_directory(root_ / "build");
  fs::create_directory(root_ / "utils");
  EXPECT_THAT(unknown_folders(root_), ElementsAre("utils"));
}

}  // namespace
}  // namespace lsmtuned::project
