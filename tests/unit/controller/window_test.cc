#include "controller/window.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lsmtuned::controller {
namespace {

// 12 MiB/s while stalled 40 % of the time: 20 MiB/s where nothing holds writers back.
TEST(Demand, IsWhatWritersWouldWriteWithoutStalls) {
  EXPECT_DOUBLE_EQ(demand_bytes_per_s(12, 0.4), 20);
  EXPECT_DOUBLE_EQ(demand_bytes_per_s(12, 0), 12);
  EXPECT_DOUBLE_EQ(demand_bytes_per_s(0, 0.5), 0);
  EXPECT_TRUE(std::isinf(demand_bytes_per_s(12, 1)));
}

TEST(PutSize, ChangesByMoreThanAFewPerCent) {
  EXPECT_FALSE(put_size_changed(1000, 1140));
  EXPECT_TRUE(put_size_changed(1000, 1160));
  EXPECT_TRUE(put_size_changed(1000, 840));
  EXPECT_FALSE(put_size_changed(0, 1000));  // not known before
  EXPECT_FALSE(put_size_changed(1000, 0));  // nobody writes
}

// 10 s, 4 s of them stalled, 800 bytes written in the first 5 s and none of it held back.
TEST(LoadedRate, LeavesOutTimeInWhichLessWasOffered) {
  Mark begin;
  Mark middle = begin;
  middle.time_s = 5;
  middle.user_bytes = 800;
  middle.stall_s = 2;
  Mark end = middle;
  end.time_s = 10;
  end.user_bytes = 810;  // hardly anything, and no stall
  const std::vector<Mark> marks{begin, middle, end};
  EXPECT_DOUBLE_EQ(loaded_rate(marks), 160);
  EXPECT_TRUE(loaded(begin, middle, 81));
  EXPECT_FALSE(loaded(middle, end, 81));
}

// A second of 100 bytes, six of 10 bytes, four of 100 in which the last stalls, two of 10, one of
// 50 stalled: only the six are long enough, and without a stall.
TEST(UnderLoad, CutsOutTimeWithLittleLoad) {
  std::vector<Mark> marks(1);
  const auto add = [&](int seconds, double bytes, double stall_s = 0) {
    for (int i = 0; i < seconds; ++i) {
      Mark mark = marks.back();
      mark.time_s += 1;
      mark.user_bytes += bytes;
      mark.stall_s += stall_s;
      mark.l0_compactions += 1;
      marks.push_back(mark);
    }
  };
  add(1, 100);
  add(6, 10);
  add(3, 100);
  add(1, 100, 0.5);
  add(2, 10);
  add(1, 50, 0.5);
  const auto kept = under_load(marks, 100);
  ASSERT_EQ(kept.size(), marks.size() - 6);
  EXPECT_DOUBLE_EQ(kept.back().time_s, 8);
  EXPECT_DOUBLE_EQ(kept.back().user_bytes, 100 + 400 + 20 + 50);
  EXPECT_DOUBLE_EQ(kept.back().stall_s, 1);
  EXPECT_DOUBLE_EQ(kept.back().l0_compactions, 8);
  EXPECT_EQ(under_load(marks, 0).size(), marks.size());
  EXPECT_TRUE(under_load({}, 100).empty());
}

// One mark a second, a cycle every ten; L0 grows to each of `peaks` and falls to 2 at its end.
std::vector<Mark> cycles_reaching(const std::vector<double>& peaks) {
  std::vector<Mark> marks(1);
  for (std::size_t cycle = 0; cycle < peaks.size(); ++cycle) {
    for (int second = 1; second <= 10; ++second) {
      Mark mark = marks.back();
      mark.time_s += 1;
      mark.l0_files = second < 10 ? peaks[cycle] * second / 9 : 2;
      if (second == 10) mark.l0_compactions += 1;
      marks.push_back(mark);
    }
  }
  return marks;
}

// Ten seconds each: at 100 bytes/s for three cycles, at 300 for one and a half.
TEST(LatestRate, IsOverTheLastTwoWholeCycles) {
  auto marks = cycles_reaching({5, 5, 5, 5, 5});
  marks.resize(46);
  for (std::size_t i = 1; i < marks.size(); ++i)
    marks[i].user_bytes = marks[i - 1].user_bytes + (i <= 30 ? 100 : 300);
  EXPECT_DOUBLE_EQ(latest_rate(marks), 200);
  EXPECT_DOUBLE_EQ(latest_rate(std::span(marks).first(30)), 0);
  EXPECT_DOUBLE_EQ(latest_rate(std::span(marks).first(31)), 100);
}

// 15, 18 and 28 files while L0 fills up, then 31 and 31: what lasts begins with the first 31.
TEST(SteadyFrom, LeavesOutCyclesInWhichL0FillsUp) {
  EXPECT_EQ(steady_from(cycles_reaching({15, 18, 28, 31, 31}), true), 30U);
  EXPECT_EQ(steady_from(cycles_reaching({31, 30, 31}), true), 0U);
  EXPECT_EQ(steady_from(cycles_reaching({11, 14, 13, 18, 17, 24, 24}), true), 50U);
  EXPECT_EQ(steady_from(cycles_reaching({15, 18, 28}), true), 30U);  // nothing lasts yet
  EXPECT_EQ(steady_from(cycles_reaching({15}), true), 10U);
  EXPECT_EQ(steady_from({}, true), 0U);
}

}  // namespace
}  // namespace lsmtuned::controller
