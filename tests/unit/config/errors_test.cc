// Bad configurations: every problem at once, with place and remedy.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/parse.h"

namespace lsmtuned::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::vector<std::string> problems_of(const std::string& text) {
  std::vector<std::string> texts;
  for (const Problem& problem : parse_text(text, "t.toml").problems) {
    texts.push_back(problem.text());
  }
  return texts;
}

TEST(Errors, TheSocketsAreTwo) {
  EXPECT_THAT(problems_of("[daemon]\nagent_socket = \"/run/lsmtuned/control.sock\"\n"),
              ElementsAre(StartsWith("t.toml:2:16: daemon.agent_socket: agent_socket and")));
  EXPECT_THAT(problems_of("[daemon]\nagent_socket = \"/a\"\ncontrol_socket = \"/a\"\n"),
              ElementsAre(StartsWith("t.toml:3:18: daemon.control_socket: agent_socket and")));
}

TEST(Errors, AllAtOnceInFileOrderWithPositionsAndRemedies) {
  EXPECT_THAT(problems_of(R"([daemon]
worker_threads = "two"
agent_sokcet = "/run/a"
[defaults]
lease = "10 parsecs"
trial_min_cycles = 0
mode = "tunes"
reapply_after_restart = 1
knobs = ["write_bufer_size", "write_buffer_size", "write_buffer_size", 3]
lese = 3
[dameon]
[[target]]
name = "main"
)"),
              ElementsAre("t.toml:2:18: daemon.worker_threads: expected an integer, got text\n"
                          "  write the number without quotes",
                          "t.toml:3:1: daemon.agent_sokcet: unknown key\n"
                          "  did you mean \"agent_socket\"?",
                          "t.toml:5:9: defaults.lease: \"10 parsecs\" is not a duration: unknown "
                          "unit \"parsecs\"\n"
                          "  write a number and a unit, such as \"30 s\"; units: ms, s, min, h, d",
                          "t.toml:6:20: defaults.trial_min_cycles: 0 is out of range\n"
                          "  allowed: 1 to 1000",
                          "t.toml:7:8: defaults.mode: unknown value \"tunes\"\n"
                          "  did you mean \"tune\"?",
                          "t.toml:8:25: defaults.reapply_after_restart: expected true or false, "
                          "got integer 1",
                          "t.toml:9:10: defaults.knobs: unknown value \"write_bufer_size\"\n"
                          "  did you mean \"write_buffer_size\"?",
                          "t.toml:9:51: defaults.knobs: \"write_buffer_size\" is listed twice\n"
                          "  remove one",
                          "t.toml:9:72: defaults.knobs: expected text in quotes, got integer 3",
                          "t.toml:10:1: defaults.lese: unknown key\n  did you mean \"lease\"?",
                          "t.toml:11:2: dameon: unknown table\n  did you mean \"daemon\"?",
                          "t.toml:12:1: target.main.path: missing: every target needs it\n"
                          "  add path = \"/var/lib/example/db\""));
}

TEST(Errors, SyntaxErrorHasItsPosition) {
  EXPECT_THAT(problems_of("[daemon]\nlog_level = info\n"),
              ElementsAre(StartsWith("t.toml:2:16: not valid TOML: ")));
  EXPECT_THAT(problems_of("[daemon]\nhistory = 1\nhistory = 2\n"),
              ElementsAre(StartsWith("t.toml:3:")));
  EXPECT_THAT(problems_of("a = \"\xff\xfe\"\n"), ElementsAre(HasSubstr("not valid TOML")));
  EXPECT_THAT(problems_of("[defaults]\ncooldown = 99999999999999999999\n"),
              ElementsAre(StartsWith("t.toml:2:")));
}

TEST(Errors, EmptyTextAndBlankText) {
  EXPECT_THAT(problems_of(""), ElementsAre(HasSubstr("the file is empty")));
  EXPECT_THAT(problems_of(" \n\t\r\n"), ElementsAre(HasSubstr("the file is empty")));
}

TEST(Errors, KeyInTheWrongTable) {
  EXPECT_THAT(problems_of("lease = 3\n[daemon]\ncooldown = 3\nkind = \"agent\"\n[defaults]\n"
                          "log_level = \"info\"\nwrite_buffer_size = 3\n"),
              ElementsAre(HasSubstr("this key belongs in [defaults] or [[target]]"),
                          HasSubstr("this key belongs in [defaults] or [[target]]"),
                          HasSubstr("this key belongs in [[target]]"),
                          HasSubstr("this key belongs in [daemon]"),
                          HasSubstr("narrow one in [defaults.bounds]")));
}

TEST(Errors, TablesOfTheWrongKind) {
  EXPECT_THAT(problems_of("daemon = 3\ndefaults = [1]\ntarget = [1]\n"),
              ElementsAre(HasSubstr("daemon: expected a table, got integer 3"),
                          HasSubstr("defaults: expected a table, got a list"),
                          HasSubstr("target: expected a table, got integer 1")));
  EXPECT_THAT(problems_of("[target]\nname = \"a\"\n"),
              ElementsAre(HasSubstr("write [[target]], with two brackets")));
}

TEST(Errors, NumbersOutOfRangeAndOfTheWrongKind) {
  EXPECT_THAT(problems_of("[defaults]\nmemory_budget = -5\nlease = -1.5\nminimum_gain = 5\n"
                          "trust_region_factor = inf\nmemory_budget_ = 1\ntrial_max = nan\n"
                          "reverts_per_hour_limit = 2.5\nsettle_max = 1979-05-27\n"
                          "poll_interval = 9223372036854775807\n"),
              ElementsAre(HasSubstr("defaults.memory_budget: -5 B is out of range\n  allowed: 4 "
                                    "MiB to 64 TiB, or 0 B (none stated"),
                          HasSubstr("defaults.lease: "), HasSubstr("500 % is out of range"),
                          HasSubstr("the number is too large"),
                          HasSubstr("did you mean \"memory_budget\"?"),
                          HasSubstr("the number is too large"),
                          HasSubstr("expected an integer, got a number with a fraction"),
                          HasSubstr("got a date or time"), HasSubstr("the number is too large")));
}

TEST(Errors, Bounds) {
  EXPECT_THAT(problems_of(R"([defaults.bounds]
write_buffer_size = ["64 MiB", "2 MiB"]
max_write_buffer_number = [2]
level0_stop_writes_triger = [8, 20]
target_file_size_base = "2 MiB"
max_background_jobs = [1, "four"]
max_bytes_for_level_base = ["1 B", "1 GiB"]
)"),
              ElementsAre(HasSubstr("t.toml:2:21: defaults.bounds.write_buffer_size: the lowest "
                                    "value is above the highest"),
                          HasSubstr("expected [lowest, highest], got a list of 1"),
                          HasSubstr("did you mean \"level0_stop_writes_trigger\"?"),
                          HasSubstr("expected [lowest, highest], got text"),
                          HasSubstr("expected an integer, got text"),
                          HasSubstr("1 B is outside the absolute bounds")));
}

TEST(Errors, Texts) {
  EXPECT_THAT(problems_of(R"([daemon]
agent_socket = "run/agent.sock"
agent_users = ["a b"]
control_socket = ""
state_directory = "state"
metrics_listen = "localhost"
[defaults]
freeze_windows = ["22:00-6:00", "24:00-01:00", "10:00-10:00"]
[[target]]
name = "has space"
path = "data/db"
)"),
              ElementsAre(HasSubstr("the path is not absolute"),
                          HasSubstr("user and group names cannot have"),
                          HasSubstr("the path is empty"), HasSubstr("the path is not absolute"),
                          HasSubstr("the port is missing"), HasSubstr("not a window of time"),
                          HasSubstr("not a window of time"), HasSubstr("both times are the same"),
                          HasSubstr("t.toml:10:8: target[0].name: \"has space\""),
                          HasSubstr("t.toml:11:8: target[0].path: \"data/db\": the path is not "
                                    "absolute\n  write a whole path, starting with /")));
}

TEST(Errors, SocketPathThatNoUnixSocketCanHave) {
  EXPECT_THAT(problems_of("[daemon]\nagent_socket = \"/" + std::string(107, 'a') + "\"\n"),
              ElementsAre(HasSubstr("107 bytes")));
  EXPECT_THAT(problems_of("[daemon]\nagent_socket = \"/" + std::string(106, 'a') + "\"\n"),
              IsEmpty());
}

TEST(Errors, DuplicateTargets) {
  EXPECT_THAT(problems_of(R"([[target]]
name = "a"
path = "/db"
[[target]]
name = "a"
path = "/db/"
)"),
              ElementsAre("t.toml:5:8: target.a.name: \"a\" is already used by the target in line "
                          "2\n  give every target a name of its own",
                          "t.toml:6:8: target.a.path: \"/db\" is already used by the target in "
                          "line 3\n  give every target a path of its own"));
}

TEST(Errors, LeaseOfThreePolls) {
  EXPECT_THAT(problems_of("[defaults]\nlease = \"5 s\"\npoll_interval = \"2 s\"\n"),
              ElementsAre("t.toml:2:9: defaults.lease: the lease of 5 s is shorter than three "
                          "polls of 2 s\n  one late heartbeat would end it: set lease to at least "
                          "6 s, or poll more often"));
  EXPECT_THAT(problems_of("[defaults]\nlease = \"6 s\"\npoll_interval = \"2 s\"\n"), IsEmpty());
  // A target that only inherits the contradiction is not reported again; one that causes it is.
  const std::string target = "[[target]]\nname = \"a\"\npath = \"/a\"\n";
  EXPECT_THAT(problems_of("[defaults]\npoll_interval = 4\n" + target),
              ElementsAre(HasSubstr("defaults.poll_interval")));
  EXPECT_THAT(problems_of(target + "poll_interval = 4\n"),
              ElementsAre(HasSubstr("t.toml:4:17: target.a.poll_interval")));
}

TEST(Errors, WorkloadPhasesInOrder) {
  EXPECT_THAT(problems_of("[defaults]\nworkload_phase_middle_from = \"2 h\"\n"
                          "workload_phase_middle_variation = \"40 %\"\n"),
              testing::UnorderedElementsAre(HasSubstr("workload_phase_middle_from is above"),
                                            HasSubstr("workload_phase_middle_variation is above")));
}

TEST(Errors, TrialTimes) {
  EXPECT_THAT(problems_of("[defaults]\ntrial_max = \"10 s\"\n"),
              ElementsAre(HasSubstr("trial_min of 1 min is above trial_max of 10 s")));
}

TEST(Errors, TuneNeedsABudgetKnobsAndCounters) {
  EXPECT_THAT(problems_of("[defaults]\nmode = \"tune\"\n"),
              ElementsAre(HasSubstr("t.toml:2:8: defaults.mode: mode tune needs a memory budget\n"
                                    "  set memory_budget")));
  const std::string target = "[[target]]\nname = \"a\"\npath = \"/a\"\nmode = \"tune\"\n";
  EXPECT_THAT(problems_of(target), ElementsAre(HasSubstr("t.toml:4:8: target.a.memory_budget")));
  EXPECT_THAT(problems_of(target + "memory_budget = \"1 GiB\"\n"), IsEmpty());
  EXPECT_THAT(problems_of("[defaults]\nmode = \"tune\"\n[[target]]\nname = \"a\"\npath = \"/a\"\n"),
              ElementsAre(HasSubstr("target.a.memory_budget")));
  EXPECT_THAT(problems_of(target + "memory_budget = \"1 GiB\"\nknobs = []\nstatistics = "
                                   "\"none\"\n"),
              ElementsAre(HasSubstr("no knob that may move"), HasSubstr("needs counters")));
}

TEST(Errors, HostileNamesAreNotEchoedRaw) {
  const auto texts = problems_of("\"a\\u001b[2J\" = 1\n");
  ASSERT_EQ(texts.size(), 1U);
  EXPECT_EQ(texts[0].find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace lsmtuned::config
