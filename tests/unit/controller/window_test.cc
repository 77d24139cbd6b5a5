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

}  // namespace
}  // namespace lsmtuned::controller
