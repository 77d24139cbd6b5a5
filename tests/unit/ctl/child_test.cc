#include "daemon/child.h"

#include <chrono>

#include "support.h"

namespace lsmtuned::daemon::testing {
namespace {

using ::testing::HasSubstr;

TEST(Child, GivesBothStreamsAndTheExitCode) {
  const auto ran = run_child({"sh", "-c", "echo out; echo err >&2; exit 3"}, 10, 1000);
  ASSERT_TRUE(ran) << ran.error().text();
  EXPECT_EQ(ran->out, "out\n");
  EXPECT_EQ(ran->errors, "err\n");
  EXPECT_EQ(ran->exit_code, 3);
  EXPECT_EQ(run_child({"sh", "-c", "kill -9 $$"}, 10, 1000)->exit_code, 128 + 9);
}

TEST(Child, ArgumentsAreNotReadByAShell) {
  EXPECT_EQ(run_child({"echo", "$HOME; ls"}, 10, 1000)->out, "$HOME; ls\n");
}

TEST(Child, IsKilledWithItsChildrenAtTheDeadline) {
  const auto begin = std::chrono::steady_clock::now();
  const auto ran = run_child({"sh", "-c", "sleep 60 & sleep 60"}, 0.2, 1000);
  const auto took = std::chrono::steady_clock::now() - begin;
  ASSERT_FALSE(ran);
  EXPECT_THAT(ran.error().what, HasSubstr("did not end in time"));
  EXPECT_LT(took, std::chrono::seconds(20));
}

TEST(Child, TooMuchOutputEndsIt) {
  const auto ran = run_child({"yes"}, 60, 100000);
  ASSERT_FALSE(ran);
  EXPECT_THAT(ran.error().what, HasSubstr("more than 100000 bytes"));
}

TEST(Child, AMissingProgramIsAnError) {
  const auto ran = run_child({"/nonexistent/fio"}, 10, 1000);
  ASSERT_FALSE(ran);
  EXPECT_THAT(ran.error().what, HasSubstr("No such file"));
}

}  // namespace
}  // namespace lsmtuned::daemon::testing
