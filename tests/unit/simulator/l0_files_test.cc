#include "model/simulator/l0_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/simulator/support.h"

namespace lsmtuned::model::simulator {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class L0FilesTest : public ::testing::Test {
 protected:
  void add(double bytes, double low = 0, double high = 1) {
    TableFile file;
    file.low = low;
    file.high = high;
    file.bytes = bytes;
    file.records = bytes / 1000;
    l0_.add_newest(file);
  }
  void start(std::uint32_t id, const std::vector<std::size_t>& picked) {
    Job job;
    job.id = id;
    l0_.take(picked, job);
  }

  Parameters parameters_ = make_parameters(model::testing::small_problem());
  Levels levels_{parameters_};
  L0Files l0_{levels_};
  std::vector<std::size_t> picked_;
};

TEST_F(L0FilesTest, ACompactionTakesEveryOverlappingFile) {
  for (int i = 0; i < 9; ++i) add(4e6);
  l0_.pick_for_base(picked_);
  EXPECT_THAT(picked_, SizeIs(9));
}

// [0, 0.2] reaches [0.1, 0.4], which reaches [0.3, 0.5]; [0.5, 0.9] only touches.
TEST_F(L0FilesTest, OverlapIsFollowedFromFileToFile) {
  add(1, 0, 0.2);
  add(1, 0.3, 0.5);
  add(1, 0.1, 0.4);
  add(1, 0.5, 0.9);
  l0_.pick_for_base(picked_);
  EXPECT_THAT(picked_, ElementsAre(0, 1, 2));
}

TEST_F(L0FilesTest, OneJobToTheBaseLevelAtATime) {
  for (int i = 0; i < 4; ++i) add(4e6);
  start(1, {0, 1, 2, 3});
  add(4e6);
  l0_.pick_for_base(picked_);
  EXPECT_THAT(picked_, IsEmpty());
  EXPECT_EQ(levels_.l0_files(), 5);  // busy files still stand in the way of writers
  l0_.finish(1, nullptr);
  EXPECT_EQ(levels_.l0_files(), 1);
  EXPECT_DOUBLE_EQ(levels_.bytes(0), 4e6);
}

// Trigger 4: six files are needed. From the newest, bytes per file saved: (4+4)/1 = 8, 12/2 = 6,
// 16/3 = 5.3, 20/4 = 5; with the oldest, of 40, (20+40)/5 = 12: it stays.
TEST_F(L0FilesTest, IntraL0ExtendsWhileItGetsCheaper) {
  add(40e6);
  for (int i = 0; i < 4; ++i) add(4e6);
  l0_.pick_intra(4, 1e9, picked_);
  EXPECT_THAT(picked_, IsEmpty());
  add(4e6);
  l0_.pick_intra(4, 1e9, picked_);
  EXPECT_THAT(picked_, ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(L0FilesTest, IntraL0StopsAtABusyFileAndAtTheByteLimit) {
  for (int i = 0; i < 10; ++i) add(4e6);
  l0_.pick_intra(4, 21e6, picked_);  // five files are 20 MB
  EXPECT_THAT(picked_, ElementsAre(5, 6, 7, 8, 9));
  start(1, {0, 1, 2, 3, 4});
  l0_.pick_intra(4, 1e9, picked_);
  EXPECT_THAT(picked_, ElementsAre(5, 6, 7, 8, 9));
  start(2, {6, 7, 8, 9});
  l0_.pick_intra(4, 1e9, picked_);  // the newest is busy
  EXPECT_THAT(picked_, IsEmpty());
}

TEST_F(L0FilesTest, TheMergedFileTakesItsInputsPlace) {
  for (int i = 1; i <= 6; ++i) add(i);
  start(7, {2, 3, 4, 5});
  add(100);
  TableFile merged;
  merged.bytes = 15;
  l0_.finish(7, &merged);
  ASSERT_THAT(l0_.files(), SizeIs(4));
  EXPECT_EQ(l0_.files()[1].bytes, 2);
  EXPECT_EQ(l0_.files()[2].bytes, 15);
  EXPECT_EQ(l0_.files()[3].bytes, 100);
}

}  // namespace
}  // namespace lsmtuned::model::simulator
