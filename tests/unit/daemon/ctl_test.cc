// lsmtunectl: exit codes, text for people, and the diagnosis of a process.
#include <gmock/gmock.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "app_fixture.h"
#include "daemon/ctl_diagnose.h"
#include "daemon/ctl_print.h"
#include "daemon/ctl_run.h"

namespace lsmtuned::daemon::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Ctl : public RunningApp {
 protected:
  int run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--socket", config_.control_socket});
    out_.str("");
    err_.str("");
    return run_ctl(arguments, out_, err_);
  }
  void begin() {
    start();
    ASSERT_TRUE(eventually([&] { return ask({{"command", "snapshot"}}).contains("snapshot"); }));
  }
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(Ctl, SaysHowToStartADaemonThatIsNotThere) {
  EXPECT_EQ(run({"status"}), kExitUnreachable);
  EXPECT_THAT(err_.str(), HasSubstr("systemctl start lsmtuned"));
  EXPECT_EQ(run({"check"}), kExitUnreachable);
}

TEST_F(Ctl, AWrongCommandLineIsUsage) {
  EXPECT_EQ(run({}), kExitUsage);
  EXPECT_EQ(run({"dance"}), kExitUsage);
  EXPECT_EQ(run({"explain"}), kExitUsage);
  EXPECT_EQ(run({"explain", "seven"}), kExitUsage);
  EXPECT_EQ(run({"mode", "fast"}), kExitUsage);
  EXPECT_EQ(run({"diagnose", "-4"}), kExitUsage);
  EXPECT_EQ(run({"--timeout", "0", "status"}), kExitUsage);
  EXPECT_EQ(run({"--help"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("diagnose"));
}

TEST_F(Ctl, EveryCommandAnswers) {
  begin();
  EXPECT_EQ(run({"status"}), kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("phase"), HasSubstr("S_max"), HasSubstr("trust")));
  EXPECT_EQ(run({"targets"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("plant"));
  EXPECT_EQ(run({"status", "--json"}), kExitOk);
  EXPECT_EQ(json::parse(out_.str()).as_object().at("target").as_string(), "plant");
  EXPECT_EQ(run({"decisions"}), kExitOk);
  EXPECT_EQ(run({"explain", "999999"}), kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr("lsmtunectl decisions"));
  EXPECT_EQ(run({"advice"}), kExitOk);
  EXPECT_EQ(run({"apply", "999999"}), kExitRefused);
  EXPECT_EQ(run({"try", "write_buffer_size"}), kExitUsage);
  EXPECT_THAT(err_.str(), HasSubstr("OPTION=VALUE"));
  EXPECT_EQ(run({"try", "write_buffer_size=0"}), kExitRefused);
  EXPECT_EQ(run({"freeze"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("done"));
  EXPECT_EQ(run({"freeze"}), kExitRefused);
  EXPECT_EQ(run({"thaw"}), kExitOk);
  EXPECT_EQ(run({"revert"}), kExitRefused);
  EXPECT_EQ(run({"mode", "observe"}), kExitOk);
  EXPECT_EQ(run({"export"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("Nothing is kept"));
  EXPECT_EQ(run({"samples", "--minutes", "5"}), kExitOk);
  EXPECT_EQ(run({"snapshot"}), kExitOk);
  EXPECT_TRUE(json::parse(out_.str()).as_object().contains("snapshot"));
  EXPECT_EQ(run({"--target", "nobody", "status"}), kExitRefused);
}

TEST_F(Ctl, ModelCommandsAskForTheTargetsPresentProblem) {
  begin();
  ASSERT_EQ(run({"predict", "--model", "ledger", "--json"}), kExitOk) << err_.str();
  const json::object said = json::parse(out_.str()).as_object();
  EXPECT_GT(said.at("put_bytes_per_s").to_number<double>(), 0);
  EXPECT_EQ(said.at("horizon_s").to_number<double>(), policy().trial_max_s);
  EXPECT_TRUE(said.at("inputs").at("settings").as_object().contains("write_buffer_size"));
  EXPECT_EQ(run({"bottleneck", "--horizon", "600"}), kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("10 min"));
  EXPECT_EQ(run({"predict", "--family", "nothing"}), kExitRefused);
  EXPECT_THAT(err_.str(), HasSubstr("nothing"));
}

// A trial is kept on this plant: its gain is there, measured, and defaults are only predicted.
TEST_F(Ctl, GainIsMeasuredAgainstTheStartAndDefaultsArePredicted) {
  begin();
  json::object said;
  ASSERT_TRUE(eventually([&] {
    if (run({"gain", "--members", "1", "--json"}) != kExitOk) return false;
    said = json::parse(out_.str()).as_object();
    return said.at("kept_in_force").to_number<int>() > 0 && said.at("since_start").is_object() &&
           said.at("predicted_defaults").is_object();
  })) << out_.str()
      << err_.str();
  const json::object& kept = said.at("kept_trials").as_object();
  EXPECT_GT(kept.at("share").to_number<double>(), 0.05);
  EXPECT_LT(kept.at("low_share").to_number<double>(), kept.at("share").to_number<double>());
  EXPECT_TRUE(said.at("changed").as_bool());
  EXPECT_GT(said.at("start").at("measured").at("put_bytes_per_s").to_number<double>(), 0);
  EXPECT_EQ(said.at("against_defaults_from").as_string(), "predicted");
  const json::object& defaults = said.at("predicted_defaults").as_object();
  EXPECT_LT(defaults.at("low_bytes_per_s").to_number<double>(),
            defaults.at("put_bytes_per_s").to_number<double>());
  EXPECT_TRUE(said.at("against_defaults").as_object().contains("high_share"));
  ASSERT_EQ(run({"gain", "--members", "1"}), kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("since start"), HasSubstr("by tuning"),
                                HasSubstr("PREDICTED by totals")));
}

// Advice that is open comes first; the writers of this plant stall, so a pace is recommended.
TEST_F(Ctl, RecommendJoinsAdviceWorkloadAndMachine) {
  policy().mode = config::Mode::advise;
  begin();
  json::array all;
  ASSERT_TRUE(eventually([&] {
    if (run({"recommend", "--model", "totals", "--members", "1", "--json"}) != kExitOk)
      return false;
    all = json::parse(out_.str()).as_object().at("recommendations").as_array();
    return !all.empty() && all[0].at("what").as_string().starts_with("lsmtunectl apply");
  })) << out_.str()
      << err_.str();
  EXPECT_EQ(all[0].at("term").as_string(), "immediate");
  EXPECT_GT(all[0].at("gain").at("share").to_number<double>(), 0);
  std::set<std::string> kinds;
  for (const json::value& one : all) kinds.emplace(one.at("kind").as_string());
  EXPECT_EQ(kinds, (std::set<std::string>{"parameter", "system", "workload"})) << out_.str();
  ASSERT_EQ(run({"recommend", "--model", "totals", "--members", "1"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("offer at most"));
}

// Levels of a live target: by the simulator, and by its own counters where it compacted.
TEST_F(Ctl, BottleneckAndAccuracyOfALiveTarget) {
  begin();
  ASSERT_TRUE(eventually([&] {
    return run({"accuracy", "--json"}) == kExitOk &&
           !json::parse(out_.str()).as_object().at("models").as_array().empty();
  })) << out_.str()
      << err_.str();
  EXPECT_EQ(run({"accuracy"}), kExitOk);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("files"), HasSubstr("ACCURACY")));
  EXPECT_EQ(run({"status"}), kExitOk);
  EXPECT_THAT(out_.str(), HasSubstr("models         files"));
  EXPECT_EQ(run({"bottleneck"}), kExitOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("compaction into L"));
}

TEST_F(Ctl, CheckIsOneLineWithAnExitCode) {
  policy().mode = config::Mode::observe;
  begin();
  EXPECT_EQ(run({"check"}), kExitOk);
  EXPECT_EQ(out_.str(), "OK: 1 target\n");
  switches_->fail_observe = true;
  ASSERT_TRUE(phase_becomes("safe"));
  EXPECT_EQ(run({"check"}), kExitProblem);
  EXPECT_THAT(out_.str(), HasSubstr("PROBLEM: plant: safe state"));
}

// ---- text ---------------------------------------------------------------------------------------

TEST(Explanation, TellsTheStoryOnAScreen) {
  const json::value decision = json::parse(R"({
    "id": 7, "kind": "proposal", "status": "kept", "wall_time_s": 1795252500,
    "ended_wall_time_s": 1795252700, "initiator": "controller", "reason": "gain",
    "explanation": "a larger write buffer makes L0 compactions rarer",
    "changes": [{"family": "default", "option": "write_buffer_size", "old": 4194304, "new": 16777216}],
    "predicted_before": {"put_bytes_per_s": 5e6, "low_bytes_per_s": 4e6, "high_bytes_per_s": 6e6, "bound": "device"},
    "predicted_after": {"put_bytes_per_s": 9e6, "low_bytes_per_s": 8e6, "high_bytes_per_s": 1e7, "bound": "device", "horizon_s": 300},
    "predicted_settled": {"put_bytes_per_s": 8e6, "low_bytes_per_s": 7e6, "high_bytes_per_s": 9e6},
    "measured_before": {"seconds": 60, "put_bytes_per_s": 5e6, "stall_share": 0.5, "write_amplification": 8, "l0_compactions": 5},
    "measured_after": {"seconds": 120, "put_bytes_per_s": 9.9e6, "stall_share": 0.25, "write_amplification": 6.67, "l0_compactions": 6},
    "kpis": {
      "put_rate": {"before": 5e6, "predicted": 9e6, "after": 9.9e6, "judgement": "better"},
      "write_bandwidth_use": {"before": null, "predicted": null, "after": null, "judgement": "unknown"},
      "compaction_efficiency": {"before": 0.125, "predicted": 0.16, "after": 0.15, "judgement": "better"},
      "stability": {"before": 0.5, "predicted": 0.9, "after": 0.75, "judgement": "better"},
      "resource_use": {"before": 67108864, "predicted": 100663296, "after": null, "judgement": "unknown"}},
    "evidence": "9.4 MiB/s over 6 cycles", "short_trial": true,
    "considered": [
      {"changes": [{"family": "default", "option": "write_buffer_size", "old": 4194304, "new": 16777216}],
       "predicted_put_bytes_per_s": 9e6, "verdict": "chosen"},
      {"changes": [{"family": "default", "option": "write_buffer_size", "old": 4194304, "new": 67108864},
                   {"family": "default", "option": "level0_slowdown_writes_trigger", "old": 20, "new": 32}],
       "predicted_put_bytes_per_s": 1.1e7, "verdict": "over the memory budget"}]})");
  EXPECT_EQ(print_explanation(decision.as_object()), R"(Decision 7: proposal, kept
when           2026-11-21T09:15:00Z to 2026-11-21T09:18:20Z, by controller
why            a larger write buffer makes L0 compactions rarer [gain]
seen           4.8 MiB/s put, stalled 50.0 %, write amplification 8.00, 5 L0 compactions in 1 min
bound          4.8 MiB/s (3.8 MiB/s to 5.7 MiB/s), bound by device, settled as it was
changes        default.write_buffer_size 4 MiB -> 16 MiB
considered     8.6 MiB/s, chosen: default.write_buffer_size 4 MiB -> 16 MiB
               10.5 MiB/s, over the memory budget: default.write_buffer_size 4 MiB -> 64 MiB,
               default.level0_slowdown_writes_trigger 20 -> 32
predicted      8.6 MiB/s (7.6 MiB/s to 9.5 MiB/s), bound by device, over 5 min
later          7.6 MiB/s (6.7 MiB/s to 8.6 MiB/s), settled
happened       9.4 MiB/s put, stalled 25.0 %, write amplification 6.67, 6 L0 compactions in 2 min
error          measured / predicted = 1.10 (short trial)
figures                       before     predicted         after
  put rate                 4.8 MiB/s     8.6 MiB/s     9.4 MiB/s  better
  compaction efficiency       12.5 %        16.0 %        15.0 %  better
  stability                   50.0 %        90.0 %        75.0 %  better
  resource use                64 MiB        96 MiB             -
outcome        9.4 MiB/s over 6 cycles
)");
}

// The longest that a search can find: ten knobs, eight candidates, long reasons.
TEST(Explanation, OfTheLargestDecisionStillFits) {
  json::array changes;
  for (const auto& knob : model::all_knobs()) {
    if (changes.size() == 10) break;
    changes.push_back(json::object{
        {"family", "default"}, {"option", knob.option}, {"old", 1073741824}, {"new", 2147483648}});
  }
  const std::string words = [] {
    std::string text;
    for (int i = 0; i < 100; ++i) text += "words of a reason ";
    return text;
  }();
  json::array considered;
  for (int i = 0; i < 8; ++i)
    considered.push_back(json::object{
        {"changes", changes}, {"predicted_put_bytes_per_s", 1e7}, {"verdict", "not allowed"}});
  const json::object prediction = {{"put_bytes_per_s", 5e6},
                                   {"low_bytes_per_s", 4e6},
                                   {"high_bytes_per_s", 6e6},
                                   {"bound", "device"}};
  const json::object window = {{"seconds", 60},
                               {"put_bytes_per_s", 5e6},
                               {"stall_share", 0.5},
                               {"put_p99_s", 0.004},
                               {"l0_compactions", 12}};
  const json::object kpi = {
      {"before", 5e6}, {"predicted", 9e6}, {"after", 9.9e6}, {"judgement", "better"}};
  const json::object decision = {{"id", 7},
                                 {"kind", "proposal"},
                                 {"status", "kept"},
                                 {"wall_time_s", 1795252500},
                                 {"ended_wall_time_s", 1795252700},
                                 {"initiator", "controller"},
                                 {"reason", "gain"},
                                 {"explanation", words},
                                 {"evidence", words},
                                 {"changes", changes},
                                 {"considered", considered},
                                 {"predicted_before", prediction},
                                 {"predicted_after", prediction},
                                 {"predicted_settled", prediction},
                                 {"measured_before", window},
                                 {"measured_after", window},
                                 {"kpis",
                                  {{"put_rate", kpi},
                                   {"write_bandwidth_use", kpi},
                                   {"compaction_efficiency", kpi},
                                   {"stability", kpi},
                                   {"resource_use", kpi}}}};
  const std::string text = print_explanation(decision);
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 40) << text;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
  EXPECT_THAT(text, HasSubstr("and 4 more: --json"));
}

// 20 samples: the first fifth at 10 MiB/s and w = 8, the last at 5 MiB/s and w = 10; predicted 12.5
// while 10 were put: off by a quarter in 16 of them, by 1.5 (counted as 1) in 4.
TEST(Samples, EndWithTheirCourse) {
  json::array samples;
  for (int i = 0; i < 20; ++i)
    samples.push_back(json::object{{"put_bytes_per_s", (i < 16 ? 10 : 5) * 1048576.0},
                                   {"predicted_put_bytes_per_s", 12.5 * 1048576},
                                   {"stall_share", 0.3},
                                   {"write_amplification", i < 16 ? 8 : 10}});
  const std::string text = print_samples({{"samples", samples}});
  EXPECT_THAT(text, HasSubstr("course: put 10 MiB/s -> 5 MiB/s (-50.0 %), compaction efficiency "
                              "12.5 % -> 10.0 % (-20.0 %), first to last fifth\n"));
  EXPECT_THAT(text, HasSubstr("prediction: accuracy 60.0 % over 20 samples with stalls\n"));
  for (json::value& sample : samples) sample.as_object()["predicted_put_bytes_per_s"] = 3e7;
  EXPECT_THAT(print_samples({{"samples", samples}}), HasSubstr("BELOW 50 %"));
  // Without times there are no phases, nor for less than one window of ten.
  EXPECT_THAT(text, Not(HasSubstr("published phases")));
  for (std::size_t i = 0; i < samples.size(); ++i)
    samples[i].as_object()["wall_time_s"] = 1.7e9 + 30 * static_cast<double>(i);
  EXPECT_THAT(print_samples({{"samples", samples}}), HasSubstr("of the detector's labels"));
  // The detector's thresholds are those of the target.
  const auto confirmed = [&](double middle_from_minutes) {
    return print_samples(
        {{"samples", samples},
         {"workload_phases", json::object{{"middle_from_minutes", middle_from_minutes},
                                          {"final_from_minutes", middle_from_minutes},
                                          {"initial_above_variation", 0}}}});
  };
  EXPECT_NE(confirmed(0), confirmed(1e6));
  samples.resize(9);
  EXPECT_THAT(print_samples({{"samples", samples}}), Not(HasSubstr("course")));
  EXPECT_THAT(print_samples({{"samples", samples}}), Not(HasSubstr("published phases")));
}

TEST(Text, SurvivesAnswersOfAnotherShape) {
  for (const char* odd :
       {"{}", R"({"now": 3, "prediction": [], "alerts": {}, "kept": "x", "trial": 1})",
        R"({"decisions": [1, {}], "targets": [null, {}], "samples": [[], {}], "advice": {}})",
        R"({"target": "a\u001b[2Jb", "attached": true})"}) {
    const json::object answer = json::parse(odd).as_object();
    const std::string all = print_status(answer) + print_targets(answer) + print_decisions(answer) +
                            print_explanation(answer) + print_advice(answer) +
                            print_samples(answer) + problem_in_status(answer);
    EXPECT_EQ(all.find('\x1b'), std::string::npos);
  }
}

TEST(Text, StatusSaysWhatIsBelowItsStandardAndWhatLevelsCost) {
  const json::object answer = json::parse(R"({"watched": {
      "put_rate": {"recent": 5e6, "standard": 1e7, "raised_for_s": 600},
      "write_bandwidth": {"recent": 9e7, "standard": 1e8, "raised_for_s": null},
      "suspects": [{"name": "device", "share": 0.9, "evidence": "it is slower"}],
      "level_amplification": [{"write": 1, "read": 0}, {"write": 3.5, "read": 4.25}]}})")
                                  .as_object();
  const std::string text = print_status(answer);
  EXPECT_THAT(text, HasSubstr("put rate while writers stall: 50.0 % of its standard for 10 min"));
  EXPECT_THAT(text, HasSubstr("90.0 % of the fall by the device: it is slower"));
  EXPECT_THAT(text, Not(HasSubstr("what the device can write")));
  EXPECT_THAT(text, HasSubstr("written (read) per user byte: L0 1.00 (0.00), L1 3.50 (4.25)"));
}

TEST(Text, StatusSaysWhatACandidateWaitsForAndWhatGoingBackCosts) {
  const json::object answer = json::parse(R"({"candidate": {
      "changes": [{"family": "default", "option": "write_buffer_size", "old": 4194304,
                   "new": 8388608}],
      "found_s_ago": 70, "waits_for": "writes are delayed"},
      "going_back": {"text": "adds 220 MiB of pending compaction"}})")
                                  .as_object();
  EXPECT_THAT(print_status(answer),
              AllOf(HasSubstr("found 1 min 10 s ago"), HasSubstr("write_buffer_size"),
                    HasSubstr("waits: writes are delayed"),
                    HasSubstr("going back adds 220 MiB of pending compaction")));
}

// Bytes that the page cache holds are on no device yet: a share of 400,000 % is none.
TEST(Text, StatusGivesNoUseOfADeviceThatTookLessThanWasPut) {
  json::object answer = json::parse(R"({"now": {"put_bytes_per_s": 2e7}})").as_object();
  answer["device_utilisation_v4"] = 4000.0;
  EXPECT_THAT(print_status(answer), AllOf(HasSubstr("less than user bytes"), Not(HasSubstr("V4"))));
  answer["device_utilisation_v4"] = 0.25;
  EXPECT_THAT(print_status(answer), HasSubstr("user bytes are 25.0 % of it (V4)"));
}

TEST(Text, NamesWhatIsWrong) {
  const auto problem = [](const char* status) {
    return problem_in_status(json::parse(status).as_object());
  };
  EXPECT_EQ(problem(R"({"attached": true, "making_progress": true, "phase": "steady",
                        "trust": {"open": true}, "now": {"write_stopped": false}})"),
            "");
  EXPECT_THAT(problem(R"({"attached": false})"), HasSubstr("not attached"));
  EXPECT_THAT(problem(R"({"attached": true, "making_progress": false})"), HasSubstr("stuck"));
  EXPECT_THAT(problem(R"({"attached": true, "making_progress": true, "trust": {"open": true},
                          "now": {"write_stopped": true}})"),
              HasSubstr("writes are stopped"));
}

// ---- diagnose -----------------------------------------------------------------------------------

class Diagnose : public ::testing::Test {
 protected:
  void process(const std::string& maps, const std::string& environment,
               const std::string& executable) {
    std::filesystem::create_directories(temp_.file("42"));
    write_all(temp_.file("42/maps"), maps);
    write_all(temp_.file("42/environ"), environment);
    write_all(temp_.file("program"), executable);
    std::filesystem::create_symlink(temp_.file("program"), temp_.file("42/exe"));
  }
  std::string advice(std::optional<bool> connected = false) {
    auto diagnosis = diagnose(42, temp_.path());
    if (!diagnosis) return diagnosis.error().text();
    diagnosis->connected = connected;
    return print_diagnosis(*diagnosis);
  }
  static constexpr const char* kLoader =
      "7f00-7f01 r-xp 0 fe:00 1 /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2\n";
  static constexpr const char* kRocksDb =
      "7f02-7f03 r-xp 0 fe:00 2 /usr/lib/x86_64-linux-gnu/librocksdb.so.7.8.3\n";
  static constexpr const char* kShim = "7f04-7f05 r-xp 0 fe:00 3 /opt/liblsmtuned_agent.so\n";
  static constexpr const char* kImplementation =
      "7f06-7f07 r-xp 0 fe:00 4 /opt/liblsmtuned_agent_rocksdb_7_8.so\n";
  TempDir temp_;
};

TEST_F(Diagnose, AProcessThatIsNotThere) {
  EXPECT_THAT(advice(), HasSubstr("no process 42"));
}

TEST_F(Diagnose, WithoutTheAgentItSaysHowToPreload) {
  process(std::string(kLoader) + kRocksDb, std::string("HOME=/\0", 7), "");
  EXPECT_THAT(advice(), AllOf(HasSubstr("7.8.3"), HasSubstr("systemctl edit")));
}

TEST_F(Diagnose, PreloadedButNotLoaded) {
  process(std::string(kLoader) + kRocksDb, "LD_PRELOAD=/wrong/liblsmtuned_agent.so", "");
  EXPECT_THAT(advice(), HasSubstr("is the path right"));
}

TEST_F(Diagnose, AnotherVersion) {
  process(std::string(kLoader) + "1-2 r-xp 0 fe:00 2 /lib/librocksdb.so.6.29.5\n", "", "");
  EXPECT_THAT(advice(), HasSubstr("7.8 only; with 6.29.5"));
}

TEST_F(Diagnose, StaticallyLinked) {
  process(kLoader, "", "..rocksdb.estimate-pending-compaction-bytes..");
  EXPECT_THAT(advice(), HasSubstr("linked statically"));
}

TEST_F(Diagnose, NothingOfRocksDb) {
  process(kLoader, "", "plain");
  EXPECT_THAT(advice(), HasSubstr("right process"));
}

TEST_F(Diagnose, SwitchedOff) {
  process(std::string(kLoader) + kRocksDb + kShim, std::string("LSMTUNED_DISABLE=1\0A=b\0", 23),
          "");
  EXPECT_THAT(advice(), HasSubstr("LSMTUNED_DISABLE"));
}

TEST_F(Diagnose, LoadedAndNotConnectedOrConnected) {
  process(std::string(kLoader) + kRocksDb + kShim + kImplementation, "LSMTUNED_SOCKET=/x/a.sock",
          "");
  EXPECT_THAT(advice(), HasSubstr("(it uses /x/a.sock)"));
  EXPECT_THAT(advice(std::nullopt), HasSubstr("no daemon answers"));
  EXPECT_THAT(advice(true), HasSubstr("nothing to do"));
}

TEST(DiagnoseTargets, ConnectedMeansAnAttachedTargetWithThatPid) {
  Diagnosis diagnosis;
  diagnosis.pid = 42;
  note_targets(diagnosis, Result<json::object>(Error{"no daemon", ""}));
  EXPECT_FALSE(diagnosis.connected.has_value());
  const auto answer = [](const char* text) {
    return Result<json::object>(json::parse(text).as_object());
  };
  note_targets(diagnosis, answer(R"({"targets": [{"pid": 41, "attached": true}]})"));
  EXPECT_EQ(diagnosis.connected, false);
  note_targets(diagnosis, answer(R"({"targets": [{"pid": 42, "attached": true}]})"));
  EXPECT_EQ(diagnosis.connected, true);
}

}  // namespace
}  // namespace lsmtuned::daemon::testing
