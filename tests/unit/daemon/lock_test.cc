#include "daemon/lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "temp_dir.h"

namespace lsmtuned::daemon::testing {
namespace {

using ::testing::HasSubstr;

TEST(InstanceLock, CreatesTheDirectoryAndNamesItsOwner) {
  const TempDir temp;
  const std::string directory = temp.file("a/b");
  auto lock = InstanceLock::acquire(directory);
  ASSERT_TRUE(lock) << lock.error().text();
  EXPECT_EQ(read_all(directory + "/lsmtuned.lock"), std::to_string(::getpid()) + "\n");
  auto second = InstanceLock::acquire(directory);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().what, HasSubstr("pid " + std::to_string(::getpid())));
  EXPECT_FALSE(second.error().remedy.empty());
}

TEST(InstanceLock, IsFreeAgainAfterItsOwnerAndSurvivesAMove) {
  const TempDir temp;
  {
    auto lock = InstanceLock::acquire(temp.path());
    ASSERT_TRUE(lock);
    const InstanceLock moved = std::move(*lock);
    EXPECT_FALSE(InstanceLock::acquire(temp.path()));
  }
  EXPECT_TRUE(InstanceLock::acquire(temp.path()));
}

TEST(InstanceLock, SaysWhatIsInTheWay) {
  const TempDir temp;
  write_all(temp.file("file"), "");
  auto lock = InstanceLock::acquire(temp.file("file/state"));
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().what, HasSubstr("state_directory"));
}

}  // namespace
}  // namespace lsmtuned::daemon::testing
