#include "daemon/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <regex>
#include <string>

namespace lsmtuned::daemon {
namespace {

using ::testing::HasSubstr;

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override { spdlog::set_default_logger(before_); }
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

TEST_F(LogTest, WritesOneTimedLineToStderr) {
  ::testing::internal::CaptureStderr();
  ASSERT_TRUE(set_up_log("stderr", "info"));
  spdlog::info("first\nforged line\x1b[31m");
  spdlog::debug("too quiet");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_TRUE(std::regex_match(
      text, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d info )"
                       R"(first\\nforged line\\x1b\[31m)"
                       "\n")))
      << text;
}

TEST_F(LogTest, TheLevelMayChange) {
  ::testing::internal::CaptureStderr();
  ASSERT_TRUE(set_up_log("stderr", "error"));
  spdlog::warn("hidden");
  ASSERT_TRUE(set_log_level("debug"));
  spdlog::debug("shown");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("shown"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("hidden")));
}

TEST_F(LogTest, UnknownWordsNameTheKey) {
  EXPECT_THAT(set_up_log("syslog", "info").error().what, HasSubstr("log_target"));
  EXPECT_THAT(set_up_log("stderr", "loud").error().what, HasSubstr("log_level"));
  EXPECT_THAT(set_log_level("loud").error().what, HasSubstr("\"loud\""));
}

TEST_F(LogTest, TheJournalIsChosenOnlyWhenStderrIsIt) {
  ::unsetenv("JOURNAL_STREAM");
  EXPECT_FALSE(stderr_is_journal());
  ::setenv("JOURNAL_STREAM", "1:1", 1);  // inherited, but stderr was redirected
  EXPECT_FALSE(stderr_is_journal());
  struct stat status {};
  ASSERT_EQ(::fstat(STDERR_FILENO, &status), 0);
  const std::string mine = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
  ::setenv("JOURNAL_STREAM", mine.c_str(), 1);
  EXPECT_TRUE(stderr_is_journal());
  ::unsetenv("JOURNAL_STREAM");
}

TEST(Tail, QuotesWhatNeedsIt) {
  Tail tail;
  tail.add("id", std::uint64_t{7}).add("empty", "").add("path", "/a/b-c_d.e:1+2");
  tail.add("words", "two words").add("tricky", "a\"b\\c\nd=e");
  EXPECT_EQ(tail.text(), R"( id=7 path=/a/b-c_d.e:1+2 words="two words" tricky="a\"b\\c\nd=e")");
}

TEST(DecisionLine, TellsTheDecisionOnOneLine) {
  controller::Decision decision;
  decision.id = 12;
  decision.target = "main";
  decision.kind = controller::DecisionKind::proposal;
  decision.status = controller::DecisionStatus::kept;
  decision.reason = "gain";
  decision.initiator = "controller";
  decision.changes = {{"default", model::Knob::write_buffer_size, 4194304, 16777216}};
  decision.predicted_after.put_bytes_per_s = 2097152;
  decision.measured_after.seconds = 60;
  decision.measured_after.put_bytes_per_s = 1048576;
  decision.evidence = "faster\nby far";
  const auto line = decision_line(decision);
  EXPECT_THAT(line, ::testing::StartsWith("decision id=12 target=main status=kept kind=proposal "
                                          "reason=gain by=controller changes=\"default.write_"));
  EXPECT_THAT(line, HasSubstr("predicted=\"2"));
  EXPECT_THAT(line, HasSubstr("measured=\"1"));
  EXPECT_THAT(line, HasSubstr("evidence=\"faster\\nby far\""));
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace lsmtuned::daemon
