// What each model command answers to the documented example.
#include "daemon/control_protocol.h"
#include "support.h"

namespace lsmtuned::daemon::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

double number(const json::object& object, const char* name) {
  return object.at(name).to_number<double>();
}

TEST_F(Commands, TheV42SampleGivesItsPublishedNumberAndKeys) {
  ASSERT_EQ(run({"predict", "--model", "v4.2", "--input", example("v4_2.json"), "--json"}),
            kExitOk);
  const json::object said = answer();
  EXPECT_EQ(said.at("predicted_s_max"), 33132);
  const json::object& levels = said.at("level_wise_analysis").as_object();
  EXPECT_EQ(levels.size(), 7U);
  for (const char* level : {"L0", "L1", "L2", "L3", "L4", "L5", "L6"})
    for (const char* key : {"wa", "ra", "io_impact"})
      EXPECT_TRUE(levels.at(level).as_object().contains(key)) << level << key;
  EXPECT_EQ(levels.at("L2").at("wa").to_number<double>(), 1.3);
  const json::object& phase = said.at("phase_characteristics").as_object();
  EXPECT_EQ(number(phase, "performance_factor"), 0.3);
  EXPECT_EQ(number(phase, "stability_factor"), 0.2);
  EXPECT_EQ(number(phase, "io_contention"), 0.6);
  EXPECT_EQ(said.at("phase"), "initial");
  // Measured by us, far from what the documents claim.
  EXPECT_GT(number(said.at("accuracy").as_object(), "mean_absolute_error"), 0.5);
  EXPECT_EQ(number(said.at("inputs").as_object(), "write_mib_per_s"), 1074.8);

  ASSERT_EQ(run({"predict", "--model", "v4.2", "--input", example("v4_2.json")}), kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("33,132 ops/s"), HasSubstr("docs/results/model.md")));
}

TEST_F(Commands, APhaseOnTheCommandLineWins) {
  for (const auto& [phase, rate] : {std::pair("middle", 119002), std::pair("final", 250598)}) {
    ASSERT_EQ(run({"predict", "--model", "v4.2", "--phase", phase, "--input", example("v4_2.json"),
                   "--json"}),
              kExitOk);
    EXPECT_EQ(answer().at("predicted_s_max"), rate);
    EXPECT_EQ(answer().at("phase_source"), "manual");
  }
}

TEST_F(Commands, PredictStatesEverythingAPredictionCarries) {
  for (const std::string model : {"ledger", "totals", "files"}) {
    ASSERT_EQ(run({"predict", "--model", model, "--input", example("problem.json"), "--json",
                   "--members", "2"}),
              kExitOk)
        << err_.str();
    const json::object said = answer();
    const double rate = number(said, "put_bytes_per_s");
    EXPECT_GT(rate, 1e6);
    EXPECT_NEAR(number(said, "put_ops_per_s"), rate / 1040, 1e-6 * rate);
    EXPECT_LT(number(said, "low_bytes_per_s"), rate);
    EXPECT_GT(number(said, "high_bytes_per_s"), rate);
    EXPECT_EQ(number(said, "horizon_s"), 120);
    EXPECT_EQ(number(said.at("hour").as_object(), "horizon_s"), 3600);
    EXPECT_GT(number(said.at("hour").as_object(), "put_bytes_per_s"), 0);
    for (const char* key : {"version", "bound", "runner_up", "write_amplification",
                            "read_amplification", "confidence", "accuracy", "interval_from"})
      EXPECT_TRUE(said.contains(key)) << key;
    EXPECT_EQ(said.at("inputs").at("device").at("write_bytes_per_s"), 24 * 1024 * 1024);
    ASSERT_EQ(
        run({"predict", "--model", model, "--input", example("problem.json"), "--members", "2"}),
        kExitOk);
    EXPECT_THAT(out_.str(), AllOf(HasSubstr("S_max"), HasSubstr("an hour"), HasSubstr("bound")));
  }
}

TEST_F(Commands, TheInputsOfAPredictionAreADocumentAgain) {
  const std::vector<std::string> by_totals = {"predict",   "--model", "totals", "--json",
                                              "--members", "2",       "--input"};
  auto arguments = by_totals;
  arguments.push_back(example("problem.json"));
  ASSERT_EQ(run(arguments), kExitOk);
  const json::object first = answer();
  arguments.back() = file("again.json", json::serialize(first.at("inputs")));
  ASSERT_EQ(run(arguments), kExitOk) << err_.str();
  EXPECT_NEAR(number(answer(), "put_bytes_per_s") / number(first, "put_bytes_per_s"), 1, 1e-9);
}

TEST_F(Commands, EveryPublishedModelAnswersAProblemOrSaysWhatItLacks) {
  ASSERT_EQ(run({"models", "--json"}), kExitOk);
  const json::array models = answer().at("models").as_array();
  EXPECT_EQ(models.size(), 17U);
  int answered = 0;
  for (const json::value& model : models) {
    const std::string id(model.at("id").as_string());
    for (const char* key : {"version", "inputs", "can_rank", "cannot_rank", "accuracy"})
      EXPECT_TRUE(model.as_object().contains(key)) << id << key;
    const int code = run(
        {"predict", "--model", id, "--input", example("problem.json"), "--json", "--members", "1"});
    EXPECT_TRUE(code == kExitOk || code == kExitRefused) << id;
    if (code == kExitRefused) {
      EXPECT_THAT(err_.str(), HasSubstr("needs")) << id;
    }
    answered += code == kExitOk;
    ASSERT_EQ(run({"models", id}), kExitOk);
    EXPECT_THAT(out_.str(), AllOf(HasSubstr("can rank"), HasSubstr("accuracy"))) << id;
  }
  EXPECT_GE(answered, 10);
}

// v2 takes level sizes from the tree; what the section says of a level is added to that level.
TEST_F(Commands, PublishedInputsReplaceWhatTheProblemGivesValueByValue) {
  const auto v2_with = [&](const char* section) {
    EXPECT_EQ(run({"predict", "--model", "v2", "--json", "--input",
                   edited({"published"}, json::parse(section))}),
              kExitOk)
        << err_.str();
    return number(answer(), "ops_per_s");
  };
  const double plain = v2_with("{}");
  EXPECT_EQ(v2_with(R"({"levels": [{"measured_wa": 1}, {"measured_wa": 5}]})"), plain);
  EXPECT_LT(v2_with(R"({"write_mib_per_s": 12})"), plain);
}

// v2.1 weighs the levels whose traffic is known; the tree may have more. Half of a level is a
// mistake.
TEST_F(Commands, LevelsWithoutTrafficHaveNoWeightInV21) {
  const auto v21_with = [&](const char* levels) {
    return run({"predict", "--model", "v2.1", "--json", "--input",
                edited({"published"}, json::parse(std::string(R"({"stall_probability": 0.1, )") +
                                                  R"("levels": )" + levels + "}"))});
  };
  EXPECT_EQ(v21_with(R"([{"written_mib": 100, "w_amp": 1}])"), kExitOk) << err_.str();
  EXPECT_NE(v21_with(R"([{"written_mib": 100}])"), kExitOk);
  EXPECT_THAT(err_.str(), HasSubstr("levels[0]: written_mib and w_amp are needed"));
  EXPECT_NE(v21_with("[]"), kExitOk);
}

TEST_F(Commands, SimulateAnswersWithAllOfASimulation) {
  ASSERT_EQ(run({"simulate", "--input", example("problem.json"), "--json", "--series", "--events",
                 "--horizon", "60"}),
            kExitOk)
      << err_.str();
  const json::object said = answer();
  EXPECT_EQ(number(said, "horizon_s"), 60);
  EXPECT_EQ(said.at("layer"), "files");
  for (const char* key : {"put_bytes_per_s",
                          "settled_put_bytes_per_s",
                          "stall_shares",
                          "worst_stall_s",
                          "write_amplification",
                          "read_amplification",
                          "space_amplification",
                          "l0_files_mean",
                          "l0_files_max",
                          "pending_bytes_mean",
                          "pending_bytes_max",
                          "pending_bytes_end",
                          "flushes",
                          "l0_compactions",
                          "intra_l0_compactions",
                          "deeper_compactions",
                          "trivial_moves",
                          "device_busy_share",
                          "tree",
                          "series",
                          "jobs"})
    EXPECT_TRUE(said.contains(key)) << key;
  const auto samples = said.at("series").as_array().size();
  EXPECT_GE(samples, 239U);
  EXPECT_LE(samples, 241U);
  ASSERT_EQ(run({"simulate", "--input", example("problem.json"), "--layer", "totals", "--series",
                 "--every", "20"}),
            kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("stalled"), HasSubstr("w, r, space"), HasSubstr("L0")));
}

// 60 s at 1 MB/s: nothing stalls, and what is put is what is offered.
TEST_F(Commands, SimulateUsesTheOfferedRate) {
  const std::string calm = edited({"workload", "offered_bytes_per_s"}, 1e6);
  ASSERT_EQ(run({"simulate", "--input", calm, "--json", "--horizon", "60"}), kExitOk);
  EXPECT_NEAR(number(answer(), "put_bytes_per_s"), 1e6, 2e4);
  EXPECT_EQ(number(answer().at("stall_shares").as_object(), "total"), 0);
}

TEST_F(Commands, SensitivityRanksKnobsAndPairs) {
  ASSERT_EQ(run({"sensitivity", "--input", example("problem.json"), "--model", "ledger", "--json"}),
            kExitOk);
  const json::array ranked = answer().at("elasticities").as_array();
  ASSERT_GE(ranked.size(), 14U);
  EXPECT_GE(std::abs(ranked[0].at("elasticity").as_double()),
            std::abs(ranked[13].at("elasticity").to_number<double>()));
  EXPECT_FALSE(answer().at("pairs").as_array().empty());
  ASSERT_EQ(run({"sensitivity", "--input", example("problem.json"), "--model", "totals",
                 "--members", "1", "--pairs", "0"}),
            kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("write_buffer_size"), HasSubstr("elasticity")));
}

TEST_F(Commands, PlanAnswersRateDeviceAndSize) {
  ASSERT_EQ(run({"plan", "--input", example("problem.json"), "--rate", "4 MiB/s", "--members", "1",
                 "--json"}),
            kExitOk);
  const json::object said = answer();
  EXPECT_GT(number(said.at("highest_rate_bytes_per_s").as_object(), "value"), 0);
  EXPECT_GT(number(said.at("least_device_write_bytes_per_s").as_object(), "value"), 0);
  EXPECT_GT(number(said.at("most_data_bytes").as_object(), "value"), 0);
  for (const char* name :
       {"highest_rate_bytes_per_s", "least_device_write_bytes_per_s", "most_data_bytes"}) {
    const json::object& answer = said.at(name).as_object();
    EXPECT_LT(number(answer, "low"), number(answer, "value")) << name;
    EXPECT_GE(number(answer, "high"), number(answer, "value")) << name;
  }
  ASSERT_EQ(run({"plan", "--input", example("problem.json"), "--members", "1"}), kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("highest rate"), HasSubstr("no load given")));
}

TEST_F(Commands, BottleneckNamesTheBindingBoundAndWhatLiftsIt) {
  ASSERT_EQ(run({"bottleneck", "--input", example("problem.json"), "--json"}), kExitOk);
  const json::object said = answer();
  EXPECT_EQ(said.at("binding"), "device");
  const json::array& bounds = said.at("bounds").as_array();
  ASSERT_GE(bounds.size(), 2U);
  EXPECT_EQ(bounds[0].at("bound"), "device");
  EXPECT_EQ(bounds[1].at("bound"), said.at("next"));
  EXPECT_NE(bounds[0].at("lifted_by"), "");
  ASSERT_EQ(run({"bottleneck", "--input",
                 edited({"settings", "rate_limiter_bytes_per_second"}, 1048576)}),
            kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("rate limiter"), HasSubstr("binds"),
                                HasSubstr("a higher rate_limiter_bytes_per_second")));
}

TEST_F(Commands, BottleneckNamesTheLevelAndWhatActsOnIt) {
  ASSERT_EQ(run({"bottleneck", "--input", example("problem.json"), "--json"}), kExitOk)
      << err_.str();
  const json::object level = answer().at("level").as_object();
  EXPECT_GE(number(level, "level"), 1);
  EXPECT_GT(number(level, "device_share"), 0.2);
  EXPECT_GT(number(level, "write_amplification"), 0);
  for (const json::value& one : level.at("levels").as_array())
    EXPECT_LE(number(one.as_object(), "device_share"),
              number(one.as_object(), "level") == 0 ? 1 : number(level, "device_share"));
  const json::array& actions = level.at("acted_on_by").as_array();
  ASSERT_GE(actions.size(), 4U);
  EXPECT_GE(number(actions[0].as_object(), "gain_share"),
            number(actions[1].as_object(), "gain_share"));
  // The prediction of the first step is what `predict` says of it, roughly: another horizon.
  EXPECT_LT(number(actions[0].as_object(), "low_share"),
            number(actions[0].as_object(), "high_share"));
  ASSERT_EQ(run({"bottleneck", "--input", example("problem.json"), "--model", "totals"}), kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("compaction into L"), HasSubstr("<- most")));
}

TEST_F(Commands, RecommendOfADocumentJudgesSettingsAndMachineOnly) {
  ASSERT_EQ(run({"recommend", "--input", example("problem.json"), "--model", "totals", "--json"}),
            kExitOk)
      << err_.str();
  EXPECT_FALSE(answer().at("workload_judged").as_bool());
  int systems = 0;
  const json::object said = answer();
  for (const json::value& one : said.at("recommendations").as_array()) {
    EXPECT_NE(one.at("kind"), "workload");
    EXPECT_FALSE(one.at("evidence").as_string().empty());
    EXPECT_TRUE(one.at("gain").is_object());
    systems += one.at("kind") == "system";
  }
  EXPECT_GE(systems, 3);
  ASSERT_EQ(run({"recommend", "--input", example("problem.json"), "--model", "totals"}), kExitOk);
  EXPECT_THAT(out_.str(),
              AllOf(HasSubstr("in the long run"), HasSubstr("because"), HasSubstr("not judged")));
}

// Recorded trials in the form of decisions.jsonl: x4 of the write buffer doubled the rate twice.
TEST_F(Commands, SensitivityAndAccuracyOfRecordedTrials) {
  const auto line = [](int id, double before, double after) {
    return R"({"seq":)" + std::to_string(id) + R"(,"id":)" + std::to_string(id) +
           R"(,"target":"main","kind":"proposal","status":"kept","changes":[{"family":"default",)"
           R"("option":"write_buffer_size","old":4194304,"new":16777216}],)"
           R"("predicted_before":{"put_bytes_per_s":5000000},)"
           R"("predicted_after":{"put_bytes_per_s":9000000},"measured_before":{"seconds":60,)"
           R"("put_bytes_per_s":)" +
           std::to_string(before) +
           R"(,"stall_share":0.5},"measured_after":{"seconds":60,)"
           R"("put_bytes_per_s":)" +
           std::to_string(after) + R"(,"stall_share":0.4,"l0_compactions":5}})" + "\n";
  };
  // A newer version of the second line replaces it.
  const std::string record =
      file("decisions.jsonl", line(1, 5e6, 1e7) + line(2, 5e6, 3e6) + line(2, 5e6, 1e7));
  ASSERT_EQ(run({"sensitivity", "--measured", "--input", record, "--json"}), kExitOk) << err_.str();
  const json::object effect = answer().at("measured").at(0).as_object();
  EXPECT_EQ(number(effect, "trials"), 2);
  EXPECT_NEAR(number(effect, "elasticity"), 0.5, 1e-9);
  EXPECT_GT(number(effect, "standard_error"), 0);
  EXPECT_EQ(effect.at("knobs").at(0).at("name"), "write_buffer_size");
  ASSERT_EQ(run({"sensitivity", "--measured", "--input", record}), kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("+0.500"), HasSubstr("write_buffer_size")));

  ASSERT_EQ(run({"accuracy", "--input", record, "--json"}), kExitOk) << err_.str();
  const json::array values = answer().at("by_value").as_array();
  ASSERT_EQ(values.size(), 2U);
  EXPECT_EQ(number(values[0].as_object(), "value"), 4194304);
  EXPECT_NEAR(number(values[0].as_object(), "mean_error"), 0, 1e-12);
  EXPECT_NEAR(number(values[1].as_object(), "mean_error"), -0.1, 1e-12);
  EXPECT_EQ(number(values[1].as_object(), "windows"), 2);
  ASSERT_EQ(run({"accuracy", "--input", record, "--knob", "write_buffer_size"}), kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("16 MiB"), HasSubstr("-10.0 %")));
  EXPECT_EQ(run({"accuracy", "--input", file("bad.jsonl", "{\n{}\n")}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("line 1"));
}

}  // namespace
}  // namespace lsmtuned::daemon::testing
