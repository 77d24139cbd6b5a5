// The write controller and the pending estimate against RocksDB's own LOG, value by value.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

#include "model/simulator/levels.h"
#include "model/simulator/write_controller.h"
#include "tests/unit/simulator/support.h"

namespace lsmtuned::model::simulator {
namespace {

struct Recalculation {
  std::string event;
  double immutable = 0;
  double l0_files = 0;
  double bytes[4] = {};
  double logged_rate = 0;
  bool logged_stop = false;
};

std::vector<Recalculation> read_log() {
  std::ifstream file(SIMULATOR_TEST_DATA "/stall_log.txt");
  std::vector<Recalculation> log;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream columns(line);
    Recalculation one;
    columns >> one.event >> one.immutable >> one.l0_files;
    for (double& bytes : one.bytes) columns >> bytes;
    columns >> one.logged_rate >> one.logged_stop;
    EXPECT_FALSE(columns.fail()) << line;
    log.push_back(one);
  }
  return log;
}

TEST(StallLog, EveryLoggedRateAndStopIsReproduced) {
  const Parameters parameters = make_parameters(testing::small_problem());
  WriteController controller(parameters.stall, 0, {});
  int delayed = 0;
  int stopped = 0;
  for (const Recalculation& logged : read_log()) {
    Levels levels(parameters);
    for (std::size_t l = 0; l < 4; ++l) levels.add(l, logged.bytes[l]);
    levels.set_l0_files(logged.l0_files, logged.l0_files);
    levels.settle();
    controller.recalculate({logged.immutable, logged.l0_files, levels.pending_bytes()});
    ASSERT_EQ(controller.stopped(), logged.logged_stop) << logged.event;
    ASSERT_EQ(controller.delayed() ? controller.delayed_rate() : 0, logged.logged_rate)
        << logged.event << " after " << delayed << " delayed";
    delayed += logged.logged_rate > 0 ? 1 : 0;
    stopped += logged.logged_stop ? 1 : 0;
  }
  EXPECT_EQ(delayed, 216);
  EXPECT_EQ(stopped, 170);
}

}  // namespace
}  // namespace lsmtuned::model::simulator
