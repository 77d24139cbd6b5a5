// Exit codes and messages of what is wrong, common to all model commands.
#include "daemon/control_protocol.h"
#include "support.h"

namespace lsmtuned::daemon::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<std::string> kProblemCommands = {"predict", "simulate", "sensitivity", "plan",
                                                   "bottleneck"};

TEST_F(Commands, WithoutInputTheyAskTheDaemon) {
  for (const std::string& command : kProblemCommands) {
    EXPECT_EQ(run({command}), kExitUnreachable) << command;
    EXPECT_THAT(err_.str(), HasSubstr("systemctl start lsmtuned")) << command;
  }
}

TEST_F(Commands, AWrongDocumentIsUsageAndNamesEveryPlace) {
  const std::string wrong =
      file("wrong.json", R"({"device": {"write_bytes_per_s": "fast"}, "horizon_s": 0})");
  for (const std::string& command : kProblemCommands) {
    EXPECT_EQ(run({command, "--input", wrong}), kExitUsage) << command;
    EXPECT_THAT(err_.str(), AllOf(HasSubstr("2 errors"), HasSubstr("device.write_bytes_per_s"),
                                  HasSubstr("horizon_s")))
        << command;
    EXPECT_EQ(out_.str(), "") << command;
  }
  EXPECT_EQ(run({"predict", "--json", "--input", wrong}), kExitUsage);
  const json::object said = answer();
  EXPECT_EQ(said.at("ok"), false);
  EXPECT_EQ(said.at("errors").as_array().size(), 2U);
  EXPECT_EQ(said.at("errors").at(0).at("place"), "device.write_bytes_per_s");
}

TEST_F(Commands, AFileThatCannotBeReadIsUsage) {
  EXPECT_EQ(run({"predict", "--input", path("nowhere.json")}), kExitUsage);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("nowhere.json"), HasSubstr("No such file")));
  EXPECT_EQ(run({"predict", "--input", folder_}), kExitUsage);
}

TEST_F(Commands, WrongOptionsAreUsage) {
  const std::string input = example("problem.json");
  EXPECT_EQ(run({"predict", "--input", input, "--model", "v9"}), kExitUsage);
  EXPECT_THAT(err_.str(), AllOf(HasSubstr("v9"), HasSubstr("ledger"), HasSubstr("v4.2")));
  EXPECT_EQ(run({"predict", "--input", input, "--phase", "middle"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("knows no phases"));
  EXPECT_EQ(run({"predict", "--input", input, "--model", "v4", "--phase", "late"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("late"));
  EXPECT_EQ(run({"simulate", "--input", input, "--layer", "ledger"}), kExitUsage);
  EXPECT_EQ(run({"simulate", "--input", input, "--members", "0"}), kExitUsage);
  EXPECT_EQ(run({"plan", "--input", input, "--rate", "quick"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("MiB/s"));
  EXPECT_EQ(run({"sensitivity", "--input", input, "--model", "v1"}), kExitUsage);
}

TEST_F(Commands, AModelThatRefusesIsNotUsage) {
  EXPECT_EQ(run({"models", "v9"}), kExitRefused);
  EXPECT_EQ(run({"predict", "--input", file("v1.json", R"({"published": {}})"), "--model", "v1"}),
            kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr("write_mib_per_s"));
}

TEST_F(Commands, PublishedInputsAloneAreNoProblem) {
  const std::string only = file("p.json", R"({"published": {"write_mib_per_s": 100}})");
  EXPECT_EQ(run({"bottleneck", "--input", only}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("docs/predict.md"));
  EXPECT_EQ(run({"predict", "--model", "v4", "--input", only}), kExitOk);
}

TEST_F(Commands, PublishedInputsAreCheckedAllAtOnce) {
  const std::string wrong = file("p.json", R"({"published": {"write_mib": 1, "phase": "late",
      "levels": [{"wa": "x"}], "v3": {"steps": 0, "levels": [3]}}})");
  EXPECT_EQ(run({"predict", "--model", "v4", "--input", wrong}), kExitUsage);
  for (const char* place : {"published.\"write_mib\"", "published.phase", "published.levels[0].wa",
                            "published.v3.steps", "published.v3.levels[0]"})
    EXPECT_THAT(err_.str(), HasSubstr(place));
}

}  // namespace
}  // namespace lsmtuned::daemon::testing
