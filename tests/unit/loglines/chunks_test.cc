// However the bytes arrive: torn, cut, long, with foreign line ends.
#include <random>

#include "model/loglines/line_splitter.h"
#include "tests/unit/loglines/support.h"

namespace lsmtuned::model {
namespace {

using testing::analyse;
using testing::message;
using testing::problem_of;
using testing::real_log;

void expect_same(const LogAnalysis& left, const LogAnalysis& right) {
  ASSERT_EQ(left.families.size(), right.families.size());
  EXPECT_EQ(left.lines, right.lines);
  EXPECT_EQ(left.counters, right.counters);
  EXPECT_EQ(left.events, right.events);
  EXPECT_EQ(left.series, right.series);
  EXPECT_EQ(left.problems.size(), right.problems.size());
  for (std::size_t i = 0; i < left.families.size(); ++i) {
    EXPECT_EQ(left.families[i].levels, right.families[i].levels);
    EXPECT_EQ(left.families[i].jobs, right.families[i].jobs);
    EXPECT_EQ(left.families[i].rates, right.families[i].rates);
    EXPECT_EQ(left.families[i].memtables, right.families[i].memtables);
  }
}

TEST(Chunks, SizesDoNotMatter) {
  const LogAnalysis whole = analyse(real_log());
  for (const std::size_t chunk : {1U, 7U, 64U, 4096U, 65537U})
    expect_same(whole, analyse(real_log(), chunk));
}

TEST(Chunks, EverySplitPointGivesTheSameLines) {
  const std::string text = real_log().substr(0, 3000) + "\r\n\nlast without newline";
  const auto lines_of = [&](std::size_t split) {
    std::string lines;
    LineSplitter splitter;
    const auto keep = [&](std::string_view line, LineEnd end) {
      lines += std::string(line) + "|" + std::to_string(static_cast<int>(end)) + "\n";
    };
    splitter.feed(std::string_view(text).substr(0, split), keep);
    splitter.feed(std::string_view(text).substr(split), keep);
    splitter.finish(keep);
    return lines;
  };
  const std::string whole = lines_of(text.size());
  for (std::size_t split = 0; split < text.size(); ++split) ASSERT_EQ(lines_of(split), whole);
}

// The part with events, cut in two at every byte.
TEST(Chunks, EverySplitPointGivesTheSameAnalysis) {
  const std::size_t begin = real_log().find("EVENT_LOG_v1");
  const std::string text = real_log().substr(0, begin + 6000);
  const LogAnalysis whole = analyse(text);
  ASSERT_GT(whole.lines.events, 4);
  for (std::size_t split = begin; split < text.size(); ++split) {
    LogAnalyzer analyzer;
    analyzer.begin_file("LOG");
    analyzer.feed(std::string_view(text).substr(0, split));
    analyzer.feed(std::string_view(text).substr(split));
    expect_same(whole, analyzer.finish());
    if (HasFailure()) FAIL() << "split at " << split;
  }
}

TEST(Chunks, CarriageReturnsDoNotMatter) {
  std::string text;
  for (const char c : real_log()) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  LogAnalysis windows = analyse(text);
  const LogAnalysis whole = analyse(real_log());
  windows.lines.bytes = whole.lines.bytes;
  expect_same(whole, windows);
}

TEST(Chunks, ALineOfMegabytesIsCutAndNamed) {
  const std::string text = real_log() + std::string(3 << 20, 'x') + "\n" + real_log();
  for (const std::size_t chunk : {std::size_t{4096}, text.size()}) {
    const LogAnalysis analysis = analyse(text, chunk);
    const LogProblem* problem = problem_of(analysis, LogProblemKind::overlong_line);
    ASSERT_NE(problem, nullptr);
    EXPECT_EQ(problem->count, 1);
    EXPECT_EQ(problem->places.at(0).line, 890U);  // the real LOG has 889
    EXPECT_EQ(analysis.families.at(0).jobs.flushes, 2 * 42);
  }
}

TEST(Chunks, ATornEventIsNamedAndNotCounted) {
  const std::size_t event = real_log().find("\"event\": \"flush_finished\"");
  std::string text = real_log();
  text.erase(event + 40, text.find('\n', event) - event - 40);
  const LogAnalysis analysis = analyse(text);
  const LogProblem* problem = problem_of(analysis, LogProblemKind::torn_event);
  ASSERT_NE(problem, nullptr);
  EXPECT_EQ(problem->count, 1);
  EXPECT_EQ(analysis.families.at(0).jobs.flushes, 41);
}

TEST(Chunks, ACutLogEndsInANamedLine) {
  const LogAnalysis analysis = analyse(std::string_view(real_log()).substr(0, 100000));
  EXPECT_NE(problem_of(analysis, LogProblemKind::unfinished_last_line), nullptr);
}

TEST(Chunks, BinaryGarbageIsNamed) {
  std::string garbage(5000, '\0');
  std::mt19937 random(1);
  for (char& c : garbage) c = static_cast<char>(random());
  const LogAnalysis analysis = analyse(real_log() + "\n" + garbage + "\n" + real_log());
  EXPECT_NE(problem_of(analysis, LogProblemKind::binary_bytes), nullptr);
  EXPECT_EQ(analysis.families.at(0).jobs.flushes, 2 * 42);
}

TEST(Chunks, NothingIsNoLog) {
  EXPECT_FALSE(analyse("").looks_like_a_log());
  EXPECT_FALSE(analyse("root:x:0:0:root:/root:/bin/bash\n").looks_like_a_log());
  EXPECT_FALSE(analyse(message(1, "some other program's log")).looks_like_a_log());
  EXPECT_TRUE(analyse(real_log()).looks_like_a_log());
}

}  // namespace
}  // namespace lsmtuned::model
